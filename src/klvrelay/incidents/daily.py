"""The report of a day: the figures of all streams and sinks, of the last whole day (UTC)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from klvrelay.errors import KlvrelayError
from klvrelay.health.report import utc
from klvrelay.incidents.figures import FigureReport, Period

SCHEMA = "klvrelay/daily/1"
DAY_US = 86_400_000_000
SETTLED_US = 5_000_000
"""Microseconds after midnight at which the incidents of the day before are complete."""
CHECK = 10.0
"""Seconds between two checks whether a report is due."""
FIGURES_MOST = 1000
"""Maximum number of figures in a report: those of all causes come first."""


class DailyReport:
    """Makes the report of the day before, once a day and at the start.

    figures   returns the figures of a period
    publish   publishes a report
    """

    def __init__(
        self, boot: str, wall_us: Callable[[], int], figures: Callable[[Period], Awaitable[FigureReport]],
        publish: Callable[[dict[str, Any]], None],
    ) -> None:  # fmt: skip
        self._boot, self._wall_us, self._figures, self._publish = boot, wall_us, figures, publish
        self._last: int | None = None

    async def run(self) -> None:
        """Make each report when it is due, until cancelled."""
        while True:
            if self.is_due:
                await self.make()
            await asyncio.sleep(CHECK)

    @property
    def is_due(self) -> bool:
        """Is the report of another day due?"""
        return self._day() != self._last

    def _day(self) -> int:
        """The last whole day, as its number since 1970."""
        return (self._wall_us() - SETTLED_US) // DAY_US - 1

    async def make(self) -> None:
        """Publish the report of the last whole day, if the relay ran then. If it cannot be made, it stays due."""
        day = self._day()
        try:
            report = await self._figures(Period(day * DAY_US, (day + 1) * DAY_US))
        except KlvrelayError:
            return
        self._last = day
        if any(each.observed for each in report.figures):  # else an earlier run may have published a better one
            self._publish(self._document(report))

    def _document(self, report: FigureReport) -> dict[str, Any]:
        ordered = sorted(report.figures, key=lambda each: each.cause is not None)[:FIGURES_MOST]
        head = {"schema": SCHEMA, "boot": self._boot, "at": utc(self._wall_us())}
        return head | report.document() | {"figures": [each.document() for each in ordered]}
