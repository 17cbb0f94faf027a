"""tcp:// destinations: one connection, which klvrelay makes or (`?listen=1`) waits for."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from types import TracebackType
from typing import Self

from klvrelay.config.url import Url
from klvrelay.sending.errors import ReceiverDisconnected
from klvrelay.transports.tcp import TcpSettings, open_connection


class TcpDestination:
    """Sends to one receiver, at the receiver's pace."""

    lossy = False
    unsent = 0

    def __init__(self, url: Url, *, timeout: float) -> None:
        self.url = url
        self._settings = TcpSettings(url, "receiver")
        self.listens = self._settings.listens
        self._timeout = timeout
        self._writer: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> Self:
        _, self._writer = await open_connection(self._settings, self._timeout)
        sock: socket.socket = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """After success, give the receiver up to the time-out to take the data in flight."""
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
        """Raises ReceiverDisconnected if the receiver has disconnected."""
        assert self._writer is not None
        try:
            self._writer.write(datagram)
            await self._writer.drain()
        except OSError:
            raise ReceiverDisconnected(f"{self.url}: the receiver closed the connection") from None
