"""Limits the connections of the web server: their number, and how long one may be idle or send its request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

MOST = 256
"""Maximum number of connections; further ones replace the one that is idle for the longest time."""
IDLE = 15.0
"""Seconds that a connection may be without a complete request."""
BUFFER = 128 << 10
"""Bytes that the kernel may hold for a client that does not read."""


class Connections:
    """The connections, each with the time since which it is idle; None while a request is answered."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._idle: dict[asyncio.Transport, float | None] = {}

    def protocol(self) -> asyncio.Protocol:
        """The protocol of a new connection."""
        return _Counted(self._make(), self)

    def begin(self, transport: asyncio.Transport) -> None:
        """A connection was made."""
        loop = asyncio.get_running_loop()
        if len(self._idle) >= MOST and (oldest := self._longest_idle()) is not None:
            self._drop(oldest)
        if len(self._idle) >= MOST:
            transport.abort()
            return
        self._idle[transport] = loop.time()

    def end(self, transport: asyncio.Transport) -> None:
        """A connection was closed."""
        self._idle.pop(transport, None)

    def answer(self, transport: Any) -> None:
        """A request is being answered."""
        if transport in self._idle:
            self._idle[transport] = None

    def rest(self, transport: Any) -> None:
        """The request is answered."""
        if transport in self._idle:
            self._idle[transport] = asyncio.get_running_loop().time()

    def busy(self) -> list[object]:
        """Those whose requests are being answered."""
        return [transport for transport, since in self._idle.items() if since is None]

    async def keep_closing(self) -> None:
        """Close connections that are idle for too long, until cancelled."""
        while True:
            await asyncio.sleep(1.0)
            before = asyncio.get_running_loop().time() - IDLE
            for transport, since in list(self._idle.items()):
                if since is not None and since < before:
                    self._drop(transport)

    def abort(self) -> None:
        """Close all connections at once."""
        for transport in list(self._idle):
            self._drop(transport)

    def _longest_idle(self) -> asyncio.Transport | None:
        idle = {transport: since for transport, since in self._idle.items() if since is not None}
        return min(idle, key=lambda transport: idle[transport], default=None)

    def _drop(self, transport: asyncio.Transport) -> None:
        self._idle.pop(transport, None)
        transport.abort()


class _Counted(asyncio.Protocol):
    """Passes everything to the protocol of the web library, and counts the connection."""

    def __init__(self, inner: Any, connections: Connections) -> None:
        self._inner, self._connections = inner, connections
        self._transport: asyncio.Transport | None = None
        self.data_received = inner.data_received  # type: ignore[method-assign]
        self.eof_received = inner.eof_received  # type: ignore[method-assign]
        self.pause_writing = inner.pause_writing  # type: ignore[method-assign]
        self.resume_writing = inner.resume_writing  # type: ignore[method-assign]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._inner.connection_made(transport)
        self._connections.begin(transport)  # last: it may close the connection, which must have begun

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is not None:
            self._connections.end(self._transport)
        self._inner.connection_lost(exc)
