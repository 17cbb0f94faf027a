"""`frozen`: records arrive, but their time stands still, or nothing in them moves although the platform does."""

from __future__ import annotations

from typing import Any, NamedTuple

from klvrelay.geo.quantity import Items
from klvrelay.plausibility import outline, places, speeds
from klvrelay.plausibility.implausibility import Implausibility, implausible
from klvrelay.plausibility.places import MeasuredPlace
from klvrelay.plausibility.steps import RecordMoment

TIME_STILL = 5.0
RECORDS = 3
"""Seconds of arrival for which at least RECORDS records may have one time, as from a sensor that measures rarely."""
STILL = 5.0
STILL_METRES = 50.0
"""All values may be the same for these seconds, and until the platform should have moved by these metres: several steps
of the coarsest positions in use (0.0001 degrees, 11 m)."""
PLACE_STILL = 10.0
PLACE_METRES = 200.0
"""The same for the position alone, which may be measured less often than the rest."""
SLOW = 2.0
"""m/s over ground at which a platform counts as standing: item 56 is in steps of 1 m/s."""
WINDY = 30.0
"""m/s through the air that parked aircraft do not report, if there is no speed over ground."""
PAUSE = 60.0
"""Seconds between two records after which the comparison starts again."""

_ROUNDING = 1e-6  # of sums of seconds
_PLACE = frozenset(("sensor_latitude", "sensor_longitude"))
_OTHERS = frozenset(
    ("platform_heading_angle", "platform_pitch_angle", "platform_pitch_angle_full", "platform_roll_angle",
     "platform_roll_angle_full", "sensor_relative_azimuth_angle", "sensor_relative_elevation_angle",
     "sensor_relative_roll_angle", "slant_range", "angle_to_north", "obliquity_angle", *outline.ITEMS, *places.ITEMS)
) - _PLACE  # fmt: skip

ITEMS = tuple(sorted(_PLACE | _OTHERS))
"""Keys of the items whose changes count: position, attitude, line of sight, picture."""


class StandingClock:
    """Notices that item 2 stands still while records arrive."""

    __slots__ = ("_clock_us", "_records", "_since")

    def __init__(self) -> None:
        self._clock_us: int | None = None
        self._since = 0.0
        self._records = 0

    def check(self, clock_us: int | None, arrival_s: float | None) -> Implausibility | None:
        """`frozen` if this is the last of at least RECORDS records with one time over more than TIME_STILL seconds."""
        if clock_us is None or arrival_s is None:
            return None
        if clock_us != self._clock_us:
            self._clock_us, self._since, self._records = clock_us, arrival_s, 1
            return None
        self._records += 1
        still = arrival_s - self._since
        if still < TIME_STILL or self._records < RECORDS:
            return None
        what = f"The record time has not changed for {still:.1f} s, in {self._records:,} records"
        return implausible("frozen", f"{what} (limit: {TIME_STILL:g} s)", still, TIME_STILL, "s")


class StandingValues:
    """Notices that no value changes, or that the position does not, while the platform reports speed."""

    __slots__ = ("_last", "_place", "_speed", "_then", "_values")

    def __init__(self) -> None:
        self._last: dict[str, Any] = {}
        self._then: float | None = None
        self._speed = _Speed(0.0, 0.0)
        self._values, self._place = _Standing(), _Standing()

    def check(self, items: Items, sensor: MeasuredPlace | None, now: RecordMoment) -> Implausibility | None:
        """`frozen` by the record time, so that the speed of a replay does not count; without one, by the arrival.

        Records without a position are passed over.
        """
        seconds = now.arrival_s if now.clock_s is None else now.clock_s
        if seconds is None or sensor is None:
            return None
        passed = -1.0 if self._then is None else seconds - self._then
        self._then = seconds
        if not 0 <= passed <= PAUSE:
            self._last.clear()
        before, self._speed = self._speed, _read_speed(items, self._speed)
        self._values.add(passed, min(before.any, self._speed.any))
        self._place.add(passed, min(before.ground, self._speed.ground))
        self._compare(items)
        if len(self._last) > len(_PLACE) and self._values.exceeds(STILL, STILL_METRES):
            return _found("Position, attitude and picture have", self._values, STILL, STILL_METRES)
        if self._place.exceeds(PLACE_STILL, PLACE_METRES):
            return _found("The position has", self._place, PLACE_STILL, PLACE_METRES)
        return None

    def _compare(self, items: Items) -> None:
        """Note what changed. An item that is absent or without a value is not a change."""
        last = self._last
        for key in ITEMS:
            value = items.get(key)
            if value is not None and last.get(key) != value:
                last[key] = value
                self._values.restart()
                if key in _PLACE:
                    self._place.restart()


class _Speed(NamedTuple):
    """Reported speed in m/s, over ground and of any kind; 0 where the platform may stand."""

    ground: float
    any: float


class _Standing:
    """For how long nothing changed while a speed was reported, and how far the platform should have moved."""

    __slots__ = ("metres", "seconds")

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self.seconds = self.metres = 0.0

    def add(self, seconds: float, speed: float) -> None:
        if speed > 0:
            self.seconds += seconds
            self.metres += seconds * speed

    def exceeds(self, seconds: float, metres: float) -> bool:
        return self.seconds >= seconds - _ROUNDING and self.metres >= metres - _ROUNDING


def _read_speed(items: Items, last: _Speed) -> _Speed:
    """The speed in a record; without one, that of the record before."""
    ground = speeds.ground_speed(items)
    if ground is not None:
        ground = ground if ground > SLOW else 0.0
        return _Speed(ground, ground)
    air = speeds.airspeed(items)
    return last if air is None else _Speed(0.0, air if air > WINDY else 0.0)


def _found(what: str, standing: _Standing, least: float, metres: float) -> Implausibility:
    speed = standing.metres / standing.seconds
    limit = max(least, metres / speed)
    text = f"{what} not changed for {standing.seconds:.1f} s, at a reported speed of {speed:,.0f} m/s"
    return implausible("frozen", f"{text} (limit: {limit:.1f} s)", standing.seconds, limit, "s")
