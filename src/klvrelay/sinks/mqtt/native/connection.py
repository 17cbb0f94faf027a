"""One MQTT connection, implemented on a socket in the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from typing import Self, cast

from klvrelay.config.mqtt import MqttSettings
from klvrelay.errors import SinkDown, SinkError
from klvrelay.sinks.mqtt import faults
from klvrelay.sinks.mqtt.connection import Message, Received, StaleSession, Terms, Unanswered
from klvrelay.sinks.mqtt.dial import dial
from klvrelay.sinks.mqtt.incoming_publish import Violation
from klvrelay.sinks.mqtt.native.decode import Connack
from klvrelay.sinks.mqtt.native.encode import disconnect_packet, puback_packet
from klvrelay.sinks.mqtt.native.encode_publish import PublishEncoder
from klvrelay.sinks.mqtt.native.handshake import Handshake, Limits
from klvrelay.sinks.mqtt.native.incoming import Incoming
from klvrelay.sinks.mqtt.native.inflight import Publication
from klvrelay.sinks.mqtt.native.link import Link
from klvrelay.sinks.mqtt.native.outgoing import OutgoingMessages
from klvrelay.sinks.mqtt.native.pings import Pings
from klvrelay.sinks.mqtt.native.subscriptions import SubscriptionRequests
from klvrelay.sinks.mqtt.received import ReceivedMessages
from klvrelay.sinks.mqtt.session import Session
from klvrelay.transports.tcp_info import TcpInfo

CLOSE_TIMEOUT = 2.0
"""Seconds in which DISCONNECT must be sent."""
LAST_READ = 0.3
"""Seconds in which the broker must close the connection after our DISCONNECT."""
ACKS_MOST = 16_000
"""Maximum number of acknowledgements that wait for the broker to read."""

LOG = logging.getLogger("klvrelay.sinks")


class NativeConnection:
    """A connection made by `connect`. Its contract is `Connection`; as `Dialogue` it has the broker's packets."""

    def __init__(
        self,
        sock: socket.socket,
        settings: MqttSettings,
        protocol: int,
        client_id: str,
        will: Message | None,
        terms: Terms,
        session: Session | None,
    ) -> None:
        self._settings = settings
        self._protocol = protocol
        self._client_id = client_id
        self._keeps_session = session is not None
        self._session = session or Session()
        self.older_only = self.hung_up = self.taken_over = self.session_present = False
        self.broke: Message | None = None
        self._closing = False
        self._window = 1
        self._lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._fault: SinkError | None = None
        self._link = Link(sock, self._read, self._note_sent, self._end_lost)
        self._pings = Pings(self._link, self._end_silent)
        self._incoming = Incoming(self, protocol)
        self._encoder = PublishEncoder(protocol)
        self._outgoing = OutgoingMessages(
            self._link, self._encoder, self._session, terms, settings.timeout, self._end_late, self._flush_if_up
        )
        self._subscriptions = SubscriptionRequests(
            self._link, self._incoming, protocol, self._session, settings, self._outgoing.next_number, self._lost,
            self._end,
        )  # fmt: skip
        self._outgoing.reserved = self._subscriptions.numbers
        self._received = ReceivedMessages(self._link.pause, self._link.resume)
        self._acks: deque[int] = deque()  # `Link.sent` once each is sent
        self._handshake = Handshake(sock, settings, protocol, client_id, will, terms)
        out, subscriptions = self._outgoing, self._subscriptions
        self.on_puback, self.on_pubrec, self.on_pubcomp = out.confirm, out.take, out.complete
        self.on_suback, self.on_unsuback = subscriptions.note_granted, subscriptions.note_ended
        self.on_pingresp, self.on_message = self._pings.note_answer, self._received.put

    @property
    def protocol(self) -> int:
        """5, or 4 for MQTT 3.1.1."""
        return self._protocol

    @property
    def terms(self) -> Terms:
        """What the broker supports, as far as known."""
        return self._outgoing.terms

    @property
    def largest(self) -> int:
        """Maximum bytes of a packet that the broker accepts."""
        return self._encoder.largest

    @classmethod
    async def open(
        cls,
        settings: MqttSettings,
        protocol: int,
        client_id: str,
        will: Message | None,
        terms: Terms,
        session: Session | None = None,
        *,
        one_by_one: bool = False,
    ) -> Self:
        """A new connection. Raises WrongVersion if the peer does not accept this protocol version."""
        connection = cls(await dial(settings), settings, protocol, client_id, will, terms, session)
        connection._outgoing.one_by_one = one_by_one
        try:
            await connection._begin()
        except BaseException:
            connection.abort()
            raise
        return connection

    async def publish(self, messages: Sequence[Message], *, ahead: bool = False) -> list[int]:
        """See `Connection.publish`."""
        return self._answers(await self._outgoing.publish(messages, ahead=ahead))

    async def publish_unconfirmed(self, messages: Sequence[Message]) -> None:
        """See `Connection.publish_unconfirmed`."""
        self._answers(await self._outgoing.publish_unconfirmed(messages))

    def _answers(self, publication: Publication) -> list[int]:
        if None in publication.codes or (self._fault is not None and not publication.codes):
            raise Unanswered(str(self._down()), publication.codes, self.broke)
        return cast("list[int]", publication.codes)

    @property
    def has_room(self) -> bool:
        """See `Connection.has_room`."""
        return self._outgoing.has_room

    def traffic(self) -> TcpInfo | None:
        """See `Connection.traffic`."""
        return self._link.traffic()

    def keep_short(self, size: int) -> None:
        """See `Connection.keep_short`."""
        self._link.keep_short(size)

    async def flush(self) -> None:
        """See `Connection.flush`. A broker reads in order, so the answer to a ping follows all messages."""
        if self._lost.done():
            raise self._down()
        answer = self._pings.send()
        waits = {answer, self._lost}
        await asyncio.wait(waits, timeout=self._settings.timeout, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            raise self._end_silent()

    async def _flush_if_up(self) -> None:
        with contextlib.suppress(SinkError):  # the caller finds that the connection has ended
            await self.flush()

    async def subscribe(self, topics: Sequence[str]) -> None:
        """See `Connection.subscribe`."""
        await self._subscriptions.begin(topics)

    async def unsubscribe(self, topics: Sequence[str]) -> None:
        """See `Connection.unsubscribe`."""
        await self._subscriptions.end(topics)

    async def received(self) -> AsyncGenerator[Received, None]:
        """See `Connection.received`."""
        while (message := await self._received.get()) is not None:
            yield message
        raise self._down()

    async def close(self) -> None:
        """See `Connection.close`."""
        self._link.write(disconnect_packet(self._protocol, ends_session=self._keeps_session))
        try:
            if await self._link.finish(CLOSE_TIMEOUT):
                self._closing = True
                self.abort()
                await self._link.read_to_end(LAST_READ)
        finally:
            self._closing = False
            self.abort()

    def widen(self) -> None:
        """See `Connection.widen`."""
        self._outgoing.one_by_one = False
        self._outgoing.flight.widen(self._window)

    def abort(self) -> None:
        """See `Connection.abort`."""
        self._end(SinkDown(f"{self._settings.url}: the connection was closed"))

    async def _begin(self) -> None:
        if self._session.wanted:  # the session may have subscriptions of an earlier connection
            self._incoming.unsubscribed = True
        self._link.write(self._handshake.connect_packet(keeps_session=self._keeps_session))
        await self._handshake.complete(self._lost, self._fault_of_greeting)
        if self._keeps_session:
            await self._begin_session()

    def _fault_of_greeting(self) -> SinkError | None:
        """What was wrong with the CONNACK, if there was one."""
        return self._fault if self._incoming.greeted else None

    async def _begin_session(self) -> None:
        """Complete the messages of an earlier connection, and end its subscriptions."""
        begun, self._session.begun = self._session.begun, True
        if self.session_present and not begun:
            raise StaleSession  # see `Session`
        if not self.session_present and (count := self._session.taken):
            LOG.error(
                "%s: the broker lost its session: messages acknowledged with PUBREC only may be lost: count=%d",
                self._settings.url, count,
            )  # fmt: skip
        self._answers(await self._outgoing.resume(self.session_present))
        for topic in tuple(self._session.wanted):
            self._subscriptions.request_end(topic)

    # ---- the broker's packets: see `Dialogue` ----

    @property
    def pings_expected(self) -> bool:
        return self._pings.expected

    @property
    def subacks(self) -> int:
        return self._subscriptions.requests

    @property
    def unsubacks(self) -> int:
        return self._subscriptions.ending

    def on_connack(self, connack: Connack) -> None:
        limits = Limits.of(connack, self._settings, self._protocol)
        out = self._outgoing
        out.terms = Terms(min(out.terms.qos, limits.qos), out.terms.retain and limits.retain)
        self._window = limits.window
        out.flight.most = 1 if out.one_by_one else self._window
        self._encoder.largest = limits.largest
        self._encoder.allow_aliases(limits.aliases)
        self.session_present = connack.session_present
        self._pings.begin(limits.keepalive)
        self._handshake.answer(connack.code, out.terms)

    def acknowledge(self, number: int) -> None:
        """Acknowledge a message of QoS 1."""
        while self._acks and self._acks[0] <= self._link.sent:
            self._acks.popleft()
        if len(self._acks) >= ACKS_MOST:
            raise Violation("messages of QoS 1, and it reads no acknowledgements")
        self._acks.append(self._link.write(puback_packet(number)))

    def on_disconnect(self, code: int) -> None:
        self.taken_over = self.taken_over or code == faults.TAKEN_OVER
        if code in faults.OF_A_MESSAGE:
            self.broke = self._outgoing.oldest()
        self._end(faults.lost(self._settings, code, True, self._client_id))

    # ---- the end ----

    def _read(self, data: bytes) -> None:
        if self._fault is not None:
            return
        try:
            self._incoming.feed(data)
        except Violation as fault:
            self._handshake.violated = True
            self._end(faults.protocol_error(self._settings, str(fault)))

    def _note_sent(self) -> None:
        self._outgoing.note_sent()

    def _end_lost(self) -> None:
        """The broker has closed the connection, or it broke."""
        self.hung_up = self._fault is None
        if self.hung_up:
            self.broke = self._outgoing.oldest()
        self._end(faults.lost(self._settings, 0, False, self._client_id))

    def _end_silent(self) -> SinkError:
        return self._end(faults.lost(self._settings, faults.KEEPALIVE_MISSED, False, self._client_id))

    def _end_late(self) -> None:
        self._end(SinkDown(f"{self._settings.url}: no confirmation within {self._settings.timeout:g} s"))

    def _end(self, fault: SinkError) -> SinkError:
        """End the connection, and wake all waiting calls. Returns the fault to raise: that of the first call."""
        if self._fault is None:
            self._fault = fault
            self._lost.set_result(None)
            self._incoming.end()
            self._outgoing.end()
            self._received.end()
            self._pings.end()
        if not self._closing:
            self._link.abort()
        return self._down()

    def _down(self) -> SinkError:
        fault = self._fault or SinkDown(f"{self._settings.url}: the connection was closed")
        return type(fault)(*fault.args)
