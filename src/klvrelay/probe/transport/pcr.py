"""The stream clock: its PCRs (ISO/IEC 13818-1, 2.4.3.5, 2.7.2) and the time of each packet by them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Set

import numpy as np
from numpy.typing import NDArray

from klvrelay.probe import transport_report
from klvrelay.probe.metadata.clocks import Steps
from klvrelay.probe.metadata.series import Spread
from klvrelay.probe.transport.framer import Rows
from klvrelay.probe.transport.pids import Groups, pids_of

RATE = 27_000_000
MODULUS = (1 << 33) * 300
LATEST = 0.1
"""Maximum interval between two PCRs in seconds."""
CLOCKS = 64
"""Maximum number of PIDs whose PCRs are measured."""


class PcrStats:
    """Statistics of the PCRs of one PID."""

    def __init__(self) -> None:
        self.count = 0
        self.jumps = 0
        self._late = 0
        self._steps = Spread()
        self._alone = Steps()  # in a stream of little but KLV, PCRs may be as rare as records
        self._last: int | None = None

    def take(self, stamps: list[int], announced: list[bool]) -> list[float]:
        """Seconds between each PCR and the previous one; 0 for a jump."""
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

    def freeze(self) -> transport_report.RepeatReport:
        steps = self._steps.freeze()
        return transport_report.RepeatReport(self.count, steps.median, steps.high, self._late)


class StreamClock:
    """Stream time in seconds by the PCRs of one PID, interpolated evenly over the packets between two of them."""

    def __init__(self) -> None:
        self.stats: dict[int, PcrStats] = {}
        self.pid: int | None = None
        self.seconds = 0.0
        self.base: int | None = None
        self._index = 0  # of the packet with the last PCR
        self._each = 0.0  # seconds per packet, by the last two PCRs
        self._expected: Set[int] = frozenset()
        self._ahead = 0  # PCRs seen by `look_ahead`
        self._places: list[int] = []
        self._dues: list[float] = []

    @property
    def ticking(self) -> bool:
        """Whether there is a clock."""
        return self.seconds > 0

    def follow(self, pid: int) -> None:
        """Use this PID instead of the first one that had a PCR."""
        if pid in self.stats:
            self.pid = pid

    def expect(self, pids: Set[int]) -> None:
        """Reserve places for the PCR PIDs that the tables name."""
        self._expected = pids

    def look_ahead(self, rows: Rows) -> int:
        """Number of packets up to the last PCR of the next block; 0 if the block adds no known time.

        Any time requires two PCRs, so the first one alone gives 0.
        """
        has = _with_pcr(rows)
        if self.pid is not None:
            has = has[pids_of(rows[has]) == self.pid]
        self._ahead += len(has)
        return int(has[-1]) + 1 if len(has) and self._ahead > 1 else 0

    def take(self, rows: Rows, pids: NDArray[np.intp], index: int) -> None:
        """Read the PCRs of a block whose first packet has this index in the stream."""
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
        """Statistics of a PID; None if there are too many PIDs."""
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
        """Time of the packet with this stream index, in the last block only; None without a clock."""
        if self.ticking and index > self._index:
            return self.seconds + (index - self._index) * self._each
        return self.due(index)

    def due(self, index: int) -> float | None:
        """Like `at`, but None after the last PCR, where `at` extrapolates at the previous pace."""
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
        """Clock value at that packet: 33 bits at 90 kHz, like a PTS."""
        if self.base is None or (due := self.at(index)) is None:
            return None
        return round(self.base / 300 + (due - self.seconds) * 90_000) % (1 << 33)


def _with_pcr(rows: Rows) -> NDArray[np.intp]:
    """Indices of the packets with a PCR."""
    return np.flatnonzero((rows[:, 3] & 0x20 != 0) & (rows[:, 4] >= 7) & (rows[:, 5] & 0x10 != 0))


def _stamps(rows: Rows) -> NDArray[np.int64]:
    """PCR values: a 33-bit base at 90 kHz and a 9-bit extension that counts to 300."""
    octets = rows[:, 6:12].astype(np.int64)
    base = octets[:, 0] << 25 | octets[:, 1] << 17 | octets[:, 2] << 9 | octets[:, 3] << 1 | octets[:, 4] >> 7
    stamps: NDArray[np.int64] = base * 300 + ((octets[:, 4] & 1) << 8 | octets[:, 5])
    return stamps
