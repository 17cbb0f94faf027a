"""One MQTT connection, implemented on a socket in the event loop."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections import deque
from collections.abc import Sequence

from klvrelay.config.mqtt import MqttSettings
from klvrelay.errors import SinkError
from klvrelay.sinks.mqtt.native.decode import Connack
from klvrelay.sinks.mqtt.native.encode import connect_packet, disconnect_packet, puback_packet
from klvrelay.sinks.mqtt.native.encode_publish import PublishEncoder
from klvrelay.sinks.mqtt.native.incoming import Incoming
from klvrelay.sinks.mqtt.native.limits import Limits
from klvrelay.sinks.mqtt.native.link import Link
from klvrelay.sinks.mqtt.native.outgoing import OutgoingMessages
from klvrelay.sinks.mqtt.native.pings import Pings
from klvrelay.sinks.mqtt.native.subscription_requests import SubscriptionRequests
from klvrelay.sinks.mqtt.protocol.base_connection import BaseConnection
from klvrelay.sinks.mqtt.protocol.connection import Message, StaleSession, Terms
from klvrelay.sinks.mqtt.protocol.incoming_publish import Violation
from klvrelay.sinks.mqtt.protocol.received import ReceivedMessages
from klvrelay.sinks.mqtt.protocol.session import Session
from klvrelay.sinks.mqtt.protocol.subscriptions import Subscriptions
from klvrelay.transports.tcp_info import TcpInfo

CLOSE_TIMEOUT = 2.0
"""Seconds in which DISCONNECT must be sent."""
LAST_READ = 0.3
"""Seconds in which the broker must close the connection after our DISCONNECT."""
ACKS_MOST = 16_000
"""Maximum number of acknowledgements that wait for the broker to read."""

LOG = logging.getLogger("klvrelay.sinks")


class NativeConnection(BaseConnection):
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
        super().__init__(sock, settings, protocol, client_id, will, terms, session)
        self._keeps_session = session is not None
        self._session = session or Session()
        self.session_present = False
        self._link = Link(sock, self._read, lambda: None, self._end_hung_up)
        self._pings = Pings(self._link, self._end_silent)
        self._subscriptions = Subscriptions()
        self._incoming = Incoming(self, protocol, self._subscriptions)
        self._encoder = PublishEncoder(protocol)
        self._outgoing: OutgoingMessages = OutgoingMessages(
            self._link, self._encoder, self._session, terms, settings.timeout, self._end_late, self._flush_if_up
        )
        self._requests = SubscriptionRequests(
            self._link, self._subscriptions, protocol, self._session, settings, self._outgoing.next_number, self._lost,
            self._end,
        )  # fmt: skip
        self._outgoing.reserved = self._requests.numbers
        self._link.on_sent = self._outgoing.note_sent
        self._received = ReceivedMessages(self._link.pause, self._link.resume)
        self._acks: deque[int] = deque()  # `Link.sent` once each is sent
        out, requests = self._outgoing, self._requests
        self.on_puback, self.on_pubrec, self.on_pubcomp = out.confirm, out.take, out.complete
        self.on_suback, self.on_unsuback = requests.note_granted, requests.note_ended
        self.on_pingresp, self.on_message = self._pings.note_answer, self._received.put

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

    async def subscribe(self, topics: Sequence[str]) -> None:
        """See `Connection.subscribe`."""
        await self._requests.begin(topics)

    async def unsubscribe(self, topics: Sequence[str]) -> None:
        """See `Connection.unsubscribe`."""
        await self._requests.end(topics)

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

    async def _begin(self) -> None:
        if self._session.wanted:  # the session may have subscriptions of an earlier connection
            self._subscriptions.unsubscribed = True
        self._link.write(
            connect_packet(
                self._settings, self._protocol, self._client_id, self._handshake.will, keeps_session=self._keeps_session
            )
        )
        await self._handshake.complete(self._lost, self._fault_of_greeting)
        if self._keeps_session:
            await self._begin_session()

    @property
    def _greeted(self) -> bool:
        return self._incoming.greeted

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
            self._requests.request_end(topic)

    # ---- the broker's packets: see `Dialogue` ----

    @property
    def pings_expected(self) -> bool:
        return self._pings.expected

    @property
    def subacks(self) -> int:
        return self._requests.requests

    @property
    def unsubacks(self) -> int:
        return self._requests.ending

    def on_connack(self, connack: Connack) -> None:
        limits = Limits.of(connack, self._settings, self._protocol)
        self._encoder.largest = limits.largest
        self._encoder.allow_aliases(limits.aliases)
        self.session_present = connack.session_present
        self._pings.begin(limits.keepalive)
        self._note_connack(connack.code, Terms(limits.qos, limits.retain), limits.window)

    def acknowledge(self, number: int) -> None:
        """Acknowledge a message of QoS 1."""
        while self._acks and self._acks[0] <= self._link.sent:
            self._acks.popleft()
        if len(self._acks) >= ACKS_MOST:
            raise Violation("messages of QoS 1, and it reads no acknowledgements")
        self._acks.append(self._link.write(puback_packet(number)))

    def on_disconnect(self, code: int) -> None:
        self._end_by_broker(code)

    # ---- the end ----

    def _read(self, data: bytes) -> None:
        if self._fault is not None:
            return
        try:
            self._incoming.feed(data)
        except Violation as fault:
            self._end_violated(str(fault))

    def _end(self, fault: SinkError) -> SinkError:
        if self._fault is None:
            self._incoming.end()
            self._pings.end()
        return super()._end(fault)

    def _shut(self) -> None:
        self._link.abort()
