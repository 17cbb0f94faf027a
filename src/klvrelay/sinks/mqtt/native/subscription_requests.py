"""The requests to subscribe and unsubscribe of one connection, and their answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from klvrelay.config.mqtt import MqttSettings
from klvrelay.errors import SinkDown, SinkError, SinkRefused
from klvrelay.sinks.mqtt.native.encode import subscribe_packet, unsubscribe_packet
from klvrelay.sinks.mqtt.native.link import Link
from klvrelay.sinks.mqtt.protocol.connection import REFUSED
from klvrelay.sinks.mqtt.protocol.session import Session
from klvrelay.sinks.mqtt.protocol.subscriptions import Subscriptions


class SubscriptionRequests:
    """Sends SUBSCRIBE and UNSUBSCRIBE, and waits for their answers.

    numbers      packet identifiers of unanswered requests
    next_number  returns a packet identifier that is not in use
    lost         is done once the connection is lost
    end          ends the connection because of a fault, unless it has ended before; returns the fault to raise
    """

    def __init__(
        self,
        link: Link,
        subscriptions: Subscriptions,
        protocol: int,
        session: Session,
        settings: MqttSettings,
        next_number: Callable[[], int],
        lost: asyncio.Future[None],
        end: Callable[[SinkError], SinkError],
    ) -> None:
        self._link = link
        self._subscriptions = subscriptions
        self._protocol = protocol
        self._session = session
        self._settings = settings
        self._next_number = next_number
        self._lost = lost
        self._end = end
        self._requests: dict[int, asyncio.Future[int]] = {}  # by packet identifier, until SUBACK
        self._ends: dict[int, asyncio.Future[None]] = {}  # until UNSUBACK
        self.numbers: set[int] = set()

    @property
    def requests(self) -> int:
        """Number of unanswered SUBSCRIBE packets."""
        return len(self._requests)

    @property
    def ending(self) -> int:
        """Number of unanswered UNSUBSCRIBE packets."""
        return len(self._ends)

    async def begin(self, topics: Sequence[str]) -> None:
        """Subscribe to topics at QoS 0. Raises SinkRefused for a topic without the right to read it."""
        for topic in topics:
            self._check_connected()
            self._subscriptions.add(topic)
            self._session.wanted.add(topic)
            number = self._new_number()
            granted = self._requests[number] = asyncio.get_running_loop().create_future()
            self._link.write(subscribe_packet(number, topic, self._protocol))
            await self._wait_for(granted, "a subscription")
            if granted.result() >= REFUSED:
                self._session.wanted.discard(topic)
                raise SinkRefused(f"{self._settings.url}: no right to read {topic}: check the access list")

    async def end(self, topics: Sequence[str]) -> None:
        """Unsubscribe from topics. All requests are sent at once: whoever cancels the wait leaves no subscription."""
        self._check_connected()
        for ended in [self.request_end(topic) for topic in topics]:
            await self._wait_for(ended, "an unsubscription")

    def request_end(self, topic: str) -> asyncio.Future[None]:
        """Unsubscribe from a topic. Messages that still arrive are discarded. The result is done with the answer."""
        self._subscriptions.end(topic)
        number = self._new_number()
        ended = self._ends[number] = asyncio.get_running_loop().create_future()
        self._link.write(unsubscribe_packet(number, topic, self._protocol))
        return ended

    def note_granted(self, number: int, code: int) -> bool:
        """SUBACK. False if no SUBSCRIBE waits for it."""
        if (granted := self._requests.pop(number, None)) is None:
            return False
        self.numbers.discard(number)
        if not granted.done():
            granted.set_result(code)
        return True

    def note_ended(self, number: int) -> bool:
        """UNSUBACK. False if no UNSUBSCRIBE waits for it."""
        if (ended := self._ends.pop(number, None)) is None:
            return False
        self.numbers.discard(number)
        if not ended.done():
            ended.set_result(None)
        return True

    def _new_number(self) -> int:
        number = self._next_number()
        self.numbers.add(number)
        return number

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
