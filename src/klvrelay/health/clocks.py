"""Compares KLV time with arrival time, PTS and PCR: offset, drift, steps."""

from __future__ import annotations

import logging
import statistics
from collections import deque
from dataclasses import dataclass

from klvrelay.record import Record

LOG = logging.getLogger("klvrelay.health")

JUMP = 1.0
"""Minimum lasting change of an offset, in seconds, that counts as a step. A single late record does not."""
CONFIRMED = 5
HELD = 1.0
"""Number of records that must agree on a new offset, and seconds that they must span, which a burst does not."""
AGREE = 0.25
BIN = 1.0
"""Seconds per point of the drift regression."""
POINTS = 120
QUIET = 60.0
"""Minimum seconds between two log lines."""
LEAST_POINTS = 10
STEPS, STEP_SECONDS = 4, 60.0
"""Number of steps of the system clock that are remembered, and for how long."""
TOGETHER = 8
"""Maximum records that wait to be measured."""
_PLATFORM = frozenset(("ST0601", "ST0104"))
_WRAP = 1 << 33


@dataclass(slots=True, frozen=True)
class Jump:
    """A lasting step of KLV time against a clock: the clock, seconds, and the KLV time after it."""

    against: str
    seconds: float
    time_us: int


class Offset:
    """Another clock compared with KLV time.

    offset_s   the other clock minus KLV time, seconds: median of the last second, or the latest if it deviates
    drift_ppm  drift of the offset, parts per million; None until there are enough points
    jumps      number of lasting changes by more than JUMP
    """

    def __init__(self) -> None:
        self.jumps = 0
        self._points: deque[tuple[float, float]] = deque(maxlen=POINTS)
        self._bin: list[float] = []
        self._bin_began = 0.0
        self._settled: float | None = None
        self._odd: list[float] = []
        self._odd_began = 0.0

    @property
    def offset_s(self) -> float | None:
        if self._odd:  # unconfirmed, perhaps never confirmed: the offset of a stopped clock changes steadily
            return self._odd[-1]
        if self._bin:
            return statistics.median(self._bin)
        return self._settled

    @property
    def is_unsettled(self) -> bool:
        """Do the latest measurements deviate, so that `offset_s` may not last?"""
        return bool(self._odd)

    @property
    def drift_ppm(self) -> float | None:
        if len(self._points) < LEAST_POINTS:
            return None
        return statistics.linear_regression(*zip(*self._points, strict=True)).slope * 1e6

    def add(self, now: float, offset: float) -> float | None:
        """Add a measurement at `now` (seconds of KLV time). Returns the size of a step once it is confirmed."""
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
            self._points.append((self._bin_began, self._settled))
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
        self._points.clear()
        return by


class Clocks:
    """The clocks of one stream, measured on platform sets with a time stamp."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._wall, self._pts, self._pcr = Offset(), Offset(), Offset()
        self._against = {"wall": self._wall, "pts": self._pts, "pcr": self._pcr}
        self._last_jump: Jump | None = None
        self._pts_unwrapper, self._pcr_unwrapper = TickUnwrapper(), TickUnwrapper()
        self._logged = -QUIET
        self._wall_steps: deque[tuple[float, float]] = deque(maxlen=STEPS)
        self._waiting: list[tuple[Record, float]] = []

    def add(self, record: Record, now: float) -> None:
        """Measure one good record at `now` (monotonic). Records without a time stamp are ignored.

        Up to TOGETHER records are processed at once, or earlier if a result is read: with many streams, this saves
        cache misses.
        """
        if record.set in _PLATFORM:
            self._waiting.append((record, now))
            if len(self._waiting) >= TOGETHER:
                self.settle()

    def note_wall_step(self, seconds: float, now: float) -> None:
        """The system clock was set: the same step of the offset is not one of KLV time, and is not logged as such."""
        self._wall_steps.append((seconds, now))

    def settle(self) -> None:
        """Process the records that are waiting."""
        waiting, self._waiting = self._waiting, []
        for record, now in waiting:
            self._measure(record, now)

    @property
    def against(self) -> dict[str, Offset]:
        """The offsets by the name of the other clock."""
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
            pts = self._pts.add(seconds, self._pts_unwrapper.seconds(record.pts) - seconds)
        if record.pcr is not None:
            pcr = self._pcr.add(seconds, self._pcr_unwrapper.seconds(record.pcr) - seconds)
        if not (wall is pts is pcr is None):  # runs for each record, and steps are rare
            jumps = {"wall": wall, "pts": pts, "pcr": pcr}
            self._report({name: by for name, by in jumps.items() if by is not None}, time_us, now)

    def _report(self, jumps: dict[str, float], time_us: int, now: float) -> None:
        """Log a step, at most once in QUIET seconds."""
        for name, by in jumps.items():
            self._last_jump = Jump(name, -by, time_us)
        if [*jumps] == ["wall"] and self._is_wall_step(jumps["wall"], now):
            return
        if now - self._logged >= QUIET:
            self._logged = now
            steps = ", ".join(f"{-by:+.3f} s relative to {_CLOCK_NAMES[name]}" for name, by in jumps.items())
            hint = "; normal when a recording repeats" if [*jumps] == ["wall"] else ""
            LOG.warning("%s: KLV time stepped by %s%s", self._name, steps, hint)

    def _is_wall_step(self, seconds: float, now: float) -> bool:
        """Is it a step of the system clock, or the sum of the latest?"""
        total = 0.0
        for step, at in reversed(self._wall_steps):
            total += step
            if now - at <= STEP_SECONDS and min(abs(total - seconds), abs(step - seconds)) <= AGREE:
                return True
        return False

    @property
    def jumps(self) -> int:
        return sum(offset.jumps for offset in self.against.values())


_CLOCK_NAMES = {"wall": "the system clock", "pts": "the PTS", "pcr": "the PCR"}


class TickUnwrapper:
    """Unwraps 33-bit counts of 90 kHz into continuous seconds."""

    def __init__(self) -> None:
        self._at: int | None = None

    def seconds(self, ticks: int) -> float:
        if self._at is None:
            self._at = ticks
        else:
            self._at += (ticks - self._at + _WRAP // 2) % _WRAP - _WRAP // 2
        return self._at / 90_000
