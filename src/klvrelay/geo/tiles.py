"""A folder of SRTM tiles as one ground; tiles are read when a ray first needs them."""

from __future__ import annotations

import logging
import math
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

from klvrelay.errors import ConfigError
from klvrelay.geo.elevation import ElevationGrid
from klvrelay.geo.geoid import undulation
from klvrelay.geo.ground import GroundHit, NoGround
from klvrelay.geo.hgt import read_hgt, tile_name
from klvrelay.geo.march import METRES_PER_DEGREE, march
from klvrelay.geo.wgs84 import Vector

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LOG = logging.getLogger("klvrelay.geo")
_DEFAULT_CELL = 1 / 3600


class ElevationTiles:
    """The `.hgt` files of a folder. A `GroundModel`.

    most   tiles kept in memory, 26 MB each at one second of arc; the least recently used is dropped first

    A tile that is missing, or can't be read, has no heights; the latter is logged once. Raises ConfigError if there is
    no such folder, or no tile in it.
    """

    low, high = -500.0, 9000.0
    """The lowest and highest ground on earth, MSL."""

    __slots__ = ("_folder", "_most", "_tiles", "faults")

    def __init__(self, folder: str | Path, most: int = 4) -> None:
        self._folder, self._most = Path(folder), most
        self._tiles: OrderedDict[tuple[int, int], ElevationGrid | None] = OrderedDict()
        self.faults: dict[str, str] = {}
        """Tiles that can't be used, and why."""
        if not self._folder.is_dir():
            raise ConfigError(f"{folder}: no such folder; expected files such as N56E009.hgt in it")
        if not any(path.suffix.lower() == ".hgt" for path in self._folder.glob("*")):
            raise ConfigError(f"{folder}: no SRTM tile in this folder; expected files such as N56E009.hgt")

    def meet(self, eye: Vector, ray: Vector) -> GroundHit | NoGround:
        """The first ground on a ray from `eye`, both in ECEF. See `GroundModel`."""
        return march(self, eye, ray)

    def height(self, lat: float, lon: float) -> float | None:
        """HAE in metres; None where no tile has a height."""
        tile = self._tile(math.floor(lat), math.floor(lon))
        return tile.height(lat, lon) if tile else None

    def cell(self, lat: float) -> float:
        """Metres between heights, east to west: one second of arc."""
        return METRES_PER_DEGREE * _DEFAULT_CELL * max(math.cos(math.radians(lat)), 0.1)

    def offset(self, lat: float, lon: float) -> float:
        """SRTM's heights are above EGM96."""
        return undulation(lat, lon)

    def heights(self, lat: Floats, lon: Floats) -> Floats:
        """Heights above EGM96; NaN where no tile has one."""
        import numpy as np

        found = np.full(lat.shape, np.nan)
        corners = np.floor(lat).astype(int), np.floor(lon).astype(int)
        for south, west in {(int(a), int(b)) for a, b in zip(*corners, strict=True)}:
            if (tile := self._tile(south, west)) is not None:
                inside = (corners[0] == south) & (corners[1] == west)
                found[inside] = tile.heights(lat[inside], lon[inside])
        return found

    def _tile(self, south: int, west: int) -> ElevationGrid | None:
        corner = south, (west + 180) % 360 - 180
        if corner not in self._tiles:
            self._tiles[corner] = self._read(tile_name(*corner))
            if len(self._tiles) > self._most:
                self._tiles.popitem(last=False)
        self._tiles.move_to_end(corner)
        return self._tiles[corner]

    def _read(self, name: str) -> ElevationGrid | None:
        path = self._folder / name
        try:
            return read_hgt(path) if path.exists() else None
        except ConfigError as fault:
            if name not in self.faults:
                LOG.warning("elevation tile not used: %s", fault)
            self.faults[name] = str(fault)
            return None
