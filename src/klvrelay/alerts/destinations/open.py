"""The destination of its settings."""

from __future__ import annotations

from klvrelay.alerts.destinations.contract import AlertDestination
from klvrelay.config.alerts import AlertsSettings, NotifySettings
from klvrelay.errors import ConfigError


def open_destination(settings: NotifySettings) -> AlertDestination:
    """The destination. Nothing is connected yet. Raises ConfigError without its library, or for a wrong Apprise URL."""
    if settings.web is not None:
        from klvrelay.alerts.destinations.webhook import Webhook

        return Webhook(settings.web)
    if settings.apprise is not None:
        from klvrelay.alerts.destinations.apprise_service import AppriseService

        return AppriseService(settings.apprise, settings.timeout)
    from klvrelay.alerts.destinations.command import Command

    return Command(settings.command, settings.timeout)


def check_destinations(settings: AlertsSettings) -> None:
    """Raise ConfigError for a destination that cannot be opened. It loads libraries: not for the event loop."""
    for one in settings.destinations:
        try:
            open_destination(one)
        except ConfigError as fault:
            raise ConfigError(f"notify {one.name}: {fault}") from None
