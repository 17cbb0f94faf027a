"""HTTP responses with limits: on the time and size of the header, including interim responses, and on the time
between two reads of the body.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from typing import Any

from klvrelay.transports.http.faults import WebFault

SECONDS = 20.0
"""Maximum seconds for a header; the socket's time-out limits each read as well."""
SIZE = 256 << 10
"""Maximum bytes of a header, including preceding interim responses."""


class Response(http.client.HTTPResponse):
    """Raises WebFault if the header takes too long or is too large, or if the body stalls."""

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
        """Set the deadline of the next read: http.client sets none on the bytes that frame a body."""
        self._bytes.until = time.monotonic() + seconds


class _Timed(io.RawIOBase):
    """The bytes of a socket, with a deadline and a maximum size."""

    def __init__(self, raw: io.RawIOBase) -> None:
        self._raw = raw
        self.until = time.monotonic() + SECONDS
        self.left: float = SIZE

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        if time.monotonic() > self.until:
            raise WebFault(f"no complete response within {SECONDS:g} s: is it a web server?")
        if self.left <= 0:
            raise WebFault(f"the response header is larger than {SIZE >> 10} KiB: is it a web server?", "refused")
        size = self._raw.readinto(buffer)
        self.left -= size or 0
        return size

    def close(self) -> None:
        self._raw.close()
        super().close()
