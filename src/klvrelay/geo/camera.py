"""A pinhole camera over the earth: pixels to rays, and points to pixels.

Positions in a picture are fractions: 0, 0 is the outer corner of the top left pixel, 1, 1 that of the bottom right one.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from klvrelay.geo.attitude import inside
from klvrelay.geo.wgs84 import Axes, GeoPoint, Vector, dot, north_east_down, to_ecef


class PinholeCamera(NamedTuple):
    """Position and unit vectors in ECEF; half the width and height of the picture at distance 1."""

    eye: Vector
    forward: Vector
    right: Vector
    down: Vector
    half_width: float
    half_height: float

    def ray(self, across: float = 0.5, below: float = 0.5) -> Vector:
        """The viewing direction at a position in the picture, in ECEF; its length is at least 1."""
        a, b = (2 * across - 1) * self.half_width, (2 * below - 1) * self.half_height
        (fx, fy, fz), (rx, ry, rz), (dx, dy, dz) = self.forward, self.right, self.down
        return fx + a * rx + b * dx, fy + a * ry + b * dy, fz + a * rz + b * dz

    def project(self, point: Vector) -> tuple[float, float] | None:
        """Where an ECEF point appears, beyond 0 to 1 outside of the picture; None if it is not ahead of the camera."""
        away = (point[0] - self.eye[0], point[1] - self.eye[1], point[2] - self.eye[2])
        ahead = dot(self.forward, away)
        if ahead <= 0:
            return None
        across = dot(self.right, away) / ahead / self.half_width
        below = dot(self.down, away) / ahead / self.half_height
        return (across + 1) / 2, (below + 1) / 2


def camera_at(place: GeoPoint, axes: Axes, hfov: float, vfov: float) -> PinholeCamera:
    """A camera at a position, with axes in north, east, down, and fields of view in degrees (items 16 and 17)."""
    forward, right, down = inside(north_east_down(place.lat, place.lon), axes)
    return PinholeCamera(to_ecef(*place), forward, right, down, half_tangent(hfov), half_tangent(vfov))


def half_tangent(field_of_view: float) -> float:
    """Half the extent of a field of view in degrees, at distance 1."""
    return math.tan(math.radians(field_of_view) / 2)


def pixel_position(row: int, column: int, width: int, height: int) -> tuple[float, float]:
    """The centre of a pixel, whose row and column are counted from 1 as in ST 0903, as fractions of the picture."""
    return (column - 0.5) / width, (row - 0.5) / height


def pixel_number(number: int, width: int) -> tuple[int, int]:
    """Row and column, from 1, of a pixel that ST 0903 numbers from 1 row by row (VTarget items 1 to 3)."""
    row, column = divmod(number - 1, width)
    return row + 1, column + 1
