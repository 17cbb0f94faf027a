"""Follows a ray until it meets a surface of heights: in steps of half a cell, then finer ones."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple, Protocol

from klvrelay.geo.ground import FlatGround, GroundHit, NoGround, along
from klvrelay.geo.wgs84 import EQUATORIAL_RADIUS, FLATTENING, Vector, from_ecef

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MOST_STEPS = 16_384
"""Of one ray, 240 km in cells of 30 m; a ray that needs more counts as too far."""

METRES_PER_DEGREE = math.radians(EQUATORIAL_RADIUS)

_AT_ONCE = 512
_FINER = 32  # parts of the step on which the ground lies
_MARGIN = 20.0  # metres; the undulation varies by up to 10 over a tile
_E2 = FLATTENING * (2 - FLATTENING)


class HeightSurface(Protocol):
    """Heights over an area, in metres above any datum."""

    @property
    def low(self) -> float:
        """No height is below this one."""

    @property
    def high(self) -> float:
        """No height is above this one."""

    def cell(self, lat: float) -> float:
        """Metres between heights at a latitude."""

    def heights(self, lat: Floats, lon: Floats) -> Floats:
        """Heights at positions in degrees; NaN where there is none."""

    def offset(self, lat: float, lon: float) -> float:
        """What is to be added there to a height to make it HAE."""


class _Stretch(NamedTuple):
    """The part of a ray on which its ground lies: metres from the eye, and between two looks at the ground."""

    start: float
    stop: float
    step: float

    def pieces(self) -> Iterator[Floats]:
        """The distances, some hundred at a time; the last is `stop`."""
        import numpy as np

        count = math.ceil((self.stop - self.start) / self.step) + 1
        for begin in range(0, count, _AT_ONCE):
            numbers = np.arange(begin, min(begin + _AT_ONCE, count), dtype=float)
            yield np.minimum(self.start + numbers * self.step, self.stop)


def march(surface: HeightSurface, eye: Vector, ray: Vector) -> GroundHit | NoGround:
    """The first ground on a ray from `eye`, both in ECEF. An unknown height before it is a reason to give up."""
    stretch = _stretch(surface, eye, ray)
    if isinstance(stretch, NoGround):
        return stretch
    before = stretch.start
    for distances in stretch.pieces():
        above = _clearance(surface, eye, ray, distances)
        ends = (~(above > 0)).nonzero()[0]  # also where the height is not known
        if len(ends):
            at = int(ends[0])
            return _end(surface, eye, ray, float(distances[at - 1]) if at else before, float(distances[at]), above[at])
        before = float(distances[-1])
    return NoGround("no elevation")


def _stretch(surface: HeightSurface, eye: Vector, ray: Vector) -> _Stretch | NoGround:
    place = from_ecef(eye)
    offset = surface.offset(place.lat, place.lon)
    bottom = FlatGround(surface.low + offset - _MARGIN).distance(eye, ray)
    if isinstance(bottom, NoGround):
        return bottom
    top = FlatGround(surface.high + offset + _MARGIN).distance(eye, ray)
    start, step = top if isinstance(top, float) else 0.0, surface.cell(place.lat) / 2
    return _Stretch(start, bottom, step) if bottom - start < MOST_STEPS * step else NoGround("too far")


def _end(surface: HeightSurface, eye: Vector, ray: Vector, near: float, far: float,
         above: float) -> GroundHit | NoGround:  # fmt: skip
    """What ends the ray between `near`, above the ground, and `far`."""
    if math.isnan(above):
        return NoGround("no elevation")
    if far == 0.0:
        return NoGround("sensor below the ground")
    distance = _refined(surface, eye, ray, near, far)
    return GroundHit(from_ecef(along(eye, ray, distance)), distance)


def _refined(surface: HeightSurface, eye: Vector, ray: Vector, near: float, far: float) -> float:
    """The distance between `near`, above the ground, and `far`, below it: a finer step, then a straight line."""
    import numpy as np

    distances = np.linspace(near, far, _FINER + 1)
    above = _clearance(surface, eye, ray, distances)
    ends = (above <= 0).nonzero()[0]
    at = int(ends[0]) if len(ends) else _FINER
    if at == 0 or not above[at - 1] > above[at]:
        return float(distances[at])
    share = above[at - 1] / (above[at - 1] - above[at])
    return float(distances[at - 1] + min(share, 1.0) * (distances[at] - distances[at - 1]))


def _clearance(surface: HeightSurface, eye: Vector, ray: Vector, distances: Floats) -> Floats:
    """Height of the ray above the ground at these distances; NaN where the ground is not known."""
    scale = distances / math.sqrt(ray[0] ** 2 + ray[1] ** 2 + ray[2] ** 2)
    lat, lon, hae = _geodetic(*(eye[axis] + ray[axis] * scale for axis in range(3)))
    # One offset for all: over 8 km, the geoid varies by centimetres.
    offset = surface.offset(float(lat[-1]), float(lon[-1]))
    clearance: Floats = hae - offset - surface.heights(lat, lon)
    return clearance


def _geodetic(x: Floats, y: Floats, z: Floats) -> tuple[Floats, Floats, Floats]:
    """As `from_ecef`, of arrays, with one step: exact to a millimetre near the ground."""
    import numpy as np

    across, polar = np.hypot(x, y), EQUATORIAL_RADIUS * (1 - FLATTENING)
    u = np.arctan2(z * EQUATORIAL_RADIUS, across * polar)
    up, out = z + _E2 / (1 - _E2) * polar * np.sin(u) ** 3, across - _E2 * EQUATORIAL_RADIUS * np.cos(u) ** 3
    phi = np.arctan2(up, out)
    s, c = np.sin(phi), np.cos(phi)
    hae = across * c + z * s - EQUATORIAL_RADIUS * np.sqrt(1 - _E2 * s * s)
    return np.degrees(phi), np.degrees(np.arctan2(y, x)), hae
