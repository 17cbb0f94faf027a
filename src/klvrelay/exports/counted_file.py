"""A file that libraries may ask for its position, even if it is a pipe."""

from __future__ import annotations

from typing import BinaryIO


class CountedFile:
    """The position is the number of bytes written. Closing it does not close the file."""

    closed = False

    def __init__(self, file: BinaryIO) -> None:
        self._file: BinaryIO | None = file
        self._size = 0

    def write(self, data: bytes) -> int:
        size = memoryview(data).nbytes
        if self._file is not None:
            self._file.write(data)
        self._size += size
        return size

    def tell(self) -> int:
        return self._size

    def flush(self) -> None:
        if self._file is not None:
            self._file.flush()

    def detach(self) -> None:
        """Discard what is written from now on: libraries write a footer when their writer is deleted."""
        self._file = None

    def close(self) -> None:
        """The caller owns the file."""

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False
