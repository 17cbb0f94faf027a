"""Makes src/klvrelay/geo/egm96.bin: the undulations of EGM96 on a grid of half a degree.

    python -m native.generate.geoid /usr/share/proj/egm96_15.gtx

The input is the public-domain 15-minute grid of the NGA (WW15MGH) in the format GTX; Debian's package `proj-data` has
it. It is 4 MB and does not change, so it is not in the repository, and `make tables` does not run this.

    offset  bytes
    0       32     south, west, latitude step, longitude step: float64, big-endian, degrees
    32      8      rows, columns: int32, big-endian
    40      ...    undulations in metres: float32, big-endian, row by row from the south, each from the west
"""

from __future__ import annotations

import sys
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

OUTPUT = Path(__file__).parents[2] / "src/klvrelay/geo/egm96.bin"
STEP = 2  # of the input's rows and columns: 15' to 30'


def full_grid(data: bytes) -> NDArray[np.float64]:
    """The grid of a GTX file in metres: rows from north to south, columns from longitude 0 to the east."""
    south, west, *steps = np.frombuffer(data[:32], ">f8")
    rows, columns = np.frombuffer(data[32:40], ">i4")
    if (south, west, *steps) != (-90, -180, 0.25, 0.25) or (rows, columns) != (721, 1440):
        sys.exit("not the global 15-minute grid: expected 721 x 1440 points from -90, -180")
    grid = np.frombuffer(data[40:], ">f4").reshape(rows, columns).astype(float)
    return np.roll(grid[::-1], columns // 2, axis=1)


def packed(grid: NDArray[np.float64]) -> bytes:
    """Decimetres as int16, big-endian: each less its neighbours to the west and north, plus the one to the north-west;
    compressed with zlib.
    """
    values = np.round(grid * 10).astype(np.int64)
    differences = np.diff(np.diff(values, axis=0, prepend=0), axis=1, prepend=0)
    return zlib.compress(differences.astype(">i2").tobytes(), 9)


if __name__ == "__main__":
    OUTPUT.write_bytes(packed(full_grid(Path(sys.argv[1]).read_bytes())[::STEP, ::STEP]))
