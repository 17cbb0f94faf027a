"""A connection to a TAK server over TCP or TLS.

    opened --> XML --server offers TAK protocol 1, and it is wanted--> requested --accepted--> protocol buffers
                ^                                                          |
                +------------------------- refused ------------------------+

While a request is not answered, nothing is sent. The server confirms no event: a record counts as delivered when the
server's kernel has acknowledged all bytes of its events.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator, Sequence
from typing import Any

from klvrelay.config.sinks.cot import CotSettings
from klvrelay.errors import SinkDown
from klvrelay.sinks.cot.control_events import ping, pong, protocol_request
from klvrelay.sinks.cot.conversion import EventConversion
from klvrelay.sinks.cot.cot_event import CotEvent
from klvrelay.sinks.cot.event_protobuf import event_frame
from klvrelay.sinks.cot.event_xml import event_xml
from klvrelay.sinks.cot.server_messages import ServerMessage, ServerMessages
from klvrelay.sinks.dialing.acknowledgement import acknowledged
from klvrelay.sinks.dialing.dial import dial
from klvrelay.sinks.dialing.faults import lost
from klvrelay.sinks.dialing.link import Link
from klvrelay.sinks.publishing.far_end import Unconfirmed
from klvrelay.sinks.publishing.publication import Publication
from klvrelay.sinks.results import DELIVERED, UNWANTED
from klvrelay.transports.tcp_info import TcpInfo

PING = 15.0
"""Seconds without sent bytes after which a ping follows."""
ANSWER = 60.0
"""Seconds to wait for the answer to a request of TAK protocol 1."""
PONG = 1.0
"""Minimum seconds between two answers to pings: a server that floods gets no more, so that nothing piles up."""
READ_MOST, READ_PERIOD = 2 << 20, 1.0
"""Maximum bytes that are read in these seconds: a server that floods must not take the processor from other sinks."""
GROUP_MOST = 200
"""Events that are sent before their acknowledgement is awaited, and those of one more record."""
CLOSING = 1.0
"""Seconds to send the rest at the end."""


class TakStream:
    """One connection. Its contract is `FarEnd`."""

    detail = ""

    def __init__(self, settings: CotSettings) -> None:
        self._settings = settings
        self.url = settings.url
        self._conversion = EventConversion(settings)
        self._connection: _Connection | None = None

    async def open(self) -> None:
        """Connect. Raises SinkDown or SinkRefused, with a remedy."""
        sock = await dial(self._settings)
        self._connection = _Connection(self._settings, sock)

    async def send(self, publications: Sequence[Publication]) -> Sequence[int]:
        """Send the events, and return once the server's kernel has acknowledged them. A record without any is UNWANTED.

        Raises Unconfirmed.
        """
        connection = self._connected()
        results: list[int] = []
        for made in self._groups(publications):
            try:
                await connection.send([event for events in made for event in events])
            except SinkDown as fault:
                raise Unconfirmed(str(fault), results) from None
            results += [DELIVERED if events else UNWANTED for events in made]
        return results

    def _groups(self, publications: Sequence[Publication]) -> Iterator[list[Sequence[CotEvent]]]:
        """The events of each publication, together until there are `GROUP_MOST`."""
        made: list[Sequence[CotEvent]] = []
        for publication in publications:
            made.append(self._conversion.of(publication))
            if sum(map(len, made)) >= GROUP_MOST:
                yield made
                made = []
        if made:
            yield made

    async def lost(self) -> SinkDown:
        """Wait until the connection is lost. An idle one is checked with pings."""
        return await self._connected().ended()

    async def close(self) -> None:
        """Send the rest, and close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    def _connected(self) -> _Connection:
        if self._connection is None:
            raise SinkDown(f"{self.url}: not connected")
        return self._connection


