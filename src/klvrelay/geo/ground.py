"""Where a ray meets the ground: the result, and ground at a constant height. `elevation.py` has grids of heights."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple, Protocol

from klvrelay.geo.wgs84 import EQUATORIAL_RADIUS, POLAR_RADIUS, GeoPoint, Vector, from_ecef

FARTHEST = 500_000.0
"""Metres to the farthest ground that counts: about the horizon of an aircraft at 19 km."""

Reason = Literal["above the horizon", "too far", "sensor below the ground", "no elevation"]


class GroundHit(NamedTuple):
    """The first ground on a ray: its position, and the distance from the sensor in metres."""

    position: GeoPoint
    distance: float


class NoGround(NamedTuple):
    """The ray meets no ground: why not."""

    reason: Reason


class GroundModel(Protocol):
    """Ground of any shape."""

    def meet(self, eye: Vector, ray: Vector) -> GroundHit | NoGround:
        """The first ground on a ray from `eye`, both in ECEF; the ray has any length but 0."""

    def height(self, lat: float, lon: float) -> float | None:
        """HAE of the ground at a position in metres; None where it is not known."""


class FlatGround(NamedTuple):
    """Ground at one height above the ellipsoid, in metres: level, and curved like the earth."""

    hae: float

    def meet(self, eye: Vector, ray: Vector) -> GroundHit | NoGround:
        """The first ground on a ray from `eye`, both in ECEF.

        The surface of constant height is taken as an ellipsoid with axes longer by that height; they differ by less
        than 2 cm for heights on the earth.
        """
        distance = self.distance(eye, ray)
        if isinstance(distance, NoGround):
            return distance
        return GroundHit(from_ecef(along(eye, ray, distance)), distance)

    def height(self, lat: float, lon: float) -> float:
        """The same everywhere."""
        return self.hae

    def distance(self, eye: Vector, ray: Vector) -> float | NoGround:
        """Metres from `eye` along the ray to the ground."""
        across, up = EQUATORIAL_RADIUS + self.hae, POLAR_RADIUS + self.hae
        ex, ey, ez = eye[0] / across, eye[1] / across, eye[2] / up
        rx, ry, rz = ray[0] / across, ray[1] / across, ray[2] / up
        a, b, c = rx * rx + ry * ry + rz * rz, ex * rx + ey * ry + ez * rz, ex * ex + ey * ey + ez * ez - 1
        if c < 0:
            return NoGround("sensor below the ground")
        root = b * b - a * c
        if root < 0 or b >= 0:
            return NoGround("above the horizon")
        distance = c / (math.sqrt(root) - b) * math.sqrt(ray[0] ** 2 + ray[1] ** 2 + ray[2] ** 2)
        return distance if distance <= FARTHEST else NoGround("too far")


def along(eye: Vector, ray: Vector, distance: float) -> Vector:
    """The point at a distance in metres along a ray."""
    scale = distance / math.sqrt(ray[0] ** 2 + ray[1] ** 2 + ray[2] ** 2)
    return eye[0] + ray[0] * scale, eye[1] + ray[1] * scale, eye[2] + ray[2] * scale
