"""tcp://: MPEG-TS or KLV bytes over a connection that klvrelay makes, or (`?listen=1`) waits for."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

from klvrelay.errors import ConfigError, NotMedia, SourceDown
from klvrelay.names import Url
from klvrelay.record import Link, Packet
from klvrelay.sources.file import now_us
from klvrelay.sources.sniff import sniffed

PIECE = 256 << 10


class TcpSource:
    """The bytes of one TCP connection, until the far end closes it."""

    live = True
    fixed = False
    dropped = 0

    def __init__(self, url: Url, *, timeout: float) -> None:
        if url.port is None:
            raise ConfigError(f"{url}: a port is missing, as in tcp://{url.host or 'HOST'}:5000")
        if unknown := url.options.keys() - {"listen"}:
            raise ConfigError(f"{url}: option {min(unknown)} is not known; known is listen=1")
        self.url = url
        self.link = Link()
        self._timeout = timeout
        self._listens = url.options.get("listen", "0") not in ("0", "")
        if not (url.host or self._listens):
            raise ConfigError(f"{url}: a host is missing; to wait for a sender: {url}?listen=1")

    async def packets(self) -> AsyncGenerator[Packet, None]:
        """A packet for what each wake-up finds; raises SourceDown after `timeout` s of silence."""
        try:
            async with self._connection() as reader, aclosing(self._pieces(reader)) as found:
                carriage, head = await sniffed(self.url, found)
                if carriage is None:
                    raise NotMedia(f"{self.url} sends neither MPEG-TS nor KLV")
                yield Packet(head, now_us(), carriage)
                async for piece in found:
                    yield Packet(piece, now_us(), carriage)
        except OSError as fault:
            raise SourceDown(f"{self.url}: {_reason(fault, self._listens)}") from fault

    async def _pieces(self, reader: asyncio.StreamReader) -> AsyncGenerator[bytes, None]:
        while True:
            try:
                async with asyncio.timeout(self._timeout):
                    piece = await reader.read(PIECE)
            except TimeoutError:
                raise SourceDown(f"{self.url}: sent nothing for {self._timeout:g} s") from None
            if not piece:
                return
            self.link.size += len(piece)
            yield piece

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[asyncio.StreamReader]:
        reader, writer = await (self._accept() if self._listens else self._connect())
        try:
            yield reader
        finally:
            # Nothing is ever written, so there is nothing to wait for.
            writer.transport.abort()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            async with asyncio.timeout(self._timeout):
                return await asyncio.open_connection(self.url.host, self.url.port, limit=PIECE)
        except TimeoutError:
            raise SourceDown(f"{self.url}: gave no answer for {self._timeout:g} s") from None

    async def _accept(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The first who connects; the port is closed behind them."""
        came: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]]
        came = asyncio.get_running_loop().create_future()

        def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if came.done():
                writer.transport.abort()
            else:
                came.set_result((reader, writer))

        server = await asyncio.start_server(welcome, self.url.host or None, self.url.port, limit=PIECE, backlog=1)
        try:
            return await came
        except asyncio.CancelledError:
            if came.done() and not came.cancelled():
                came.result()[1].transport.abort()
            raise
        finally:
            server.close()


def _reason(fault: OSError, listens: bool) -> str:
    match fault:
        case ConnectionRefusedError():
            return "nobody listens there: check host and port"
        case ConnectionResetError():
            return "the far end broke the connection off"
        case socket.gaierror():
            return "the host's name is not known"
        case _ if listens:
            return f"can't listen there: {fault.strerror or fault}"
        case _:
            return f"no connection: {fault.strerror or fault}"
