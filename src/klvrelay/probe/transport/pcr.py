"""The stream's own clock: its PCRs (ISO/IEC 13818-1, 2.4.3.5, 2.7.2), and when each packet was due by them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Set

import numpy as np
from numpy.typing import NDArray

from klvrelay.probe import report
from klvrelay.probe.metadata.clocks import Steps
from klvrelay.probe.metadata.series import Spread
from klvrelay.probe.transport.framer import Rows
from klvrelay.probe.transport.pids import Groups, pids_of

RATE = 27_000_000
MODULUS = (1 << 33) * 300
LATEST = 0.1
"""Seconds that two PCRs may be apart at most."""
CLOCKS = 64
"""PIDs whose PCRs are held against each other."""


class PcrStats:
    """The PCRs of one PID."""

    def __init__(self) -> None:
        self.count = 0
        self.jumps = 0
        self._late = 0
        self._steps = Spread()
        self._alone = Steps()  # a stream of little but KLV may have PCRs as seldom
        self._last: int | None = None

    def take(self, stamps: list[int], announced: list[bool]) -> list[float]:
        """Seconds since the PCR before, of each; a jump takes no time."""
        steps = []
        for stamp, jump in zip(stamps, announced, strict=True):
            step = 0.0 if self._last is None else (stamp - self._last) % MODULUS / RATE
            leap = self._alone.is_jump(step)
            if leap or jump:
                self.jumps += leap and not jump
                step = 0.0
            elif self._last is not None:
                self._steps.add(step)
                self._late += step > LATEST
            self._last = stamp
            self.count += 1
            steps.append(step)
        return steps

    def frozen(self) -> report.RepeatReport:
        steps = self._steps.frozen()
        return report.RepeatReport(self.count, steps.median, steps.high, self._late)


class StreamClock:
    """Seconds of stream time by one PID's PCRs; between two of them time goes evenly with the packets."""

    def __init__(self) -> None:
        self.stats: dict[int, PcrStats] = {}
        self.pid: int | None = None
        self.seconds = 0.0
        self.base: int | None = None
        self._index = 0  # of the packet with the last PCR
        self._each = 0.0  # seconds a packet takes, by the last two PCRs
        self._expected: Set[int] = frozenset()
        self._ahead = 0  # PCRs that `look_ahead` has seen
        self._places: list[int] = []
        self._dues: list[float] = []

    @property
    def ticking(self) -> bool:
        """Is there a clock at all?"""
        return self.seconds > 0

    def follow(self, pid: int) -> None:
        """Go by this PID, rather than by the first that had a PCR."""
        if pid in self.stats:
            self.pid = pid

    def expect(self, pids: Set[int]) -> None:
        """The tables name these: they have a place before others that have PCRs."""
        self._expected = pids

    def look_ahead(self, rows: Rows) -> int:
        """How many packets there are up to the last PCR of a block that is to be taken; 0 = no time ends in it.

        It takes two PCRs to know any time, so the first alone is none.
        """
        has = _with_pcr(rows)
        if self.pid is not None:
            has = has[pids_of(rows[has]) == self.pid]
        self._ahead += len(has)
        return int(has[-1]) + 1 if len(has) and self._ahead > 1 else 0

    def take(self, rows: Rows, pids: NDArray[np.intp], index: int) -> None:
        """PCRs of a block whose first packet is the stream's `index`-th."""
        self._places, self._dues = [self._index], [self.seconds]
        has = _with_pcr(rows)
        if not len(has):
            return
        stamps, announced = _stamps(rows[has]), (rows[has, 5] & 0x80 != 0)
        for pid, mine in Groups(pids[has]):
            stats = self._stats(pid)
            if stats is None:
                continue
            steps = stats.take(stamps[mine].tolist(), announced[mine].tolist())
            if self.pid is None:
                self.pid = pid
            if pid == self.pid:
                self._tick(has[mine] + index, steps, int(stamps[mine][-1]))

    def _stats(self, pid: int) -> PcrStats | None:
        """Those of a PID; None for one too many."""
        if pid not in self.stats and len(self.stats) >= CLOCKS:
            less = next((other for other in self.stats if other not in self._expected and other != self.pid), None)
            if less is None or pid not in self._expected:
                return None
            del self.stats[less]
        return self.stats.setdefault(pid, PcrStats())

    def _tick(self, places: NDArray[np.intp], steps: list[float], last: int) -> None:
        for place, step in zip(places.tolist(), steps, strict=True):
            self.seconds += step
            if step and place > self._index:
                self._each = step / (place - self._index)
            self._index = place
            self._places.append(place)
            self._dues.append(self.seconds)
        self.base = last

    def at(self, index: int) -> float | None:
        """When the stream's `index`-th packet was due; None without a clock. Of the last block only."""
        if self.ticking and index > self._index:
            return self.seconds + (index - self._index) * self._each
        return self.due(index)

    def due(self, index: int) -> float | None:
        """The same as far as PCRs have come: None behind the last one, where `at` goes on at the pace before it."""
        if index > self._index or not self.ticking:
            return None
        behind = bisect_right(self._places, index)
        if behind == 0:
            return self._dues[0]
        if behind == len(self._places):
            return self._dues[-1]
        begin, end = self._places[behind - 1], self._places[behind]
        return self._dues[behind - 1] + (self._dues[behind] - self._dues[behind - 1]) * (index - begin) / (end - begin)

    def ticks(self, index: int) -> int | None:
        """The clock itself at that packet, 90 kHz and 33 bits, as a PTS counts."""
        if self.base is None or (due := self.at(index)) is None:
            return None
        return round(self.base / 300 + (due - self.seconds) * 90_000) % (1 << 33)


def _with_pcr(rows: Rows) -> NDArray[np.intp]:
    """The packets with a PCR."""
    return np.flatnonzero((rows[:, 3] & 0x20 != 0) & (rows[:, 4] >= 7) & (rows[:, 5] & 0x10 != 0))


def _stamps(rows: Rows) -> NDArray[np.int64]:
    """33 bits at 90 kHz, then 9 bits that count to 300."""
    octets = rows[:, 6:12].astype(np.int64)
    base = octets[:, 0] << 25 | octets[:, 1] << 17 | octets[:, 2] << 9 | octets[:, 3] << 1 | octets[:, 4] >> 7
    stamps: NDArray[np.int64] = base * 300 + ((octets[:, 4] & 1) << 8 | octets[:, 5])
    return stamps
