"""Publishes the messages of one connection: sent in the order of the calls, completed by the broker's answers."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence

from klvrelay.sinks.mqtt.aiomqtt.client import Client
from klvrelay.sinks.mqtt.connection import TOO_LARGE, Message, Terms
from klvrelay.sinks.mqtt.flight import AnswerDeadline, Rooms
from klvrelay.sinks.mqtt.packets import LARGEST_PACKET, Packed, publish_size

TURN = 50
"""Messages sent before other tasks of the event loop run."""


class Answers:
    """The answers to the messages of one call. `codes` has None for messages without an answer."""

    __slots__ = ("_complete", "_missing", "codes")

    def __init__(self, count: int) -> None:
        self.codes: list[int | None] = [None] * count
        self._missing = count
        self._complete: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def put(self, at: int, code: int) -> None:
        self.codes[at] = code
        self._missing -= 1
        if not self._missing:
            self.end()

    def end(self) -> None:
        """All messages are answered, or no more answers will arrive."""
        if not self._complete.done():
            self._complete.set_result(None)

    async def complete(self) -> None:
        if self._missing:
            await self._complete


class Outgoing:
    """The messages in flight, the oldest first, and those that wait.

    most         maximum number of messages in flight
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
        self.most = 1
        self.terms = terms
        self.largest = LARGEST_PACKET
        self.one_by_one = False
        self._client = client
        self._protocol = protocol
        self._lost, self._flush = lost, flush
        self._flight: OrderedDict[int, tuple[Answers, int, Message]] = OrderedDict()
        self._deadline = AnswerDeadline(timeout, late)
        self._turns = {ahead: asyncio.Lock() for ahead in (True, False)}
        self._rooms = Rooms()
        self._unread_turn = asyncio.Lock()
        self._unread: Message | None = None  # the last message of QoS 0
        self._over = False

    async def publish(self, messages: Sequence[Message], *, ahead: bool = False) -> list[int | None]:
        """Send messages, after those of earlier calls. Return once all are answered, or no more answers will arrive."""
        answers = Answers(len(messages))
        async with self._turns[ahead]:
            for at, message in enumerate(messages):
                await self._wait_for_room(at, ahead=ahead)
                if self._over:
                    return answers.codes
                await self._send_next(message, answers, at)
        if not self._over:
            await answers.complete()
        return answers.codes

    async def publish_unconfirmed(self, messages: Sequence[Message]) -> list[int | None]:
        """Send messages at QoS 0, at once. Return once they are written, or the connection is lost."""
        answers = Answers(len(messages))
        for at, message in enumerate(messages):
            self._send(Terms(0).fitted(message), answers, at)
        if not self._over:
            await answers.complete()
        return answers.codes

    async def _wait_for_room(self, at: int, *, ahead: bool) -> None:
        if at % TURN == TURN - 1:
            await asyncio.sleep(0)
        while len(self._flight) >= self.most and not self._over:
            await self._rooms.wait(ahead=ahead)

    async def _send_next(self, message: Message, answers: Answers, at: int) -> None:
        if not self.one_by_one or self.terms.fitted(message).qos:
            self._send(message, answers, at)
            return
        async with self._unread_turn:
            self._send(message, answers, at)
            await self._flush()
            if self._over:
                answers.codes[at] = None  # it may be unread
            else:
                self._unread = None

    def _send(self, message: Message, answers: Answers, at: int) -> None:
        if self._over:
            return
        message = self.terms.fitted(message)
        properties = Packed(message) if self._protocol == 5 else None
        if publish_size(message, properties) > self.largest:
            answers.put(at, TOO_LARGE)
            return
        number = self._client.send(message, properties)
        if number is None:
            self._lost()
            return
        if not self._flight:
            self._deadline.begin()
        self._flight[number] = answers, at, message
        if not message.qos:
            self._unread = message

    def is_sent(self, number: int) -> bool:
        """Is this the packet identifier of an unanswered message of QoS 1?"""
        found = self._flight.get(number)
        return found is not None and found[2].qos > 0

    def answer(self, number: int, code: int) -> None:
        """A message is answered, or written to the socket at QoS 0. An unexpected answer is ignored."""
        if number not in self._flight:
            return
        is_oldest = next(iter(self._flight)) == number
        answers, at, _ = self._flight.pop(number)
        if is_oldest:
            self._deadline.move(remaining=bool(self._flight))
        self._rooms.wake()
        answers.put(at, code)

    def oldest(self) -> Message | None:
        """The message that the broker must answer next, or read next at QoS 0."""
        return next((message for _, _, message in self._flight.values()), self._unread)

    def wake(self) -> None:
        """Let the waiting senders look for room."""
        self._rooms.wake()

    def end(self) -> None:
        """No more messages are sent, and no more answers will arrive."""
        self._over = True
        self._deadline.end()
        waiting = [answers for answers, _, _ in self._flight.values()]
        self._flight.clear()
        self.wake()
        for answers in waiting:
            answers.end()
