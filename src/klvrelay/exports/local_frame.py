"""A frame of reference for a flight: metres east, north and up of one position."""

from __future__ import annotations

from klvrelay import geo
from klvrelay.exports.orientation import Quaternion, Vector, quaternion

Axes = tuple[Vector, Vector, Vector]


class LocalFrame:
    """East, north, up at `origin`. Exact at any distance: points far away are below the plane of the origin."""

    def __init__(self, origin: geo.GeoPoint) -> None:
        self.origin = origin
        self._base = geo.to_ecef(*origin)
        north, east, down = geo.north_east_down(origin.lat, origin.lon)
        self._axes: Axes = east, north, _opposite(down)

    def place(self, lat: float, lon: float, hae: float) -> Vector:
        """A position in metres east, north, up."""
        x, y, z = geo.to_ecef(lat, lon, hae)
        a, b, c = self._base
        return self._turned((x - a, y - b, z - c))

    def axes_at(self, lat: float, lon: float) -> Axes:
        """North, east and down at a position, in this frame."""
        north, east, down = geo.north_east_down(lat, lon)
        return self._turned(north), self._turned(east), self._turned(down)

    def _turned(self, away: Vector) -> Vector:
        east, north, up = self._axes
        return _dot(east, away), _dot(north, away), _dot(up, away)


def rotation(there: Axes, axes: Axes) -> Quaternion:
    """The rotation to a frame from one whose x, y and z are `axes`, given in north, east, down.

    there   north, east, down in the frame (`LocalFrame.axes_at`)
    """
    (a, b, c), (d, e, f), (g, h, i) = there
    x, y, z = ((n * a + w * d + v * g, n * b + w * e + v * h, n * c + w * f + v * i) for n, w, v in axes)
    return quaternion(x, y, z)


def nose_left_up(angles: geo.Orientation) -> Axes:
    """The axes of a platform, x forward, y left, z up, in north, east, down. `angles`: heading, pitch, roll."""
    forward, right, down = geo.rotation(*angles)
    return forward, _opposite(right), _opposite(down)


def right_down_forward(axes: Axes) -> Axes:
    """The axes of a picture, x right, y down, z into it, from forward, right, down."""
    forward, right, down = axes
    return right, down, forward


def _opposite(vector: Vector) -> Vector:
    return -vector[0], -vector[1], -vector[2]


def _dot(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
