"""The earth and its angles: WGS-84 places, local axes, and the turns of ST 0601's attitude items.

Room: the sample recording. Next door: `flight.py` and `camera.py` live on it. Exact on the ellipsoid, so that
a reader of the metadata who does the same sums arrives at the same places.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_A = 6378137.0
_F = 1 / 298.257223563
_E2 = _F * (2 - _F)


@dataclass(frozen=True, slots=True)
class Point:
    """A point of the earth: degrees, degrees, and metres above the WGS-84 ellipsoid."""

    lat: float
    lon: float
    hae: float


def to_ecef(place: Point) -> Array:
    """Earth-centred, earth-fixed metres."""
    lat, lon = math.radians(place.lat), math.radians(place.lon)
    normal = _A / math.sqrt(1 - _E2 * math.sin(lat) ** 2)
    flat = (normal + place.hae) * math.cos(lat)
    up = (normal * (1 - _E2) + place.hae) * math.sin(lat)
    return np.array([flat * math.cos(lon), flat * math.sin(lon), up])


def from_ecef(point: Array) -> Point:
    """The place of an ECEF point; exact to well under a millimetre near the ground."""
    x, y, z = (float(v) for v in point)
    flat = math.hypot(x, y)
    lat = math.atan2(z, flat * (1 - _E2))
    for _ in range(4):
        normal = _A / math.sqrt(1 - _E2 * math.sin(lat) ** 2)
        lat = math.atan2(z + _E2 * normal * math.sin(lat), flat)
    normal = _A / math.sqrt(1 - _E2 * math.sin(lat) ** 2)
    hae = flat * math.cos(lat) + z * math.sin(lat) - _A * math.sqrt(1 - _E2 * math.sin(lat) ** 2)
    return Point(math.degrees(lat), math.degrees(math.atan2(y, x)), hae)


def east_north_up(place: Point) -> Array:
    """The local axes at a place, as the rows of a matrix in ECEF."""
    lat, lon = math.radians(place.lat), math.radians(place.lon)
    s, c, sl, cl = math.sin(lat), math.cos(lat), math.sin(lon), math.cos(lon)
    return np.array([[-sl, cl, 0.0], [-s * cl, -s * sl, c], [c * cl, c * sl, s]])


def turn(yaw: float, pitch: float, roll: float) -> Array:
    """Axes (forward, right, down), as columns, turned in this order by degrees; pitch is nose up.

    Serves platform heading, pitch, roll (items 5-7) as well as sensor azimuth, elevation, roll (18-20).
    """
    (sy, cy), (sp, cp), (sr, cr) = ((math.sin(math.radians(a)), math.cos(math.radians(a))) for a in (yaw, pitch, roll))
    return np.array(
        [
            [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
            [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
            [-sp, cp * sr, cp * cr],
        ]
    )


class World:
    """A flat metric map, east-north-up at its origin, that knows where on the earth its points are."""

    __slots__ = ("_axes", "_origin")

    def __init__(self, origin: Point) -> None:
        self._origin = to_ecef(origin)
        self._axes = east_north_up(origin)

    def place(self, point: Array) -> Point:
        """Where on the earth a point of the map is."""
        return from_ecef(self._origin + self._axes.T @ point)

    def north_east_down(self, place: Point) -> Array:
        """The local axes at a place, as columns on the map: what heading and pitch are counted from."""
        east, north, up = east_north_up(place)
        axes: Array = self._axes @ np.column_stack([north, east, -up])
        return axes
