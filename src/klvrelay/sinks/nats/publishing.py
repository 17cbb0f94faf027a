"""Messages to JetStream that are sent together, and the answers to them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

from nats.errors import Error
from nats.js import JetStreamContext

from klvrelay.errors import SinkDown, SinkError
from klvrelay.sinks.nats.connection import NatsConnection
from klvrelay.sinks.nats.faults import DENIED, StoreAnswer, verdict_of

TURN = 64
"""Messages that are sent before other tasks run."""


class Message(NamedTuple):
    """A message with its headers."""

    subject: str
    headers: dict[str, str]
    payload: bytes

    @property
    def size(self) -> int:
        """Bytes that count for the server's `max_payload`."""
        return 12 + sum(len(name) + len(value.encode()) + 4 for name, value in self.headers.items()) + len(self.payload)


class Publishing:
    """Publishes groups of messages on one connection."""

    def __init__(self, connection: NatsConnection, jetstream: JetStreamContext) -> None:
        self._connection, self._jetstream = connection, jetstream
        self._waiting: dict[asyncio.Future[Any], str] = {}

    def deny(self, subject: str) -> None:
        """The user may not publish to a subject, given in lower case."""
        for answer, each in self._waiting.items():
            if each.lower() == subject and not answer.done():
                answer.set_result(DENIED)

    def end(self) -> None:
        """The connection has ended: no more answers arrive."""
        for answer in list(self._waiting):
            answer.cancel()

    async def publish(self, messages: Sequence[Message]) -> tuple[list[StoreAnswer | None], SinkDown | None]:
        """Publish messages. Returns their answers, and what ended the connection before all were there."""
        answers: list[asyncio.Future[Any]] = []
        fault: SinkDown | None = None
        try:
            await self._connection.watch(self._converse(messages, answers), lambda: len(answers) - self._unanswered)
        except SinkError as lost:
            fault = SinkDown(str(lost))
        except Error:
            fault = SinkDown(str(await self._connection.ended()))
        finally:
            for answer in answers:
                self._waiting.pop(answer, None)
                answer.cancel()
        found = [_answer_of(answer) for answer in answers] + [None] * (len(messages) - len(answers))
        if fault is None and None in found:
            fault = SinkDown(str(await self._connection.ended()))
        return found, fault

    @property
    def _unanswered(self) -> int:
        return self._jetstream.publish_async_pending()

    async def _converse(self, messages: Sequence[Message], answers: list[asyncio.Future[Any]]) -> None:
        for number, (subject, headers, payload) in enumerate(messages, 1):
            answer: asyncio.Future[Any] = await self._jetstream.publish_async(subject, payload, headers=headers)
            answers.append(answer)
            self._waiting[answer] = subject
            answer.add_done_callback(self._answered)
            if number % TURN == 0:
                await asyncio.sleep(0)
        await asyncio.wait(answers)

    def _answered(self, _: asyncio.Future[Any]) -> None:
        self._connection.stream.answered()


def _answer_of(answer: asyncio.Future[Any]) -> StoreAnswer | None:
    if answer.cancelled():
        return None
    return verdict_of(answer.exception() or answer.result())
