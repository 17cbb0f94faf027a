"""A broker that reads a CONNECT and then follows a script; it counts what the client reads.

`test_hostile_broker.py`, `test_connack.py` and `test_subscriptions.py` have the scripts; `mqtt_wire.py` reads what the
client sends.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from mqtt_wire import packed_length, read_packet
from oracle_broker import OracleBroker

from klvrelay.config.mqtt import MqttSettings
from klvrelay.sinks.mqtt.protocol.connection import Message

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = 1, 2, 3, 4, 5, 6, 7
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT, AUTH = 8, 9, 10, 11, 12, 13, 14, 15
WILL = Message("kr/status", b"gone", retain=True)
SPOKEN = "\x1b[2Jowned\n\u202e"
USER_PROPERTY, REASON, REFERENCE, ASSIGNED_ID = b"\x26", b"\x1f", b"\x1c", b"\x12"
RECEIVE_MOST, ALIASES, PACKET_MOST, KEEPALIVE = b"\x21", b"\x22", b"\x27", b"\x13"
KERNEL = 24 << 20
"""Bytes that a loopback connection may buffer for a reader that has stopped."""


def to(broker: HostileBroker | OracleBroker, **settings: Any) -> MqttSettings:
    return MqttSettings.from_url(broker.url, **{"timeout": 2.0, **settings})


def packet(kind: int, body: bytes = b"", flags: int = 0) -> bytes:
    return bytes([kind << 4 | flags]) + packed_length(len(body)) + body


def text(words: str | bytes) -> bytes:
    data = words.encode() if isinstance(words, str) else words
    return struct.pack("!H", len(data)) + data


def connack(level: int, properties: bytes = b"", code: int = 0, present: int = 0) -> bytes:
    more = packed_length(len(properties)) + properties if level == 5 else b""
    return packet(CONNACK, bytes([present, code]) + more)


def publish(level: int, topic: str | bytes, payload: bytes = b"", qos: int = 0, number: int = 1) -> bytes:
    head = text(topic) + (struct.pack("!H", number) if qos else b"") + (b"\0" if level == 5 else b"")
    return packet(PUBLISH, head + payload, qos << 1)


@dataclass(eq=False)
class Guest:
    """One connection whose CONNECT has been read."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    level: int = 0
    connect: bytes = b""
    taken: int = 0
    published: list[bytes] = field(default_factory=list)
    pings: int = 0
    withheld: list[bytes] = field(default_factory=list)

    async def send(self, data: bytes) -> None:
        """Return once the client, or its kernel, has accepted the bytes."""
        self.writer.write(data)
        await self.writer.drain()
        self.taken += len(data)

    async def flood(self, data: bytes, most: int = 128 << 20) -> None:
        """Repeat the bytes until the client closes or has accepted far too much."""
        while self.taken < most:
            await self.send(data)

    async def first_publish(self) -> bytes:
        """The body of the first PUBLISH; earlier subscriptions are granted."""
        while True:
            kind, _, body = await read_packet(self.reader)
            if kind == PUBLISH:
                return body
            await self.send(self._suback(body))

    def _suback(self, body: bytes) -> bytes:
        return packet(SUBACK, body[:2] + (b"\0" if self.level == 5 else b"") + b"\0")

    async def behave(self, acks: bool = True) -> None:
        """Behave as a correct broker until the client leaves; without `acks`, withhold the acknowledgements."""
        while True:
            kind, flags, body = await read_packet(self.reader)
            if kind == PUBLISH:
                at = 2 + int.from_bytes(body[:2], "big")
                self.published.append(body)
                if flags & 6:
                    self.withheld.append(packet(PUBACK, body[at : at + 2]))
            elif kind == SUBSCRIBE:
                await self.send(self._suback(body))
            elif kind == UNSUBSCRIBE:
                await self.send(packet(UNSUBACK, body[:2] + (b"\0\0" if self.level == 5 else b"")))
            elif kind == PINGREQ:
                self.pings += 1
                await self.send(packet(PINGRESP))
            elif kind == DISCONNECT:
                return
            while acks and self.withheld:
                await self.send(self.withheld.pop(0))


Script = Callable[[Guest], Awaitable[None]]


class HostileBroker:
    """`async with HostileBroker(script) as broker:`; see `guests`."""

    def __init__(self, script: Script, listens: bool = True) -> None:
        self.guests: list[Guest] = []
        self.port = 0
        self._script = script
        self._listens = listens
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    @property
    def taken(self) -> int:
        return sum(guest.taken for guest in self.guests)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._welcome, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        guest, task = Guest(reader, writer), asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.guests.append(guest)
        try:
            if self._listens:
                _, _, guest.connect = await read_packet(reader)
                guest.level = guest.connect[6]
            await self._script(guest)
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            self._tasks.discard(task)
            writer.transport.abort()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
