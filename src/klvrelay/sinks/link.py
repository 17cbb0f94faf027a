"""One MQTT connection on aiomqtt: with `paho.py` the only file that knows that library.

aiomqtt 2 drops what the broker says in CONNACK and PUBACK, waits out its timeout when a connection closes
early, and leaves publishers waiting when it breaks; so paho's own callbacks are listened to here, publish
goes straight to paho, and what comes in is judged before paho sees it. Of paho's private parts (2.1 to 2.2) these
are used, here and there: `_create_socket_connection`, `_keepalive`, `_loop_rc_handle`, `_ping_t`, `_send_pingreq`.
`client.py` holds the contract, `dial.py` makes the socket, `pump.py` reads and writes.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncGenerator, Coroutine, Sequence
from typing import Any, Self, TypeVar, cast

import aiomqtt
from paho.mqtt.client import MQTT_ERR_SUCCESS, ConnectFlags, DisconnectFlags
from paho.mqtt.client import Client as Paho
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from klvrelay.errors import SinkDown, SinkError, SinkRefused
from klvrelay.sinks import faults
from klvrelay.sinks.client import LessWanted, Message, Received, Terms, WrongVersion
from klvrelay.sinks.dial import dial
from klvrelay.sinks.inbox import Inbox
from klvrelay.sinks.incoming import Incoming
from klvrelay.sinks.paho import Packed, new_client
from klvrelay.sinks.pump import Pump
from klvrelay.sinks.settings import MqttSettings

CLOSE_TIMEOUT = 2.0
SETTLING = 0.02
"""Seconds between two looks for an answer."""
LARGEST_PACKET = 268_435_455
_LOST = -1

T = TypeVar("T")

_LOG = logging.getLogger(__name__)


class Link:
    """A connection that `client.connect` made; its contract is `client.Connection`."""

    def __init__(
        self, settings: MqttSettings, protocol: int, client_id: str, will: Message | None, terms: Terms
    ) -> None:
        loop = asyncio.get_running_loop()
        self._settings = settings
        self._protocol = protocol
        self._client_id = client_id
        self._publishes = will is not None
        self.older_only = self.hung_up = self._odd = False
        self.terms = self._asked = terms
        self._client = new_client(settings, protocol, client_id, None if will is None else terms.fitted(will))
        self._paho = self._listen_to_paho()
        self._handle: socket.socket | None = None
        self._sock: socket.socket | None = None
        self._answer: asyncio.Future[int] = loop.create_future()
        self._broken: asyncio.Future[None] = loop.create_future()
        self._unplugged: asyncio.Future[None] = loop.create_future()
        self._fault: SinkError | None = None
        self._acks: dict[int, asyncio.Future[int]] = {}
        self._slots = asyncio.Semaphore(settings.window)
        self._largest = LARGEST_PACKET
        self._pump = Pump(self._client)
        self._inbox = Inbox(self._pump.pause, self._pump.resume)

    @property
    def protocol(self) -> int:
        """5, or 4 for MQTT 3.1.1."""
        return self._protocol

    @classmethod
    async def open(
        cls, settings: MqttSettings, protocol: int, client_id: str, will: Message | None, terms: Terms
    ) -> Self:
        """Dial and shake hands; WrongVersion where the peer says no to it, nothing or hangs up."""
        link = cls(settings, protocol, client_id, will, terms)
        await link._shake_hands(await dial(settings))
        return link

    async def publish(self, messages: Sequence[Message]) -> None:
        """See `Connection.publish`."""
        patience, loop = self._settings.timeout, asyncio.get_running_loop()
        sent: list[tuple[Message, asyncio.Future[int]]] = []
        try:
            async with asyncio.timeout(patience) as limit:
                for message in messages:
                    if self._slots.locked():
                        limit.reschedule(loop.time() + patience)
                    await self._slots.acquire()
                    sent.append((message, self._send(message)))
                for message, ack in sent:
                    if not ack.done():
                        limit.reschedule(loop.time() + patience)
                    self._confirm(message, await ack)
        except TimeoutError:
            late = SinkDown(f"{self._settings.url}: no confirmation within {patience:g} s")
            raise self._lose(late) from None

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
            self._pump.expect_messages(topic)
            try:
                codes = await self._unless_broken(self._client.subscribe(topic, 0))
            except aiomqtt.MqttError as fault:
                raise self._lose(SinkDown(f"{self._settings.url}: no answer to a subscription")) from fault
            if any(code.value >= 0x80 for code in cast("list[ReasonCode]", codes)):
                raise SinkRefused(f"{self._settings.url}: no right to read {topic}: check the access list")

    async def unsubscribe(self, topics: Sequence[str]) -> None:
        """See `Connection.unsubscribe`."""
        for topic in topics:
            self._pump.expect_unsuback(topic)
            try:
                await self._unless_broken(self._client.unsubscribe(topic))
            except aiomqtt.MqttError as fault:
                raise self._lose(SinkDown(f"{self._settings.url}: no answer to an unsubscription")) from fault

    async def received(self) -> AsyncGenerator[Received, None]:
        """See `Connection.received`."""
        while (message := await self._inbox.get()) is not None:
            yield message
        raise self._down()

    async def close(self) -> None:
        """See `Connection.close`."""
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await self._client.__aexit__(None, None, None)
        except (aiomqtt.MqttError, TimeoutError):
            pass
        finally:
            self.abort()

    def abort(self) -> None:
        """See `Connection.abort`."""
        self._lose(SinkDown(f"{self._settings.url}: the connection was closed"))

    async def _shake_hands(self, sock: socket.socket) -> None:
        # A second handle on the connection: shutting it down lets paho find its end, however paho reads it.
        self._handle = socket.fromfd(sock.fileno(), sock.family, sock.type)
        self._sock = sock
        self._pump.attach(Incoming(sock, self._protocol, self._acks.__contains__, self._deliver))
        entering = asyncio.create_task(self._client.__aenter__(), name="mqtt connect")
        try:
            await self._connack(entering)
        except BaseException:
            await self._give_up(entering)
            sock.close()
            raise

    async def _connack(self, entering: asyncio.Task[aiomqtt.Client]) -> None:
        await _first(entering, self._answer, self._broken, timeout=self._settings.timeout / 2)
        if self._answer.done():
            code = self._answer.result()
            if code == faults.UNSUPPORTED_VERSION:
                raise WrongVersion(said_so=True)
            if self._publishes and (less := self._less(code)) is not None:
                raise LessWanted(less)
            if code:
                raise faults.connect_fault(self._settings, code, self._client_id)
            await entering
        elif (alert := getattr(self._sock, "alert", None)) is not None:
            raise faults.tls_fault(self._settings, alert)
        elif self._broken.done() or not entering.done():
            fault = self._fault if self._pump.greeted else None
            raise WrongVersion(said_so=False, silent=not self._broken.done(), odd=self._odd, fault=fault)
        else:
            raise SinkDown(f"{self._settings.url}: can't connect") from entering.exception()

    async def _give_up(self, entering: asyncio.Task[aiomqtt.Client]) -> None:
        """Leave no thread, task or socket behind an attempt, wherever it stands."""
        self.abort()
        if not entering.done():
            await _first(self._unplugged, entering, timeout=1)
        elif self._paho.socket() is not None:
            await _first(self._unplugged, timeout=1)
        entering.cancel()
        await asyncio.wait({entering})
        if not entering.cancelled():
            entering.exception()

    async def _unless_broken(self, doing: Coroutine[Any, Any, T]) -> T:
        """Await it, but not longer than the connection stands."""
        task = asyncio.create_task(doing, name="mqtt request")
        try:
            await _first(task, self._broken)
            if not task.done():
                raise self._down()
            return task.result()
        finally:
            task.cancel()
            await asyncio.wait({task})

    def _send(self, message: Message) -> asyncio.Future[int]:
        """Hand one message to paho, in a slot that is already taken; the future gets the broker's code."""
        message = self.terms.fitted(message)
        try:
            size = len(message.topic) + len(message.payload) + 512
            if self._fault is not None:
                raise self._down()
            if size > self._largest:
                raise faults.too_large(self._settings, size, self._largest, message.topic)
            more = cast(Properties, Packed(message)) if self._protocol == 5 else None
            info = self._paho.publish(message.topic, message.payload, message.qos, message.retain, more)
            if info.rc:
                raise self._lose(faults.lost(self._settings, 0, False, self._client_id))
        except BaseException:
            self._slots.release()
            raise
        ack: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._acks[info.mid] = ack
        return ack

    def _confirm(self, message: Message, code: int) -> None:
        if code == _LOST:
            raise self._down()
        if code >= 0x80:
            raise faults.publish_fault(self._settings, code, message.topic)

    def _listen_to_paho(self) -> Paho:
        paho = self._client._client
        paho.connect_timeout = self._settings.timeout
        self._tell_connect, self._tell_disconnect = paho.on_connect, paho.on_disconnect
        paho.on_connect, paho.on_disconnect = self._on_connect, self._on_disconnect
        paho.on_publish = self._on_publish
        return paho

    def _on_connect(
        self, paho: Paho, data: Any, flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        """CONNACK: its code, and the limits that the broker sets (MQTT 5, 3.2.2.3)."""
        limits = vars(properties) if properties is not None else {}
        code: int = reason.value
        if 0 in (limits.get("ReceiveMaximum"), limits.get("MaximumPacketSize")):
            self._pump.violate("a CONNACK with a limit of 0")
            return
        # A server may ask for more pings than we are set to send, and not for fewer.
        paho._keepalive = min(paho._keepalive or self._settings.keepalive, self._settings.keepalive)
        qos, retains = limits.get("MaximumQoS", 2), bool(limits.get("RetainAvailable", 1))
        self.terms = Terms(min(self.terms.qos, qos), self.terms.retain and retains)
        self._slots = asyncio.Semaphore(min(self._settings.window, limits.get("ReceiveMaximum", 65535)))
        self._largest = limits.get("MaximumPacketSize", LARGEST_PACKET)
        if not self._answer.done():
            self._answer.set_result(code)
        self._tell_connect(paho, data, flags, reason, properties)  # type: ignore[misc, call-arg, arg-type]

    def _less(self, code: int) -> Terms | None:
        """What to try where the last will asked for too much; None where nothing less is left, or that is not why."""
        asked, terms = self._asked, self.terms
        qos = min(asked.qos, self._settings.qos)
        if code == faults.NOTHING_RETAINED and asked.retain:
            return Terms(terms.qos, False)
        if code == faults.NO_SUCH_QOS and qos > 0:
            return Terms(min(terms.qos, qos - 1), terms.retain)
        return None

    def _deliver(self, message: Received) -> None:
        if self._fault is None:
            self._inbox.put(message)

    def _on_publish(self, paho: Paho, data: Any, mid: int, reason: ReasonCode, properties: Properties) -> None:
        """PUBACK or PUBCOMP; or QoS 0 written to the socket."""
        ack = self._acks.pop(mid, None)
        if ack is not None:
            self._settle(ack, reason.value)

    def _on_disconnect(
        self, paho: Paho, data: Any, flags: DisconnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        by_broker = flags.is_disconnect_packet_from_server
        if by_broker and reason.value == faults.TAKEN_OVER:
            _LOG.error("mqtt client id taken over url=%s client_id=%s", self._settings.url, self._client_id)
        if not by_broker and (what := self._pump.violation) is not None:
            self._odd = True
            self._lose(faults.protocol_error(self._settings, what))
        self.hung_up = self._fault is None and not by_broker
        self._lose(faults.lost(self._settings, reason.value, by_broker, self._client_id))
        if not self._unplugged.done():
            self._unplugged.set_result(None)
        # aiomqtt would keep another reason as an exception, which asyncio reports if nobody takes it.
        self._tell_disconnect(paho, data, flags, MQTT_ERR_SUCCESS, properties)  # type: ignore[misc, call-arg, arg-type]

    def _lose(self, fault: SinkError) -> SinkError:
        """The connection is gone or to be given up, the first reason counts: wake all who wait for it."""
        if self._fault is None:
            self._fault = fault
            self._broken.set_result(None)
            while self._acks:
                self._settle(self._acks.popitem()[1], _LOST)
            self._inbox.end()
            self._pump.resume()
        if self._handle is not None:
            with contextlib.suppress(OSError):
                self._handle.shutdown(socket.SHUT_RDWR)
            self._handle.close()
            self._handle = None
        return self._down()

    def _settle(self, ack: asyncio.Future[int], code: int) -> None:
        self._slots.release()
        if not ack.done():
            ack.set_result(code)

    def _down(self) -> SinkError:
        fault = self._fault or SinkDown(f"{self._settings.url}: the connection was closed")
        return type(fault)(*fault.args)


async def _first(*waits: asyncio.Future[Any], timeout: float | None = None) -> None:
    await asyncio.wait(waits, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
