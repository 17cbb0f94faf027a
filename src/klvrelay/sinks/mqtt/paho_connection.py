"""One MQTT connection, implemented with the library paho.

Of the other modules only `paho_client`, `pump`, `outgoing` and `subscriptions` use paho. Incoming packets are checked
before paho reads them. These private parts of paho (2.1 to 2.2) are used: `_create_socket_connection`, `_keepalive`,
`_loop_rc_handle`, `_ping_t`, `_send_pingreq`; to resume a session, `_last_mid`, `_out_messages`, `_inflight_messages`,
`_send_publish`, `_send_pubrel` and `_protocol`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncGenerator, Sequence
from typing import Any, Self, cast

from paho.mqtt.client import Client as Paho
from paho.mqtt.client import ConnectFlags, DisconnectFlags
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from klvrelay.config.mqtt import MqttSettings
from klvrelay.errors import SinkDown, SinkError
from klvrelay.sinks.mqtt import faults
from klvrelay.sinks.mqtt.connection import (
    LesserTerms,
    Message,
    Received,
    StaleSession,
    Terms,
    Unanswered,
    WrongVersion,
)
from klvrelay.sinks.mqtt.dial import dial
from klvrelay.sinks.mqtt.incoming import Incoming
from klvrelay.sinks.mqtt.inflight import Publication
from klvrelay.sinks.mqtt.outgoing import Outgoing
from klvrelay.sinks.mqtt.packets import LARGEST_PACKET
from klvrelay.sinks.mqtt.paho_client import connect_properties, end_of_session, new_client
from klvrelay.sinks.mqtt.pump import Pump
from klvrelay.sinks.mqtt.received import ReceivedMessages
from klvrelay.sinks.mqtt.session import Session
from klvrelay.sinks.mqtt.subscriptions import Subscriptions

CLOSE_TIMEOUT = 2.0
"""Seconds in which DISCONNECT must be sent."""
LAST_READ = 0.3
"""Seconds in which the broker must close the connection after our DISCONNECT."""
PING_CHECK = 0.004
"""Seconds between two checks for the answer to a ping."""

LOG = logging.getLogger("klvrelay.sinks")


class PahoConnection:
    """A connection made by `connect`. Its contract is `Connection`."""

    def __init__(
        self,
        settings: MqttSettings,
        protocol: int,
        client_id: str,
        will: Message | None,
        terms: Terms,
        session: Session | None,
    ) -> None:
        loop = asyncio.get_running_loop()
        self._settings = settings
        self._protocol = protocol
        self._client_id = client_id
        self._publishes = will is not None
        self._keeps_session = session is not None
        self._session = session or Session()
        self.older_only = self.hung_up = self.taken_over = self.session_present = False
        self.broke: Message | None = None
        self._violated = self._closing = False
        self._window = 1
        self._requested = terms
        fitted = None if will is None else terms.fitted(will)
        self._paho = new_client(settings, protocol, client_id, fitted, keeps_session=self._keeps_session)
        self._set_callbacks()
        self._handle: socket.socket | None = None
        self._sock: socket.socket | None = None
        self._connack: asyncio.Future[int] = loop.create_future()
        self._lost: asyncio.Future[None] = loop.create_future()
        self._disconnected: asyncio.Future[None] = loop.create_future()  # as reported by paho
        self._fault: SinkError | None = None
        self._outgoing = Outgoing(
            self._paho, protocol, self._session, terms, settings.timeout, self._end_late, self._end_unsent,
            self._flush_if_up,
        )  # fmt: skip
        self._pump = Pump(self._paho)
        self._subscriptions = Subscriptions(self._paho, self._pump, self._session, settings, self._lost, self._end)
        self._received = ReceivedMessages(self._pump.pause, self._pump.resume)

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
        return self._outgoing.largest

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
        connection = cls(settings, protocol, client_id, will, terms, session)
        connection._outgoing.one_by_one = one_by_one
        await connection._shake_hands(await dial(settings))
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

    async def flush(self) -> None:
        """See `Connection.flush`. A broker reads in order, so the answer to a ping follows all messages."""
        self._paho._send_pingreq()
        try:
            async with asyncio.timeout(self._settings.timeout):
                while self._paho._ping_t:
                    await asyncio.wait({self._lost}, timeout=PING_CHECK)
                    if self._lost.done():
                        raise self._down()
        except TimeoutError:
            raise self._end(SinkDown(f"{self._settings.url}: the broker no longer answers")) from None

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
        self._closing = True
        try:
            self._paho.disconnect(properties=end_of_session(self._protocol) if self._keeps_session else None)
            if self._paho.socket() is not None:
                await _first(self._disconnected, timeout=CLOSE_TIMEOUT)
            if self._disconnected.done() and self._handle is not None:
                await _read_to_end(self._handle)
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

    async def _shake_hands(self, sock: socket.socket) -> None:
        # A second descriptor of the connection: if it is shut down, paho finds the end at its next read.
        try:
            self._handle = socket.fromfd(sock.fileno(), sock.family, sock.type)
        except OSError:  # EMFILE
            sock.close()
            raise
        self._sock = sock
        self._pump.attach(
            Incoming(sock, self._protocol, self._outgoing.flight.__contains__, self._session.take, self._receive)
        )
        if self._session.wanted:
            self._pump.expect_leftovers()
        try:
            self._send_connect()
            await self._check_connack()
            if self._keeps_session:
                await self._begin_session()
        except BaseException:
            self.abort()
            if self._paho.socket() is not None:
                await _first(self._disconnected, timeout=1)
            sock.close()
            raise

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

    def _send_connect(self) -> None:
        """Queue the CONNECT. paho does not block, since the socket is connected."""
        settings = self._settings
        if self._protocol == 4:
            self._paho.connect(settings.host, settings.port, settings.keepalive)
            return
        more = connect_properties(publishes=self._publishes, keeps_session=self._keeps_session)
        clean = not self._keeps_session  # see session.py
        self._paho.connect(settings.host, settings.port, settings.keepalive, clean_start=clean, properties=more)

    async def _check_connack(self) -> None:
        await _first(self._connack, self._lost, timeout=self._settings.timeout / 2)
        if self._connack.done():
            code = self._connack.result()
            if code == faults.UNSUPPORTED_VERSION:
                raise WrongVersion(refused=True)
            if self._publishes and (lesser := self._lesser_terms(code)) is not None:
                raise LesserTerms(lesser)
            if code:
                raise faults.connect_fault(self._settings, code, self._client_id)
        elif (alert := getattr(self._sock, "alert", None)) is not None:
            raise faults.tls_fault(self._settings, alert)
        else:
            fault = self._fault if self._pump.greeted else None
            raise WrongVersion(refused=False, silent=not self._lost.done(), invalid=self._violated, fault=fault)

    def _end_late(self) -> None:
        self._end(SinkDown(f"{self._settings.url}: no confirmation within {self._settings.timeout:g} s"))

    def _end_unsent(self) -> None:
        self._end(faults.lost(self._settings, 0, False, self._client_id))

    def _set_callbacks(self) -> None:
        paho = self._paho
        paho.on_connect, paho.on_disconnect, paho.on_publish = self._on_connect, self._on_disconnect, self._on_publish

    def _on_connect(
        self, paho: Paho, data: Any, flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        """CONNACK: its code, and the limits of the broker (MQTT 5, 3.2.2.3)."""
        limits = vars(properties) if properties is not None else {}
        if 0 in (limits.get("ReceiveMaximum"), limits.get("MaximumPacketSize")):
            self._pump.violate("a CONNACK with a limit of 0")
            return
        # A broker may request more frequent pings than our settings, not less frequent ones.
        paho._keepalive = min(paho._keepalive or self._settings.keepalive, self._settings.keepalive)
        qos, retains = limits.get("MaximumQoS", 2), bool(limits.get("RetainAvailable", 1))
        out = self._outgoing
        out.terms = Terms(min(out.terms.qos, qos), out.terms.retain and retains)
        self._window = min(self._settings.window_of(self._protocol), limits.get("ReceiveMaximum", 65535))
        out.flight.most = 1 if out.one_by_one else self._window
        out.largest = limits.get("MaximumPacketSize", LARGEST_PACKET)
        self.session_present = flags.session_present
        if not self._connack.done():
            self._connack.set_result(reason.value)

    def _lesser_terms(self, code: int) -> Terms | None:
        """The terms to try after a refusal of the last will; None if there are none, or for another reason code."""
        requested, terms = self._requested, self.terms
        qos = min(requested.qos, self._settings.qos)
        if code == faults.NOTHING_RETAINED and requested.retain:
            return Terms(terms.qos, False)
        if code == faults.NO_SUCH_QOS and qos > 0:
            return Terms(min(terms.qos, qos - 1), terms.retain)
        return None

    def _receive(self, message: Received) -> None:
        if self._fault is None:
            self._received.put(message)

    def _on_publish(self, paho: Paho, data: Any, mid: int, reason: ReasonCode, properties: Properties) -> None:
        self._outgoing.answer(mid, reason.value)

    def _on_disconnect(
        self, paho: Paho, data: Any, flags: DisconnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        by_broker = flags.is_disconnect_packet_from_server
        self.taken_over = self.taken_over or (by_broker and reason.value == faults.TAKEN_OVER)
        if not by_broker and (what := self._pump.violation) is not None:
            self._violated = True
            self._end(faults.protocol_error(self._settings, what))
        self.hung_up = self._fault is None and not by_broker and reason.value != faults.KEEPALIVE_MISSED
        if self.hung_up or (by_broker and reason.value in faults.OF_A_MESSAGE):
            self.broke = self._outgoing.oldest()
        self._end(faults.lost(self._settings, reason.value, by_broker, self._client_id))
        if not self._disconnected.done():
            self._disconnected.set_result(None)

    def _end(self, fault: SinkError) -> SinkError:
        """End the connection, and wake all waiting calls. Returns the fault to raise: that of the first call."""
        if self._fault is None:
            self._fault = fault
            self._lost.set_result(None)
            self._outgoing.end()
            self._received.end()
            self._pump.resume()
        if self._handle is not None and not self._closing:
            with contextlib.suppress(OSError):
                self._handle.shutdown(socket.SHUT_RDWR)
            self._handle.close()
            self._handle = None
        return self._down()

    def _down(self) -> SinkError:
        fault = self._fault or SinkDown(f"{self._settings.url}: the connection was closed")
        return type(fault)(*fault.args)


async def _first(*waits: asyncio.Future[Any], timeout: float | None = None) -> None:
    await asyncio.wait(waits, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)


async def _read_to_end(sock: socket.socket) -> None:
    """Wait until the broker closes: unread data would reset the connection, perhaps before it reads our DISCONNECT."""
    with contextlib.suppress(OSError, TimeoutError):
        sock.setblocking(False)
        sock.shutdown(socket.SHUT_WR)
        async with asyncio.timeout(LAST_READ):
            while await asyncio.get_running_loop().sock_recv(sock, 64 << 10):
                pass
