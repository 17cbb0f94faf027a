"""Orientation in ST 0601: the platform's heading, pitch and roll (items 5, 6 or 90, 7 or 91), and the sensor's azimuth,
elevation and roll relative to it (18-20).

Axes are three unit vectors: forward, right, down. The platform's are rotated from north, east, down by heading
(clockwise seen from above), then pitch (nose up positive), then roll (right wing down positive). The sensor's are
rotated from the platform's in the same way: azimuth (clockwise), elevation (up positive), roll (clockwise, seen from
behind the sensor). Forward is then the line of sight, right the direction of the picture's rows, down that of its
columns.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from klvrelay.geo.wgs84 import Axes, Vector, dot, to_local, to_world


class Orientation(NamedTuple):
    """Degrees: azimuth from true north, 0 to 360; elevation above the horizontal, -90 to 90; roll -180 to 180."""

    azimuth: float
    elevation: float
    roll: float


def rotation(azimuth: float, elevation: float, roll: float) -> Axes:
    """Axes rotated by these degrees, one after the other: with heading, pitch and roll in north, east, down."""
    a, e, r = math.radians(azimuth), math.radians(elevation), math.radians(roll)
    sa, ca, se, ce, sr, cr = math.sin(a), math.cos(a), math.sin(e), math.cos(e), math.sin(r), math.cos(r)
    return (
        (ca * ce, sa * ce, -se),
        (ca * se * sr - sa * cr, sa * se * sr + ca * cr, ce * sr),
        (ca * se * cr + sa * sr, sa * se * cr - ca * sr, ce * cr),
    )


def inside(outer: Axes, inner: Axes) -> Axes:
    """Axes that are given in the frame of `outer`, in the frame that `outer` is given in."""
    forward, right, down = inner
    return to_world(outer, forward), to_world(outer, right), to_world(outer, down)


def sensor_axes(platform: Orientation, sensor: Orientation) -> Axes:
    """The sensor's axes in north, east, down. `platform`: heading, pitch, roll; `sensor`: relative to the platform."""
    return inside(rotation(*platform), rotation(*sensor))


def relative(platform: Orientation, sensor: Orientation) -> Orientation:
    """The sensor's orientation relative to the platform; both given in north, east, down.

    Subtracting angles would be correct only for a level platform.
    """
    body = rotation(*platform)
    forward, right, down = rotation(*sensor)
    return orientation((to_local(body, forward), to_local(body, right), to_local(body, down)))


def turned(axes: Axes, sight: Vector) -> Axes:
    """The axes turned by the smallest angle, less than 180 degrees, that makes `sight` (of length 1) their forward."""
    forward, right, down = axes
    cosine = dot(forward, sight)
    axis = _cross(forward, sight)
    return sight, _turned(right, axis, cosine), _turned(down, axis, cosine)


def _turned(vector: Vector, axis: Vector, cosine: float) -> Vector:
    """Rodrigues' rotation; the length of `axis` is the sine of the angle."""
    cross, part = _cross(axis, vector), dot(axis, vector) / (1 + cosine)
    x, y, z = (cosine * v + c + part * a for v, c, a in zip(vector, cross, axis, strict=True))
    return x, y, z


def _cross(a: Vector, b: Vector) -> Vector:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


def orientation(axes: Axes) -> Orientation:
    """Azimuth, elevation and roll of axes in north, east, down; looking straight up or down, the roll is 0."""
    (north, east, down), right, below = axes
    if math.hypot(north, east) < 1e-12:
        return Orientation(_degrees(-right[0], right[1]) % 360, math.copysign(90.0, -down), 0.0)
    elevation = math.degrees(math.atan2(-down, math.hypot(north, east)))
    return Orientation(_degrees(east, north) % 360, elevation, _degrees(right[2], below[2]))


def _degrees(opposite: float, adjacent: float) -> float:
    """An angle without the noise of the last digits, which would turn 0 into 360."""
    return round(math.degrees(math.atan2(opposite, adjacent)), 10)
