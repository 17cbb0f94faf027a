"""What the handlers of the web server read: the health of all parts, and what other packages offer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field

from klvrelay.alerts.running import Alerting
from klvrelay.health.board import Board
from klvrelay.incidents.ledger_service import Incidents
from klvrelay.web.metrics.family import Family
from klvrelay.web.metrics.of_alerts import AlertCounts, families_of_alerts
from klvrelay.web.metrics.of_incidents import families_of_incidents


async def _no_config() -> str:
    return ""


@dataclass(slots=True)
class Observed:
    """The relay as the web server sees it.

    board      the health of all parts
    unready    why the relay is not ready, one text each; empty: it is
    config     the settings as the file and the options have them now, as TOML without secrets; raises ConfigError
    incidents, alerting   None: there are none
    """

    board: Board
    unready: Callable[[], Sequence[str]] = tuple
    config: Callable[[], Awaitable[str]] = _no_config
    incidents: Incidents | None = None
    alerting: Alerting | None = None
    _alert_counts: AlertCounts = field(default_factory=AlertCounts, init=False)

    def __post_init__(self) -> None:
        if self.alerting is not None:
            self.alerting.alerts.listeners.append(self._alert_counts.note)

    def more_families(self) -> Iterator[Family]:
        """The metrics of what is there besides the board."""
        if self.incidents is not None:
            yield from families_of_incidents(self.incidents.counts())
        if self.alerting is not None:
            yield from families_of_alerts(self.alerting, self._alert_counts)
