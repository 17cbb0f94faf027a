"""The far ends of srt:// in tests: Debian's srt-live-transmit, and a UDP path that loses datagrams."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import aclosing, asynccontextmanager, suppress
from typing import cast

from klvrelay.decoder import Decoder
from klvrelay.record import Packet, Record
from klvrelay.sources.contract import Source

Process = asyncio.subprocess.Process


@asynccontextmanager
async def _running(*command: str, **pipes: int) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, **pipes
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


@asynccontextmanager
async def transmitter(url: str, pieces: Iterable[bytes] = (), pause: float = 0.0005) -> AsyncIterator[Process]:
    """srt-live-transmit that, once connected, sends datagrams to `url`, `pause` seconds apart.

    Its input is a UDP port: from a pipe it reads in pieces of any size.
    """
    with socket.socket(type=socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ("srt-live-transmit", "-v", "-a:no", "-chunk:1316", f"udp://127.0.0.1:{port}", url)
    async with _running(*command, stderr=asyncio.subprocess.STDOUT) as process:
        sending = asyncio.create_task(_send(process, port, pieces, pause))
        try:
            yield process
        finally:
            sending.cancel()
            await asyncio.wait([sending])


async def _send(process: Process, port: int, pieces: Iterable[bytes], pause: float) -> None:
    assert process.stdout is not None
    while "target connect" not in (line := (await process.stdout.readline()).decode()):
        if not line:
            return
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        for piece in pieces:
            sock.sendto(piece, ("127.0.0.1", port))
            await asyncio.sleep(pause)


@asynccontextmanager
async def receiver(url: str) -> AsyncIterator[Process]:
    """srt-live-transmit that writes what it receives from `url` to its standard output."""
    command = ("srt-live-transmit", "-q", "-ll:fatal", "-a:no", "-chunk:1316", url, "file://con")
    async with _running(*command, stderr=asyncio.subprocess.DEVNULL) as process:
        yield process


class Heard:
    """What was read from a source: its packets, and the records that a decoder made of them."""

    def __init__(self) -> None:
        self.packets: list[Packet] = []
        self.records: list[Record] = []

    @property
    def data(self) -> bytes:
        return b"".join(packet.data for packet in self.packets)

    @property
    def klv(self) -> list[bytes]:
        return [record.raw for record in self.records if record.good]


async def hear(source: Source, count: int, heard: Heard | None = None, within: float = 10) -> Heard:
    """Read until there are `count` valid records; fails after `within` seconds."""
    heard, decoder = heard or Heard(), Decoder("test", None)
    async with asyncio.timeout(within), aclosing(source.packets()) as packets:
        async for packet in packets:
            heard.packets.append(packet)
            heard.records += decoder.feed(packet)
            if len(heard.klv) >= count:
                break
    return heard


class Wire(asyncio.DatagramProtocol):
    """Forwards one caller's datagrams to a port and back, except those that `loses` selects."""

    def __init__(self, loses: Callable[[bytes], bool]) -> None:
        self._loses = loses
        self._caller: tuple[str, int] | None = None
        self._near: asyncio.DatagramTransport | None = None
        self.far: asyncio.DatagramTransport | None = None
        self.carried = self.lost = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._near = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, place: tuple[str, int]) -> None:
        self._caller = place
        if self.far is not None and self._passes(data):
            self.far.sendto(data)

    def back(self, data: bytes) -> None:
        if self._near is not None and self._passes(data):
            self._near.sendto(data, self._caller)

    def _passes(self, data: bytes) -> bool:
        lost = self._loses(data)
        self.carried += 1
        self.lost += lost
        return not lost


class _Far(asyncio.DatagramProtocol):
    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def datagram_received(self, data: bytes, place: tuple[str, int]) -> None:
        self._wire.back(data)


@asynccontextmanager
async def wire(port: int, loses: Callable[[bytes], bool]) -> AsyncIterator[tuple[int, Wire]]:
    """A UDP path to a port on this machine; yields the port to call instead, and the path."""
    loop = asyncio.get_running_loop()
    near, found = await loop.create_datagram_endpoint(lambda: Wire(loses), local_addr=("127.0.0.1", 0))
    far, _ = await loop.create_datagram_endpoint(lambda: _Far(found), remote_addr=("127.0.0.1", port))
    found.far = far
    try:
        yield near.get_extra_info("sockname")[1], found
    finally:
        near.close()
        far.close()


def sequence(datagram: bytes) -> int | None:
    """The sequence number of an SRT data packet; None for control packets."""
    number = int.from_bytes(datagram[:4])
    return None if number >> 31 else number
