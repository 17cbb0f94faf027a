"""WGS-84 positions, local axes, and the rotations of ST 0601's attitude items.

All conversions are exact on the ellipsoid, so that a reader of the metadata can reproduce the positions.
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
    """A position: latitude and longitude in degrees, height in metres above the WGS-84 ellipsoid."""

    lat: float
    lon: float
    hae: float


def to_ecef(place: Point) -> Array:
    """Convert to earth-centred, earth-fixed metres."""
    lat, lon = math.radians(place.lat), math.radians(place.lon)
    normal = _A / math.sqrt(1 - _E2 * math.sin(lat) ** 2)
    flat = (normal + place.hae) * math.cos(lat)
    up = (normal * (1 - _E2) + place.hae) * math.sin(lat)
    return np.array([flat * math.cos(lon), flat * math.sin(lon), up])


def from_ecef(point: Array) -> Point:
    """Convert from ECEF; exact to well under a millimetre near the ground."""
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
    """The local axes at a position, as the rows of a matrix in ECEF."""
    lat, lon = math.radians(place.lat), math.radians(place.lon)
    s, c, sl, cl = math.sin(lat), math.cos(lat), math.sin(lon), math.cos(lon)
    return np.array([[-sl, cl, 0.0], [-s * cl, -s * sl, c], [c * cl, c * sl, s]])


def turn(yaw: float, pitch: float, roll: float) -> Array:
    """Axes (forward, right, down), as columns, rotated in this order by degrees; positive pitch is nose up.

    Used for platform heading, pitch, roll (items 5-7) and for sensor azimuth, elevation, roll (18-20).
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
    """A flat metric map, east-north-up at its origin, with conversion to geographic positions."""

    __slots__ = ("_axes", "_origin")

    def __init__(self, origin: Point) -> None:
        self._origin = to_ecef(origin)
        self._axes = east_north_up(origin)

    def place(self, point: Array) -> Point:
        """The geographic position of a map point."""
        return from_ecef(self._origin + self._axes.T @ point)

    def north_east_down(self, place: Point) -> Array:
        """The local axes at a position, as columns on the map: the reference of heading and pitch."""
        east, north, up = east_north_up(place)
        axes: Array = self._axes @ np.column_stack([north, east, -up])
        return axes
