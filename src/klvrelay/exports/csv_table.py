"""CSV with a column for each item. The columns are known at the end only, so records wait in a temporary file."""

from __future__ import annotations

from tempfile import SpooledTemporaryFile
from typing import IO, BinaryIO

from klvrelay.core.selection import select
from klvrelay.exports.contract import WriterOptions
from klvrelay.exports.csv_rows import write_csv
from klvrelay.exports.spill import IN_MEMORY
from klvrelay.record import Record


class CsvWriter:
    """The rows of `decode --format csv`; with `WriterOptions.items`, of these items only."""

    skipped = 0

    def __init__(self, file: BinaryIO, options: WriterOptions) -> None:
        self._file = file
        self._items = select(*options.items) if options.items else None
        self._lines: IO[bytes] = SpooledTemporaryFile(max_size=IN_MEMORY, dir=options.folder)  # noqa: SIM115

    def write(self, record: Record) -> None:
        self._lines.write(record.json(items=self._items) + b"\n")

    def finish(self) -> None:
        write_csv(self._lines, self._file.write)
        self._lines.close()

    def abandon(self) -> None:
        self._lines.close()
