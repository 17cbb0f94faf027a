"""Files of whole records: JSON Lines, and bare KLV."""

from __future__ import annotations

from typing import BinaryIO

from klvrelay.exports.contract import WriterOptions
from klvrelay.record import Record


class JsonLinesWriter:
    """One line per record: `Record.json`."""

    skipped = 0

    def __init__(self, file: BinaryIO, options: WriterOptions) -> None:
        self._file, self._numbers = file, options.numbers

    def write(self, record: Record) -> None:
        self._file.write(record.json(numbers=self._numbers) + b"\n")

    def finish(self) -> None:
        """Nothing follows the last line."""

    def abandon(self) -> None:
        """Nothing is held."""


class KlvWriter:
    """The packets one after another, as `klvrelay decode` reads them."""

    skipped = 0

    def __init__(self, file: BinaryIO, _: WriterOptions) -> None:
        self._file = file

    def write(self, record: Record) -> None:
        self._file.write(record.raw)

    def finish(self) -> None:
        """Nothing follows the last packet."""

    def abandon(self) -> None:
        """Nothing is held."""
