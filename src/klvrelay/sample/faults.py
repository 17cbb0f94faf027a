"""Deliberate faults of a sample recording, from a given second on: valid KLV that cannot be true.

Each is found by one check of `klvrelay.plausibility`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from klvrelay.sample.flight import GEOID, Instant
from klvrelay.sample.geodesy import Point

CLOCK_FAULTS = {
    "frozen-time": "the time in KLV and frames stands still",
    "future": "the time is ten years ahead",
    "past": "the time counts from 1980, as of a clock that was never set",
}
FAULTS = {
    "frozen": "position, attitude and picture stand still, while the time runs and a speed is reported",
    **CLOCK_FAULTS,
    "jump": "all positions are 5.6 km farther north",
    "frame-centre": "frame centre and corners are 5.6 km farther north, the slant range is not",
    "corners": "the corners are three widths of the picture beside the frame centre",
    "corner-order": "two corners are exchanged, so that the sides cross",
    "below-ground": "the sensor is 700 m below sea level",
    "position-zero": "the sensor is at latitude 0, longitude 0",
}
"""Names, and what is wrong."""

_NORTH = 0.05  # degrees
_DEPTH = 700.0
_TEN_YEARS_US = 3650 * 86_400_000_000
_YEAR_1980_US = 315_964_800_000_000


def clock_us(fault: str, time_us: int, fault_us: int, start_us: int) -> int:
    """The time that a faulty clock shows: microseconds since 1970.

    time_us, start_us   the right time, and that of the first frame
    fault_us            time of the first frame with the fault
    """
    if fault not in CLOCK_FAULTS or time_us < fault_us:
        return time_us
    if fault == "frozen-time":
        return fault_us
    return time_us + _TEN_YEARS_US if fault == "future" else _YEAR_1980_US + time_us - start_us


def distorted(fault: str, instant: Instant) -> Instant:
    """The scene as metadata with this fault describes it; unchanged if the fault is of another kind."""
    change = _CHANGES.get(fault)
    return instant if change is None else change(instant)


def _jump(instant: Instant) -> Instant:
    vehicle = replace(instant.vehicle, place=_north(instant.vehicle.place))
    return replace(_frame_centre(instant), place=_north(instant.place), vehicle=vehicle)


def _frame_centre(instant: Instant) -> Instant:
    return replace(instant, centre=_north(instant.centre), corners=tuple(map(_north, instant.corners)))


def _north(place: Point) -> Point:
    return replace(place, lat=place.lat + _NORTH)


def _corners(instant: Instant) -> Instant:
    left, right = instant.corners[:2]
    north, east = 3 * (right.lat - left.lat), 3 * (right.lon - left.lon)
    moved = (replace(corner, lat=corner.lat + north, lon=corner.lon + east) for corner in instant.corners)
    return replace(instant, corners=tuple(moved))


def _corner_order(instant: Instant) -> Instant:
    a, b, c, d = instant.corners
    return replace(instant, corners=(a, c, b, d))


def _below_ground(instant: Instant) -> Instant:
    return replace(instant, place=replace(instant.place, hae=GEOID - _DEPTH))


def _position_zero(instant: Instant) -> Instant:
    return replace(instant, place=replace(instant.place, lat=0.0, lon=0.0))


_CHANGES: dict[str, Callable[[Instant], Instant]] = {
    "jump": _jump,
    "frame-centre": _frame_centre,
    "corners": _corners,
    "corner-order": _corner_order,
    "below-ground": _below_ground,
    "position-zero": _position_zero,
}
