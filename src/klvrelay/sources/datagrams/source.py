"""udp:// and rtp://: datagrams from a UDP socket.

A silent port is not an error: a live source waits.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import logging
import os
import socket
from collections.abc import AsyncGenerator

from klvrelay.config.url import Url
from klvrelay.core import LIMIT
from klvrelay.errors import ConfigError, SourceDown
from klvrelay.link_stats import LinkStats
from klvrelay.record import Packet, Units
from klvrelay.sources import receive_buffer
from klvrelay.sources.datagrams import multicast
from klvrelay.sources.datagrams.reader import DatagramReader
from klvrelay.sources.progress import progress
from klvrelay.text import printable
from klvrelay.transports.address import Address, bind_to_device, interface_of, place, resolve, socket_for

_OPTIONS = {"interface", "localaddr", "sender", "sources", "buffer_size"}
# Options of ffmpeg and VLC that have no meaning here.
_IGNORED = {"fifo_size", "overrun_nonfatal", "pkt_size", "reuse", "timeout", "ttl", "connect", "broadcast"}

LOG = logging.getLogger("klvrelay.sources")


class UdpSource:
    """Datagrams received on one port: MPEG-TS, KLV, or either of them in RTP, detected from their bytes.

    units    yield complete KLV units instead of bytes
    timeout  seconds for resolving the host name, and of silence after which the network interface is checked
    """

    live = True
    fixed = False

    def __init__(
        self, url: Url, *, timeout: float, interface: str | None = None, sender: str | None = None, units: bool = False,
        packet_limit: int = LIMIT,
    ) -> None:  # fmt: skip
        options = url.options
        if url.port is None:
            raise ConfigError(f"{url}: a port is missing, as in {url.scheme}://{url.host or '0.0.0.0'}:5000")
        url.check_options(_OPTIONS, _IGNORED)
        self.url = url
        self._timeout = timeout
        self._units = units
        self._packet_limit = packet_limit
        self._interface = interface or options.get("interface") or options.get("localaddr")
        self._sender = sender or options.get("sender")
        self._sources = [_address(url, text) for text in options.get("sources", "").split(",") if text]
        if self._sources and not _address(url, url.host).is_multicast:
            raise ConfigError(f"{url}: sources= requires a multicast group; for one sender, use sender=ADDRESS")
        self._kernel_buffer = _size(url, options.get("buffer_size", str(receive_buffer.SIZE)))
        self._reader: DatagramReader | None = None
        self._before: LinkStats | None = None
        self._foreign_logged = False

    @property
    def link(self) -> LinkStats:
        """Transport statistics since this object was made."""
        if self._reader is None:
            return self._before or LinkStats()
        return self._reader.link if self._before is None else self._before + self._reader.link

    @property
    def received(self) -> int:
        """Bytes of datagrams since this object was made, as in `link`."""
        before = 0 if self._before is None else self._before.size
        return before if self._reader is None else before + self._reader.received

    @property
    def dropped(self) -> int:
        """Datagrams dropped by the kernel because its buffer was full."""
        return self.link.kernel_drops

    async def packets(self) -> AsyncGenerator[Packet | Units, None]:
        """What each wake-up brings, stamped with the kernel's arrival time; waits without limit while nothing is sent.

        Raises SourceDown if the host is unknown, the port cannot be bound, or the network was removed.
        """
        loop = asyncio.get_running_loop()
        host = await self._resolve(self.url.host or "0.0.0.0")
        sender = await self._resolve(self._sender) if self._sender else None
        sock, index = self._open_socket(host)
        try:
            is_rtp = self.url.scheme == "rtp"
            reader = DatagramReader(loop, sock, sender, is_rtp=is_rtp, units=self._units, limit=self._packet_limit)
        except OSError as fault:
            sock.close()
            raise self._source_down(fault) from fault
        self._reader = reader
        progress().opened = True
        reader.watch(self._timeout, lambda: self._check_interface(sock, host, index), self._log_foreign)
        try:
            while True:
                yield await reader.next()
        except OSError as fault:
            raise self._source_down(fault) from fault
        except SourceDown as fault:
            raise SourceDown(f"{self.url}: {fault}") from None
        finally:
            self._before = self.link
            self._reader = None
            reader.close()

    def _source_down(self, fault: OSError) -> SourceDown:
        return SourceDown(f"{self.url}: {_reason(fault, self.url)}")

    async def _resolve(self, host: str) -> Address:
        try:
            return await resolve(host, self._timeout)
        except SourceDown as fault:
            raise SourceDown(f"{self.url}: {fault}") from None

    def _open_socket(self, host: Address) -> tuple[socket.socket, int]:
        """The socket, and the index of the interface that it listens on, 0 for any."""
        sock = socket_for(host)
        try:
            receive_buffer.enlarge(sock, self._kernel_buffer)
            return sock, self._bind(sock, host)
        except SourceDown as fault:
            sock.close()
            raise SourceDown(f"{self.url}: {fault}") from None
        except OSError as fault:
            sock.close()
            raise self._source_down(fault) from fault

    def _bind(self, sock: socket.socket, host: Address) -> int:
        index = self._interface_of(host)
        if host.is_multicast:
            # Several programs may receive the same group.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(place(host, self.url.port or 0, index))
            multicast.join(sock, host, self._name_of(host), self._sources)
            return index
        if index:
            bind_to_device(sock, index)
        sock.bind(place(host, self.url.port or 0, index))
        return index

    def _check_interface(self, sock: socket.socket, host: Address, index: int) -> None:
        """Called during silence: raise if the socket's network interface was removed.

        The kernel drops a group membership with its interface. If the system chose the interface, the group is joined
        again on the one that it would choose now.
        """
        if self._interface_of(host) != index:
            raise SourceDown(f"the network interface {self._name_of(host)} was removed, and has been added again")
        if host.is_multicast:
            multicast.join(sock, host, self._name_of(host), self._sources, again=True)

    def _log_foreign(self) -> None:
        """Logged once, however often the source is opened."""
        if not self._foreign_logged:
            self._foreign_logged = True
            LOG.warning(
                "%s: RTP of another SSRC or payload type ignored, counted as rtp_foreign;"
                " to select one sender, use sender=ADDRESS",
                self.url,
            )

    def _name_of(self, host: Address) -> str | None:
        return self._interface or getattr(host, "scope_id", None)

    def _interface_of(self, host: Address) -> int:
        return interface_of(self._name_of(host))[0]


def _address(url: Url, text: str) -> Address:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        raise ConfigError(f"{url}: {printable(text)} is not an IP address, as sources= requires") from None


def _size(url: Url, text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:10]) < 1 << 31):
        raise ConfigError(f"{url}: buffer_size must be a number of bytes")
    return int(text)


def _reason(fault: OSError, url: Url) -> str:
    match fault.errno:
        case errno.EADDRINUSE:
            return f"port {url.port} is already in use"
        case errno.EADDRNOTAVAIL:
            return (
                f"{url.host} is not an address of this machine; to receive from any sender, use {url.scheme}://:{url.port};"
                f" from that sender only, {url.scheme}://:{url.port}?sender={url.host}"
            )
        case errno.EACCES | errno.EPERM:
            return "not permitted: ports below 1024, and interface= for unicast, require privileges"
        case errno.ENODEV:
            return "no network interface to join the group on: give interface="
        case _:
            return f"cannot listen there: {os.strerror(fault.errno or 0)}"
