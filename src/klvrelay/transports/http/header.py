"""An HTTP answer whose header is bounded in time and size, however slow its bytes are and whatever interim answers
precede it, and whose body may not stand still.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from typing import Any

from klvrelay.transports.http.faults import WebFault

SECONDS = 20.0
"""Seconds that a header may take; each wait for a byte has the time-out of its socket besides."""
SIZE = 256 << 10
"""Bytes that a header may have, with the interim answers before it."""


class Response(http.client.HTTPResponse):
    """Raises WebFault where the header takes too long or is too large, and where no byte of the body comes in time."""

    def __init__(
        self, sock: socket.socket, debuglevel: int = 0, method: str | None = None, url: str | None = None
    ) -> None:
        super().__init__(sock, debuglevel, method, url)
        self._bytes = _Timed(self.fp.detach())
        self.fp = io.BufferedReader(self._bytes)

    def begin(self) -> None:
        super().begin()
        self._bytes.left = float("inf")

    def expect(self, seconds: float) -> None:
        """What is read next must come so soon: what frames the body has no end of its own."""
        self._bytes.until = time.monotonic() + seconds


class _Timed(io.RawIOBase):
    """The bytes of a socket, until a time, and so many."""

    def __init__(self, raw: io.RawIOBase) -> None:
        self._raw = raw
        self.until = time.monotonic() + SECONDS
        self.left: float = SIZE

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        if time.monotonic() > self.until:
            raise WebFault(f"gave no whole answer within {SECONDS:g} s: is it a web server?")
        if self.left <= 0:
            raise WebFault(f"the header of its answer is larger than {SIZE >> 10} KiB: is it a web server?", "refused")
        size = self._raw.readinto(buffer)
        self.left -= size or 0
        return size

    def close(self) -> None:
        self._raw.close()
        super().close()
