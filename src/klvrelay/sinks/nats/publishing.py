"""Messages with numbered reply subjects, and the answers to them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from klvrelay.errors import SinkDown, SinkError
from klvrelay.sinks.nats.connection import NatsConnection
from klvrelay.sinks.nats.faults import DENIED, StoreAnswer, verdict_of
from klvrelay.sinks.nats.frames import Frame, published


class _MessageGroup:
    """Messages with consecutive numbers that were sent together, and their answers."""

    def __init__(self, first: int, subjects: Sequence[bytes]) -> None:
        self._first, self._subjects = first, subjects
        self.frames: list[Frame | None] = [None] * len(subjects)
        self.waiting = len(subjects)
        self.answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def answer(self, number: int, frame: Frame) -> None:
        place = number - self._first
        if self.frames[place] is None:
            self.frames[place] = frame
            self.waiting -= 1
            if not self.waiting and not self.answered.done():
                self.answered.set_result(None)

    def deny(self, subject: bytes) -> None:
        for place, each in enumerate(self._subjects):
            if each == subject:
                self.answer(self._first + place, REFUSED)


REFUSED = Frame(b"-ERR", b"")
"""In place of an answer: the user may not publish to the subject."""


class Answers:
    """Numbers messages, and assigns their answers."""

    def __init__(self) -> None:
        self._next = 0
        self._groups: dict[int, _MessageGroup] = {}

    def take(self, number: int, frame: Frame) -> None:
        """An answer arrived."""
        if (group := self._groups.get(number)) is not None:
            group.answer(number, frame)

    def deny(self, subject: str) -> None:
        """The user may not publish to a subject."""
        for group in list(dict.fromkeys(self._groups.values())):
            group.deny(subject.encode())

    async def publish(
        self, connection: NatsConnection, messages: Sequence[tuple[bytes, bytes, bytes]]
    ) -> tuple[list[Frame | None], SinkDown | None]:
        """Send messages: subject, headers, payload. Returns their answers, and what ended the connection before all
        were there.
        """
        first, self._next = self._next, self._next + len(messages)
        group = _MessageGroup(first, [message[0] for message in messages])
        numbers = range(first, self._next)
        self._groups.update(dict.fromkeys(numbers, group))
        try:
            inbox = connection.inbox
            connection.write(b"".join([
                published(subject, b"%b%d" % (inbox, number), headers, payload)
                for number, (subject, headers, payload) in zip(numbers, messages, strict=True)
            ]))  # fmt: skip
            await connection.exchange.wait(group.answered, lambda: group.waiting)
        except SinkError as fault:
            return group.frames, SinkDown(str(fault))
        finally:
            for number in numbers:
                del self._groups[number]
        return group.frames, None


def verdict(frame: Frame, read: Callable[[Frame], StoreAnswer] = verdict_of) -> StoreAnswer:
    """What an answer says about a message."""
    return DENIED if frame is REFUSED else read(frame)
