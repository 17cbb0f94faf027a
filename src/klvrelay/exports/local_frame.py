"""A frame of reference for a flight: metres east, north and up of one position."""

from __future__ import annotations

from typing import NamedTuple

from klvrelay import geo
from klvrelay.exports.orientation import Quaternion, Vector, quaternion

Axes = tuple[Vector, Vector, Vector]


class LocalFrame(NamedTuple):
    """East, north, up at `origin`. Exact at any distance: points far away are below the plane of the origin."""

    origin: geo.GeoPoint

    def place(self, lat: float, lon: float, hae: float) -> Vector:
        """A position in metres east, north, up."""
        return geo.to_enu(self.origin, geo.to_ecef(lat, lon, hae))

    def rotation(self, lat: float, lon: float, axes: Axes) -> Quaternion:
        """The rotation to this frame from one whose x, y and z are `axes`, given in north, east, down at a position."""
        x, y, z = (self._turned(lat, lon, axis) for axis in axes)
        return quaternion(x, y, z)

    def _turned(self, lat: float, lon: float, vector: Vector) -> Vector:
        axes = geo.north_east_down(lat, lon)
        away = (sum(part * axis[n] for part, axis in zip(vector, axes, strict=True)) for n in range(3))
        x, y, z = away
        north, east, down = (
            axis[0] * x + axis[1] * y + axis[2] * z for axis in geo.north_east_down(self.origin.lat, self.origin.lon)
        )
        return east, north, -down


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
