"""Ground from a regular grid of heights, in memory."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from klvrelay.errors import ConfigError
from klvrelay.geo.geoid import undulation
from klvrelay.geo.ground import GroundHit, NoGround
from klvrelay.geo.march import METRES_PER_DEGREE, march
from klvrelay.geo.wgs84 import Vector, wrapped

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


class ElevationGrid:
    """Heights at regular latitudes and longitudes, bilinear in between.

    heights          2-D numpy array in metres, rows from north to south, columns from west to east
    north, west      position of the first height, degrees
    lat_step, lon_step   degrees between rows and between columns, positive
    datum            "msl" (as SRTM: EGM96) or "hae" of the heights
    void             height that stands for "no height", beside NaN

    A `GroundModel`. Raises ConfigError for an array that is not such a grid.
    """

    __slots__ = ("_datum", "_heights", "_lat_step", "_lon_step", "_north", "_void", "_west", "high", "low")

    def __init__(self, heights: NDArray[Any], north: float, west: float, lat_step: float, lon_step: float, *,
                 datum: Literal["msl", "hae"] = "msl", void: float | None = None) -> None:  # fmt: skip
        import numpy as np

        heights = np.asarray(heights)
        if heights.ndim != 2 or min(heights.shape) < 2:
            raise ConfigError(f"elevation grid of shape {heights.shape}: expected at least 2 rows and 2 columns")
        if not (lat_step > 0 and lon_step > 0 and north <= 90 and north - lat_step * (len(heights) - 1) >= -90 - 1e-9):
            raise ConfigError("elevation grid: expected positive steps, and latitudes within -90 to 90 degrees")
        self._north, self._west, self._lat_step, self._lon_step = north, wrapped(west), lat_step, lon_step
        self._heights, self._datum, self._void = heights, datum, void
        known = heights[~self._missing(heights)]
        if not len(known):
            raise ConfigError("elevation grid: it has no height")
        self.low, self.high = float(np.min(known)), float(np.max(known))

    def meet(self, eye: Vector, ray: Vector) -> GroundHit | NoGround:
        """The first ground on a ray from `eye`, both in ECEF. See `GroundModel`."""
        return march(self, eye, ray)

    def height(self, lat: float, lon: float) -> float | None:
        """HAE in metres; None outside of the grid, and next to a void."""
        import numpy as np

        found = float(self.heights(np.array([lat]), np.array([lon]))[0])
        return None if math.isnan(found) else found + self.offset(lat, lon)

    def cell(self, lat: float) -> float:
        """The smaller side of a cell in metres."""
        side = min(self._lat_step, self._lon_step * math.cos(math.radians(lat)))
        return METRES_PER_DEGREE * max(side, 1e-6)

    def offset(self, lat: float, lon: float) -> float:
        """HAE less the datum of the grid."""
        return undulation(lat, lon) if self._datum == "msl" else 0.0

    def heights(self, lat: Floats, lon: Floats) -> Floats:
        """Heights in the datum of the grid; NaN outside, and next to a void."""
        import numpy as np

        rows, columns = self._heights.shape
        row = (self._north - lat) / self._lat_step
        column = (lon - self._west) % 360 / self._lon_step
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
