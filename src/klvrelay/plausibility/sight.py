"""`frame_centre`: the frame centre is not where the slant range (item 21) ends."""

from __future__ import annotations

import math

from klvrelay.geo.quantity import Items, number
from klvrelay.geo.wgs84 import to_ecef
from klvrelay.plausibility.implausibility import Implausibility, implausible
from klvrelay.plausibility.places import LOWEST, MeasuredPlace, height_pairs

SHARE = 0.3
METRES = 200.0
"""Tolerance: this share of the longer distance, and these metres.

Frame centre, slant range and altitude of real flights are measured at different times, and barometric heights are off.
"""
NO_HEIGHT = 0.2
"""Elevations within this of 0 m count as unknown: many senders without an elevation model send 0."""

_RANGES = 1.0, 4_999_000.0  # item 21 ends at 5,000 km, which also means "or more"
ITEMS = ("slant_range", "ground_range")
"""Keys of the items read here."""


def check_frame_centre(
    items: Items, sensor: MeasuredPlace | None, centre: MeasuredPlace | None
) -> Implausibility | None:
    """`frame_centre` of a record; None without positions, or without item 21 and 57."""
    if sensor is None or centre is None:
        return None
    slant = number(items, "slant_range", *_RANGES)
    if slant is not None:
        return _against("slant range (item 21)", slant, *_distances(sensor, centre))
    ground = number(items, "ground_range", *_RANGES)
    if ground is not None:
        level = _distance(sensor, 0.0, centre, 0.0)
        return _against("ground range (item 57)", ground, level, level)
    return None


def _against(name: str, measured: float, low: float, high: float) -> Implausibility | None:
    """A finding if the range is not from `low` to `high`, with the tolerance."""
    distance = min(max(measured, low), high)
    limit = METRES + SHARE * max(distance, measured)
    if abs(distance - measured) <= limit:
        return None
    what = f"The frame centre is {distance:,.0f} m from the sensor, and the {name} is {measured:,.0f} m"
    return implausible("frame_centre", f"{what} (limit: {limit:,.0f} m apart)", abs(distance - measured), limit, "m")


def _distances(sensor: MeasuredPlace, centre: MeasuredPlace) -> tuple[float, float]:
    """The least and the most distance from the sensor to the frame centre, by the heights that are reported.

    Without the height of the centre, it may be from LOWEST to the sensor's height.
    """
    pairs = height_pairs(sensor, centre._replace(msl=_known(centre.msl), hae=_known(centre.hae)))
    if pairs:
        found = [_distance(sensor, above, centre, below) for above, below in pairs]
        return min(found), max(found)
    height = sensor.msl if sensor.hae is None else sensor.hae
    if height is None:
        return _distance(sensor, 0.0, centre, 0.0), math.inf
    return _distance(sensor, height, centre, height), _distance(sensor, max(height, LOWEST), centre, LOWEST)


def _known(height: float | None) -> float | None:
    return None if height is None or abs(height) < NO_HEIGHT or height < LOWEST else height


def _distance(sensor: MeasuredPlace, above: float, centre: MeasuredPlace, below: float) -> float:
    return math.dist(to_ecef(sensor.lat, sensor.lon, above), to_ecef(centre.lat, centre.lon, below))
