"""Ground from a regular grid of heights, such as a tile of SRTM; a ray is followed in steps of half a cell."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from klvrelay.errors import ConfigError
from klvrelay.geo.geoid import undulation
from klvrelay.geo.ground import FlatGround, GroundHit, NoGround, along
from klvrelay.geo.wgs84 import EQUATORIAL_RADIUS, FLATTENING, Vector, from_ecef, wrapped

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MOST_STEPS = 16_384
"""Of one ray through a grid, 240 km in cells of 30 m; a ray that needs more counts as too far."""

_AT_ONCE = 512
_HALVINGS = 16  # of a step of 15 m, to less than a millimetre
_METRES_PER_DEGREE = math.radians(EQUATORIAL_RADIUS)
_E2 = FLATTENING * (2 - FLATTENING)


class ElevationGrid:
    """Heights at regular latitudes and longitudes, bilinear in between.

    heights          2-D numpy array in metres, rows from north to south, columns from west to east
    north, west      position of the first height, degrees
    lat_step, lon_step   degrees between rows and between columns, positive
    datum            "msl" (as SRTM: EGM96) or "hae" of the heights
    void             height that stands for "no height", beside NaN

    Raises ConfigError for an array that is not such a grid.
    """

    __slots__ = ("_datum", "_heights", "_high", "_low", "_void", "lat_step", "lon_step", "north", "west")

    def __init__(self, heights: NDArray[Any], north: float, west: float, lat_step: float, lon_step: float, *,
                 datum: Literal["msl", "hae"] = "msl", void: float | None = None) -> None:  # fmt: skip
        import numpy as np

        if heights.ndim != 2 or min(heights.shape) < 2:
            raise ConfigError(f"elevation grid of shape {heights.shape}: expected at least 2 rows and 2 columns")
        if not (lat_step > 0 and lon_step > 0 and north <= 90 and north - lat_step * (len(heights) - 1) >= -90 - 1e-9):
            raise ConfigError("elevation grid: expected positive steps, and latitudes within -90 to 90 degrees")
        self.north, self.west, self.lat_step, self.lon_step = north, wrapped(west), lat_step, lon_step
        self._heights, self._datum, self._void = heights, datum, void
        known = heights[~self._missing(heights)]
        if not len(known):
            raise ConfigError("elevation grid: it has no height")
        self._low, self._high = float(np.min(known)), float(np.max(known))

    def height(self, lat: float, lon: float) -> float | None:
        """HAE in metres; None outside of the grid, and next to a void."""
        import numpy as np

        found = float(self._sampled(np.array([lat]), np.array([lon]))[0])
        return None if math.isnan(found) else found + self._undulation(lat, lon)

    def meet(self, eye: Vector, ray: Vector) -> GroundHit | NoGround:
        """The first ground on a ray from `eye`, both in ECEF. See `GroundModel`."""
        stretch = self._stretch(eye, ray)
        if isinstance(stretch, NoGround):
            return stretch
        offset = self._undulation_at(along(eye, ray, stretch.stop))
        for distances in stretch.pieces():
            above = self._clearance(eye, ray, distances, offset)
            ends = (~(above > 0)).nonzero()[0]  # also where the height is not known
            if len(ends) and (found := self._first(eye, ray, distances, above, int(ends[0]), stretch.start)):
                return found
        return NoGround("no elevation")

    def _stretch(self, eye: Vector, ray: Vector) -> _Stretch | NoGround:
        """The part of a ray on which its ground must lie, between the highest and the lowest height of the grid."""
        offset = self._undulation_at(eye)
        # The undulation varies by up to 10 m over a tile.
        top, bottom = (FlatGround(h + offset + m).distance(eye, ray) for h, m in ((self._high, 20), (self._low, -20)))
        if isinstance(bottom, NoGround):
            return bottom
        start = top if isinstance(top, float) else 0.0
        step = self._cell(eye) / 2
        return _Stretch(start, bottom, step) if bottom - start < MOST_STEPS * step else NoGround("too far")

    def _cell(self, eye: Vector) -> float:
        """The smaller side of a cell in metres."""
        across = math.cos(math.radians(from_ecef(eye).lat)) * self.lon_step
        return _METRES_PER_DEGREE * max(min(self.lat_step, across), 1e-6)

    def _first(self, eye: Vector, ray: Vector, distances: Floats, above: Floats, at: int,
               start: float) -> GroundHit | NoGround:  # fmt: skip
        if math.isnan(above[at]):
            return NoGround("no elevation")
        if at == 0 and distances[0] == 0.0:
            return NoGround("sensor below the ground")
        near = float(distances[at - 1]) if at else max(start, float(distances[0]) - self._cell(eye) / 2)
        distance = self._refined(eye, ray, near, float(distances[at]))
        return GroundHit(from_ecef(along(eye, ray, distance)), distance)

    def _refined(self, eye: Vector, ray: Vector, near: float, far: float) -> float:
        """The distance between `near`, above the ground, and `far`, below it, by halving."""
        for _ in range(_HALVINGS):
            middle = (near + far) / 2
            place = from_ecef(along(eye, ray, middle))
            ground = self.height(place.lat, place.lon)
            if ground is None or place.hae <= ground:
                far = middle
            else:
                near = middle
        return far

    def _clearance(self, eye: Vector, ray: Vector, distances: Floats, offset: float) -> Floats:
        """Height of the ray above the ground at these distances; NaN where the ground is not known."""
        scale = distances / math.sqrt(ray[0] ** 2 + ray[1] ** 2 + ray[2] ** 2)
        lat, lon, hae = _geodetic(*(eye[axis] + ray[axis] * scale for axis in range(3)))
        clearance: Floats = hae - offset - self._sampled(lat, lon)
        return clearance

    def _sampled(self, lat: Floats, lon: Floats) -> Floats:
        """Heights in the datum of the grid; NaN outside, and next to a void."""
        import numpy as np

        rows, columns = self._heights.shape
        row = (self.north - lat) / self.lat_step
        column = (lon - self.west) % 360 / self.lon_step
        slack = 1e-9
        outside = (row < -slack) | (row > rows - 1 + slack) | (column > columns - 1 + slack)
        top = np.clip(row.astype(int), 0, rows - 2)
        left = np.clip(column.astype(int), 0, columns - 2)
        down, across = row - top, column - left
        corners = [self._heights[top + a, left + b] for a in (0, 1) for b in (0, 1)]
        outside |= np.any([self._missing(corner) for corner in corners], axis=0)
        nw, ne, sw, se = (corner.astype(float) for corner in corners)
        found = (nw + (ne - nw) * across) * (1 - down) + (sw + (se - sw) * across) * down
        return np.where(outside, np.nan, found)

    def _missing(self, heights: NDArray[Any]) -> NDArray[np.bool_]:
        import numpy as np

        unknown: NDArray[np.bool_] = ~np.isfinite(heights)
        return unknown if self._void is None else unknown | (heights == self._void)

    def _undulation_at(self, point: Vector) -> float:
        place = from_ecef(point)
        return self._undulation(place.lat, place.lon)

    def _undulation(self, lat: float, lon: float) -> float:
        return undulation(lat, lon) if self._datum == "msl" else 0.0


class _Stretch(NamedTuple):
    """Metres along a ray, and between two looks at the ground."""

    start: float
    stop: float
    step: float

    def pieces(self) -> Iterator[Floats]:
        """The distances, some hundred at a time; the last reaches `stop`."""
        import numpy as np

        count = math.ceil((self.stop - self.start) / self.step) + 1
        for begin in range(0, count, _AT_ONCE):
            numbers = np.arange(begin, min(begin + _AT_ONCE, count), dtype=float)
            yield np.minimum(self.start + numbers * self.step, self.stop)


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
