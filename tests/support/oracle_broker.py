"""The oracle broker: logs a PUBLISH before its PUBACK; refuses, stalls, drops or hangs up on demand.

A subset of MQTT 3.1.1 and 5 in asyncio, enough for a publisher and a simple subscriber.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Self

from mqtt_wire import (
    Guest,
    Published,
    limit_property,
    packed_length,
    read_connect,
    read_packet,
    read_publish,
    read_text,
    resolved,
)

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = 1, 2, 3, 4, 5, 6, 7
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK = 8, 9, 10, 11
PINGREQ, DISCONNECT = 12, 14
ALIAS_MAXIMUM, ALIAS_INVALID = 0x22, 0x94


@dataclass(slots=True)
class Manners:
    """How the broker behaves; read for every packet.

    speaks       protocol versions it answers
    stranger response to a CONNECT of another version: "refused" (as 3.1.1 brokers do), "closed" or "silent"
    connack      reason code
    limits       CONNACK properties by id, version 5 only
    puback       reason code of every PUBACK
    ack          whether it acknowledges at all
    subscribe    reason code of every SUBACK; below 0 for no answer
    curt         (QoS, whether retained): closes without a packet where a last will or a PUBLISH exceeds these
    late the same for PUBLISH only
    refuses      topics that get the reason code 0x87
    sessions     whether it keeps sessions (QoS 2)
    """

    speaks: tuple[int, ...] = (4, 5)
    stranger: str = "refused"
    connack: int = 0
    limits: dict[int, int] = field(default_factory=dict)
    puback: int = 0
    ack: bool = True
    subscribe: int = 0
    curt: tuple[int, bool] = (2, True)
    late: bool = False
    refuses: frozenset[str] = frozenset()
    sessions: bool = True

    def stands(self, qos: int, retain: bool) -> bool:
        return qos <= self.curt[0] and (self.curt[1] or not retain)


class OracleBroker:
    """`async with OracleBroker() as broker:`; see `published`, `wills`, `guests` and `goodbyes`.

    A message of QoS 2 is `released` at its PUBREL, as by mosquitto; `on_step` is called with "PUBLISH", "PUBREC",
    "PUBREL" and "PUBCOMP" after the broker has received or sent one, and may cut the connections.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.manners = Manners()
        self._tls = tls
        self.guests: list[Guest] = []
        self.published: list[Published] = []
        self.released: list[Published] = []
        self.sizes: list[int] = []
        self.on_step: Callable[[str], None] = lambda step: None
        self._sessions: dict[str, dict[int, Published]] = {}
        self.wills: list[tuple[str, bytes]] = []
        self.subscriptions: list[str] = []
        self.goodbyes = 0
        self.most_unacked = 0
        self._server: asyncio.Server | None = None
        self._owed: list[Callable[[], None]] = []
        self._here: set[Guest] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    @property
    def url(self) -> str:
        return f"mqtt{'s' if self._tls else ''}://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen, on the same port as before."""
        self._server = await asyncio.start_server(self._welcome, "127.0.0.1", self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and close all connections."""
        if self._server is not None:
            self._server.close()
        self.cut()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=2)

    def cut(self, reset: bool = False) -> None:
        """End every connection, by FIN or by RST."""
        for guest in self._here:
            guest.gone = True
            if reset:
                sock = guest.writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                guest.writer.transport.abort()
            guest.writer.close()

    def dismiss(self, code: int) -> None:
        """Send a DISCONNECT with a reason (MQTT 5) to every client, and close."""
        for guest in self._here:
            guest.writer.write(bytes([DISCONNECT << 4, 2, code, 0]))
            guest.writer.close()

    def acknowledge(self) -> None:
        """Acknowledge what was held back, and later messages at once."""
        self.manners.ack = True
        while self._owed:
            self._owed.pop(0)()

    def acknowledge_one(self) -> None:
        """Acknowledge the oldest message of those that were held back."""
        self._owed.pop(0)()

    @property
    def unanswered(self) -> int:
        """Messages whose acknowledgement is held back."""
        return len(self._owed)

    def payloads(self, topic: str | None = None) -> list[bytes]:
        return [p.payload for p in self.published if topic is None or p.topic == topic]

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        guest = Guest(len(self.guests), reader, writer)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.guests.append(guest)
        self._here.add(guest)
        polite = False
        try:
            polite = await self._serve(guest)
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            self._here.discard(guest)
            self._tasks.discard(task)
            if not polite and guest.will is not None:
                self.wills.append(guest.will)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _serve(self, guest: Guest) -> bool:
        """Answer packets until the client leaves; returns whether it sent DISCONNECT."""
        while not guest.gone:
            kind, flags, body = await read_packet(guest.reader)
            if kind == CONNECT:
                if not await self._connect(guest, body):
                    return True
            elif kind == PUBLISH and not self.manners.stands(flags >> 1 & 3, bool(flags & 1)):
                return True
            elif kind == PUBLISH:
                self.sizes.append(1 + len(packed_length(len(body))) + len(body))
                self._publish(guest, flags, body)
            elif kind == PUBREL:
                self._pubrel(guest, body)
            elif kind == SUBSCRIBE:
                self._subscribe(guest, body)
            elif kind == UNSUBSCRIBE:
                self._unsubscribe(guest, body)
            elif kind == PINGREQ and self.manners.ack:
                guest.writer.write(b"\xd0\x00")
            elif kind == DISCONNECT:
                self.goodbyes += 1
                if len(body) > 1:  # the only property that is sent is a session expiry of 0
                    self._sessions.pop(guest.client_id, None)
                return True
        return False

    async def _connect(self, guest: Guest, body: bytes) -> bool:
        guest.level = body[6]
        if guest.level not in self.manners.speaks:
            if self.manners.stranger == "refused":
                guest.writer.write(b"\x20\x02\x00\x01")
            elif self.manners.stranger == "silent":
                await guest.reader.read()
            return False
        read_connect(guest, body)
        if not self.manners.late and not self.manners.stands(body[7] >> 3 & 3, bool(body[7] & 0x20)):
            return False
        code = self.manners.connack
        answer = bytes([self._begin_session(guest), code])
        if guest.level == 5:
            limits = b"".join(limit_property(key, value) for key, value in self.manners.limits.items())
            answer += bytes([len(limits)]) + limits
        guest.writer.write(bytes([CONNACK << 4, len(answer)]) + answer)
        if code:
            guest.will = None
        return code == 0

    def _begin_session(self, guest: Guest) -> bool:
        """Does a session of this client exist to resume?"""
        if guest.clean or not self.manners.sessions:
            self._sessions.pop(guest.client_id, None)
        present = guest.client_id in self._sessions
        if guest.expiry:
            self._sessions.setdefault(guest.client_id, {})
        return present

    def _publish(self, guest: Guest, flags: int, body: bytes) -> None:
        read, packet_id = read_publish(guest, flags, body)
        published = resolved(guest, read, self.manners.limits.get(ALIAS_MAXIMUM, 0))
        if published is None:
            self.dismiss(ALIAS_INVALID)
            return
        self.published.append(published)
        if published.qos == 2:
            self._publish_2(guest, published, packet_id)
            return
        self._hand_on(published)
        if published.qos == 0:
            return
        guest.unacked += 1
        self.most_unacked = max(self.most_unacked, guest.unacked)
        if self.manners.ack:
            # A turn of the loop later, so that messages which arrive together are unacknowledged together.
            asyncio.get_running_loop().call_soon(self._puback, guest, packet_id, published.topic)
        else:
            self._owed.append(partial(self._puback, guest, packet_id))

    def _publish_2(self, guest: Guest, published: Published, packet_id: int) -> None:
        code = 0x87 if published.topic in self.manners.refuses else 0
        if not code:
            self._sessions.setdefault(guest.client_id, {})[packet_id] = published
        self.on_step("PUBLISH")
        if not self.manners.ack:
            self._owed.append(partial(self._answer, guest, PUBREC, packet_id, code))
        elif not guest.gone:
            self._answer(guest, PUBREC, packet_id, code)

    def _pubrel(self, guest: Guest, body: bytes) -> None:
        packet_id = int.from_bytes(body[:2], "big")
        known = self._sessions.get(guest.client_id, {}).pop(packet_id, None)
        if known is not None:
            self.released.append(known)
            self._hand_on(known)
        self.on_step("PUBREL")
        if not guest.gone:
            self._answer(guest, PUBCOMP, packet_id, 0 if known is not None or guest.level == 4 else 0x92)

    def _answer(self, guest: Guest, kind: int, packet_id: int, code: int) -> None:
        answer = struct.pack("!H", packet_id) + (bytes([code, 0]) if code else b"")
        guest.writer.write(bytes([kind << 4, len(answer)]) + answer)
        self.on_step("PUBREC" if kind == PUBREC else "PUBCOMP")

    def _puback(self, guest: Guest, packet_id: int, topic: str = "") -> None:
        code = 0x87 if topic in self.manners.refuses else self.manners.puback
        guest.unacked -= 1
        answer = struct.pack("!H", packet_id)
        if guest.level == 5 and code:
            answer += bytes([code, 0])
        guest.writer.write(bytes([PUBACK << 4, len(answer)]) + answer)

    def _subscribe(self, guest: Guest, body: bytes) -> None:
        at = 2 if guest.level == 4 else 3
        topic, _ = read_text(body, at)
        guest.filters.append(topic)
        self.subscriptions.append(topic)
        if self.manners.subscribe < 0:
            return
        answer = body[:2] + (b"\x00" if guest.level == 5 else b"") + bytes([self.manners.subscribe])
        guest.writer.write(bytes([SUBACK << 4, len(answer)]) + answer)

    def _unsubscribe(self, guest: Guest, body: bytes) -> None:
        topic, _ = read_text(body, 2 if guest.level == 4 else 3)
        guest.filters = [wanted for wanted in guest.filters if wanted != topic]
        answer = body[:2] + (b"\x00\x00" if guest.level == 5 else b"")
        guest.writer.write(bytes([UNSUBACK << 4, len(answer)]) + answer)

    def _hand_on(self, published: Published) -> None:
        """To each subscriber, at QoS 0 and without properties."""
        topic = published.topic.encode()
        for guest in self._here:
            if any(_matches(published.topic, wanted) for wanted in guest.filters):
                body = struct.pack("!H", len(topic)) + topic + (b"\x00" if guest.level == 5 else b"")
                body += published.payload
                guest.writer.write(bytes([PUBLISH << 4]) + packed_length(len(body)) + body)


def _matches(topic: str, wanted: str) -> bool:
    levels, names = wanted.split("/"), topic.split("/")
    if levels[-1] == "#":
        levels, names = levels[:-1], names[: len(levels) - 1]
    return len(levels) == len(names) and all(a in ("+", b) for a, b in zip(levels, names, strict=True))
