"""WGS-84: geodetic positions, earth-centred (ECEF) vectors, and local axes.

Angles are degrees, lengths metres, heights above the ellipsoid (HAE). ECEF is exact on the ellipsoid; the way back is
exact to 0.01 mm from the sea floor to 100 km above it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

EQUATORIAL_RADIUS = 6378137.0
FLATTENING = 1 / 298.257223563
POLAR_RADIUS = EQUATORIAL_RADIUS * (1 - FLATTENING)

_E2 = FLATTENING * (2 - FLATTENING)
_SECOND_E2 = _E2 / (1 - _E2)

Vector = tuple[float, float, float]
Axes = tuple[Vector, Vector, Vector]


class GeoPoint(NamedTuple):
    """Latitude and longitude in degrees, longitude -180 to 180; height above the WGS-84 ellipsoid in metres."""

    lat: float
    lon: float
    hae: float


def wrapped(lon: float) -> float:
    """The longitude from -180 (included) to 180 (excluded); a longitude within this range is unchanged."""
    return lon if -180 <= lon < 180 else (lon + 180) % 360 - 180


def dot(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def to_ecef(lat: float, lon: float, hae: float) -> Vector:
    """Convert a geodetic position to earth-centred, earth-fixed metres."""
    phi, lam = math.radians(lat), math.radians(lon)
    s, c = math.sin(phi), math.cos(phi)
    normal = EQUATORIAL_RADIUS / math.sqrt(1 - _E2 * s * s)
    across = (normal + hae) * c
    return across * math.cos(lam), across * math.sin(lam), (normal * (1 - _E2) + hae) * s


def from_ecef(point: Vector) -> GeoPoint:
    """Convert from ECEF. At the poles the longitude is 0.

    Bowring's method: the parametric latitude, improved twice.
    """
    x, y, z = point
    across = math.hypot(x, y)
    u = math.atan2(z * EQUATORIAL_RADIUS, across * POLAR_RADIUS)
    for _ in range(2):
        s, c = math.sin(u), math.cos(u)
        phi = math.atan2(z + _SECOND_E2 * POLAR_RADIUS * s**3, across - _E2 * EQUATORIAL_RADIUS * c**3)
        u = math.atan2((1 - FLATTENING) * math.sin(phi), math.cos(phi))
    s, c = math.sin(phi), math.cos(phi)
    hae = across * c + z * s - EQUATORIAL_RADIUS * math.sqrt(1 - _E2 * s * s)
    return GeoPoint(math.degrees(phi), wrapped(math.degrees(math.atan2(y, x))) if across else 0.0, hae)


def north_east_down(lat: float, lon: float) -> Axes:
    """The local axes at a position, as unit vectors in ECEF: the reference of heading, pitch and roll."""
    phi, lam = math.radians(lat), math.radians(lon)
    s, c, sl, cl = math.sin(phi), math.cos(phi), math.sin(lam), math.cos(lam)
    return (-s * cl, -s * sl, c), (-sl, cl, 0.0), (-c * cl, -c * sl, -s)


def to_ned(origin: GeoPoint, point: Vector) -> Vector:
    """An ECEF point as metres north, east and down of `origin`."""
    base, (north, east, down) = to_ecef(*origin), north_east_down(origin.lat, origin.lon)
    away = (point[0] - base[0], point[1] - base[1], point[2] - base[2])
    return dot(north, away), dot(east, away), dot(down, away)


def from_ned(origin: GeoPoint, offset: Vector) -> Vector:
    """The ECEF point at metres north, east and down of `origin`."""
    x, y, z = to_ecef(*origin)
    dx, dy, dz = to_world(north_east_down(origin.lat, origin.lon), offset)
    return x + dx, y + dy, z + dz


def to_world(axes: Axes, vector: Vector) -> Vector:
    """The vector whose coordinates along these axes are given: a rotation out of their frame."""
    (ax, ay, az), (bx, by, bz), (cx, cy, cz) = axes
    a, b, c = vector
    return a * ax + b * bx + c * cx, a * ay + b * by + c * cy, a * az + b * bz + c * cz


def to_local(axes: Axes, vector: Vector) -> Vector:
    """The coordinates of a vector along these axes: a rotation into their frame."""
    first, second, third = axes
    return dot(first, vector), dot(second, vector), dot(third, vector)


def to_enu(origin: GeoPoint, point: Vector) -> Vector:
    """An ECEF point as metres east, north and up of `origin`."""
    north, east, down = to_ned(origin, point)
    return east, north, -down


def from_enu(origin: GeoPoint, offset: Vector) -> Vector:
    """The ECEF point at metres east, north and up of `origin`."""
    east, north, up = offset
    return from_ned(origin, (north, east, -up))
