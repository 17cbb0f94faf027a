"""Positions that the aircraft reports: the platform, the frame centre, and the target. Heights in both datums."""

from __future__ import annotations

import math
from typing import NamedTuple

from klvrelay.geo.geoid import undulation
from klvrelay.geo.quantity import Items, LatLon, Quantity, Source, first_number, lat_lon
from klvrelay.geo.wgs84 import Vector, dot, north_east_down, to_ecef

_HEIGHTS = -900.0, 40_000.0
_MOST_STEEP = 0.2  # least sine of the depression at which the slant range gives a height


class LocatedPoint(NamedTuple):
    """A position on or above the earth, with its origin.

    lat, lon         degrees
    hae, msl         heights in metres above the WGS-84 ellipsoid, and above mean sea level (EGM96); both or neither
    source, method   of latitude and longitude, as in `Quantity`
    """

    lat: float
    lon: float
    hae: Quantity | None
    msl: Quantity | None
    source: Source
    method: str


def platform_position(items: Items) -> LocatedPoint | None:
    """The sensor's position: items 13 and 14, with the height of item 104, 75 or 15. None without a position."""
    place = lat_lon(items, "sensor_latitude", "sensor_longitude")
    if place is None:
        return None
    hae = first_number(items, ("sensor_ellipsoid_height_extended", "sensor_ellipsoid_height"), *_HEIGHTS)
    msl = first_number(items, ("sensor_true_altitude",), *_HEIGHTS)
    return LocatedPoint(*place, *both_heights(place, hae, msl), "reported", "sensor_latitude")


def reported_centre(items: Items) -> LocatedPoint | None:
    """The frame centre in items 23 and 24, with the height of item 78 or 25. None without a position."""
    place = lat_lon(items, "frame_center_latitude", "frame_center_longitude")
    if place is None:
        return None
    return LocatedPoint(*place, *centre_heights(items, place), "reported", "frame_center_latitude")


def centre_heights(items: Items, place: LatLon) -> tuple[Quantity | None, Quantity | None]:
    """HAE and MSL of the frame centre in items 78 and 25, if it is at `place`."""
    hae = first_number(items, ("frame_center_height_above_ellipsoid",), *_HEIGHTS)
    return both_heights(place, hae, first_number(items, ("frame_center_elevation",), *_HEIGHTS))


def target_location(items: Items) -> LocatedPoint | None:
    """The target in items 40 and 41. Its height, item 42, is HAE if item 78 is sent, else MSL."""
    place = lat_lon(items, "target_location_latitude", "target_location_longitude")
    if place is None:
        return None
    height = first_number(items, ("target_location_elevation",), *_HEIGHTS)
    ellipsoidal = items.get("frame_center_height_above_ellipsoid") is not None
    heights = both_heights(place, height, None) if ellipsoidal else both_heights(place, None, height)
    return LocatedPoint(*place, *heights, "reported", "target_location_latitude")


def both_heights(place: LatLon, hae: Quantity | None, msl: Quantity | None) -> tuple[Quantity | None, Quantity | None]:
    """The height that is missing follows from the other by EGM96; None, None without either."""
    if hae is None and msl is not None:
        return Quantity(msl.value + undulation(*place), "derived", f"{msl.method}, EGM96"), msl
    if msl is None and hae is not None:
        return hae, Quantity(hae.value - undulation(*place), "derived", f"{hae.method}, EGM96")
    return hae, msl


def derived_heights(place: LatLon, hae: float, method: str) -> tuple[Quantity | None, Quantity | None]:
    """HAE that was computed, and the MSL that follows."""
    return both_heights(place, Quantity(hae, "derived", method), None)


def height_at_range(place: LatLon, eye: Vector, slant_range: float) -> float | None:
    """HAE of the point below or above `place` at a distance from `eye` (ECEF), the lower of two.

    None if no point has this distance, or if the line is so flat that the height would be several times less accurate
    than the range.
    """
    x, y, z = to_ecef(*place, 0.0)
    away = x - eye[0], y - eye[1], z - eye[2]
    dx, dy, dz = north_east_down(*place)[2]
    along = -dot((dx, dy, dz), away)
    squared = along * along - dot(away, away) + slant_range * slant_range
    if squared <= (_MOST_STEEP * slant_range) ** 2:
        return None
    return -along - math.sqrt(squared)
