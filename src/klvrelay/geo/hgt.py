"""Elevation tiles of SRTM: `N56E009.hgt` has the heights of one degree, from that corner to the north-east.

2 bytes a height: int16, big-endian, metres above EGM96, -32768 for a void
rows from north to south, each from west to east; the outermost rows and columns belong to the neighbours too
SRTM1: 3601 x 3601 (one second of arc), SRTM3: 1201 x 1201 (three)
"""

from __future__ import annotations

import re
from pathlib import Path

from klvrelay.errors import ConfigError
from klvrelay.geo.elevation import ElevationGrid

_VOID = -32768
_SIDES = {2 * side * side: side for side in (1201, 3601)}
_NAME = re.compile(r"([NS])(\d\d)([EW])(\d\d\d)", re.IGNORECASE)


def read_hgt(path: str | Path) -> ElevationGrid:
    """The grid in a file of SRTM. Raises ConfigError if it can't be read, or its name or size is not of SRTM."""
    path = Path(path)
    south, west = _corner(path)
    try:
        size = path.stat().st_size
        if size not in _SIDES:
            raise ConfigError(f"{path}: {size} bytes; an SRTM tile has {' or '.join(map(str, _SIDES))}, uncompressed")
        data = path.read_bytes()
    except OSError as fault:
        raise ConfigError(f"{path}: can't be read ({fault.strerror or fault})") from fault
    return _grid(data, _SIDES[size], south, west)


def tile_name(south: int, west: int) -> str:
    """The name of the tile with this south-west corner, in whole degrees."""
    return f"{'NS'[south < 0]}{abs(south):02}{'EW'[west < 0]}{abs(west):03}.hgt"


def _corner(path: Path) -> tuple[int, int]:
    found = _NAME.match(path.name)
    if found is None:
        raise ConfigError(f"{path}: the name of an SRTM tile gives its south-west corner, as in N56E009.hgt")
    lat = int(found[2]) * (-1 if found[1] in "Ss" else 1)
    lon = int(found[4]) * (-1 if found[3] in "Ww" else 1)
    if not (-90 <= lat < 90 and -180 <= lon < 180):
        raise ConfigError(f"{path}: no such corner; expected S90 to N89 and W180 to E179")
    return lat, lon


def _grid(data: bytes, side: int, south: int, west: int) -> ElevationGrid:
    import numpy as np

    heights = np.frombuffer(data, ">i2").reshape(side, side)
    step = 1 / (side - 1)
    return ElevationGrid(heights, south + 1, west, step, step, void=_VOID)
