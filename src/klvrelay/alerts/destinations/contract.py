"""A notification, and the contract of all destinations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from klvrelay.alerts.alert import Alert
from klvrelay.json_output import dumps

SCHEMA = "klvrelay/notification/1"


@dataclass(frozen=True, slots=True)
class Notification:
    """What a destination gets: an alert that was raised, cleared or ended. `is_test`: it is not real."""

    alert: Alert
    is_test: bool = False

    @property
    def id(self) -> str:
        """The same at each attempt, and different for each event."""
        number = f"-{self.alert.updates}" if self.alert.event == "updated" else ""
        return f"{self.alert.id}-{self.alert.event}{number}"

    @property
    def body(self) -> bytes:
        """The notification as JSON."""
        alert = self.alert
        return dumps({"schema": SCHEMA, "event": alert.event, "test": self.is_test, "alert": alert.document()})

    @property
    def title(self) -> str:
        """One line for people."""
        state = self.alert.severity if self.alert.is_raised else self.alert.event
        return f"[{'test, ' * self.is_test}{state}] {self.alert.name}: {self.alert.rule}"

    @property
    def text(self) -> str:
        """Some lines for people."""
        alert = self.alert.document()
        value = f"value: {alert['value']} {alert['unit']} (threshold: {alert['threshold']})"
        values = [value] if alert["unit"] else []
        if self.alert.is_raised:
            return "\n".join((alert["text"], *values, f"since: {alert['since']}", f"What to do: {alert['advice']}"))
        event = self.alert.event
        worst = [f"worst value: {alert['worst']} {alert['unit']}"] if alert["unit"] else []
        reason = f" ({self.alert.ended})" if self.alert.ended else ""
        return "\n".join((
            f"{event}{reason}: {alert[event]}, after {alert['seconds']:.1f} s", *worst,
            f"When it was raised: {alert['text']}",
        ))  # fmt: skip


class NotifyFault(Exception):
    """A notification was not taken. The text is for operators, and has no part of a URL that may be secret.

    is_final  another attempt makes no sense
    wait      minimum seconds until another
    """

    def __init__(self, text: str, *, is_final: bool = False, wait: float = 0.0) -> None:
        super().__init__(text)
        self.is_final, self.wait = is_final, wait


class AlertDestination(Protocol):
    """One destination. It never retries or queues: the outbox does so for all."""

    async def send(self, notification: Notification) -> str:
        """Return once the far end has taken it, with what it answered. Raises NotifyFault, within its timeout."""
