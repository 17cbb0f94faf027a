"""UDP: a datagram for each record, without acknowledgement."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Sequence

from klvrelay.backoff import Repeats
from klvrelay.config.sinks.lines import LinesSettings
from klvrelay.errors import SinkDown, SourceDown
from klvrelay.sinks.dialing.faults import plain
from klvrelay.sinks.lines.framing import framed
from klvrelay.sinks.publishing.publication import Publication
from klvrelay.sinks.results import DELIVERED, LEFT_OUT, UNWANTED
from klvrelay.transports.address import datagram_sender, resolve

DATAGRAM_MOST = 65_507
"""Maximum bytes of a datagram over IPv4."""
REFUSALS_MOST = 3
"""Attempts to send a datagram if the kernel reports that no receiver got earlier ones."""
LOG = logging.getLogger("klvrelay.sinks")


class Datagrams:
    """One address. Its contract is `FarEnd`. A datagram that the kernel has taken counts as delivered."""

    detail = ""

    def __init__(self, settings: LinesSettings) -> None:
        self._settings = settings
        self.url = settings.url
        self._sock: socket.socket | None = None
        self._refused = Repeats()

    async def open(self) -> None:
        """Open a socket. Raises SinkDown for an unknown host or interface."""
        settings = self._settings
        try:
            host = await resolve(settings.host, settings.timeout)
            self._sock = datagram_sender(host, settings.port, settings.interface, settings.ttl)
        except SourceDown as fault:
            raise SinkDown(f"{self.url}: {fault}") from fault
        except OSError as fault:
            advice = "; a link-local address needs interface=NAME" if fault.errno == errno.EINVAL else ""
            raise SinkDown(f"{self.url}: {plain(fault)}{advice}") from fault

    async def send(self, publications: Sequence[Publication]) -> Sequence[int]:
        """Send each as a datagram. One that is too large for a datagram is left out. Raises SinkDown."""
        return [await self._send(framed(one, self._settings.framing)) for one in publications]

    async def _send(self, datagram: bytes | None) -> int:
        if datagram is None:
            return UNWANTED
        if len(datagram) > DATAGRAM_MOST:
            return LEFT_OUT
        if self._sock is None:
            raise SinkDown(f"{self.url}: not connected")
        try:
            await self._put(self._sock, datagram)
        except OSError as fault:
            if fault.errno == errno.EMSGSIZE:
                return LEFT_OUT
            raise SinkDown(f"{self.url}: {plain(fault)}") from fault
        return DELIVERED

    async def _put(self, sock: socket.socket, datagram: bytes) -> None:
        """Send a datagram. Without a receiver, sending continues."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(self._settings.timeout):
            for _ in range(REFUSALS_MOST):
                try:
                    return await loop.sock_sendall(sock, datagram)
                except ConnectionRefusedError:  # it reports an earlier datagram; this one has not been sent
                    if (text := self._refused.add("no receiver is listening; sending continues")) is not None:
                        LOG.warning("%s: %s", self.url, text)

    async def lost(self) -> SinkDown:
        """A datagram socket has no connection that can be lost."""
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    async def close(self) -> None:
        """Close the socket."""
        sock, self._sock = self._sock, None
        if sock is not None:
            sock.close()
