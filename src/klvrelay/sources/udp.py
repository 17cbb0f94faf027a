"""udp:// and rtp://: datagrams from a socket of our own; next door, `rtp.py` and `multicast.py`.

Each wake-up of the loop takes all datagrams that wait into one buffer and makes one packet of them. A silent
port is no error: a live source waits.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import logging
import os
import socket
import struct
from collections import deque
from collections.abc import AsyncGenerator

from klvrelay.errors import ConfigError, SourceDown
from klvrelay.names import Url, printable
from klvrelay.record import Carriage, Packet
from klvrelay.sources import multicast, rtp
from klvrelay.sources.file import now_us
from klvrelay.sources.multicast import Address
from klvrelay.sources.sniff import KEY

BUFFER = 512 << 10
DATAGRAM = 65536
WAKE_UP = 256
"""Datagrams that one wake-up takes at most, so that a flood holds up no other stream."""
KERNEL_BUFFER = 4 << 20
"""What the kernel is asked to hold: 6 s of a stream of 5 Mbit/s."""
WAITING_MOST = 4 << 20
"""Bytes of packets that may wait for a slow reader; then the kernel's buffer fills, and drops."""
REORDER = 0.05
"""Seconds that RTP datagrams are held for one that is late."""

_SO_MEMINFO, _DROPS = 55, 8
_OPTIONS = {"interface", "localaddr", "sender", "sources", "buffer_size"}
# What ffmpeg and VLC write into such URLs for their own use.
_IGNORED = {"fifo_size", "overrun_nonfatal", "pkt_size", "reuse", "timeout", "ttl", "connect", "broadcast"}

_log = logging.getLogger(__name__)


class UdpSource:
    """The datagrams that come to one port: MPEG-TS, MPEG-TS in RTP, or KLV, told apart by their bytes."""

    live = True

    def __init__(self, url: Url, *, timeout: float, interface: str | None = None, sender: str | None = None) -> None:
        options = url.options
        if url.port is None:
            raise ConfigError(f"{url}: a port is missing, as in {url.scheme}://{url.host or '0.0.0.0'}:5000")
        if unknown := options.keys() - _OPTIONS - _IGNORED:
            raise ConfigError(
                f"{url}: option {printable(min(unknown))} is not known; known are {', '.join(sorted(_OPTIONS))}"
            )
        self.url = url
        self._timeout = timeout
        self._interface = interface or options.get("interface") or options.get("localaddr")
        self._sender = sender or options.get("sender")
        self._sources = [_address(url, text) for text in options.get("sources", "").split(",") if text]
        self._kernel_buffer = _size(url, options.get("buffer_size", str(KERNEL_BUFFER)))
        self._inbox: _Inbox | None = None
        self._dropped = 0
        self._told = False

    @property
    def dropped(self) -> int:
        """Datagrams that the kernel dropped since its buffer was full."""
        return self._dropped + (self._inbox.dropped() if self._inbox else 0)

    async def packets(self) -> AsyncGenerator[Packet, None]:
        """One packet a wake-up, stamped with its arrival; waits for ever where nothing is sent."""
        loop = asyncio.get_running_loop()
        host = await self._resolved(self.url.host or "0.0.0.0")
        sender = await self._resolved(self._sender) if self._sender else None
        sock = self._bound(host)
        inbox = self._inbox = _Inbox(loop, sock, sender, is_rtp=self.url.scheme == "rtp")
        try:
            while True:
                yield await inbox.next()
        except OSError as fault:
            raise SourceDown(f"{self.url}: {os.strerror(fault.errno or 0)}") from fault
        finally:
            self._dropped += inbox.dropped()
            self._inbox = None
            inbox.close()

    async def _resolved(self, host: str) -> Address:
        try:
            return ipaddress.ip_address(host)
        except ValueError:
            pass
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timeout):
                found = await loop.getaddrinfo(host, self.url.port, type=socket.SOCK_DGRAM)
        except (OSError, TimeoutError):
            raise SourceDown(f"{self.url}: the name {printable(host)} is not known") from None
        return ipaddress.ip_address(found[0][4][0])

    def _bound(self, host: Address) -> socket.socket:
        family = socket.AF_INET if host.version == 4 else socket.AF_INET6
        sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            self._widen(sock)
            self._bind(sock, host)
            return sock
        except SourceDown as fault:
            sock.close()
            raise SourceDown(f"{self.url}: {fault}") from None
        except OSError as fault:
            sock.close()
            raise SourceDown(f"{self.url}: {_reason(fault, self.url)}") from fault

    def _bind(self, sock: socket.socket, host: Address) -> None:
        interface = self._interface or getattr(host, "scope_id", None)
        index, _ = multicast.interface_of(interface)
        if host.is_multicast:
            # Several programs may listen to one group.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(_sockaddr(host, self.url.port or 0, index))
            multicast.join(sock, host, interface, self._sources)
            return
        if index:
            name = socket.if_indextoname(index)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, name.encode())
        sock.bind(_sockaddr(host, self.url.port or 0, index))

    def _widen(self, sock: socket.socket) -> None:
        asked = self._kernel_buffer
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, asked)
        # The kernel doubles what it grants, for its own bookkeeping.
        got = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2
        if got < asked and not self._told:
            self._told = True
            _log.warning(
                "udp.small_buffer url=%s asked=%d got=%d: bursts may be lost; raise it with"
                " `sysctl -w net.core.rmem_max=%d`",
                self.url,
                asked,
                got,
                asked,
            )


