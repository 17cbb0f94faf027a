"""One MQTT connection, implemented with the library aiomqtt."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Coroutine, Sequence
from typing import Any, Self, TypeVar, cast

import aiomqtt

from klvrelay.config.mqtt import MqttSettings
from klvrelay.errors import SinkDown, SinkError, SinkRefused
from klvrelay.sinks.mqtt import faults
from klvrelay.sinks.mqtt.aiomqtt.checked_socket import CheckedSocket
from klvrelay.sinks.mqtt.aiomqtt.client import Client
from klvrelay.sinks.mqtt.aiomqtt.outgoing import Outgoing
from klvrelay.sinks.mqtt.aiomqtt.subscriptions import Subscriptions
from klvrelay.sinks.mqtt.connection import REFUSED, LesserTerms, Message, Received, Terms, Unanswered, WrongVersion
from klvrelay.sinks.mqtt.dial import dial
from klvrelay.sinks.mqtt.packets import LARGEST_PACKET
from klvrelay.sinks.mqtt.received import ReceivedMessages
from klvrelay.sinks.mqtt.session import Session

T = TypeVar("T")

CLOSE_TIMEOUT = 1.5
"""Seconds in which DISCONNECT must be sent."""
QOS_MOST = 1
"""QoS 2 needs a session over several connections."""


class AiomqttConnection:
    """A connection made by `connect`. Its contract is `Connection`; messages are sent at QoS 1 at most."""

    def __init__(
        self,
        settings: MqttSettings,
        protocol: int,
        client_id: str,
        will: Message | None,
        terms: Terms,
        sock: socket.socket,
    ) -> None:
        loop = asyncio.get_running_loop()
        self._settings = settings
        self._protocol = protocol
        self._client_id = client_id
        self._publishes = will is not None
        self._requested = terms
        self.older_only = self.hung_up = self.taken_over = False
        self.broke: Message | None = None
        self._violated = self._closing = False
        self._window = 1
        self._subscriptions = Subscriptions()
        self._connack: asyncio.Future[int] = loop.create_future()
        self._lost: asyncio.Future[None] = loop.create_future()
        self._fault: SinkError | None = None
        self._checked = CheckedSocket(sock, protocol, lambda number: self._outgoing.is_sent(number))
        terms = Terms(min(terms.qos, QOS_MOST), terms.retain)
        fitted = None if will is None else terms.fitted(will)
        self._client = Client(settings, protocol, client_id, fitted, self._checked, self)
        self._outgoing = Outgoing(
            self._client, protocol, terms, settings.timeout, self._end_late, self._end_unsent, self._flush_if_up
        )
        self._received = ReceivedMessages(self._client.pause, self._client.resume)

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
        """A new connection, without a session. Raises WrongVersion if the peer does not accept this version."""
        connection = cls(settings, protocol, client_id, will, terms, await dial(settings))
        connection._outgoing.one_by_one = one_by_one
        try:
            connection._client.begin()
            await connection._check_connack()
        except BaseException:
            connection.abort()
            raise
        return connection

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

    async def publish(self, messages: Sequence[Message], *, ahead: bool = False) -> list[int]:
        """See `Connection.publish`."""
        return self._all_answered(await self._outgoing.publish(messages, ahead=ahead))

    async def publish_unconfirmed(self, messages: Sequence[Message]) -> None:
        """See `Connection.publish_unconfirmed`."""
        self._all_answered(await self._outgoing.publish_unconfirmed(messages))

    def _all_answered(self, codes: list[int | None]) -> list[int]:
        if None in codes or (self._fault is not None and not codes):
            raise Unanswered(str(self._down()), codes, self.broke)
        return cast("list[int]", codes)

    @property
    def has_room(self) -> bool:
        """See `Connection.has_room`. The library queues messages."""
        return True

    def traffic(self) -> None:
        """See `Connection.traffic`. The library has the socket."""

    def keep_short(self, size: int) -> None:
        """See `Connection.keep_short`."""

    async def flush(self) -> None:
        """See `Connection.flush`. A broker reads in order, so the answer to a request follows all messages."""
        await self._answer(self._client.unsubscribe(f"{self._settings.prefix}/flush"), "the broker no longer answers")

    async def _flush_if_up(self) -> None:
        with contextlib.suppress(SinkError):  # the caller finds that the connection has ended
            await self.flush()

    async def subscribe(self, topics: Sequence[str]) -> None:
        """See `Connection.subscribe`. Raises SinkRefused for a topic without the right to read it."""
        for topic in topics:
            self._subscriptions.add(topic)
            codes = await self._answer(self._client.subscribe(topic, qos=0), "no answer to a subscription")
            if any((code if isinstance(code, int) else code.value) >= REFUSED for code in codes):
                raise SinkRefused(f"{self._settings.url}: no right to read {topic}: check the access list")

    async def unsubscribe(self, topics: Sequence[str]) -> None:
        """See `Connection.unsubscribe`."""
        for topic in topics:
            self._subscriptions.end(topic)
            await self._answer(self._client.unsubscribe(topic), "no answer to an unsubscription")

    async def _answer(self, request: Coroutine[Any, Any, T], fault: str) -> T:
        """Wait for the answer to a request. Without one in time, `fault` ends the connection."""
        if self._fault is not None:
            request.close()
            raise self._down()
        asking = asyncio.create_task(request, name="mqtt request")
        try:
            await _first(asking, self._lost, timeout=self._settings.timeout)
            if asking.done() and asking.exception() is None:
                return asking.result()
        finally:
            asking.cancel()
        raise self._end(SinkDown(f"{self._settings.url}: {fault}"))

    async def received(self) -> AsyncGenerator[Received, None]:
        """See `Connection.received`."""
        while (message := await self._received.get()) is not None:
            yield message
        raise self._down()

    async def close(self) -> None:
        """See `Connection.close`."""
        if self._fault is not None:
            return
        self._closing = True
        try:
            with contextlib.suppress(TimeoutError, aiomqtt.MqttError):
                await asyncio.wait_for(self._client.__aexit__(None, None, None), CLOSE_TIMEOUT)
            self._client.drop()
            await self._checked.read_to_end()
        finally:
            self._closing = False
            self.abort()

    def widen(self) -> None:
        """See `Connection.widen`."""
        self._outgoing.one_by_one = False
        self._outgoing.most = self._window
        self._outgoing.wake()

    def abort(self) -> None:
        """See `Connection.abort`."""
        self._end(SinkDown(f"{self._settings.url}: the connection was closed"))

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
        elif self._checked.alert is not None:
            raise faults.tls_fault(self._settings, self._checked.alert)
        else:
            fault = self._fault if self._checked.greeted else None
            raise WrongVersion(refused=False, silent=not self._lost.done(), invalid=self._violated, fault=fault)

    def _lesser_terms(self, code: int) -> Terms | None:
        """The terms to try after a refusal of the last will; None if there are none, or for another reason code."""
        requested, terms = self._requested, self.terms
        qos = min(requested.qos, self._settings.qos)
        if code == faults.NOTHING_RETAINED and requested.retain:
            return Terms(terms.qos, False)
        if code == faults.NO_SUCH_QOS and qos > 0:
            return Terms(min(terms.qos, qos - 1), terms.retain)
        return None

    # ---- the end ----

    def _end_late(self) -> None:
        self._end(SinkDown(f"{self._settings.url}: no confirmation within {self._settings.timeout:g} s"))

    def _end_unsent(self) -> None:
        self._end(faults.lost(self._settings, 0, False, self._client_id))

    def _end(self, fault: SinkError) -> SinkError:
        """End the connection, and wake all waiting calls. Returns the fault to raise: that of the first call."""
        if self._fault is None:
            self._fault = fault
            self._lost.set_result(None)
            self._outgoing.end()
            self._received.end()
        if not self._closing:
            self._client.drop()
            self._checked.shut()
        return self._down()

    def _down(self) -> SinkError:
        fault = self._fault or SinkDown(f"{self._settings.url}: the connection was closed")
        return type(fault)(*fault.args)

    # ---- events of the client ----

    def on_connack(self, code: int, limits: dict[str, Any]) -> None:
        """CONNACK: its code, and the limits of the broker (MQTT 5, 3.2.2.3)."""
        out = self._outgoing
        qos, retains = limits.get("MaximumQoS", 2), bool(limits.get("RetainAvailable", 1))
        out.terms = Terms(min(out.terms.qos, qos), out.terms.retain and retains)
        self._window = min(self._settings.window_of(self._protocol), limits.get("ReceiveMaximum", 65535))
        out.most = 1 if out.one_by_one else self._window
        out.largest = limits.get("MaximumPacketSize", LARGEST_PACKET)
        self._connack.set_result(code)

    def on_end(self, code: int, *, by_broker: bool) -> None:
        """The connection has ended: DISCONNECT, its end, no answer to a ping, or a violation of the protocol."""
        if self._fault is not None:
            return
        what = self._checked.violation or ("a malformed packet" if self._client.malformed else None)
        if not by_broker and what is not None:
            self._violated = True
            self._end(faults.protocol_error(self._settings, what))
            return
        self.taken_over = by_broker and code == faults.TAKEN_OVER
        self.hung_up = not by_broker and not self._closing and code != faults.KEEPALIVE_MISSED
        if self.hung_up or (by_broker and code in faults.OF_A_MESSAGE):
            self.broke = self._outgoing.oldest()
        self._end(faults.lost(self._settings, code, by_broker, self._client_id))

    def on_answer(self, number: int, code: int) -> None:
        """PUBACK; at QoS 0, the message is written to the socket."""
        self._outgoing.answer(number, code)

    def on_message(self, message: Received, first: int, size: int) -> None:
        """PUBLISH."""
        if self._subscriptions.wants(message, first, size) and self._fault is None:
            self._received.put(message)


async def _first(*waits: asyncio.Future[Any], timeout: float | None = None) -> None:
    await asyncio.wait(waits, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
