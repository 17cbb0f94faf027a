"""Real far ends of sinks for the contract suite: each kind of sink is tried against each of them.

A kind adds its class to FAR_ENDS; see `TrialFarEnd`.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar, Protocol

import orjson
from files_far_end import FilesFolder
from http_far_end import PostReceiver
from oracle_broker import OracleBroker
from records import record

from klvrelay.config.sinks.far_end import FarEndSettings
from klvrelay.config.sinks.known import kind_of_url
from klvrelay.record import Record
from klvrelay.shape.output import Output

Arrived = tuple[str, str, int]
"""Stream, boot and number of a record."""


class TrialFarEnd(Protocol):
    """A far end that a test starts and stops.

    confirms   what it has confirmed survives its outage
    largest    bytes of the largest record that it takes, if it has such a limit
    outputs    what a sink publishes there in the trials; empty: what such a sink publishes by default
    """

    confirms: ClassVar[bool]
    url: str
    largest: int | None = None
    outputs: tuple[Output, ...] = ()

    def record(self, number: int, stream: str = "uav1") -> Record:
        """A record that it can take."""
        return record(number, stream)

    def settings(self) -> FarEndSettings:
        """Settings of a sink that delivers there, with a timeout of a few seconds."""

    async def start(self) -> None:
        """Start it, or start it again after `stop`."""

    async def stop(self) -> None:
        """The far end goes away, and its clients see it."""

    async def close(self) -> None:
        """The end of the test."""

    async def documents(self) -> list[bytes]:
        """The JSON of all records and gaps that it has, in its order, over all its starts."""


def settings_of(url: str, **settings: object) -> FarEndSettings:
    """The settings of a sink with this URL."""
    return kind_of_url(url).from_url(url, {"timeout": 4.0, **settings})


async def arrived(far_end: TrialFarEnd) -> list[Arrived]:
    """The records that it has."""
    found = map(orjson.loads, await far_end.documents())
    return [(one["stream"], one["boot"], one["seq"]) for one in found if one["schema"] == "klvrelay/1"]


async def gaps(far_end: TrialFarEnd) -> list[tuple[int, int]]:
    """First and last number of the gaps that it has."""
    found = map(orjson.loads, await far_end.documents())
    return [(one["from"], one["to"]) for one in found if one["schema"] == "klvrelay/gap/1"]


class _Lines:
    """Reads lines from connections."""

    confirms: ClassVar[bool] = True

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.readable = asyncio.Event()
        self.readable.set()
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.StreamWriter] = set()

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients.add(writer)
        try:
            while True:
                await self.readable.wait()
                self.lines.append(await reader.readuntil(b"\n"))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._clients.discard(writer)
            writer.close()

    async def stop(self) -> None:
        """Read what has arrived, and close all connections."""
        assert self._server is not None
        self._server.close()
        for client in list(self._clients):
            client.transport.abort()
        self._server = None

    async def close(self) -> None:
        if self._server is not None:
            await self.stop()
        await asyncio.sleep(0)

    async def documents(self) -> list[bytes]:
        return list(self.lines)


class TcpReceiver(_Lines):
    """A TCP server that reads lines. What its kernel has acknowledged may be lost with it."""

    confirms: ClassVar[bool] = False

    def __init__(self, folder: Path, port: int) -> None:
        super().__init__()
        self.port = port
        self.url = f"tcp://127.0.0.1:{self.port}"

    def settings(self) -> FarEndSettings:
        return settings_of(self.url)

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._read, "127.0.0.1", self.port, limit=1 << 20)


class UnixReceiver(_Lines):
    """A server on a Unix socket that reads lines."""

    confirms: ClassVar[bool] = False

    def __init__(self, folder: Path, port: int) -> None:
        super().__init__()
        self.path = folder / "klv.sock"
        self.url = f"unix://{self.path}"

    def settings(self) -> FarEndSettings:
        return settings_of(self.url)

    async def start(self) -> None:
        self.path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._read, self.path, limit=1 << 20)


class UdpReceiver(asyncio.DatagramProtocol):
    """Reads datagrams. A sink does not notice that it is away."""

    confirms: ClassVar[bool] = False
    largest = 65_507

    def __init__(self, folder: Path, port: int) -> None:
        self.port = port
        self.url = f"udp://127.0.0.1:{self.port}"
        self.lines: list[bytes] = []
        self._transport: asyncio.BaseTransport | None = None

    def settings(self) -> FarEndSettings:
        return settings_of(self.url)

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.lines.append(data)

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, ("127.0.0.1", self.port))
        sock = self._transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)

    async def stop(self) -> None:
        assert self._transport is not None
        self._transport.close()
        self._transport = None

    async def close(self) -> None:
        if self._transport is not None:
            await self.stop()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0)

    async def documents(self) -> list[bytes]:
        return list(self.lines)


class MqttBroker:
    """A broker in this process that keeps what it acknowledges. It announces the size of the largest packet."""

    confirms: ClassVar[bool] = True
    largest = 100_000

    def __init__(self, folder: Path, port: int) -> None:
        self._broker = OracleBroker()
        self._broker.port = self.port = port
        self._broker.manners.limits = {MAXIMUM_PACKET_SIZE: self.largest}
        self.url = f"mqtt://127.0.0.1:{port}"

    def settings(self) -> FarEndSettings:
        return settings_of(self.url)

    async def start(self) -> None:
        await self._broker.start()

    async def stop(self) -> None:
        await self._broker.stop()

    async def close(self) -> None:
        await self._broker.stop()

    async def documents(self) -> list[bytes]:
        leaves = ("telemetry", "rejected", "gap")
        return [one.payload for one in self._broker.published if one.topic.rpartition("/")[2] in leaves]


MAXIMUM_PACKET_SIZE = 0x27


def tak_server(folder: Path, port: int) -> TrialFarEnd:
    """A TAK server, which gets events."""
    from tak_servers import TakTrial

    return TakTrial(folder, port)


def redis_server(folder: Path, port: int) -> TrialFarEnd:
    """A Redis server with an append-only file."""
    from queue_servers import RedisServer

    return RedisServer(folder, port)


def nats_server(folder: Path, port: int) -> TrialFarEnd:
    """A NATS server with JetStream in files."""
    from queue_servers import NatsServer

    return NatsServer(folder, port)


FAR_ENDS: Mapping[str, Callable[[Path, int], TrialFarEnd]] = {
    "files": FilesFolder,
    "http": PostReceiver,
    "mqtt": MqttBroker,
    "tcp": TcpReceiver,
    "unix": UnixReceiver,
    "udp": UdpReceiver,
    "redis": redis_server,
    "cot": tak_server,
    "nats": nats_server,
}