class _Inbox:
    """From the socket to packets; the loop calls `_drain` when there is something to take."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, sock: socket.socket, sender: Address | None, *, is_rtp: bool
    ) -> None:
        self._loop = loop
        self._sock = sock
        self._sender = None if sender is None else str(sender).partition("%")[0]
        self._view = memoryview(bytearray(BUFFER))
        self._packets: deque[Packet] = deque()
        self._bytes = 0
        self._carriage: Carriage | None = None
        self._order = rtp.Order() if is_rtp else None
        self._due: list[tuple[bytes, bool]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: asyncio.Future[None] | None = None
        self._fault: OSError | None = None
        self._paused = False
        loop.add_reader(sock, self._drain)

    async def next(self) -> Packet:
        while not self._packets:
            if self._fault is not None:
                raise self._fault
            if self._paused:
                self._paused = False
                self._loop.add_reader(self._sock, self._drain)
            self._waiting = self._loop.create_future()
            await self._waiting
        packet = self._packets.popleft()
        self._bytes -= len(packet.data)
        return packet

    def dropped(self) -> int:
        info = self._sock.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 4 * (_DROPS + 1))
        return int(struct.unpack_from("=I", info, 4 * _DROPS)[0]) if len(info) > 4 * _DROPS else 0

    def close(self) -> None:
        self._loop.remove_reader(self._sock)
        if self._timer is not None:
            self._timer.cancel()
        self._sock.close()

    def _drain(self) -> None:
        received = now_us()
        size = 0
        try:
            for _ in range(WAKE_UP):
                size = self._take(size)
                if size > BUFFER - DATAGRAM:
                    break
        except BlockingIOError:
            pass
        except OSError as fault:
            self._fault = fault
            self._loop.remove_reader(self._sock)
        if size:
            self._put(bytes(self._view[:size]), received)
        if self._due:
            self._put_due(received)
        self._wake()

    def _take(self, size: int) -> int:
        """Take one datagram to the buffer's place `size`; returns where the next one goes."""
        place = self._view[size:]
        if self._sender is None:
            count = self._sock.recv_into(place)
        else:
            count, came_from = self._sock.recvfrom_into(place)
            if came_from[0].partition("%")[0] != self._sender:
                return size
        if count == 0:
            return size
        if self._order is None and place[0] != rtp.SYNC and rtp.looks_like(place[:count]):
            self._order = rtp.Order()
        if self._order is None:
            return size + count
        self._sort(self._order, place[:count])
        return size

    def _sort(self, order: rtp.Order, data: memoryview) -> None:
        datagram = rtp.parse(data)
        if datagram is not None:
            self._due += order.push(datagram)
        if order.waiting and self._timer is None:
            self._timer = self._loop.call_later(REORDER, self._release, order)
        elif not order.waiting and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _release(self, order: rtp.Order) -> None:
        self._timer = None
        self._due += order.release()
        self._put_due(now_us())
        self._wake()

    def _put_due(self, received: int) -> None:
        """One packet for what is in step; a datagram behind a gap is one by itself."""
        run: list[bytes] = []
        for payload, damaged in self._due:
            if damaged:
                self._put(b"".join(run), received)
                self._put(payload, received, damaged=True)
                run.clear()
            else:
                run.append(payload)
        self._put(b"".join(run), received)
        self._due.clear()

    def _put(self, data: bytes, received: int, *, damaged: bool = False) -> None:
        if not data:
            return
        if self._carriage is None:
            self._carriage = _carriage(data)
        self._packets.append(Packet(data, received, self._carriage or "ts", damaged=damaged))
        self._bytes += len(data)

    def _wake(self) -> None:
        if self._bytes > WAITING_MOST and not self._paused:
            self._paused = True
            self._loop.remove_reader(self._sock)
        waiting, self._waiting = self._waiting, None
        if waiting is not None and (self._packets or self._fault) and not waiting.done():
            waiting.set_result(None)


def _carriage(data: bytes) -> Carriage | None:
    if data[0] == rtp.SYNC:
        return "ts"
    return "klv" if data[:4] == KEY else None


def _address(url: Url, text: str) -> Address:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        raise ConfigError(f"{url}: sources={printable(text)} is not an address") from None


def _size(url: Url, text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:10]) < 1 << 31):
        raise ConfigError(f"{url}: buffer_size is a number of bytes")
    return int(text)


def _sockaddr(host: Address, port: int, scope: int) -> tuple[str, int] | tuple[str, int, int, int]:
    if host.version == 4:
        return str(host), port
    return str(host).partition("%")[0], port, 0, scope


def _reason(fault: OSError, url: Url) -> str:
    match fault.errno:
        case errno.EADDRINUSE:
            return f"port {url.port} is in use by another program"
        case errno.EADDRNOTAVAIL:
            return (
                f"{url.host} is no address of this machine; to take from any sender: {url.scheme}://:{url.port},"
                f" from that one only: {url.scheme}://:{url.port}?sender={url.host}"
            )
        case errno.EACCES | errno.EPERM:
            return "not permitted: ports under 1024, and an interface for unicast, need rights"
        case errno.ENODEV:
            return "no network to join the group on: name one with interface="
        case _:
            return f"can't listen there: {os.strerror(fault.errno or 0)}"
