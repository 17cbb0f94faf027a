"""Reads items of many packets into numpy arrays, in one call into the C core."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from klvrelay.core._core import ffi, lib

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
from klvrelay.core.packet import LIMIT


def is_numeric(tag: int) -> bool:
    """Is item `tag` of ST 0601 numeric, so that it can be a column?"""
    return bool(lib.klv_numeric(tag))


def columns(data: Any, tags: Sequence[int], *, every: bool = False, limit: int = LIMIT) -> NDArray[np.float64]:
    """Items of the ST 0601 and ST 0104 packets in a buffer, float64 of shape (len(tags), packets), NaN if absent."""
    import numpy as np  # here, since it takes 60 ms and 13 MiB, and a relay does not need it

    source = ffi.from_buffer("uint8_t[]", data)
    wanted = ffi.new("uint16_t[]", list(tags))
    used, row, at = ffi.new("size_t *"), ffi.new("size_t *"), 0
    search = ffi.new("struct klv_search *")
    parts: list[NDArray[np.float64]] = []
    rows = _likely_rows(source)
    while True:
        table = np.empty((len(tags), rows), dtype=np.float64)
        row[0] = used[0] = 0
        status = lib.klv_columns(
            source + at, len(source) - at, limit, every, wanted, len(tags),
            ffi.from_buffer("double[]", table), rows, rows, row, search, used,
        )  # fmt: skip
        parts.append(table[:, : row[0]])
        at += used[0]
        if status != lib.KLV_FULL:
            return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)


def _likely_rows(source: Any) -> int:
    view, search = ffi.new("struct klv_view *"), ffi.new("struct klv_search *")
    if lib.klv_next(source, min(len(source), 1 << 17), 1 << 16, 1, search, view) != lib.KLV_OK:
        return 16
    return int(len(source) // view.size * 5 // 4 + 16)
