"""Turns orientations relative to north, east and down into orientations relative to the platform.

An orientation is three unit vectors: forward, right, down. Yaw rotates them clockwise seen from above, then pitch
moves forward up, then roll moves right down: the order of heading, pitch and roll in ST 0601 (items 5, 90, 91), of
azimuth, elevation and roll of the sensor (items 18 to 20), and of DJI's aircraft and gimbal angles (Z-Y-X in north,
east, down).

With P the platform's orientation and G the camera's, both in north, east, down, the camera's relative to the platform
is the transpose of P times G: the columns of G in the axes of P. Subtracting angles would be correct only for a level
platform.
"""

from __future__ import annotations

import math
from typing import NamedTuple

Vector = tuple[float, float, float]
Axes = tuple[Vector, Vector, Vector]
"""Forward, right, down."""

_STEEP = 1e-9


class Turn(NamedTuple):
    """Degrees: yaw 0 to 360, pitch -90 to 90, roll -180 to 180."""

    yaw: float
    pitch: float
    roll: float


def axes_of(turn: Turn) -> Axes:
    """The axes rotated by these angles."""
    (sy, cy), (sp, cp), (sr, cr) = ((math.sin(math.radians(a)), math.cos(math.radians(a))) for a in turn)
    return (
        (cy * cp, sy * cp, -sp),
        (cy * sp * sr - sy * cr, sy * sp * sr + cy * cr, cp * sr),
        (cy * sp * cr + sy * sr, sy * sp * cr - cy * sr, cp * cr),
    )


def turn_of(axes: Axes) -> Turn:
    """The angles of these axes. Looking straight up or down, the roll is 0 and the yaw turns the picture."""
    (north, east, down), right, below = axes
    level = math.hypot(north, east)
    pitch = math.degrees(math.atan2(-down, level))
    if level < _STEEP:
        return Turn(_degrees(-right[0], right[1]) % 360, pitch, 0.0)
    return Turn(_degrees(east, north) % 360, pitch, _degrees(right[2], below[2]))


def _degrees(opposite: float, adjacent: float) -> float:
    """An angle without the noise of the last digits, which would turn 0 into 360."""
    return round(math.degrees(math.atan2(opposite, adjacent)), 10)


def relative(platform: Turn, camera: Turn) -> Turn:
    """The camera's orientation relative to the platform; both given in north, east, down."""
    body = axes_of(platform)
    forward, right, down = (_seen_from(body, axis) for axis in axes_of(camera))
    return turn_of((forward, right, down))


def absolute(platform: Turn, sensor: Turn) -> Axes:
    """The sensor's axes in north, east, down; `sensor` is relative to the platform."""
    body = axes_of(platform)
    forward, right, down = (_combined(body, axis) for axis in axes_of(sensor))
    return forward, right, down


def _seen_from(body: Axes, vector: Vector) -> Vector:
    """A vector's components along the axes of `body`."""
    forward, right, down = (sum(a * b for a, b in zip(axis, vector, strict=True)) for axis in body)
    return forward, right, down


def _combined(body: Axes, vector: Vector) -> Vector:
    """The vector with these components along the axes of `body`."""
    north, east, down = (sum(vector[axis] * body[axis][number] for axis in range(3)) for number in range(3))
    return north, east, down
