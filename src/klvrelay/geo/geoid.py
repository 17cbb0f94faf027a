"""The geoid EGM96: heights above mean sea level (MSL) to heights above the WGS-84 ellipsoid (HAE), and back.

In ST 0601, items 15, 25, 38, 42, 54 and 69 are MSL, items 75, 76, 78, 104 and 105 HAE.

The undulation is interpolated bilinearly on a grid of half a degree, rounded to 0.1 m (`egm96.bin`, made by
native/generate/geoid.py). Against the full 15-minute grid of the NGA, weighted by area: error 0.14 m rms, 0.26 m for
95 %, 0.61 m for 99 %, 3.9 m at most (in high mountains). EGM96 itself is accurate to about 0.5 to 1 m.
"""

from __future__ import annotations

import sys
import zlib
from array import array
from functools import cache
from importlib.resources import files
from itertools import accumulate
from operator import add

_ROWS, _COLUMNS = 361, 720
_PER_DEGREE = 2
_METRES = 0.1


def undulation(lat: float, lon: float) -> float:
    """Height of the geoid above the ellipsoid in metres. Latitude -90 to 90, else ValueError; any finite longitude."""
    if not -90 <= lat <= 90:
        raise ValueError(f"latitude {lat}: expected -90 to 90 degrees")
    grid = _grid()
    row, column = (90 - lat) * _PER_DEGREE, lon * _PER_DEGREE % _COLUMNS
    top, left = min(int(row), _ROWS - 2), int(column) % _COLUMNS
    down, across = row - top, column % 1
    right = (left + 1) % _COLUMNS
    upper, lower = grid[top], grid[top + 1]
    north = upper[left] + (upper[right] - upper[left]) * across
    south = lower[left] + (lower[right] - lower[left]) * across
    return (north + (south - north) * down) * _METRES


def msl_to_hae(msl: float, lat: float, lon: float) -> float:
    """A height above mean sea level as height above the ellipsoid, metres."""
    return msl + undulation(lat, lon)


def hae_to_msl(hae: float, lat: float, lon: float) -> float:
    """A height above the ellipsoid as height above mean sea level, metres."""
    return hae - undulation(lat, lon)


@cache
def _grid() -> list[array[int]]:
    """Decimetres: rows from north to south, columns from longitude 0 to the east. About 30 ms once, and 520 kB."""
    differences = array("h", zlib.decompress(files("klvrelay.geo").joinpath("egm96.bin").read_bytes()))
    if sys.byteorder == "little":
        differences.byteswap()
    grid: list[array[int]] = []
    above = array("h", bytes(2 * _COLUMNS))
    for start in range(0, _ROWS * _COLUMNS, _COLUMNS):
        above = array("h", map(add, above, accumulate(differences[start : start + _COLUMNS])))
        grid.append(above)
    return grid
