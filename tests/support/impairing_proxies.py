"""Impairment between sockets: a UDP proxy with the damage of `klvrelay.sending.impair`, and a TCP proxy with
toxiproxy's toxics.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from klvrelay.sending.impair import TS_SIZE, Impairer, Impairment, Tally, ts_packets

RTP_HEADER = 12
SYNC = 0x47


class ImpairedUdp(asyncio.DatagramProtocol):
    """Forwards what arrives at `port` to `to` on loopback, impaired.

    At level=ts the packets in a datagram are impaired, and go on in as many datagrams (RTP headers stay as they are).
    """

    def __init__(self, to: int, wish: str) -> None:
        self._impairer = Impairer(Impairment.parse(wish))
        self._is_ts = self._impairer.impairment.level == "ts"
        self._to = "127.0.0.1", to
        self._timers: set[asyncio.TimerHandle] = set()
        self._transport: asyncio.DatagramTransport
        self.received = 0
        self.port = 0

    @property
    def tally(self) -> Tally:
        return self._impairer.tally

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        sock.bind(("127.0.0.1", 0))
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, sock=sock)
        self.port = sock.getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        for timer in self._timers:
            timer.cancel()
        self._transport.close()
        await asyncio.sleep(0)

    def datagram_received(self, data: bytes, address: object) -> None:
        self.received += 1
        for delay, unit in self._packets(data) if self._is_ts else self._impairer.push(data):
            self._forward(delay, unit)

    def _packets(self, data: bytes) -> Iterator[tuple[float, bytes]]:
        at = 0 if data[:1] == bytes([SYNC]) or len(data) % TS_SIZE == 0 else RTP_HEADER
        left = b"".join(unit for packet in ts_packets(data[at:]) for _, unit in self._impairer.push(packet))
        if left:
            yield 0.0, data[:at] + left

    def _forward(self, delay: float, unit: bytes) -> None:
        if not delay:
            self._transport.sendto(unit, self._to)
            return
        timer = asyncio.get_running_loop().call_later(delay, self._transport.sendto, unit, self._to)
        self._timers.add(timer)

    def rest(self) -> None:
        """Send what is held for a later datagram that does not arrive."""
        for _, unit in self._impairer.rest():
            self._forward(0.0, unit)


@dataclass(slots=True)
class Toxics:
    """Impairments from the server to the client; the names are toxiproxy's.

    latency extra seconds for each piece
    bandwidth    bytes a second, or None
    slicer       bytes that a piece has at most, or None
    limit_data   bytes after which the connection ends, or None
    how          it ends by "close" (FIN), "reset_peer" (RST) or "timeout" (no more data)
    slow_close   seconds that the end takes longer
    """

    latency: float = 0.0
    bandwidth: float | None = None
    slicer: int | None = None
    limit_data: int | None = None
    how: str = "close"
    slow_close: float = 0.0


class ToxicTcp:
    """Forwards connections at `port` to `to` on loopback; `toxics` may change at any time."""

    def __init__(self, to: int, toxics: Toxics) -> None:
        self.toxics = toxics
        self.connections = 0
        self.port = 0
        self._to = to
        self._tasks: set[asyncio.Task[None]] = set()
        self._over = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._welcome, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._server.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.connections += 1
        with suppress(OSError, asyncio.CancelledError):
            server, onward = await asyncio.open_connection("127.0.0.1", self._to)
            try:
                await self._pump(server, writer)
            finally:
                onward.transport.abort()
        writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        gone = 0
        while piece := await reader.read(self.toxics.slicer or 65536):
            toxics = self.toxics
            if toxics.limit_data is not None and gone + len(piece) > toxics.limit_data:
                piece = piece[: toxics.limit_data - gone]
            await asyncio.sleep(toxics.latency + (len(piece) / toxics.bandwidth if toxics.bandwidth else 0.0))
            writer.write(piece)
            await writer.drain()
            gone += len(piece)
            if gone == toxics.limit_data:
                break
        await asyncio.sleep(self.toxics.slow_close)
        if self.toxics.how == "timeout":
            await self._over.wait()
        elif self.toxics.how == "reset_peer":
            sock: socket.socket = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
