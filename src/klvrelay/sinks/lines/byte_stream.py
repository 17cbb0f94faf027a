"""A connection over TCP or to a Unix socket, without answers of the far end.

Over TCP a record counts as delivered when the kernel of the far end has acknowledged its bytes, over a Unix socket when
the kernel has taken them. Whether the program there has read them is not known.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Sequence

from klvrelay.config.sinks.lines import LinesSettings
from klvrelay.errors import SinkDown
from klvrelay.sinks.dialing.dial import call
from klvrelay.sinks.dialing.faults import lost, plain
from klvrelay.sinks.lines.framing import framed
from klvrelay.sinks.lines.progress import send_all
from klvrelay.sinks.publishing.far_end import Unconfirmed
from klvrelay.sinks.publishing.publication import Publication
from klvrelay.sinks.results import DELIVERED, UNWANTED

DISCARDED, DISCARD_PAUSE = 65536, 0.05
"""Bytes of the far end that are read, and discarded, at once, and the seconds to the next read after so many: a far end
that sends without end is slowed down by its own connection.
"""
DISCARDS_MOST = 16
"""Reads before a connection is closed."""


class SocketStream:
    """One connection. Its contract is `FarEnd`."""

    detail = ""

    def __init__(self, settings: LinesSettings) -> None:
        self._settings = settings
        self.url = settings.url
        self._sock: socket.socket | None = None

    async def open(self) -> None:
        """Connect. Raises SinkDown."""
        if self._settings.carrier == "tcp":
            self._sock = await call(self._settings)
        else:
            self._sock = await self._open_unix()

    async def _open_unix(self) -> socket.socket:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            async with asyncio.timeout(self._settings.timeout):
                await asyncio.get_running_loop().sock_connect(sock, self._settings.path)
        except OSError as fault:
            sock.close()
            advice = "check that a receiver listens there"
            raise SinkDown(f"{self.url}: can't connect: {plain(fault)}: {advice}") from fault
        except BaseException:
            sock.close()
            raise
        return sock

    async def send(self, publications: Sequence[Publication]) -> Sequence[int]:
        """Send, and return once the kernel of the far end has acknowledged all bytes. Raises Unconfirmed."""
        parts = [framed(one, self._settings.framing) for one in publications]
        data = b"".join(part for part in parts if part is not None)
        sock = self._connected()
        try:
            await send_all(sock, data, self._settings.timeout)
        except OSError as fault:
            raise self._unconfirmed(fault, parts) from fault
        return [UNWANTED if part is None else DELIVERED for part in parts]

    def _unconfirmed(self, fault: OSError, parts: Sequence[bytes | None]) -> Unconfirmed:
        """The fault. A part of a line may have arrived, so the connection must end, and what is unclear is sent again.
        """
        return Unconfirmed(str(lost(self._settings, fault)))

    async def lost(self) -> SinkDown:
        """Wait until the far end closes the connection. What it sends is discarded."""
        sock = self._connected()
        loop = asyncio.get_running_loop()
        try:
            while True:
                data = await loop.sock_recv(sock, DISCARDED)
                if not data:
                    return lost(self._settings)
                if len(data) == DISCARDED:
                    await asyncio.sleep(DISCARD_PAUSE)
        except OSError as fault:
            return lost(self._settings, fault)

    async def close(self) -> None:
        """Close the connection. The kernel still sends what it has taken."""
        sock, self._sock = self._sock, None
        if sock is not None:
            _discard(sock)
            sock.close()

    def _connected(self) -> socket.socket:
        if self._sock is None:
            raise SinkDown(f"{self.url}: not connected")
        return self._sock


def _discard(sock: socket.socket) -> None:
    """Read what has arrived. Unread bytes make a close a reset, and the far end loses what it has not read."""
    with contextlib.suppress(OSError):
        for _ in range(DISCARDS_MOST):
            if not sock.recv(DISCARDED):
                return
