"""What the handlers of the web server read: the health of all parts, and what other packages offer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from klvrelay.health.board import Board
from klvrelay.web.metrics.family import Family


class IncidentLedger(Protocol):
    """The ledger of incidents, as far as the API needs it."""

    async def list(self, **filters: Any) -> Sequence[Any]: ...

    async def acknowledge(self, id: str, by: str | None, note: str | None) -> Any: ...

    async def figures(self, **filters: Any) -> Mapping[str, Any]: ...


class AlertBoard(Protocol):
    """The alerts, as far as the API needs them."""

    def raised(self) -> Sequence[Any]: ...

    def rules(self) -> Sequence[Any]: ...


async def _no_config() -> str:
    return ""


@dataclass(slots=True)
class Observed:
    """The relay as the web server sees it.

    board      the health of all parts
    unready    why the relay is not ready, one text each; empty: it is
    config     the settings as the file and the options have them now, as TOML without secrets; raises ConfigError
    families   makes the metrics of other parts
    incidents, alerts   None: there are none
    """

    board: Board
    unready: Callable[[], Sequence[str]] = tuple
    config: Callable[[], Awaitable[str]] = _no_config
    families: list[Callable[[], Iterable[Family]]] = field(default_factory=list)
    incidents: IncidentLedger | None = None
    alerts: AlertBoard | None = None
