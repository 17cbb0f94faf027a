"""From a datagram socket to packets: one packet a wake-up of the loop; next door, `udp.py` opens the socket."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque

from klvrelay.klv import KEY
from klvrelay.record import Carriage, Packet
from klvrelay.sources import rtp
from klvrelay.sources.bridge import settle
from klvrelay.sources.file import now_us
from klvrelay.sources.multicast import Address

BUFFER = 512 << 10
DATAGRAM = 65536
WAKE_UP = 256
"""Datagrams that one wake-up takes at most, so that a flood holds up no other stream."""
WAITING_MOST = 4 << 20
"""Bytes of packets that may wait for a slow reader; then the kernel's buffer fills, and drops."""
REORDER = 0.05
"""Seconds that RTP datagrams are held for one that is late."""

_SO_MEMINFO, _DROPS = 55, 8


class Inbox:
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
        """The next packet; raises OSError where the socket fails."""
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
        """Datagrams that the kernel dropped, since the socket's buffer was full."""
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
        if self._waiting is not None and (self._packets or self._fault):
            settle(self._waiting)


def _carriage(data: bytes) -> Carriage | None:
    if data[0] == rtp.SYNC:
        return "ts"
    return "klv" if data[:4] == KEY else None
