"""Publishes the messages of one connection: sent in the order of the calls, completed by the broker's answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from klvrelay.sinks.mqtt.aiomqtt.client import Client
from klvrelay.sinks.mqtt.protocol.connection import TOO_LARGE, Message, Terms
from klvrelay.sinks.mqtt.protocol.inflight import InFlight, PublishAnswers
from klvrelay.sinks.mqtt.protocol.packets import LARGEST_PACKET, Packed, publish_size

TURN = 50
"""Messages sent before other tasks of the event loop run."""


class OutgoingToPaho:
    """Sends messages through paho, and keeps those in flight.

    terms        what the broker supports
    largest      maximum bytes of a packet that the broker accepts
    late         is called if the oldest message is not answered within `timeout` seconds, from the answer to the
                 message before it
    lost         is called if a message cannot be sent, because the connection is lost
    flush        returns once the broker has read all messages, or the connection is lost
    one_by_one   send a message only once the one before it is answered, or read at QoS 0
    """

    def __init__(
        self,
        client: Client,
        protocol: int,
        terms: Terms,
        timeout: float,
        late: Callable[[], object],
        lost: Callable[[], object],
        flush: Callable[[], Awaitable[object]],
    ) -> None:
        self.terms = terms
        self.flight = InFlight(timeout, late)
        self.largest = LARGEST_PACKET
        self.one_by_one = False
        self._client = client
        self._protocol = protocol
        self._lost, self._flush = lost, flush
        self._turns = {ahead: asyncio.Lock() for ahead in (True, False)}
        self._unread_turn = asyncio.Lock()
        self._unread: Message | None = None  # the last message of QoS 0
        self._awaited: set[int] = set()  # packet identifiers of unanswered messages of QoS 1
        self._over = False

    async def publish(self, messages: Sequence[Message], *, ahead: bool = False) -> PublishAnswers:
        """See `Outgoing.publish`."""
        publication = PublishAnswers(len(messages), messages)
        async with self._turns[ahead]:
            for at, message in enumerate(messages):
                if at % TURN == TURN - 1:
                    await asyncio.sleep(0)
                await self.flight.wait_for_room(ahead=ahead)
                if self._over:
                    return publication
                await self._send_next(self.terms.fitted(message), publication, at)
        if not self._over:
            await publication.complete()
        return publication

    async def publish_unconfirmed(self, messages: Sequence[Message]) -> PublishAnswers:
        """See `Outgoing.publish_unconfirmed`."""
        publication = PublishAnswers(len(messages))
        for at, message in enumerate(messages):
            self._send(self.terms.fitted(message._replace(qos=0)), publication, at)
        if not self._over:
            await publication.complete()
        return publication

    async def _send_next(self, message: Message, publication: PublishAnswers, at: int) -> None:
        if not self.one_by_one or message.qos:
            self._send(message, publication, at)
            return
        async with self._unread_turn:
            self._send(message, publication, at)
            await self._flush()
            if self._over:
                publication.codes[at] = None  # it may be unread
            else:
                self._unread = None

    def _send(self, message: Message, publication: PublishAnswers, at: int) -> None:
        if self._over:
            return
        properties = Packed(message) if self._protocol == 5 else None
        if publish_size(message, properties) > self.largest:
            publication.answer(at, TOO_LARGE)
            return
        number = self._client.send(message, properties)
        if number is None:
            self._lost()
            return
        self.flight.add(number, publication, at)
        if message.qos:
            self._awaited.add(number)
        else:
            self._unread = message

    def is_sent(self, number: int) -> bool:
        """Is this the packet identifier of an unanswered message of QoS 1?"""
        return number in self._awaited

    def answer(self, number: int, code: int) -> None:
        """A message is answered, or written to the socket at QoS 0. An unexpected answer is ignored."""
        self._awaited.discard(number)
        self.flight.answer(number, code)

    def oldest(self) -> Message | None:
        """See `Outgoing.oldest`."""
        return self.flight.oldest(lambda _: False) or self._unread

    @property
    def unanswered(self) -> int:
        """See `Outgoing.unanswered`."""
        return self.flight.count(lambda _: False)

    def end(self) -> None:
        """See `Outgoing.end`."""
        self._over = True
        self.flight.end()
