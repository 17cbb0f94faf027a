"""A file that libraries may ask for its position, even if it is a pipe."""

from __future__ import annotations

from typing import BinaryIO


class CountedFile:
    """The position is the number of bytes written. Closing it does not close the file."""

    closed = False

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._size = file, 0

    def write(self, data: bytes) -> int:
        self._file.write(data)
        size = memoryview(data).nbytes
        self._size += size
        return size

    def tell(self) -> int:
        return self._size

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        """The caller owns the file."""

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False
