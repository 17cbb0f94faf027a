"""Health of a sink: connection state, outages and record counts."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from klvrelay.backoff import Repeats
from klvrelay.outcome import Sums
from klvrelay.text import printable

LOG = logging.getLogger("klvrelay.health")

SHED_EVERY = 60.0
"""Seconds between two reports while records are being shed."""
LASTING = 60.0
"""Seconds for which a connection must last before its next fault is logged at once: longer than the usual `timeout`,
after which a far end is left that accepts connections and answers nothing."""
SHED_QUIET = 10.0
"""Seconds without a shed record after which shedding has ended."""


@dataclass(slots=True)
class Shedding:
    """Logs when shedding of records starts, once a minute while it continues, and when it ends."""

    name: str
    clock: Callable[[], float] = time.monotonic
    _shed: int = 0
    _since: float | None = None
    _last: float = 0.0
    _reported: float = 0.0
    _before: int = 0

    def check(self, sums: Sums) -> None:
        """Log what is due. Call it a few times per second."""
        now = self.clock()
        if sums.shed > self._shed:
            self._continue(now, sums)
        elif self._since is not None and now - self._last >= SHED_QUIET:
            LOG.warning(
                "%s: records are no longer shed: shed=%d seconds=%.0f",
                self.name, self._shed - self._before, self._last - self._since,
            )  # fmt: skip
            self._since = None

    def _continue(self, now: float, sums: Sums) -> None:
        if self._since is None:
            self._since, self._before, self._reported = now, self._shed, now
            LOG.warning(
                "%s: too many records wait, the oldest are being shed: shed=%d waiting=%d",
                self.name, sums.shed - self._before, sums.waiting,
            )  # fmt: skip
        elif now - self._reported >= SHED_EVERY:
            self._reported = now
            LOG.warning(
                "%s: records are still being shed: shed=%d seconds=%.0f waiting=%d",
                self.name, sums.shed - self._before, now - self._since, sums.waiting,
            )  # fmt: skip
        self._shed, self._last = sums.shed, now


@dataclass(slots=True)
class SinkHealth:
    """The state of one sink, its outages, record counts and suspended topics."""

    name: str
    up: bool = False
    ever_up: bool = False
    outages: int = 0
    sums: Sums = field(default_factory=Sums)
    clock: Callable[[], float] = time.monotonic
    suspended: Callable[[], Sequence[str]] = tuple
    _shedding: Shedding = field(init=False)
    _since: float = field(init=False)
    _repeats: Repeats = field(init=False)

    def __post_init__(self) -> None:
        self._shedding = Shedding(self.name, self.clock, self.sums.shed)
        self._since = self.clock()
        self._repeats = Repeats(self.clock, LASTING)

    def mark_connected(self, detail: str = "") -> None:
        """The sink is connected. Logged, with the length of the outage if that was logged."""
        lost = self.clock() - self._since
        if not self.ever_up:
            LOG.info("%s: connected%s", self.name, detail)
        elif self._repeats.logged:  # do not log the end of an outage that was not logged
            LOG.info("%s: reconnected after %.1f s%s", self.name, lost, detail)
        self.up = self.ever_up = True
        self._repeats.over()

    def mark_down(self, fault: str) -> None:
        """The connection was lost or failed. Logged once per outage, and less often if it is intermittent."""
        if self.up:
            self.outages += 1
            self._since = self.clock()
        self.up = False
        if (summary := self._repeats.add(fault)) is not None:
            LOG.warning("%s; retrying, records wait", printable(summary))

    def set_sums(self, sums: Sums) -> None:
        """Set the record counts, and report shed records."""
        self.sums = sums
        self._shedding.check(sums)
