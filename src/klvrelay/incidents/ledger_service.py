"""The incidents of a running relay, as the web API, metrics and topics use them."""

from __future__ import annotations

from typing import Any

from klvrelay.health.causes import Cause
from klvrelay.incidents.figures import Period, Report
from klvrelay.incidents.incident import Incident
from klvrelay.incidents.query import LIMIT


class Incidents:
    """The ledger of a running relay. Nothing here blocks the loop or raises for a disk that fails."""

    async def list(
        self, *, stream: str | None = None, since_us: int | None = None, cause: Cause | None = None,
        open: bool | None = None, limit: int = LIMIT,
    ) -> list[Incident]:  # fmt: skip
        """Incidents, the latest first; see `Query`."""
        raise NotImplementedError

    async def figures(self, period: Period) -> Report:
        """The figures of a period."""
        raise NotImplementedError

    async def acknowledge(self, id: str, by: str, note: str | None = None) -> Incident:
        """Acknowledge the incident whose id begins with `id`. Raises ConfigError if there is none, or several."""
        raise NotImplementedError

    def counters(self) -> dict[str, Any]:
        """Numbers for metrics; see `Counts`."""
        raise NotImplementedError
