"""The subscriptions of one connection: requested, granted, and ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from paho.mqtt.client import Client as Paho
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from klvrelay.config.mqtt import MqttSettings
from klvrelay.errors import SinkDown, SinkError, SinkRefused
from klvrelay.sinks.mqtt.connection import REFUSED
from klvrelay.sinks.mqtt.pump import Pump
from klvrelay.sinks.mqtt.session import Session


class Subscriptions:
    """Sends SUBSCRIBE and UNSUBSCRIBE, and waits for their answers.

    lost   is done once the connection is lost
    end    ends the connection because of a fault, unless it has ended before; returns the fault to raise
    """

    def __init__(
        self,
        paho: Paho,
        pump: Pump,
        session: Session,
        settings: MqttSettings,
        lost: asyncio.Future[None],
        end: Callable[[SinkError], SinkError],
    ) -> None:
        self._paho = paho
        self._pump = pump
        self._session = session
        self._settings = settings
        self._lost = lost
        self._end = end
        loop = asyncio.get_running_loop()
        self._granted: asyncio.Future[list[ReasonCode]] = loop.create_future()
        self._ended: asyncio.Future[None] = loop.create_future()
        self._ending: set[int] = set()  # packet identifiers, until UNSUBACK
        paho.on_subscribe, paho.on_unsubscribe = self._on_subscribe, self._on_unsubscribe

    @property
    def ending(self) -> bool:
        """Is an UNSUBSCRIBE unanswered?"""
        return bool(self._ending)

    async def begin(self, topics: Sequence[str]) -> None:
        """Subscribe to topics at QoS 0. Raises SinkRefused for a topic without the right to read it."""
        for topic in topics:
            self._check_connected()
            self._pump.expect_messages(topic)
            self._session.wanted.add(topic)
            self._granted = asyncio.get_running_loop().create_future()
            self._paho.subscribe(topic, 0)
            await self._wait_for(self._granted, "a subscription")
            if any(code.value >= REFUSED for code in self._granted.result()):
                self._session.wanted.discard(topic)
                raise SinkRefused(f"{self._settings.url}: no right to read {topic}: check the access list")

    async def end(self, topics: Sequence[str]) -> None:
        """Unsubscribe from topics."""
        for topic in topics:
            self._check_connected()
            self._ended = asyncio.get_running_loop().create_future()
            self.request_end(topic)
            await self._wait_for(self._ended, "an unsubscription")

    def request_end(self, topic: str) -> None:
        """Unsubscribe from a topic, without waiting for the answer."""
        self._pump.expect_unsuback(topic)
        _, number = self._paho.unsubscribe(topic)
        if number is not None:
            self._ending.add(number)

    def _check_connected(self) -> None:
        if self._lost.done():
            self._fail("the connection was closed")

    async def _wait_for(self, answer: asyncio.Future[Any], request: str) -> None:
        waits: set[asyncio.Future[Any]] = {answer, self._lost}
        await asyncio.wait(waits, timeout=self._settings.timeout, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            self._fail(f"no answer to {request}")

    def _fail(self, reason: str) -> NoReturn:
        raise self._end(SinkDown(f"{self._settings.url}: {reason}"))

    def _on_subscribe(
        self, paho: Paho, data: Any, mid: int, reasons: list[ReasonCode], properties: Properties | None
    ) -> None:
        """SUBACK."""
        if not self._granted.done():
            self._granted.set_result(reasons)

    def _on_unsubscribe(self, paho: Paho, data: Any, mid: int, reasons: Any, properties: Any) -> None:
        """UNSUBACK."""
        self._ending.discard(mid)
        if not self._ending and not self._ended.done():
            self._ended.set_result(None)
