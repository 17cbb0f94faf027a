"""Publishes the messages of one connection: sent in the order of the calls, completed by the broker's answers."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Container, Sequence

from klvrelay.sinks.mqtt.native.encode import pubrel_packet
from klvrelay.sinks.mqtt.native.encode_publish import PublishEncoder
from klvrelay.sinks.mqtt.native.link import Link
from klvrelay.sinks.mqtt.protocol.connection import REFUSED, TOO_LARGE, Message, Terms
from klvrelay.sinks.mqtt.protocol.inflight import InFlight, PublishAnswers
from klvrelay.sinks.mqtt.protocol.session import Session

TURN = 50
"""Messages sent before other tasks of the event loop run."""
IDENTIFIERS = 65_535
_COMPLETED_BEFORE = 0x92
"""PUBCOMP: packet identifier not found, since the broker completed the message before (MQTT 5, 3.7.2.1)."""


class OutgoingMessages:
    """Sends messages, and keeps those in flight.

    terms     what the broker supports
    encoder   encodes the messages, with what the broker announced
    timeout   seconds in which the oldest message in flight must be answered; then `late` is called
    flush     returns once the broker has read all messages, or the connection is lost

    one_by_one  send a message only once the one before it is answered, or read at QoS 0
    reserved    packet identifiers of other packets

    A message of QoS 0 is in flight until it is passed to the kernel. Its number is greater than any packet identifier.
    """

    def __init__(
        self,
        link: Link,
        encoder: PublishEncoder,
        session: Session,
        terms: Terms,
        timeout: float,
        late: Callable[[], object],
        flush: Callable[[], Awaitable[object]],
    ) -> None:
        self.terms = terms
        self.encoder = encoder
        self.flight = InFlight(timeout, late)
        self._link = link
        self._session = session
        self._flush = flush
        self.one_by_one = False
        self.reserved: Container[int] = ()
        self._unsent: deque[tuple[int, int]] = deque()  # QoS 0: `Link.sent` once it is sent, and its number
        self._last_unconfirmed = IDENTIFIERS
        self._unread: Message | None = None  # the last message of QoS 0
        self._turn_unread = asyncio.Lock()
        self._turn, self._turn_ahead = asyncio.Lock(), asyncio.Lock()
        self._calls = 0  # that wait for their turn or for room, or send
        self._over = False
        self._abandoned: dict[Message, list[int]] = {}  # packet identifiers, of messages whose `publish` was cancelled

    @property
    def largest(self) -> int:
        """Maximum bytes of a packet that the broker accepts."""
        return self.encoder.largest

    async def publish(self, messages: Sequence[Message], *, ahead: bool = False) -> PublishAnswers:
        """Send messages, after those of earlier calls. Return once all are answered, or no more answers will arrive.

        Messages that go `ahead` wait for earlier ones of their kind only. After a cancellation the same messages may be
        published again: at QoS 2 none is sent twice.
        """
        publication = PublishAnswers(len(messages), messages)
        try:
            try:
                if self._has_room(len(messages)):
                    for at, message in enumerate(messages):
                        self._send(message, publication, at)
                else:
                    await self._send_in_turn(messages, publication, ahead=ahead)
            finally:
                self._link.flush()
            if publication.missing and not self._over:
                await publication.waiter()
            return publication
        except asyncio.CancelledError:
            self._abandon(messages, publication)
            raise

    @property
    def has_room(self) -> bool:
        """Would another message be sent at once?"""
        return not (self._over or self._calls or self._link.full or self.flight.full)

    def _has_room(self, count: int) -> bool:
        """May so many messages be sent at once?"""
        if self._calls or self._over or self.one_by_one or self._link.full:
            return False
        return count <= min(TURN, self.flight.most - len(self.flight.messages))

    async def _send_in_turn(self, messages: Sequence[Message], publication: PublishAnswers, *, ahead: bool) -> None:
        self._calls += 1
        try:
            async with self._turn_ahead if ahead else self._turn:
                await self._send_all(messages, publication, ahead=ahead)
        finally:
            self._calls -= 1

    async def _send_all(self, messages: Sequence[Message], publication: PublishAnswers, *, ahead: bool) -> None:
        for at, message in enumerate(messages):
            if self.flight.full or self._link.full:
                await self._wait_for_room(ahead=ahead)
            elif at % TURN == TURN - 1:
                self._link.flush()
                await asyncio.sleep(0)
            if self._over:
                return
            if self.one_by_one and not self.terms.fitted(message).qos:
                await self._send_and_flush(message, publication, at)
            else:
                self._send(message, publication, at)

    async def _wait_for_room(self, *, ahead: bool) -> None:
        """Return once another message may be sent, or the connection has ended."""
        self._link.flush()
        while (self.flight.full or self._link.full) and not self._over:
            await (self._link.room() if self._link.full else self.flight.wait_for_room(ahead=ahead))

    async def _send_and_flush(self, message: Message, publication: PublishAnswers, at: int) -> None:
        """Send a message of QoS 0, and return once the broker has read it. Otherwise it is unanswered."""
        async with self._turn_unread:
            if self._over:
                return
            self._send(message, publication, at)
            self._link.flush()
            await self._flush()
            self._note_read(publication, at)

    def _note_read(self, publication: PublishAnswers, at: int) -> None:
        """The broker has read a message, unless the connection was lost."""
        if self._over:
            publication.codes[at] = None
        else:
            self._unread = None

    async def publish_unconfirmed(self, messages: Sequence[Message]) -> PublishAnswers:
        """Send messages at QoS 0, at once. Return once they are written, or the connection is lost."""
        publication = PublishAnswers(len(messages))
        for at, message in enumerate(messages):
            if not self._over:
                self._send(message._replace(qos=0), publication, at)
        self._link.flush()
        if not self._over:
            await publication.complete()
        return publication

    async def resume(self, present: bool) -> PublishAnswers:
        """Complete the QoS 2 messages of earlier connections. `present`: the broker has the session.

        Those that the broker has taken come first: it may close the connection at one of the others.
        """
        left = self._session.resume(present)
        publication = PublishAnswers(len(left), [message for _, message, _ in left])
        try:
            for at, (number, message, taken) in enumerate(left):
                await self._wait_for_room(ahead=False)
                if self._over:
                    return publication
                packet = pubrel_packet(number) if taken else self.encoder.encode(message, number, dup=True)
                if packet is None:
                    self._session.finish(number)
                    publication.answer(at, TOO_LARGE)
                else:
                    self.flight.add(number, publication, at)
                    self._link.write(packet)
            await publication.complete()
            return publication
        finally:
            answers = zip(left, publication.codes, strict=True)
            self._session.settle((message, code) for (_, message, _), code in answers if code is not None)

    def _abandon(self, messages: Sequence[Message], publication: PublishAnswers) -> None:
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
        numbers = self._abandoned.pop(message, None)
        if numbers is None:
            return None
        number, *others = numbers
        if others:
            self._abandoned[message] = others
        return number

    def _send(self, message: Message, publication: PublishAnswers, at: int) -> None:
        """Send one message; its answer goes to its place in the publication."""
        message = self.terms.fitted(message)
        session = self._session
        if session.settled and (code := session.answer(message)) is not None:
            publication.answer(at, code)
            return
        if self._abandoned and (number := self._reclaim(message)) is not None:
            self.flight.redirect(number, publication, at)
            return
        qos = message.qos
        kept = session.kept(message) if qos == 2 else None
        number = kept or (self.next_number() if qos else self._last_unconfirmed + 1)
        packet = self.encoder.encode(message, number, dup=kept is not None)
        if packet is None:
            publication.answer(at, TOO_LARGE)
            return
        self.flight.add(number, publication, at)
        end = self._link.add(packet)
        if qos == 2:
            session.send(number, message)
        elif not qos:
            self._last_unconfirmed = number
            self._unsent.append((end, number))
            self._unread = message

    def next_number(self) -> int:
        """A packet identifier that is not in use."""
        number = self._session.last % IDENTIFIERS + 1
        in_flight, session = self.flight.messages, self._session
        while number in in_flight or number in self.reserved or (session.is_used and session.is_kept(number)):
            number = number % IDENTIFIERS + 1
        self._session.last = number
        return number

    def note_sent(self) -> None:
        """Bytes were passed to the kernel, which completes messages of QoS 0."""
        while self._unsent and self._unsent[0][0] <= self._link.sent:
            self.flight.answer(self._unsent.popleft()[1], 0)

    def confirm(self, number: int, code: int) -> bool:
        """PUBACK. False if no message of QoS 1 waits for it."""
        if self._session.is_used and self._session.pending(number) is not None:
            return False
        if code >= REFUSED:
            self._forget_alias(number)
        return self.flight.answer(number, code)

    def take(self, number: int, code: int) -> bool:
        """PUBREC. False if no message of QoS 2 waits for it."""
        if number not in self.flight.messages or self._session.pending(number) is None:
            return False
        if code >= REFUSED:
            self.answer(number, code)
        elif not self._session.is_taken(number):  # otherwise PUBREL was sent when the session was resumed
            self._session.take(number)
            self._link.write(pubrel_packet(number))
        return True

    def complete(self, number: int, code: int) -> bool:
        """PUBCOMP. False if no message of QoS 2 waits for it."""
        if number not in self.flight.messages or not self._session.is_taken(number):
            return False
        self.answer(number, 0 if code == _COMPLETED_BEFORE else code)
        return True

    def answer(self, number: int, code: int) -> None:
        """The broker's final answer to a message of QoS 2."""
        message = self._session.finish(number)
        if message is not None and number in (numbers := self._abandoned.get(message, [])):
            numbers.remove(number)
            if not numbers:
                del self._abandoned[message]
            self._session.settle([(message, code)])
        if code >= REFUSED:
            self._forget_alias(number)
        self.flight.answer(number, code)

    def _forget_alias(self, number: int) -> None:
        if (refused := self.flight.message(number)) is not None:
            self.encoder.forget_alias(refused.topic)

    def oldest(self) -> Message | None:
        """The message that the broker must answer next, or read next at QoS 0."""
        return self.flight.oldest(self._session.is_taken) or self._unread

    @property
    def unanswered(self) -> int:
        """See `Outgoing.unanswered`."""
        return self.flight.count(self._session.is_taken)

    def end(self) -> None:
        """No more messages are sent, and no more answers will arrive."""
        self._over = True
        self.flight.end()
