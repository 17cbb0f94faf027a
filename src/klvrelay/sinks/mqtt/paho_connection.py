"""One MQTT connection on paho: with `paho_client.py` and `pump.py` the only file that knows that library.

paho's callbacks are listened to here, and what comes in is judged before paho sees it. Of paho's private parts
(2.1 to 2.2) these are used, here and there: `_create_socket_connection`, `_keepalive`, `_loop_rc_handle`, `_ping_t`,
`_send_pingreq`; for what an earlier connection left half-way `_last_mid`, `_out_messages`, `_inflight_messages`,
`_send_publish`, `_send_pubrel` and `_protocol`.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Sequence
from typing import Any, Self, cast

from paho.mqtt.client import Client as Paho
from paho.mqtt.client import ConnectFlags, DisconnectFlags
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from klvrelay.config.mqtt import MqttSettings
from klvrelay.errors import SinkDown, SinkError, SinkRefused
from klvrelay.sinks.mqtt import faults
from klvrelay.sinks.mqtt.connection import (
    REFUSED,
    LessWanted,
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

CLOSE_TIMEOUT = 2.0
LAST_READ = 0.3
"""Seconds that a broker gets to close the connection after our DISCONNECT."""
SETTLING = 0.02
"""Seconds between two looks for an answer."""


class PahoConnection:
    """A connection that `connect` made; its contract is `client.Connection`."""

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
        self.older_only = self.hung_up = self.blames = self.taken_over = self.session_present = False
        self._odd = self._closing = False
        self._asked = terms
        said = None if will is None else terms.fitted(will)
        self._paho = new_client(settings, protocol, client_id, said, keeps_session=self._keeps_session)
        self._listen_to_paho()
        self._handle: socket.socket | None = None
        self._sock: socket.socket | None = None
        self._answer: asyncio.Future[int] = loop.create_future()
        self._broken: asyncio.Future[None] = loop.create_future()
        self._unplugged: asyncio.Future[None] = loop.create_future()
        self._granted: asyncio.Future[list[ReasonCode]] = loop.create_future()
        self._left: asyncio.Future[None] = loop.create_future()
        self._leaving: set[int] = set()  # packet identifiers, until UNSUBACK
        self._fault: SinkError | None = None
        self._outgoing = Outgoing(
            self._paho, protocol, self._session, terms, settings.timeout, self._give_up_waiting, self._find_gone
        )
        self._pump = Pump(self._paho)
        self._inbox = ReceivedMessages(self._pump.pause, self._pump.resume)

    @property
    def protocol(self) -> int:
        """5, or 4 for MQTT 3.1.1."""
        return self._protocol

    @property
    def terms(self) -> Terms:
        """What the broker takes, as far as that is known."""
        return self._outgoing.terms

    @property
    def largest(self) -> int:
        """Bytes of a packet that the broker takes."""
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
    ) -> Self:
        """Dial and shake hands; WrongVersion where the peer says no to it, nothing or hangs up."""
        link = cls(settings, protocol, client_id, will, terms, session)
        await link._shake_hands(await dial(settings))
        return link

    async def publish(self, messages: Sequence[Message], *, ahead: bool = False) -> list[int]:
        """See `Connection.publish`."""
        return self._answers(await self._outgoing.publish(messages, ahead=ahead))

    async def publish_unconfirmed(self, messages: Sequence[Message]) -> None:
        """See `Connection.publish_unconfirmed`."""
        self._answers(await self._outgoing.publish_unconfirmed(messages))

    def _answers(self, publication: Publication) -> list[int]:
        if None in publication.codes or (self._fault is not None and not publication.codes):
            raise Unanswered(str(self._down()), publication.codes)
        return cast("list[int]", publication.codes)

    async def settled(self) -> None:
        """See `Connection.settled`: a broker answers in order, so its answer to a ping is behind all else."""
        self._paho._send_pingreq()
        try:
            async with asyncio.timeout(self._settings.timeout):
                while self._paho._ping_t:
                    await asyncio.wait({self._broken}, timeout=SETTLING)
                    if self._broken.done():
                        raise self._down()
        except TimeoutError:
            raise self._lose(SinkDown(f"{self._settings.url}: the broker no longer answers")) from None

    async def subscribe(self, topics: Sequence[str]) -> None:
        """See `Connection.subscribe`."""
        for topic in topics:
            if self._fault is not None:
                raise self._down()
            self._pump.expect_messages(topic)
            self._session.wanted.add(topic)
            self._granted = asyncio.get_running_loop().create_future()
            self._paho.subscribe(topic, 0)
            await _first(self._granted, self._broken, timeout=self._settings.timeout)
            if not self._granted.done():
                raise self._lose(SinkDown(f"{self._settings.url}: no answer to a subscription"))
            if any(code.value >= REFUSED for code in self._granted.result()):
                self._session.wanted.discard(topic)
                raise SinkRefused(f"{self._settings.url}: no right to read {topic}: check the access list")

    async def unsubscribe(self, topics: Sequence[str]) -> None:
        """See `Connection.unsubscribe`."""
        for topic in topics:
            if self._fault is not None:
                raise self._down()
            self._left = asyncio.get_running_loop().create_future()
            self._leave(topic)
            await _first(self._left, self._broken, timeout=self._settings.timeout)
            if not self._left.done():
                raise self._lose(SinkDown(f"{self._settings.url}: no answer to an unsubscription"))

    def _leave(self, topic: str) -> None:
        self._pump.expect_unsuback(topic)
        _, number = self._paho.unsubscribe(topic)
        if number is not None:
            self._leaving.add(number)

    async def received(self) -> AsyncGenerator[Received, None]:
        """See `Connection.received`."""
        while (message := await self._inbox.get()) is not None:
            yield message
        raise self._down()

    async def close(self) -> None:
        """See `Connection.close`."""
        self._closing = True
        try:
            self._paho.disconnect(properties=end_of_session(self._protocol) if self._keeps_session else None)
            if self._paho.socket() is not None:
                await _first(self._unplugged, timeout=CLOSE_TIMEOUT)
            if self._unplugged.done() and self._handle is not None:
                await _read_out(self._handle)
        finally:
            self._closing = False
            self.abort()

    def abort(self) -> None:
        """See `Connection.abort`."""
        self._lose(SinkDown(f"{self._settings.url}: the connection was closed"))

    async def _shake_hands(self, sock: socket.socket) -> None:
        # A second handle on the connection: shutting it down lets paho find its end, however paho reads it.
        try:
            self._handle = socket.fromfd(sock.fileno(), sock.family, sock.type)
        except OSError:  # EMFILE
            sock.close()
            raise
        self._sock = sock
        self._pump.attach(
            Incoming(sock, self._protocol, self._outgoing.flight.__contains__, self._session.take, self._inbox_put)
        )
        if self._session.wanted:
            self._pump.expect_leftovers()
        try:
            self._greet()
            await self._connack()
            if self._keeps_session:
                await self._begin_session()
        except BaseException:
            self.abort()
            if self._paho.socket() is not None:
                await _first(self._unplugged, timeout=1)
            sock.close()
            raise

    async def _begin_session(self) -> None:
        """Go on with what an earlier connection left half-way; MQTT 3.1.1 can not ask for a new session that lasts."""
        begun, self._session.begun = self._session.begun, True
        if self.session_present and not begun:
            raise StaleSession
        before = self._session.unfinished
        publication = await self._outgoing.resume(self.session_present)
        self._session.tried(before)
        self._answers(publication)
        for topic in tuple(self._session.wanted):
            self._leave(topic)

    def _greet(self) -> None:
        """Queue the CONNECT; paho blocks nowhere, since the socket is connected."""
        settings = self._settings
        if self._protocol == 4:
            self._paho.connect(settings.host, settings.port, settings.keepalive)
            return
        more = connect_properties(publishes=self._publishes, keeps_session=self._keeps_session)
        clean = not (self._keeps_session and self._session.begun)
        self._paho.connect(settings.host, settings.port, settings.keepalive, clean_start=clean, properties=more)

    async def _connack(self) -> None:
        await _first(self._answer, self._broken, timeout=self._settings.timeout / 2)
        if self._answer.done():
            code = self._answer.result()
            if code == faults.UNSUPPORTED_VERSION:
                raise WrongVersion(said_so=True)
            if self._publishes and (less := self._less(code)) is not None:
                raise LessWanted(less)
            if code:
                raise faults.connect_fault(self._settings, code, self._client_id)
        elif (alert := getattr(self._sock, "alert", None)) is not None:
            raise faults.tls_fault(self._settings, alert)
        else:
            fault = self._fault if self._pump.greeted else None
            raise WrongVersion(said_so=False, silent=not self._broken.done(), odd=self._odd, fault=fault)

    def _give_up_waiting(self) -> None:
        self._lose(SinkDown(f"{self._settings.url}: no confirmation within {self._settings.timeout:g} s"))

    def _find_gone(self) -> None:
        self._lose(faults.lost(self._settings, 0, False, self._client_id))

    def _listen_to_paho(self) -> None:
        paho = self._paho
        paho.on_connect, paho.on_disconnect = self._on_connect, self._on_disconnect
        paho.on_publish, paho.on_subscribe = self._on_publish, self._on_subscribe
        paho.on_unsubscribe = self._on_unsubscribe

    def _on_connect(
        self, paho: Paho, data: Any, flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        """CONNACK: its code, and the limits that the broker sets (MQTT 5, 3.2.2.3)."""
        limits = vars(properties) if properties is not None else {}
        if 0 in (limits.get("ReceiveMaximum"), limits.get("MaximumPacketSize")):
            self._pump.violate("a CONNACK with a limit of 0")
            return
        # A server may ask for more pings than we are set to send, and not for fewer.
        paho._keepalive = min(paho._keepalive or self._settings.keepalive, self._settings.keepalive)
        qos, retains = limits.get("MaximumQoS", 2), bool(limits.get("RetainAvailable", 1))
        out = self._outgoing
        out.terms = Terms(min(out.terms.qos, qos), out.terms.retain and retains)
        out.flight.most = min(self._settings.window_of(self._protocol), limits.get("ReceiveMaximum", 65535))
        out.largest = limits.get("MaximumPacketSize", LARGEST_PACKET)
        self.session_present = flags.session_present
        if not self._answer.done():
            self._answer.set_result(reason.value)

    def _less(self, code: int) -> Terms | None:
        """What to try where the last will asked for too much; None where nothing less is left, or that is not why."""
        asked, terms = self._asked, self.terms
        qos = min(asked.qos, self._settings.qos)
        if code == faults.NOTHING_RETAINED and asked.retain:
            return Terms(terms.qos, False)
        if code == faults.NO_SUCH_QOS and qos > 0:
            return Terms(min(terms.qos, qos - 1), terms.retain)
        return None

    def _inbox_put(self, message: Received) -> None:
        if self._fault is None:
            self._inbox.put(message)

    def _on_publish(self, paho: Paho, data: Any, mid: int, reason: ReasonCode, properties: Properties) -> None:
        self._outgoing.answer(mid, reason.value)

    def _on_unsubscribe(self, paho: Paho, data: Any, mid: int, reasons: Any, properties: Any) -> None:
        """UNSUBACK."""
        self._leaving.discard(mid)
        if not self._leaving and not self._left.done():
            self._left.set_result(None)

    def _on_subscribe(
        self, paho: Paho, data: Any, mid: int, reasons: list[ReasonCode], properties: Properties | None
    ) -> None:
        if not self._granted.done():
            self._granted.set_result(reasons)

    def _on_disconnect(
        self, paho: Paho, data: Any, flags: DisconnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        by_broker = flags.is_disconnect_packet_from_server
        self.taken_over = self.taken_over or (by_broker and reason.value == faults.TAKEN_OVER)
        self.blames = self.blames or (by_broker and reason.value in faults.OF_A_MESSAGE)
        if not by_broker and (what := self._pump.violation) is not None:
            self._odd = True
            self._lose(faults.protocol_error(self._settings, what))
        self.hung_up = self._fault is None and not by_broker and reason.value != faults.KEEPALIVE_MISSED
        self._lose(faults.lost(self._settings, reason.value, by_broker, self._client_id))
        if not self._unplugged.done():
            self._unplugged.set_result(None)

    def _lose(self, fault: SinkError) -> SinkError:
        """The connection is gone or to be given up, the first reason counts: wake all who wait for it."""
        if self._fault is None:
            self._fault = fault
            self._broken.set_result(None)
            self._outgoing.end()
            self._inbox.end()
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


async def _read_out(sock: socket.socket) -> None:
    """Wait for the other end to close: what came and is not read would reset the connection, before ours is read."""
    with contextlib.suppress(OSError, TimeoutError):
        sock.setblocking(False)
        sock.shutdown(socket.SHUT_WR)
        async with asyncio.timeout(LAST_READ):
            while await asyncio.get_running_loop().sock_recv(sock, 64 << 10):
                pass
