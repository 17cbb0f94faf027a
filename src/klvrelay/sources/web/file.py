"""File-like objects for libav: a file on a server, with random access; or a stream of bytes."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from contextlib import closing

from klvrelay.transports.http.answer import PIECE, Answer
from klvrelay.transports.http.client import Web
from klvrelay.transports.http.faults import WebFault

SLOWEST = 60.0
"""Maximum seconds of one read."""
WITHOUT_OUTPUT_MOST = 32 << 20
"""Maximum bytes that libav may read without output: for example an index, which it keeps in memory."""


class _Budget:
    """Limits how much is read without output."""

    def __init__(self) -> None:
        self._left = WITHOUT_OUTPUT_MOST

    def reset(self) -> None:
        """libav returned data: reset the limit."""
        self._left = WITHOUT_OUTPUT_MOST

    def spend(self, data: bytes | bytearray) -> bytes:
        """Returns `data`; beyond the limit raises WebFault, and reports the end of file from then on."""
        if self._left < 0:
            return b""
        self._left -= len(data)
        if self._left < 0:
            raise WebFault(f"no data found in the container within {WITHOUT_OUTPUT_MOST >> 20} MiB", "refused")
        return bytes(data)


class ByteStream:
    """A non-seekable stream of bytes."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = b""
        self._budget = _Budget()
        self.reset_budget = self._budget.reset

    def read(self, size: int) -> bytes:
        """At most `size` bytes, as soon as there are any; empty at the end. Raises WebFault."""
        if not self._left:
            self._left = next(self._pieces, b"")
        data, self._left = self._left[:size], self._left[size:]
        return self._budget.spend(data)


class RemoteFile(io.RawIOBase):
    """A file on a server: each seek requests a byte range to the end of the file (RFC 9110, 14).

    If the server does not support ranges, the preceding bytes are fetched and discarded.
    """

    def __init__(self, web: Web, answer: Answer, size: int) -> None:
        super().__init__()
        self._web, self._target, self._size = web, answer.target, size
        answer.close()
        self._answer: Answer | None = None
        self._at = 0
        self._budget = _Budget()
        self.reset_budget = self._budget.reset

    def read(self, size: int = -1) -> bytes:
        """Like any file; raises WebFault if the server fails."""
        size = min(PIECE if size < 0 else size, self._size - self._at)
        if size <= 0:
            return b""
        if self._answer is None:
            self._answer = self._web.get(self._target, start=self._at)
        data = self._answer.read(size, until=time.monotonic() + SLOWEST)
        self._at += len(data)
        return self._budget.spend(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if at != self._at:
            self._close_answer()
            self._at = max(0, at)
        return self._at

    def tell(self) -> int:
        return self._at

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._close_answer()
        super().close()

    def _close_answer(self) -> None:
        if self._answer is not None:
            with closing(self._answer):
                self._answer = None
