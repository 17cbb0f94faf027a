"""The orientation of an aircraft in space, from its heading, pitch and roll."""

from __future__ import annotations

from math import cos, radians, sin, sqrt

from klvrelay.exports.positions import PlatformAngles, TrackPoint

Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]
"""x, y, z, w; w is not negative."""
STRAIGHT: Quaternion = 0.0, 0.0, 0.0, 1.0
"""No rotation."""


def orientation(point: TrackPoint, angles: PlatformAngles) -> Quaternion:
    """The rotation from the axes of the aircraft to earth-centred, earth-fixed axes.

    Axes of the aircraft: x forward, y to the left, z up, as Cesium expects of a model. `angles` are those of ST 0601:
    heading, then pitch, then roll, from north, east and down at `point`.
    """
    h, p, r = (radians(angle) for angle in angles)
    forward = cos(p) * cos(h), cos(p) * sin(h), -sin(p)
    right = sin(r) * sin(p) * cos(h) - cos(r) * sin(h), sin(r) * sin(p) * sin(h) + cos(r) * cos(h), sin(r) * cos(p)
    down = cos(r) * sin(p) * cos(h) + sin(r) * sin(h), cos(r) * sin(p) * sin(h) - sin(r) * cos(h), cos(r) * cos(p)
    x = _to_earth(point, forward)
    y = _to_earth(point, (-right[0], -right[1], -right[2]))
    z = _to_earth(point, (-down[0], -down[1], -down[2]))
    return quaternion(x, y, z)


def _to_earth(point: TrackPoint, vector: Vector) -> Vector:
    """A vector of north, east and down at a place as x, y, z of the earth."""
    lon, lat = radians(point.longitude), radians(point.latitude)
    north, east, down = vector
    up = -down
    outward = cos(lat) * up - sin(lat) * north
    return (
        cos(lon) * outward - sin(lon) * east,
        sin(lon) * outward + cos(lon) * east,
        sin(lat) * up + cos(lat) * north,
    )


def quaternion(x: Vector, y: Vector, z: Vector) -> Quaternion:
    """The rotation matrix with these columns as a quaternion. The largest part is computed first, for accuracy."""
    parts = (
        1 + x[0] + y[1] + z[2],
        1 + x[0] - y[1] - z[2],
        1 - x[0] + y[1] - z[2],
        1 - x[0] - y[1] + z[2],
    )
    a, b, c = y[2] - z[1], z[0] - x[2], x[1] - y[0]
    d, e, f = y[0] + x[1], z[0] + x[2], z[1] + y[2]
    rows = ((parts[0], a, b, c), (a, parts[1], d, e), (b, d, parts[2], f), (c, e, f, parts[3]))
    best = max(range(4), key=lambda n: parts[n])
    scale = 2 * sqrt(parts[best]) * (-1 if rows[best][0] < 0 else 1)
    w, i, j, k = (value / scale for value in rows[best])
    return i, j, k, w
