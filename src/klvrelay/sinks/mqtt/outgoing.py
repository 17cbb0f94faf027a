"""Publishes the messages of one connection: sent in the order of the calls, completed by the broker's answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import cast

from paho.mqtt.client import Client
from paho.mqtt.properties import Properties

from klvrelay.sinks.mqtt.connection import TOO_LARGE, Message, Terms
from klvrelay.sinks.mqtt.inflight import InFlight, Publication
from klvrelay.sinks.mqtt.packets import LARGEST_PACKET, Packed, publish_size
from klvrelay.sinks.mqtt.paho_client import resume_message
from klvrelay.sinks.mqtt.session import Session

TURN = 50
"""Messages sent before other tasks of the event loop run."""
_COMPLETED_BEFORE = 0x92
"""PUBCOMP: packet identifier not found, since the broker completed the message before (MQTT 5, 3.7.2.1)."""


class Outgoing:
    """Sends messages, and keeps those in flight.

    terms     what the broker supports
    largest   maximum bytes of a packet that the broker accepts
    timeout   seconds in which the oldest message in flight must be answered; then `late` is called
    lost      is called if a message cannot be sent because the connection is lost
    flush     returns once the broker has read all messages, or the connection is lost

    one_by_one  send a message only once the one before it is answered, or read at QoS 0
    """

    def __init__(
        self,
        paho: Client,
        protocol: int,
        session: Session,
        terms: Terms,
        timeout: float,
        late: Callable[[], object],
        lost: Callable[[], object],
        flush: Callable[[], Awaitable[object]],
    ) -> None:
        self.terms = terms
        self.largest = LARGEST_PACKET
        self.flight = InFlight(timeout, late)
        self._paho = paho
        self._protocol = protocol
        self._session = session
        self._lost = lost
        self._flush = flush
        self.one_by_one = False
        self._unread: Message | None = None  # the last message of QoS 0
        self._turn_unread = asyncio.Lock()
        self._turn, self._turn_ahead = asyncio.Lock(), asyncio.Lock()
        self._over = False
        self._abandoned: dict[Message, list[int]] = {}  # packet identifiers, of messages whose `publish` was cancelled

    async def publish(self, messages: Sequence[Message], *, ahead: bool = False) -> Publication:
        """Send messages, after those of earlier calls. Return once all are answered, or no more answers will arrive.

        Messages that go `ahead` wait for earlier ones of their kind only. After a cancellation the same messages may be
        published again: at QoS 2 none is sent twice.
        """
        publication = Publication(len(messages), messages)
        try:
            async with self._turn_ahead if ahead else self._turn:
                await self._send_all(messages, publication, ahead=ahead)
            if not self._over:
                await publication.complete()
            return publication
        except asyncio.CancelledError:
            self._abandon(messages, publication)
            raise

    async def _send_all(self, messages: Sequence[Message], publication: Publication, *, ahead: bool) -> None:
        for at, message in enumerate(messages):
            if self.flight.full:
                await self.flight.wait_for_room(ahead=ahead)
            elif at % TURN == TURN - 1:
                await asyncio.sleep(0)
            if self._over:
                return
            if self.one_by_one and not self.terms.fitted(message).qos:
                await self._send_and_flush(message, publication, at)
            else:
                self._send(message, publication, at)

    async def _send_and_flush(self, message: Message, publication: Publication, at: int) -> None:
        """Send a message of QoS 0, and return once the broker has read it. Otherwise it is unanswered."""
        async with self._turn_unread:
            if self._over:
                return
            self._send(message, publication, at)
            await self._flush()
            self._note_read(publication, at)

    def _note_read(self, publication: Publication, at: int) -> None:
        """The broker has read a message, unless the connection was lost."""
        if self._over:
            publication.codes[at] = None
        else:
            self._unread = None

    async def publish_unconfirmed(self, messages: Sequence[Message]) -> Publication:
        """Send messages at QoS 0, at once. Return once they are written, or the connection is lost."""
        publication = Publication(len(messages))
        for at, message in enumerate(messages):
            if not self._over:
                self._send(replace(message, qos=0), publication, at)
        if not self._over:
            await publication.complete()
        return publication

    async def resume(self, present: bool) -> Publication:
        """Complete the QoS 2 messages of earlier connections. `present`: the broker has the session.

        Those that the broker has taken come first: it may close the connection at one of the others.
        """
        left = self._session.resume(present)
        self._paho._last_mid = self._session.last
        publication = Publication(len(left), [message for _, message, _ in left])
        try:
            for at, (number, message, taken) in enumerate(left):
                if self.flight.full:
                    await self.flight.wait_for_room()
                if self._over:
                    return publication
                self.flight.add(number, publication, at)
                resume_message(self._paho, number, message, taken)
            await publication.complete()
            return publication
        finally:
            answers = zip(left, publication.codes, strict=True)
            self._session.settle((message, code) for (_, message, _), code in answers if code is not None)

    def _abandon(self, messages: Sequence[Message], publication: Publication) -> None:
        """Keep the answers to messages whose publisher was cancelled, and recognise the messages if they come again.

        Not those to latest values: an equal value may be published again after another one.
        """
        answered = zip(map(self.terms.fitted, messages), publication.codes, strict=True)
        self._session.settle((message, code) for message, code in answered if code not in (None, TOO_LARGE))
        for number in self.flight.numbers_of(publication):
            if (message := self._session.pending(number)) is not None and not message.retain:
                self._abandoned.setdefault(message, []).append(number)

    def _reclaim(self, message: Message) -> int | None:
        """The packet identifier of an abandoned message that is in flight."""
        numbers = self._abandoned.pop(message, None) if self._abandoned else None
        if numbers is None:
            return None
        number, *others = numbers
        if others:
            self._abandoned[message] = others
        return number

    def _send(self, message: Message, publication: Publication, at: int) -> None:
        """Pass one message to paho; its answer goes to its place in the publication."""
        message = self.terms.fitted(message)
        if (code := self._session.answer(message)) is not None:
            publication.answer(at, code)
            return
        if (number := self._reclaim(message)) is not None:
            self.flight.redirect(number, publication, at)
            return
        more = Packed(message) if self._protocol == 5 else None
        if publish_size(message, more) > self.largest:
            publication.answer(at, TOO_LARGE)
            return
        properties = cast("Properties | None", more)
        info = self._paho.publish(message.topic, message.payload, message.qos, message.retain, properties)
        if info.rc:
            self._lost()
            return
        self.flight.add(info.mid, publication, at)
        self._session.send(info.mid, message)
        if not message.qos:
            self._unread = message

    def answer(self, number: int, code: int) -> None:
        """A message is answered by PUBACK, PUBCOMP, or a PUBREC that refuses; at QoS 0, it is written to the socket."""
        if code == _COMPLETED_BEFORE and self._session.is_taken(number):
            code = 0
        message = self._session.finish(number)
        if message is not None and number in (numbers := self._abandoned.get(message, [])):
            numbers.remove(number)
            if not numbers:
                del self._abandoned[message]
            self._session.settle([(message, code)])
        self.flight.answer(number, code)

    def oldest(self) -> Message | None:
        """The message that the broker must answer next, or read next at QoS 0."""
        return self.flight.oldest(self._session.is_taken) or self._unread

    def end(self) -> None:
        """No more messages are sent, and no more answers will arrive."""
        self._over = True
        self.flight.end()