class _Connection:
    """A connected socket: writes events, reads what the server sends."""

    def __init__(self, settings: CotSettings, sock: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        self._settings = settings
        self._over: asyncio.Future[SinkDown] = loop.create_future()
        self._answered: asyncio.Future[None] = loop.create_future()
        self._answered.set_result(None)
        self._written = event_xml
        self._messages = ServerMessages()
        self._pong_due = loop.time()
        self._has_requested = False
        self._was_read = 0
        self._period = loop.time()
        self._link = Link(sock, self._read, lambda: None, self._end)

    async def send(self, events: Sequence[CotEvent]) -> None:
        """Send events, and wait for their acknowledgement. Raises SinkDown."""
        if not self._answered.done():
            awaited: set[asyncio.Future[Any]] = {self._answered, self._over}
            await asyncio.wait(awaited, timeout=ANSWER, return_when=asyncio.FIRST_COMPLETED)
            if not self._answered.done():
                self._fail(lost(self._settings, TimeoutError()))
        self._check()
        if events:
            self._link.write(b"".join(map(self._written, events)))
            await self._acknowledged()

    async def _acknowledged(self) -> None:
        self._link.flush()
        try:
            await acknowledged(self._traffic, self._settings.timeout)
        except TimeoutError as fault:
            self._fail(lost(self._settings, fault))
        self._check()

    def _traffic(self) -> TcpInfo | None:
        self._check()
        return self._link.traffic()

    def _check(self) -> None:
        """Raise what ended the connection."""
        if self._over.done():
            raise SinkDown(str(self._over.result()))

    async def ended(self) -> SinkDown:
        """Wait for the end, and send pings while nothing else is sent. Returns the cause."""
        loop = asyncio.get_running_loop()
        while not self._over.done():
            await asyncio.wait({self._over}, timeout=PING)
            if not self._over.done() and self._answered.done() and loop.time() - self._link.last_out >= PING:
                await self._ping()
        return self._over.result()

    async def _ping(self) -> None:
        self._link.write(self._written(ping(self._settings.uid_prefix)))
        try:
            await self._acknowledged()
        except SinkDown as fault:
            self._fail(fault)

    async def close(self) -> None:
        if not self._over.done():
            await self._link.finish(CLOSING)
        self._fail(SinkDown(f"{self._settings.url}: closed"))

    # ---- what the server sends ----

    def _read(self, data: bytes) -> None:
        self._limit(len(data))
        for message in self._messages.feed(data):
            self._follow(message)

    def _limit(self, size: int) -> None:
        """Stop reading for the rest of the period after too many bytes."""
        loop = asyncio.get_running_loop()
        if loop.time() - self._period >= READ_PERIOD:
            self._period, self._was_read = loop.time(), 0
        self._was_read += size
        if self._was_read > READ_MOST and not self._link.paused:
            self._link.pause()
            loop.call_at(self._period + READ_PERIOD, self._link.resume)

    def _follow(self, message: ServerMessage) -> None:
        match message.notice:
            case "ping" if self._answered.done():
                self._pong()
            case "offer" if self._settings.tak_protocol == "protobuf" and not self._has_requested:
                self._request(message.uid)
            case "accepted" | "refused":
                self._written = event_frame if message.notice == "accepted" else event_xml
                if not self._answered.done():
                    self._answered.set_result(None)
            case "garbled":
                self._fail(SinkDown(f"{self._settings.url}: the TAK server sent neither XML nor TAK protocol 1"))

    def _pong(self) -> None:
        now = asyncio.get_running_loop().time()
        if now >= self._pong_due:
            self._pong_due = now + PONG
            self._link.write(self._written(pong(self._settings.uid_prefix)))

    def _request(self, uid: str) -> None:
        """Once per connection: a server that offers again after it refused would otherwise make this endless."""
        self._has_requested = True
        self._answered = asyncio.get_running_loop().create_future()
        self._messages.request()
        self._link.write(event_xml(protocol_request(uid)))

    def _end(self) -> None:
        self._fail(lost(self._settings))

    def _fail(self, fault: SinkDown) -> None:
        """End the connection."""
        if not self._over.done():
            self._over.set_result(fault)
        self._link.abort()
