"""Records as a table of pyarrow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
from numpy.typing import NDArray

from klvrelay import core
from klvrelay.core.columns import columns
from klvrelay.core.selection import select
from klvrelay.exports.parquet_schema import HEAD, TableColumns, is_text, is_whole
from klvrelay.json_output import dumps
from klvrelay.record import Record
from klvrelay.standards.spec import Item

WHOLE_MOST = float(1 << 63)


class RowMaker:
    """Makes rows of some columns."""

    def __init__(self, chosen: TableColumns) -> None:
        self._chosen = chosen
        self._tags = [item.tag for item in chosen.numbers]
        self._others = select(*(item.key for item in chosen.others)) if chosen.others else None

    def batch(self, records: Sequence[Record]) -> list[pa.Array]:
        """The columns of these records: those of every record, then numbers, then the others."""
        values = _numbers(records, self._tags)
        numbers = [_column(item, row) for item, row in zip(self._chosen.numbers, values, strict=True)]
        return [*_head(records), *numbers, *self._other_columns(records)]

    def _other_columns(self, records: Sequence[Record]) -> list[pa.Array]:
        if self._others is None:
            return []
        rows = [orjson.loads(core.record_json(record.raw, b"", chosen=self._others.chosen)) for record in records]
        return [pa.array([_text(item, row.get(item.key)) for row in rows], pa.string()) for item in self._chosen.others]


def _head(records: Sequence[Record]) -> list[pa.Array]:
    rows = [
        (r.stream, r.seq, r.clock_us, r.received_us, r.pts, r.pid, r.program, r.set, r.checksum, r.transport)
        for r in records
    ]
    return [
        pa.array(_in_range(values), field.type)
        for field, values in zip(HEAD, zip(*rows, strict=True), strict=True)
    ]


def _in_range(values: Sequence[Any]) -> list[Any]:
    """None for numbers beyond 63 bits, such as an undefined time stamp."""
    return [None if isinstance(value, int) and value >= 1 << 63 else value for value in values]


def _numbers(records: Sequence[Record], tags: Sequence[int]) -> NDArray[np.float64]:
    """The values of these items, float64 of shape (items, records), NaN if absent, and for incomplete packets."""
    limit = max(core.LIMIT, *(len(record.raw) for record in records))
    if all(record.transport == "ok" for record in records):
        found = columns(b"".join(record.raw for record in records), tags, every=True, limit=limit)
        if found.shape[1] == len(records):
            return found
    # One by one: an incomplete packet would be completed by the bytes of the next one.
    values = np.full((len(tags), len(records)), np.nan)
    for place, record in enumerate(records):
        row = columns(record.raw, tags, every=True, limit=limit)[:, :1]
        values[:, place : place + row.shape[1]] = row
    return values


def _column(item: Item, values: NDArray[np.float64]) -> pa.Array:
    absent = np.isnan(values)
    if not is_whole(item):
        return pa.array(values, pa.float64(), mask=absent)
    absent |= np.abs(values, where=~absent, out=np.zeros_like(values)) >= WHOLE_MOST
    return pa.array(np.where(absent, 0, values).astype(np.int64), pa.int64(), mask=absent)


def _text(item: Item, value: Any) -> str | None:
    if value is None or (is_text(item) and isinstance(value, str)):
        return value
    return dumps(value).decode()
