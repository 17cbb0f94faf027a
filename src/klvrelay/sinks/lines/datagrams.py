"""UDP: a datagram for each record, without acknowledgement."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from klvrelay.config.sinks.lines import LinesSettings
from klvrelay.errors import SinkDown
from klvrelay.sinks.dialing.datagram_socket import DatagramSocket
from klvrelay.sinks.lines.framing import framed
from klvrelay.sinks.publishing.publication import Publication
from klvrelay.sinks.results import DELIVERED, LEFT_OUT, UNWANTED


class Datagrams:
    """One address. Its contract is `FarEnd`. A datagram that the kernel has taken counts as delivered."""

    detail = ""

    def __init__(self, settings: LinesSettings) -> None:
        self._settings = settings
        self.url = settings.url
        self._socket = DatagramSocket(settings)

    async def open(self) -> None:
        """Open a socket. Raises SinkDown for an unknown host or interface."""
        await self._socket.open()

    async def send(self, publications: Sequence[Publication]) -> Sequence[int]:
        """Send each as a datagram. One that is too large for a datagram is left out. Raises SinkDown."""
        return [await self._send(framed(one, self._settings.framing)) for one in publications]

    async def _send(self, datagram: bytes | None) -> int:
        if datagram is None:
            return UNWANTED
        return DELIVERED if await self._socket.send(datagram) else LEFT_OUT

    async def lost(self) -> SinkDown:
        """A datagram socket has no connection that can be lost."""
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    async def close(self) -> None:
        """Close the socket."""
        self._socket.close()
