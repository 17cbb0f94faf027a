"""A connection as a stream of asyncio, for libraries that read and write one: its end, silence and excess are noticed.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from functools import partial
from typing import Any

from klvrelay import threads
from klvrelay.errors import SinkDown, SinkError
from klvrelay.sinks.dialing.dial import call, tls_context
from klvrelay.sinks.dialing.faults import lost, tls_fault
from klvrelay.sinks.dialing.reachable import Reachable, Secured

IDLE = 10.0
"""Seconds between two pings while nothing else is sent."""
UNANSWERED_MOST = 1 << 20
"""Maximum bytes that may arrive without an answer among them, and of a line."""
VERDICT, LOOK = 0.5, 0.005
"""Seconds in which a TLS 1.3 server may refuse our certificate, and between two looks for that."""
GROUP_MOST = 16 << 20
"""Bytes that may wait to be sent before a library waits: more than a group of publications has."""


class Excess(Exception):
    """More bytes arrived than are expected."""


class WatchedProtocol(asyncio.StreamReaderProtocol):
    """Feeds a reader.

    ended       has the cause once the connection has ended; None: the far end closed it
    received    bytes so far
    unanswered  bytes since the last answer
    """

    def __init__(self) -> None:
        self.reader = asyncio.StreamReader(limit=UNANSWERED_MOST)
        super().__init__(self.reader)
        self.ended: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self.received = self.unanswered = 0
        self._wire: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._wire = transport

    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        self.unanswered += len(data)
        if self.unanswered > UNANSWERED_MOST and isinstance(self._wire, asyncio.WriteTransport):
            self.end(Excess())
            self._wire.abort()
        else:
            super().data_received(data)

    def eof_received(self) -> bool:
        super().eof_received()
        self.end(None)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.end(exc)

    def end(self, cause: Exception | None) -> None:
        """Note the first cause."""
        if not self.ended.done():
            self.ended.set_result(cause)


class WatchedStream:
    """A connection. Made by `open_stream`.

    reader, writer  of asyncio, for the library; the writer never waits for a group of publications
    """

    def __init__(self, far_end: Reachable, transport: asyncio.Transport, protocol: WatchedProtocol) -> None:
        self._far_end, self._transport, self._protocol = far_end, transport, protocol
        self._writer: asyncio.StreamWriter | None = None
        self._fault: SinkError | None = None

    @property
    def reader(self) -> asyncio.StreamReader:
        return self._protocol.reader

    @property
    def writer(self) -> asyncio.StreamWriter:
        if self._writer is None:
            self._transport.set_write_buffer_limits(GROUP_MOST)
            loop = asyncio.get_running_loop()
            self._writer = asyncio.StreamWriter(self._transport, self._protocol, self.reader, loop)
        return self._writer

    @property
    def ended(self) -> asyncio.Future[Exception | None]:
        """Done once the connection has ended. Shared: do not cancel it."""
        return self._protocol.ended

    @property
    def received(self) -> int:
        """Bytes so far."""
        return self._protocol.received

    @property
    def fault(self) -> SinkError:
        """Why the connection has ended."""
        cause = self.ended.result() if self.ended.done() else None
        if self._fault is not None:
            return type(self._fault)(str(self._fault))
        if isinstance(cause, Excess):
            return SinkDown(f"{self._far_end.url}: the {self._far_end.role} sends more than answers: check the port")
        if isinstance(cause, ssl.SSLError):
            return tls_fault(self._far_end, cause)
        return lost(self._far_end, cause if isinstance(cause, OSError) else None)

    def answered(self) -> None:
        """An answer arrived."""
        self._protocol.unanswered = 0

    async def secure(self, far_end: Secured, context: ssl.SSLContext) -> None:
        """Change to TLS, before anything is written. Raises SinkDown or SinkRefused; the connection is closed then."""
        protocol = WatchedProtocol()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(far_end.timeout):
                transport = await loop.start_tls(self._transport, protocol, context, server_hostname=far_end.host)
        except OSError as fault:
            self._transport.abort()
            raise tls_fault(far_end, fault) from fault
        except BaseException:
            self._transport.abort()
            raise
        if transport is None:  # lost since the handshake
            raise lost(far_end)
        self._transport, self._protocol = transport, protocol
        await self._verdict(transport.get_extra_info("ssl_object"))
        if self.ended.done():
            raise self._refusal(far_end)

    async def _verdict(self, tls: ssl.SSLObject) -> None:
        """Wait for the server's verdict on our certificate: in TLS 1.3 it follows our handshake (RFC 8446, 4.4.2.4).

        The server sends a session ticket or an alert. If we sent data first, the alert could be lost: a server that
        closes with unread data resets the connection.
        """
        end = asyncio.get_running_loop().time() + VERDICT
        while tls.version() == "TLSv1.3" and not (tls.session is not None and tls.session.has_ticket):
            await asyncio.wait({self.ended}, timeout=LOOK)
            if self.ended.done() or asyncio.get_running_loop().time() > end:
                return

    def _refusal(self, far_end: Secured) -> SinkError:
        cause = self.ended.result()
        return tls_fault(far_end, cause if isinstance(cause, OSError) else ssl.SSLEOFError(8, "closed"))

    async def watch(self, *ends: asyncio.Future[Any], progress: Callable[[], int] = lambda: 0) -> None:
        """Wait until one of `ends` is done. `progress` changes with each answer.

        Raises SinkDown once no answer arrived and nothing was sent of what waits for the time limit; the connection is
        closed then.
        """
        while True:
            before = progress(), self._transport.get_write_buffer_size()
            await asyncio.wait(ends, timeout=self._far_end.timeout, return_when=asyncio.FIRST_COMPLETED)
            if any(end.done() for end in ends):
                return
            if before == (progress(), self._transport.get_write_buffer_size()):
                self.fail(lost(self._far_end, TimeoutError()))
                raise self.fault

    def fail(self, fault: SinkError) -> None:
        """Close the connection at once, with this cause if it has not ended."""
        if self._fault is None and not self.ended.done():
            self._fault = fault
        self._protocol.end(None)
        self._transport.abort()

    def close(self) -> None:
        """Close the connection at once."""
        self.fail(SinkDown(f"{self._far_end.url}: closed"))


async def context_of(far_end: Secured) -> ssl.SSLContext | None:
    """What TLS needs, if it is set; files are read in a thread. Raises ConfigError."""
    return await threads.run(partial(tls_context, far_end), "klvrelay-tls") if far_end.tls else None


async def open_stream(far_end: Reachable) -> WatchedStream:
    """Connect, without TLS. Raises SinkDown."""
    return await _stream_of(far_end, await call(far_end))


async def _stream_of(far_end: Reachable, sock: socket.socket) -> WatchedStream:
    try:
        transport, protocol = await asyncio.get_running_loop().create_connection(WatchedProtocol, sock=sock)
    except BaseException:
        sock.close()
        raise
    return WatchedStream(far_end, transport, protocol)
