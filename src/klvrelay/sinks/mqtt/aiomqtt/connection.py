"""One MQTT connection, implemented with the library aiomqtt."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

import aiomqtt

from klvrelay.config.mqtt import MqttSettings
from klvrelay.errors import SinkDown, SinkRefused
from klvrelay.sinks.mqtt import faults
from klvrelay.sinks.mqtt.aiomqtt.checked_socket import CheckedSocket
from klvrelay.sinks.mqtt.aiomqtt.client import Client
from klvrelay.sinks.mqtt.aiomqtt.outgoing import OutgoingToPaho
from klvrelay.sinks.mqtt.protocol.base_connection import BaseConnection
from klvrelay.sinks.mqtt.protocol.connection import REFUSED, Message, Received, Terms
from klvrelay.sinks.mqtt.protocol.packets import LARGEST_PACKET
from klvrelay.sinks.mqtt.protocol.received import ReceivedMessages
from klvrelay.sinks.mqtt.protocol.session import Session
from klvrelay.sinks.mqtt.protocol.subscriptions import Subscriptions

T = TypeVar("T")

CLOSE_TIMEOUT = 1.5
"""Seconds in which DISCONNECT must be sent."""
QOS_MOST = 1
"""QoS 2 needs a session over several connections."""


class AiomqttConnection(BaseConnection):
    """A connection made by `connect`. Its contract is `Connection`; messages are sent at QoS 1 at most.

    It has no session.
    """

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
        terms = Terms(min(terms.qos, QOS_MOST), terms.retain)
        super().__init__(sock, settings, protocol, client_id, will, terms, session)
        self._subscriptions = Subscriptions()
        self._checked = CheckedSocket(
            sock, protocol, self._subscriptions, lambda number: self._outgoing.is_sent(number)
        )
        self._client = Client(settings, protocol, client_id, self._handshake.will, self._checked, self)
        self._outgoing: OutgoingToPaho = OutgoingToPaho(
            self._client, protocol, terms, settings.timeout, self._end_late, self._end_lost, self._flush_if_up
        )
        self._received = ReceivedMessages(self._client.pause, self._client.resume)

    def keep_short(self, size: int) -> None:
        """See `Connection.keep_short`. It cannot be limited."""

    async def flush(self) -> None:
        """See `Connection.flush`. A broker reads in order, so the answer to a request follows all messages."""
        await self._answer(self._client.unsubscribe(f"{self._settings.prefix}/flush"), "the broker no longer answers")

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
        waits: set[asyncio.Future[Any]] = {asking, self._lost}
        try:
            await asyncio.wait(waits, timeout=self._settings.timeout, return_when=asyncio.FIRST_COMPLETED)
            if asking.done() and asking.exception() is None:
                return asking.result()
        finally:
            asking.cancel()
        raise self._end(SinkDown(f"{self._settings.url}: {fault}"))

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

    async def _begin(self) -> None:
        self._client.begin()
        await self._handshake.complete(self._lost, self._fault_of_greeting)

    @property
    def _greeted(self) -> bool:
        return self._checked.greeted

    def _shut(self) -> None:
        self._client.drop()
        self._checked.shut()

    # ---- events of the client ----

    def on_connack(self, code: int, limits: dict[str, Any]) -> None:
        """CONNACK: its code, and the limits of the broker (MQTT 5, 3.2.2.3)."""
        self._outgoing.largest = limits.get("MaximumPacketSize", LARGEST_PACKET)
        terms = Terms(limits.get("MaximumQoS", 2), bool(limits.get("RetainAvailable", 1)))
        window = min(self._settings.window_of(self._protocol), limits.get("ReceiveMaximum", 65535))
        self._note_connack(code, terms, window)

    def on_end(self, code: int, *, by_broker: bool) -> None:
        """The connection has ended: DISCONNECT, its end, no answer to a ping, or a violation of the protocol."""
        if self._fault is not None:
            return
        what = self._checked.violation or ("a malformed packet" if self._client.malformed else None)
        if by_broker:
            self._end_by_broker(code)
        elif what is not None:
            self._end_violated(what)
        elif code == faults.KEEPALIVE_MISSED:
            self._end_silent()
        elif self._closing:
            self._end_lost()
        else:
            self._end_hung_up()

    def on_answer(self, number: int, code: int) -> None:
        """PUBACK; at QoS 0, the message is written to the socket."""
        self._outgoing.answer(number, code)

    def on_message(self, message: Received, first: int, size: int) -> None:
        """PUBLISH."""
        if self._subscriptions.wants(message, first, size) and self._fault is None:
            self._received.put(message)
