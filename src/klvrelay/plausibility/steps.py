"""`position_step`: the sensor moves faster than the platform can."""

from __future__ import annotations

import math
from typing import NamedTuple

from klvrelay.geo.quantity import Items
from klvrelay.geo.wgs84 import Vector, to_ecef
from klvrelay.plausibility.implausibility import Implausibility, implausible
from klvrelay.plausibility.places import MeasuredPlace
from klvrelay.plausibility.speeds import fastest

NOISE = 100.0
"""Metres that a position may step at any time: receivers correct themselves, and round."""
FACTOR = 2.0
"""How much faster than reported a platform may move."""
ACCELERATION = 20.0
"""m/s² by which it may become faster between two records."""
FASTEST = 1000.0
"""m/s that no platform exceeds, whatever it reports."""
HELD = 10.0
"""Seconds for which a position may have been repeated before the next was measured."""


class RecordMoment(NamedTuple):
    """When a record was made and when it arrived: seconds on two clocks, each None if unknown."""

    clock_s: float | None
    arrival_s: float | None


class _SensorFix(NamedTuple):
    """A position, the records that first and last sent it, and the fastest speed of the last."""

    point: Vector
    first: RecordMoment
    last: RecordMoment
    speed: float | None


class PositionSteps:
    """Compares each new position of the sensor with the one before."""

    __slots__ = ("_fix",)

    def __init__(self) -> None:
        self._fix: _SensorFix | None = None

    def check(self, items: Items, sensor: MeasuredPlace | None, now: RecordMoment) -> Implausibility | None:
        """`position_step` from the record before. A time that runs backwards is none: a recording that starts again."""
        if sensor is None:
            return None
        point, before, speed = to_ecef(sensor.lat, sensor.lon, 0.0), self._fix, fastest(items)
        if before is not None and before.point == point:
            self._fix = before._replace(last=now, speed=speed)
            return None
        self._fix = _SensorFix(point, now, now, speed)
        return None if before is None else _judge(before, self._fix)


def _judge(before: _SensorFix, after: _SensorFix) -> Implausibility | None:
    seconds = _elapsed(before.last, after.first)
    if seconds is None:
        return None
    seconds += min(HELD, _elapsed(before.first, before.last) or 0.0)
    distance = math.dist(before.point, after.point)
    speeds = [speed for speed in (before.speed, after.speed) if speed is not None]
    reach = FASTEST * seconds
    if speeds:
        reach = min(reach, FACTOR * max(speeds) * seconds + ACCELERATION / 2 * seconds * seconds)
    if distance <= NOISE + reach:
        return None
    by = f"at a speed of at most {max(speeds):,.0f} m/s" if speeds else "and no speed is reported"
    what = f"The sensor's position stepped by {distance:,.0f} m within {seconds:.2f} s, {by}"
    limit = NOISE + reach
    return implausible("position_step", f"{what} (limit: {limit:,.0f} m)", distance, limit, "m")


def _elapsed(before: RecordMoment, after: RecordMoment) -> float | None:
    """The longer time by the two clocks: a replay may be fast or slow. None if unknown, or if the record is older."""
    made = None if before.clock_s is None or after.clock_s is None else after.clock_s - before.clock_s
    if made is not None and made < 0:
        return None
    arrived = None if before.arrival_s is None or after.arrival_s is None else after.arrival_s - before.arrival_s
    known = [seconds for seconds in (made, arrived) if seconds is not None]
    return max(0.0, *known) if known else None
