"""The KLV's own time held against the other clocks: arrival here, PTS, PCR. Offset, drift, jumps.

Next door: `stream.py` gives it each good record of a platform set; `report.py` shows what it found.
"""

from __future__ import annotations

import logging
import statistics
from collections import deque
from dataclasses import dataclass

from klvrelay.record import Record

LOG = logging.getLogger("klvrelay")

JUMP = 1.0
"""Seconds that an offset must change by, and stay changed, to be a jump; a record that was only late is none."""
CONFIRMED = 5
HELD = 1.0
"""Records that must agree on a new offset, and seconds that they must span; those of a burst do not."""
AGREE = 0.25
BIN = 1.0
"""Seconds that one point of the drift's line stands for."""
POINTS = 120
QUIET = 60.0
"""Seconds between two lines in the log."""
LEAST_POINTS = 10
TOGETHER = 8
"""Records that wait at most to be measured by."""
_PLATFORM = frozenset(("ST0601", "ST0104"))
_WRAP = 1 << 33


@dataclass(slots=True, frozen=True)
class Jump:
    """The KLV's time went another way than a clock, for good: which, by how many seconds more, and where to."""

    against: str
    seconds: float
    time_us: int


class Offset:
    """One pair of clocks: how far apart they are, how they part, when one of them jumped.

    offset_s   the other clock less the KLV's, seconds: median of the last second, or the last one where it left that
    drift_ppm  how fast that grows, in millionths; None before there is enough to fit a line to
    jumps      offsets that changed by more than JUMP and stayed so
    """

    def __init__(self) -> None:
        self.jumps = 0
        self._line: deque[tuple[float, float]] = deque(maxlen=POINTS)
        self._bin: list[float] = []
        self._bin_began = 0.0
        self._settled: float | None = None
        self._odd: list[float] = []
        self._odd_began = 0.0

    @property
    def offset_s(self) -> float | None:
        if self._odd:  # not sure yet, or never: a time that stands still drifts off for ever
            return self._odd[-1]
        if self._bin:
            return statistics.median(self._bin)
        return self._settled

    @property
    def drift_ppm(self) -> float | None:
        if len(self._line) < LEAST_POINTS:
            return None
        return statistics.linear_regression(*zip(*self._line, strict=True)).slope * 1e6

    def add(self, now: float, offset: float) -> float | None:
        """Take one measure at `now` (seconds of the KLV); gives the size of a jump once that is sure."""
        settled = self._settled
        if settled is None:
            self._settled = offset
        elif not -JUMP <= offset - settled <= JUMP:
            return self._maybe_jump(now, offset)
        if self._odd:
            self._odd.clear()
        if not 0 <= now - self._bin_began < BIN:
            self._close_bin(now)
        self._bin.append(offset)
        return None

    def _close_bin(self, now: float) -> None:
        if self._bin:
            self._settled = statistics.median(self._bin)
            self._line.append((self._bin_began, self._settled))
        self._bin.clear()
        self._bin_began = now

    def _maybe_jump(self, now: float, offset: float) -> float | None:
        odd = self._odd
        if odd and not -AGREE <= offset - odd[0] <= AGREE:
            odd.clear()
        if not odd:
            self._odd_began = now
        odd.append(offset)
        if len(odd) < CONFIRMED or now - self._odd_began < HELD or self._settled is None:
            return None
        by = statistics.median(odd) - self._settled
        self.jumps += 1
        self._settled += by
        odd.clear()
        self._bin = [offset]
        self._bin_began = now
        self._line.clear()
        return by


class Clocks:
    """The clocks of one stream, by its platform sets with a time."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._wall, self._pts, self._pcr = Offset(), Offset(), Offset()
        self._against = {"wall": self._wall, "pts": self._pts, "pcr": self._pcr}
        self._last_jump: Jump | None = None
        self._pts_turns, self._pcr_turns = Turns(), Turns()
        self._told = -QUIET
        self._waiting: list[tuple[Record, float]] = []

    def add(self, record: Record, now: float) -> None:
        """Measure by one good record, `now` on the monotonic clock; one without a time is passed over.

        The work is done for up to TOGETHER records at once, or when a figure is asked for: where many streams take
        turns, each finds the processor's caches full of the others' data.
        """
        if record.set in _PLATFORM:
            self._waiting.append((record, now))
            if len(self._waiting) >= TOGETHER:
                self.settle()

    def settle(self) -> None:
        """Measure by the records that were added since the last time."""
        waiting, self._waiting = self._waiting, []
        for record, now in waiting:
            self._measure(record, now)

    @property
    def against(self) -> dict[str, Offset]:
        """The pairs of clocks, by the name of the other clock."""
        self.settle()
        return self._against

    @property
    def last_jump(self) -> Jump | None:
        self.settle()
        return self._last_jump

    def _measure(self, record: Record, now: float) -> None:
        time_us = record.clock_us
        if time_us is None:
            return
        seconds = time_us / 1e6
        wall = pts = pcr = None
        if record.received_us is not None:
            wall = self._wall.add(seconds, record.received_us / 1e6 - seconds)
        if record.pts is not None:
            pts = self._pts.add(seconds, self._pts_turns.seconds(record.pts) - seconds)
        if record.pcr is not None:
            pcr = self._pcr.add(seconds, self._pcr_turns.seconds(record.pcr) - seconds)
        if not (wall is pts is pcr is None):  # each record comes here, and hardly ever one with a jump
            jumps = {"wall": wall, "pts": pts, "pcr": pcr}
            self._tell({name: by for name, by in jumps.items() if by is not None}, time_us, now)

    def _tell(self, jumps: dict[str, float], time_us: int, now: float) -> None:
        """A line a jump; of a clock that jumps again and again one line a minute."""
        for name, by in jumps.items():
            self._last_jump = Jump(name, -by, time_us)
        if now - self._told >= QUIET:
            self._told = now
            told = ", ".join(f"{-by:+.3f} s against {_SPOKEN[name]}" for name, by in jumps.items())
            LOG.warning("%s: a clock jumped: the KLV's time went %s", self._name, told)

    @property
    def jumps(self) -> int:
        return sum(offset.jumps for offset in self.against.values())


_SPOKEN = {"wall": "this machine's clock", "pts": "the PTS", "pcr": "the PCR"}


class Turns:
    """33 bits of 90 kHz as seconds that go on through the wrap."""

    def __init__(self) -> None:
        self._at: int | None = None

    def seconds(self, ticks: int) -> float:
        if self._at is None:
            self._at = ticks
        else:
            self._at += (ticks - self._at + _WRAP // 2) % _WRAP - _WRAP // 2
        return self._at / 90_000
