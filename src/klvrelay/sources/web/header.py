"""An HTTP answer whose header comes in a bounded time, however slow its bytes are and whatever interim answers precede
it; next door, `client.py` asks for it.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from typing import Any

from klvrelay.sources.web.faults import WebFault

SECONDS = 20.0
"""That a header may take; each wait for a byte has the time-out of its socket besides."""


class Response(http.client.HTTPResponse):
    """Raises WebFault where the header takes too long; the body may take any time."""

    def __init__(
        self, sock: socket.socket, debuglevel: int = 0, method: str | None = None, url: str | None = None
    ) -> None:
        super().__init__(sock, debuglevel, method, url)
        self._bytes = _Timed(self.fp.detach())
        self.fp = io.BufferedReader(self._bytes)

    def begin(self) -> None:
        super().begin()
        self._bytes.until = float("inf")


class _Timed(io.RawIOBase):
    """The bytes of a socket, until a time."""

    def __init__(self, raw: io.RawIOBase) -> None:
        self._raw = raw
        self.until = time.monotonic() + SECONDS

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        if time.monotonic() > self.until:
            raise WebFault(f"gave no whole answer within {SECONDS:g} s: is it a web server?")
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
