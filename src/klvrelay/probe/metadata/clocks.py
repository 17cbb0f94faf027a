"""Compares the time stamps of the records (ST 0603) with PTS, stream clock and wall clock."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from klvrelay import core
from klvrelay.probe import report
from klvrelay.probe.metadata.series import Curve, Slope, Spread
from klvrelay.probe.transport.pes import pts_difference

JUMP = 0.5
"""Seconds by which a step may differ from the step of a reference clock."""
PAUSE, USUAL_TIMES = 10.0, 100.0
"""Without a reference clock, a step is a jump if it exceeds PAUSE seconds and USUAL_TIMES usual steps."""
FIRST_PAUSE = 7200.0
"""Longest first step in seconds, when no usual step is known yet."""
PTS_JUMP = 10.0
"""Seconds by which a PTS step may differ from the step of a reference clock."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = 631_152_000, 4_102_444_800  # 1990 and 2100 in seconds: the range of plausible record times
UNITS = {"us": 1_000_000, "ns": 1_000_000_000, "ms": 1_000, "s": 1}
_SHORT = {"nanoseconds": "ns", "milliseconds": "ms", "seconds": "s"}


def unit_of(stamp: int) -> str:
    """The unit ("us", "ns", "ms" or "s") in which a stamp is a plausible time since 1970; "?" if none is."""
    if (name := core.time_unit(stamp)) is not None:
        return _SHORT[name]
    return "us" if _FIRST * UNITS["us"] <= stamp < _LAST * UNITS["us"] else "?"


def microseconds(stamp: int) -> int:
    """Convert a time stamp of any plausible unit to microseconds since 1970."""
    return stamp * 1_000_000 // UNITS.get(unit_of(stamp), 1_000_000)


def iso(time_us: int | None) -> str | None:
    """Microseconds since 1970 as ISO 8601; None for None and past the year 9999."""
    try:
        moment = None if time_us is None else _EPOCH + timedelta(microseconds=time_us)
    except OverflowError:
        return None
    return None if moment is None else moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


class Steps:
    """Classifies the steps of a clock without a reference: packets may be far apart and still be regular."""

    def __init__(self) -> None:
        self._usual = Spread()

    def is_jump(self, step: float) -> bool:
        """Whether this step, in seconds, is a jump rather than a pause. Call once per step."""
        jump = step > PAUSE and step > (USUAL_TIMES * (self._usual.usual or 0.0) or FIRST_PAUSE)
        if step > 0:
            self._usual.add(step)
        return jump or step < -PAUSE


class PtsLine:
    """Unwraps 33-bit PTS to continuous seconds; counts wraps and jumps."""

    def __init__(self) -> None:
        self.missing = self.wraps = self.backwards = self.jumps = 0
        self._last: int | None = None
        self._other: float | None = None
        self._seconds = 0.0
        self._steps = Steps()

    def at(self, pts: int | None, other: float | None = None) -> float | None:
        """Seconds since the first stamp; None without a stamp. `other`: seconds of a reference clock, if any."""
        if pts is None:
            self.missing += 1
            return None
        if self._last is not None:
            step = pts_difference(pts, self._last)
            jump = self._is_jump(step, _since(other, self._other))
            self.jumps += jump
            self.backwards += not jump and step < 0
            self.wraps += not jump and step > 0 and pts < self._last
            self._seconds += step
        self._last, self._other = pts, other
        return self._seconds

    def _is_jump(self, step: float, expected: float | None) -> bool:
        alone = self._steps.is_jump(step)
        return alone if expected is None else abs(step - expected) > PTS_JUMP


class Comparison:
    """Offset and drift of the record time relative to another clock."""

    def __init__(self, clock: str) -> None:
        self.clock = clock
        self.offset = Spread()
        self.curve = Curve(clock)
        self._slope = Slope()
        self._best = Slope()
        self._zero: float | None = None
        self._low = self._high = 0.0
        self._varies = 0.0

    def add(self, at: float, reference: float, offset: float) -> None:
        """Add a record at second `at` of the probe: `offset` in seconds when the other clock read `reference`."""
        if self._zero is None:
            self._zero = offset
        if self._slope.count == 0:
            self._low = self._high = offset
        self._low, self._high = min(self._low, offset), max(self._high, offset)
        self._varies = max(self._varies, self._high - self._low)
        self.offset.add(offset)
        self.curve.add(at, offset - self._zero)
        self._slope.add(reference, offset)

    def restart(self) -> None:
        """Restart the drift estimate after a jump of either clock."""
        self._best = max(self._best, self._slope, key=lambda slope: slope.span)
        self._slope = Slope()

    def freeze(self) -> report.Against:
        slope = max(self._best, self._slope, key=lambda each: each.span)
        fit = slope.fit()
        drift, error = (None, None) if fit is None else (fit[0] * 1e6, fit[1] * 1e6)
        return report.Against(self.clock, self.offset.freeze(), self._varies, drift, error, slope.span)


