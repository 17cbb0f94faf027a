"""Lines and polygons that cross 180 degrees of longitude (RFC 7946, 3.1.9), and the order of a ring (3.1.6)."""

from __future__ import annotations

from collections.abc import Sequence

from klvrelay.exports.positions import LonLat
from klvrelay.geo.wgs84 import wrapped

Ring = list[LonLat]
"""Corners; the first is not repeated at the end."""


def crosses(one: float, two: float) -> bool:
    """Does the shorter way between two longitudes cross 180 degrees?"""
    return abs(one - two) > 180


def crossing(one: float, two: float) -> tuple[float, float, float]:
    """Where the way from longitude `one` to `two` crosses 180 degrees.

    Returns the longitude on the side of `one` (180 or -180), that on the side of `two`, and the part of the way from 0
    to 1.
    """
    near = 180.0 if one > 0 else -180.0
    whole = two + 2 * near - one
    return near, -near, (near - one) / whole if whole else 0.5


def counterclockwise(ring: Sequence[LonLat]) -> Ring:
    """The ring counter-clockwise seen from above, as GeoJSON requires of exterior rings."""
    unwrapped = _unwrapped(ring)
    return list(ring) if _area(unwrapped) >= 0 else list(reversed(ring))


def cut_ring(ring: Sequence[LonLat]) -> list[Ring]:
    """The parts of a polygon on each side of 180 degrees, counter-clockwise; usually one.

    Empty for a polygon around a pole, which longitude and latitude cannot show, and for one without area.
    """
    shifted = _unwrapped(ring)
    if abs(shifted[-1][0] - shifted[0][0]) > 180 or abs(area := _area(shifted)) < 1e-14:
        return []
    if area < 0:
        shifted.reverse()
    parts = [[(lon - turn, lat) for lon, lat in _between(shifted, turn - 180, turn + 180)] for turn in (0, 360, -360)]
    return [part for part in parts if len(part) >= 3 and abs(_area(part)) >= 1e-14]


def _unwrapped(ring: Sequence[LonLat]) -> Ring:
    """Each longitude within 180 degrees of the one before it."""
    found: Ring = []
    for lon, lat in ring:
        found.append((lon if not found else found[-1][0] + wrapped(lon - found[-1][0]), lat))
    return found


def _area(ring: Sequence[LonLat]) -> float:
    """Square degrees, positive if counter-clockwise. Relative to a corner, since footprints are small."""
    east, north = ring[0]
    local = [(lon - east, lat - north) for lon, lat in ring]
    return sum(x * v - u * y for (x, y), (u, v) in zip(local, [*local[1:], local[0]], strict=True)) / 2


def _between(ring: Ring, west: float, east: float) -> Ring:
    """The part of a polygon between two longitudes (Sutherland-Hodgman)."""
    return _one_side(_one_side(ring, west, 1), east, -1)


def _one_side(ring: Ring, limit: float, sign: int) -> Ring:
    kept: Ring = []
    for one, two in zip(ring, [*ring[1:], *ring[:1]], strict=True):
        inside, follows = (one[0] - limit) * sign >= 0, (two[0] - limit) * sign >= 0
        if inside:
            kept.append(one)
        if inside != follows:
            part = (limit - one[0]) / (two[0] - one[0])
            kept.append((limit, one[1] + part * (two[1] - one[1])))
    return kept
