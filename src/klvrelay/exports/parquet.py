"""Parquet and GeoParquet.

A row group holds ROWS records, and one batch more at most; this is what waits in memory: about 30 MiB with all
columns. GeoParquet has the columns of `geometry_columns.py` in addition: WKB, longitude and latitude (WGS84), and the
height above the ellipsoid where it is known.
"""

from __future__ import annotations

from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from klvrelay.exports.contract import WriterOptions
from klvrelay.exports.counted_file import CountedFile
from klvrelay.exports.geometry_columns import GeometryColumns
from klvrelay.exports.parquet_rows import RowMaker
from klvrelay.exports.parquet_schema import HEAD, chosen_columns
from klvrelay.exports.positions import Sighting, ground_of, sighting_of
from klvrelay.record import Record

ROWS = 1 << 14
BATCH = 1 << 11
"""Records that wait undecoded: their packets may be large."""
BATCH_BYTES = 16 << 20
SETS_WITH_COLUMNS = ("ST0601", "ST0104")


class TableWriter:
    """A row for each record of ST 0601 or EG/ST 0104. Others are skipped, and with geometry those without position."""

    def __init__(self, file: BinaryIO, options: WriterOptions, geometry: GeometryColumns | None) -> None:
        chosen = chosen_columns(options.items)
        self._rows, self._geometry = RowMaker(chosen), geometry
        self._elevation = ground_of(options) if geometry else None
        self._schema = pa.schema([*HEAD, *chosen.fields, *(geometry.fields if geometry else ())])
        self._file = CountedFile(file)
        self._out = pq.ParquetWriter(self._file, self._schema, compression="zstd", use_dictionary=True)
        self._waiting: list[Record] = []
        self._places: list[Sighting] = []
        self._size = 0
        self._batches: list[pa.RecordBatch] = []
        self.skipped = 0

    def write(self, record: Record) -> None:
        place = sighting_of(record, elevation=self._elevation) if self._geometry else None
        if record.set not in SETS_WITH_COLUMNS or (self._geometry and place is None):
            self.skipped += 1
            return
        if place is not None:
            self._places.append(place)
        self._waiting.append(record)
        self._size += len(record.raw)
        if len(self._waiting) >= BATCH or self._size >= BATCH_BYTES:
            self._end_batch()

    def _end_batch(self) -> None:
        if self._waiting:
            arrays = self._rows.batch(self._waiting)
            if self._geometry is not None:
                arrays += self._geometry.batch(self._places)
            self._batches.append(pa.record_batch(arrays, schema=self._schema))
            self._waiting, self._places, self._size = [], [], 0
        if sum(batch.num_rows for batch in self._batches) >= ROWS:
            self._end_group()

    def _end_group(self) -> None:
        if self._batches:
            table = pa.Table.from_batches(self._batches, self._schema)
            self._out.write_table(table, row_group_size=table.num_rows)
            self._batches = []

    def finish(self) -> None:
        self._end_batch()
        self._end_group()
        if self._geometry is not None:
            self._out.add_key_value_metadata({"geo": self._geometry.metadata()})
        self._out.close()

    def abandon(self) -> None:
        self._file.detach()
        self._waiting, self._places, self._batches = [], [], []


def open_parquet(file: BinaryIO, options: WriterOptions) -> TableWriter:
    """A writer of plain Parquet."""
    return TableWriter(file, options, None)


def open_geoparquet(file: BinaryIO, options: WriterOptions) -> TableWriter:
    """A writer of GeoParquet."""
    return TableWriter(file, options, GeometryColumns(options.geoparquet_version))