class TimeTally:
    """Time statistics of one record stream."""

    def __init__(self) -> None:
        self._units: Counter[str] = Counter()
        self._pts = PtsLine()
        self._wall = Comparison("wall clock")
        self._by_pts = Comparison("PTS")
        self._by_stream = Comparison("stream clock")
        self._missing = self._repeated = self._backwards = self._jumps = 0
        self._longest_jump = 0.0
        self._steps = Steps()
        self._first: int | None = None
        self._last: int | None = None
        self._before: tuple[float | None, float | None, float | None] = (None, None, None)

    def line(self, pts: int | None, other: float | None) -> float | None:
        """PTS of a record in seconds since the first. Call once per record, before `add`. `other`: see `PtsLine`."""
        return self._pts.at(pts, other)

    def add(
        self, stamp: int | None, line: float | None, at: float, stream: float | None, received: int | None
    ) -> int | None:
        """Add a record at second `at` of the probe; return its time in microseconds, whatever its unit.

        line       seconds of its PTS
        stream     seconds of the stream clock; None without one
        received   arrival time in microseconds since 1970; None for a source that is not live
        """
        if stamp is None:
            self._missing += 1
            return None
        unit = unit_of(stamp)
        self._units[unit] += 1
        time_us = microseconds(stamp)
        self._step(time_us, (line, stream, None if received is None else received / 1e6))
        self._compare(time_us, line, at, stream, received)
        return time_us

    def _step(self, time_us: int, clocks: tuple[float | None, float | None, float | None]) -> None:
        if self._last is None:
            self._first = time_us
        else:
            step = (time_us - self._last) / 1e6
            self._repeated += step == 0
            self._backwards += step < 0
            self._judge(step, [_since(now, before) for now, before in zip(clocks, self._before, strict=True)])
        self._last, self._before = time_us, clocks

    def _judge(self, step: float, others: list[float | None]) -> None:
        """Classify a step of the record time. PTS takes precedence over the time of arrival."""
        for other, comparison in zip(others, (self._by_pts, self._by_stream, self._wall), strict=True):
            if other is not None and abs(step - other) > JUMP:
                comparison.restart()
        expected = next((other for other in others if other is not None), None)
        error = abs(step) if expected is None else abs(step - expected)
        alone = self._steps.is_jump(step)
        if alone if expected is None else error > JUMP:
            self._jumps += 1
            self._longest_jump = max(self._longest_jump, error)

    def _compare(self, time_us: int, line: float | None, at: float, stream: float | None, received: int | None) -> None:
        assert self._first is not None
        since = (time_us - self._first) / 1e6
        if line is not None:
            self._by_pts.add(at, line, since - line)
        if stream is not None:
            self._by_stream.add(at, stream, since - stream)
        if received is not None:
            self._wall.add(at, received / 1e6, (time_us - received) / 1e6)

    @property
    def comparisons(self) -> list[Comparison]:
        """Comparisons with at least two samples."""
        return [each for each in (self._by_pts, self._by_stream, self._wall) if each.offset.count > 1]

    def freeze(self) -> report.Times:
        unit = self._units.most_common(1)[0][0] if self._units else "us"
        return report.Times(
            self._units.total(), self._missing, iso(self._first), iso(self._last), self._first, self._last, unit,
            self._repeated, self._backwards, self._jumps, self._longest_jump,
            self._pts.missing, self._pts.wraps, self._pts.backwards, self._pts.jumps,
            tuple(each.freeze() for each in self.comparisons),
        )  # fmt: skip


def _since(now: float | None, before: float | None) -> float | None:
    return None if now is None or before is None else now - before
