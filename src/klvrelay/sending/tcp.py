"""tcp://: one connection, which klvrelay makes or (`?listen=1`) waits for; next door, `udp.py`."""

from __future__ import annotations

import asyncio
import logging
import socket
from contextlib import suppress
from types import TracebackType
from typing import Self

from klvrelay.errors import ConfigError, SourceDown
from klvrelay.names import Url, printable
from klvrelay.sending.gone import ReceiverGone

_log = logging.getLogger(__name__)

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class TcpLine:
    """Bytes to one receiver; as slow as it takes them."""

    lossy = False
    troubles = 0

    def __init__(self, url: Url, *, timeout: float) -> None:
        if url.port is None:
            raise ConfigError(f"{url}: a port is missing, as in tcp://{url.host or 'HOST'}:5000")
        if unknown := url.options.keys() - {"listen"}:
            raise ConfigError(f"{url}: option {printable(min(unknown))} is not known; known are listen=1, pkt_size")
        self.url = url
        self.waits = url.options.get("listen", "0") not in ("0", "")
        if not (url.host or self.waits):
            raise ConfigError(f"{url}: a host is missing; to wait for a receiver: {url}?listen=1")
        self._timeout = timeout
        self._writer: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> Self:
        try:
            _, self._writer = await (self._accepted() if self.waits else self._connected())
        except OSError as fault:
            raise SourceDown(f"{self.url}: {_reason(fault, self.waits)}") from fault
        sock: socket.socket = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """At a clean end the receiver gets what is on its way, for as long as the time-out."""
        writer, self._writer = self._writer, None
        if writer is None:
            return
        writer.close() if kind is None else writer.transport.abort()
        try:
            with suppress(OSError):
                async with asyncio.timeout(self._timeout):
                    await writer.wait_closed()
        finally:
            writer.transport.abort()

    def frame(self, payload: bytes, seconds: float) -> bytes:
        return payload

    async def send(self, datagram: bytes) -> None:
        """Raises ReceiverGone where nobody takes it any more."""
        assert self._writer is not None
        try:
            self._writer.write(datagram)
            await self._writer.drain()
        except OSError:
            raise ReceiverGone(f"{self.url}: the receiver broke the connection off") from None

    async def _connected(self) -> Connection:
        try:
            async with asyncio.timeout(self._timeout):
                return await asyncio.open_connection(self.url.host, self.url.port)
        except TimeoutError:
            raise SourceDown(f"{self.url}: gave no answer for {self._timeout:g} s") from None

    async def _accepted(self) -> Connection:
        """The first who connects; the port is closed behind them."""
        came: asyncio.Future[Connection] = asyncio.get_running_loop().create_future()

        def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if came.done():
                writer.transport.abort()
            else:
                came.set_result((reader, writer))

        server = await asyncio.start_server(welcome, self.url.host or None, self.url.port, backlog=1)
        _log.info("%s: waiting for a receiver", self.url)
        try:
            return await came
        except asyncio.CancelledError:
            if came.done() and not came.cancelled():
                came.result()[1].transport.abort()
            raise
        finally:
            server.close()


def _reason(fault: OSError, waits: bool) -> str:
    match fault:
        case ConnectionRefusedError():
            return "nobody listens there: start the receiver first, or wait for it with ?listen=1"
        case socket.gaierror():
            return "the host's name is not known"
        case _ if waits:
            return f"can't listen there: {fault.strerror or fault}"
        case _:
            return f"no connection: {fault.strerror or fault}"
