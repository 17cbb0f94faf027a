"""Compresses a file with zstd as it is written.

Each frame holds whole writes, so the file can be read up to its last whole frame if the end is missing.
"""

from __future__ import annotations

from io import RawIOBase
from typing import Any, BinaryIO, cast

from klvrelay.exports.contract import Writer
from klvrelay.record import Record
from klvrelay.shape.encoding.compression import zstd_module

FRAME = 1 << 20
"""Bytes before compression after which a frame ends."""
LEVEL = 9
"""A file is written once and read often: JSON takes two to three times as long as with 3, and a third less room."""


class ZstdFile(RawIOBase):
    """A file to which what is written here goes compressed. It does not close it. Raises ConfigError without zstd."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        zstd = zstd_module()
        self._file = file
        self._context = zstd.ZstdCompressor(level=LEVEL)
        self._end_frame = zstd.ZstdCompressor.FLUSH_FRAME
        self._held = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        size = len(memoryview(data).cast("B"))
        self._put(self._context.compress(data))
        self._held += size
        if self._held >= FRAME:
            self.end_frame()
        return size

    def end_frame(self) -> None:
        """Everything written so far can be read."""
        if self._held:
            self._put(self._context.flush(self._end_frame))
            self._held = 0

    def _put(self, data: Any) -> None:
        if data:
            self._file.write(data)


class CompressedWriter:
    """A writer whose file is compressed."""

    def __init__(self, writer: Writer, file: ZstdFile) -> None:
        self._writer, self._file = writer, file

    @property
    def skipped(self) -> int:
        return self._writer.skipped

    def write(self, record: Record) -> None:
        self._writer.write(record)

    def finish(self) -> None:
        self._writer.finish()
        self._file.end_frame()

    def abandon(self) -> None:
        self._writer.abandon()


def as_file(file: ZstdFile) -> BinaryIO:
    """The compressed file as the type that writers take."""
    return cast("BinaryIO", file)
