"""A socket that sends datagrams to a host or a group."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from typing import Protocol

from klvrelay.backoff import Repeats
from klvrelay.errors import SinkDown, SourceDown
from klvrelay.sinks.dialing.faults import plain
from klvrelay.transports.address import datagram_sender, resolve

DATAGRAM_MOST = 65_507
"""Maximum bytes of a datagram over IPv4."""
REFUSALS_MOST = 3
"""Attempts to send a datagram if the kernel reports that no receiver got earlier ones."""
LOG = logging.getLogger("klvrelay.sinks")


class DatagramAddress(Protocol):
    """Where datagrams go. url: for messages; interface, ttl: of multicast; timeout: seconds for each step."""

    @property
    def url(self) -> str: ...

    @property
    def host(self) -> str: ...

    @property
    def port(self) -> int: ...

    @property
    def interface(self) -> str | None: ...

    @property
    def ttl(self) -> int: ...

    @property
    def timeout(self) -> float: ...


class DatagramSocket:
    """A socket for one address. It can be opened again after it was closed."""

    def __init__(self, address: DatagramAddress) -> None:
        self._address = address
        self._sock: socket.socket | None = None
        self._refused = Repeats()

    async def open(self) -> None:
        """Open a socket. Raises SinkDown for an unknown host or interface."""
        to = self._address
        try:
            host = await resolve(to.host, to.timeout)
            self._sock = datagram_sender(host, to.port, to.interface, to.ttl)
        except SourceDown as fault:
            raise SinkDown(f"{to.url}: {fault}") from fault
        except OSError as fault:
            advice = "; a link-local address needs interface=NAME" if fault.errno == errno.EINVAL else ""
            raise SinkDown(f"{to.url}: {plain(fault)}{advice}") from fault

    async def send(self, datagram: bytes) -> bool:
        """Has the kernel taken it? False: it is too large for a datagram. Raises SinkDown."""
        if len(datagram) > DATAGRAM_MOST:
            return False
        if self._sock is None:
            raise SinkDown(f"{self._address.url}: not connected")
        try:
            await self._put(self._sock, datagram)
        except OSError as fault:
            if fault.errno == errno.EMSGSIZE:
                return False
            raise SinkDown(f"{self._address.url}: {plain(fault)}") from fault
        return True

    async def _put(self, sock: socket.socket, datagram: bytes) -> None:
        """Send a datagram. Without a receiver, sending continues."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(self._address.timeout):
            for _ in range(REFUSALS_MOST):
                try:
                    return await loop.sock_sendall(sock, datagram)
                except ConnectionRefusedError:  # it reports an earlier datagram; this one has not been sent
                    if (text := self._refused.add("no receiver is listening; sending continues")) is not None:
                        LOG.warning("%s: %s", self._address.url, text)

    def close(self) -> None:
        """Close the socket."""
        sock, self._sock = self._sock, None
        if sock is not None:
            sock.close()
