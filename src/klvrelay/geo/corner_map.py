"""The projective map between a picture and the quadrilateral that its corners have on the ground.

It needs neither attitude nor field of view, but treats the ground as a plane: a height difference within the picture
shifts a point by this difference times the ground range over the height of the sensor.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from klvrelay.geo.wgs84 import EQUATORIAL_RADIUS, GeoPoint, from_ecef, from_ned, to_ecef, to_ned

LatLon = tuple[float, float]
_FARTHEST = 500_000.0  # metres from the first corner
_SMALLEST = 1e-9
"""Least area of a triangle of corners, relative to the square of the longest side."""


class Homography(NamedTuple):
    """Maps positions in the picture (fractions, 0, 0 at the top left corner) to latitude and longitude, and back.

    origin      the first corner, on the ellipsoid; metres north and east of it are the coordinates on the ground
    forward     the matrix from the picture to the ground, row by row
    backward    its inverse, up to a positive factor
    """

    origin: GeoPoint
    forward: tuple[float, ...]
    backward: tuple[float, ...]

    def to_ground(self, across: float, below: float) -> LatLon | None:
        """Latitude and longitude of a position in the picture; None on or above the horizon that the corners imply."""
        found = _apply(self.forward, across, below)
        if found is None or math.hypot(*found) > _FARTHEST:
            return None
        sagitta = EQUATORIAL_RADIUS - math.sqrt(EQUATORIAL_RADIUS**2 - found[0] ** 2 - found[1] ** 2)
        place = from_ecef(from_ned(self.origin, (*found, sagitta)))
        return place.lat, place.lon

    def to_picture(self, lat: float, lon: float) -> tuple[float, float] | None:
        """Position in the picture of a point on the ground, beyond 0 to 1 outside of it; None where there is none."""
        north, east, down = to_ned(self.origin, to_ecef(lat, lon, 0.0))
        return _apply(self.backward, north, east) if down < _FARTHEST else None


def homography(corners: Sequence[LatLon]) -> Homography | None:
    """The map of four corners (latitude, longitude): top left, top right, bottom right, bottom left.

    None where three of them lie on a line, or the quadrilateral is not convex: no picture of a plane has such corners.
    """
    origin = GeoPoint(*corners[0], 0.0)
    flat = [to_ned(origin, to_ecef(lat, lon, 0.0))[:2] for lat, lon in corners]
    if not _convex(flat):
        return None
    forward = _square_to(flat)
    return Homography(origin, forward, _inverse(forward))


def _convex(corners: Sequence[tuple[float, float]]) -> bool:
    turns = []
    longest = 0.0
    for number in range(4):
        (x0, y0), (x1, y1), (x2, y2) = (corners[(number + step) % 4] for step in range(3))
        turns.append((x1 - x0) * (y2 - y1) - (y1 - y0) * (x2 - x1))
        longest = max(longest, (x1 - x0) ** 2 + (y1 - y0) ** 2)
    least = _SMALLEST * longest
    return longest > 0 and (all(turn > least for turn in turns) or all(turn < -least for turn in turns))


def _square_to(corners: Sequence[tuple[float, float]]) -> tuple[float, ...]:
    """The map of the unit square to a convex quadrilateral, in Heckbert's closed form."""
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = corners
    dx1, dx2, dx3 = x1 - x2, x3 - x2, x0 - x1 + x2 - x3
    dy1, dy2, dy3 = y1 - y2, y3 - y2, y0 - y1 + y2 - y3
    scale = dx1 * dy2 - dx2 * dy1
    g, h = (dx3 * dy2 - dx2 * dy3) / scale, (dx1 * dy3 - dx3 * dy1) / scale
    return (x1 - x0 + g * x1, x3 - x0 + h * x3, x0, y1 - y0 + g * y1, y3 - y0 + h * y3, y0, g, h, 1.0)


def _inverse(m: tuple[float, ...]) -> tuple[float, ...]:
    """The inverse of a matrix of 3 x 3, times the absolute value of its determinant."""
    a, b, c, d, e, f, g, h, i = m
    sign = math.copysign(1.0, a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g))
    adjugate = (
        e * i - f * h, c * h - b * i, b * f - c * e,
        f * g - d * i, a * i - c * g, c * d - a * f,
        d * h - e * g, b * g - a * h, a * e - b * d,
    )  # fmt: skip
    return tuple(sign * value for value in adjugate)


def _apply(m: tuple[float, ...], x: float, y: float) -> tuple[float, float] | None:
    """None beyond the line that is at infinity: the picture of four convex corners lies on its positive side."""
    scale = m[6] * x + m[7] * y + m[8]
    if not scale > 0:
        return None
    return (m[0] * x + m[1] * y + m[2]) / scale, (m[3] * x + m[4] * y + m[5]) / scale
