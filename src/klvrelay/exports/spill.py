"""Text that a file needs later than it is known: in memory while it is short, then in a temporary file."""

from __future__ import annotations

from tempfile import SpooledTemporaryFile
from typing import IO, BinaryIO

IN_MEMORY = 1 << 20
"""Bytes of one spill in memory."""
PIECE = 1 << 18
"""Bytes copied at a time."""


class Spill:
    """Collects bytes, and copies all of them at the end. The temporary file has no name, so none is left behind.

    folder   where the temporary file is created; None: that of the system
    size     bytes so far
    """

    def __init__(self, folder: str | None) -> None:
        self._file: IO[bytes] = SpooledTemporaryFile(max_size=IN_MEMORY, dir=folder)  # noqa: SIM115
        self.size = 0

    def write(self, text: str) -> None:
        data = text.encode()
        self._file.write(data)
        self.size += len(data)

    def copy_to(self, out: BinaryIO) -> None:
        """Write everything so far to `out`, and release the memory."""
        self._file.seek(0)
        while piece := self._file.read(PIECE):
            out.write(piece)
        self.close()

    def close(self) -> None:
        self._file.close()
