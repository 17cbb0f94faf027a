"""A sink's health: up or down, how often it was lost, and what became of its records."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from klvrelay.health.repeats import Repeats
from klvrelay.outcome import Sums
from klvrelay.text import printable

LOG = logging.getLogger("klvrelay")

SHED_EVERY = 60.0
"""Seconds between two reports of records that are shed."""
SHED_QUIET = 10.0
"""Seconds without a shed record after which that has ended."""


@dataclass(slots=True)
class Shedding:
    """Reports records that give way to newer ones: when it starts, once a minute while it goes on, and when it ends."""

    name: str
    clock: Callable[[], float] = time.monotonic
    _shed: int = 0
    _since: float | None = None
    _last: float = 0.0
    _reported: float = 0.0
    _before: int = 0

    def look(self, sums: Sums) -> None:
        """To be called a few times a second."""
        now = self.clock()
        if sums.shed > self._shed:
            self._goes_on(now, sums)
        elif self._since is not None and now - self._last >= SHED_QUIET:
            LOG.warning(
                "%s: records are no longer shed: shed=%d seconds=%.0f",
                self.name, self._shed - self._before, self._last - self._since,
            )  # fmt: skip
            self._since = None

    def _goes_on(self, now: float, sums: Sums) -> None:
        if self._since is None:
            self._since, self._before, self._reported = now, self._shed, now
            LOG.warning(
                "%s: records are shed, the oldest first, since more wait than there is room for: shed=%d waiting=%d",
                self.name, sums.shed - self._before, sums.waiting,
            )  # fmt: skip
        elif now - self._reported >= SHED_EVERY:
            self._reported = now
            LOG.warning(
                "%s: records are still shed: shed=%d seconds=%.0f waiting=%d",
                self.name, sums.shed - self._before, now - self._since, sums.waiting,
            )  # fmt: skip
        self._shed, self._last = sums.shed, now


@dataclass(slots=True)
class SinkHealth:
    """One sink: up or down, how often it was lost, and what became of its records; the topics that it suspends."""

    name: str
    up: bool = False
    ever_up: bool = False
    outages: int = 0
    sums: Sums = field(default_factory=Sums)
    clock: Callable[[], float] = time.monotonic
    suspended: Callable[[], Sequence[str]] = tuple
    _shedding: Shedding = field(init=False)
    _since: float = field(init=False)
    _repeats: Repeats = field(default_factory=Repeats)

    def __post_init__(self) -> None:
        self._shedding = Shedding(self.name, self.clock)
        self._since = self.clock()

    def connected(self, detail: str = "") -> None:
        lost = self.clock() - self._since
        if not self.ever_up:
            LOG.info("%s: connected%s", self.name, detail)
        elif self._repeats.said:  # an outage that was not logged ends without a line too
            LOG.info("%s: connected again after %.1f s%s", self.name, lost, detail)
        self.up = self.ever_up = True
        self._repeats.over()

    def down(self, fault: str) -> None:
        """It is gone, or not there yet. Said once an outage, and seldom where it comes and goes."""
        if self.up:
            self.outages += 1
            self._since = self.clock()
        self.up = False
        if (said := self._repeats.add(fault)) is not None:
            LOG.warning("%s; trying again, records wait", printable(said))

    def counted(self, sums: Sums) -> None:
        """What became of its records so far; records that are shed are reported."""
        self.sums = sums
        self._shedding.look(sums)
