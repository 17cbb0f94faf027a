"""Messages with numbered reply subjects, and the answers to them.

`publish_async` of nats-py is not used: its future stays unanswered if JetStream refuses the message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from nats.aio.msg import Msg
from nats.errors import Error

from klvrelay.errors import SinkDown, SinkError
from klvrelay.sinks.nats.connection import NatsConnection
from klvrelay.sinks.nats.faults import DENIED, StoreAnswer, verdict_of

TURN = 64
"""Messages that are sent before other tasks run."""
STATUS = "Status"


class NatsMessage(NamedTuple):
    """A message with its headers."""

    subject: str
    headers: dict[str, str]
    payload: bytes

    @property
    def size(self) -> int:
        """Bytes that count for the server's `max_payload`."""
        return 12 + sum(len(name) + len(value.encode()) + 4 for name, value in self.headers.items()) + len(self.payload)


class _MessageGroup:
    """Messages with consecutive numbers that are sent together, and their answers."""

    def __init__(self, first: int, messages: Sequence[NatsMessage]) -> None:
        self.first, self.messages = first, messages
        self.answers: list[StoreAnswer | None] = [None] * len(messages)
        self.waiting = len(messages)
        self.answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def answer(self, number: int, answer: StoreAnswer) -> None:
        place = number - self.first
        if self.answers[place] is None:
            self.answers[place] = answer
            self.waiting -= 1
            if not self.waiting and not self.answered.done():
                self.answered.set_result(None)

    def deny(self, subject: str) -> None:
        for place, each in enumerate(self.messages):
            if each.subject.lower() == subject:
                self.answer(self.first + place, DENIED)


class Publishing:
    """Publishes groups of messages on one connection."""

    def __init__(self, connection: NatsConnection) -> None:
        self._connection = connection
        self._inbox = connection.client.new_inbox()
        self._next = 0
        self._groups: dict[int, _MessageGroup] = {}

    async def open(self) -> None:
        """Subscribe to the answers. Raises what ended the connection."""
        await self._connection.watch(self._connection.client.subscribe(f"{self._inbox}.*", cb=self._take))

    async def _take(self, message: Msg) -> None:
        """An answer arrived."""
        number = message.subject[len(self._inbox) + 1 :]
        group = self._groups.get(int(number)) if number.isdigit() else None
        if group is not None:
            self._connection.stream.answered()
            group.answer(int(number), verdict_of(message.data, (message.headers or {}).get(STATUS, "")))

    def deny(self, subject: str) -> None:
        """The user may not publish to a subject, given in lower case."""
        for group in list(dict.fromkeys(self._groups.values())):
            group.deny(subject)

    async def publish(self, messages: Sequence[NatsMessage]) -> tuple[list[StoreAnswer | None], SinkDown | None]:
        """Publish messages. Returns their answers, and what ended the connection before all were there."""
        first, self._next = self._next, self._next + len(messages)
        group = _MessageGroup(first, messages)
        numbers = range(first, self._next)
        self._groups.update(dict.fromkeys(numbers, group))
        try:
            await self._connection.watch(self._converse(group), lambda: group.waiting)
        except SinkError as fault:
            return group.answers, SinkDown(str(fault))
        finally:
            for number in numbers:
                del self._groups[number]
        return group.answers, None

    async def _converse(self, group: _MessageGroup) -> None:
        publish = self._connection.client.publish
        try:
            for number, (subject, headers, payload) in enumerate(group.messages, group.first):
                await publish(subject, payload, f"{self._inbox}.{number}", headers)
                if number % TURN == TURN - 1:
                    await asyncio.sleep(0)
        except Error:
            raise await self._connection.ended() from None
        await group.answered
