"""Messages of outputs before they are answered: several records may share one, and one record may have several."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence

from klvrelay.outcome import Outcome
from klvrelay.shape.payload import Payload
from klvrelay.sinks.mqtt.batch_messages import outcome_of
from klvrelay.sinks.mqtt.protocol.connection import Message
from klvrelay.sinks.results import DELIVERED, best_of


class Pending:
    """A message in the making, and its answer.

    code   the reason code of the broker; cancelled if the connection ended before it
    at     when it was answered, seconds of the monotonic clock
    """

    __slots__ = ("at", "code", "due", "payloads", "size")

    def __init__(self, due: float = 0.0) -> None:
        self.payloads: list[Payload] = []
        self.size = 0
        self.due = due
        self.at = 0.0
        self.code: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def add(self, payload: Payload) -> None:
        self.payloads.append(payload)
        self.size += len(payload.data) + 1

    def answer(self, code: int | None) -> None:
        """The message is answered, or will not be (None)."""
        if self.code.done():
            return
        self.at = time.monotonic()
        if code is None:
            self.code.cancel()
        else:
            self.code.set_result(code)


def result_of(parts: Sequence[Pending]) -> int | None:
    """The result of a record from the answers to its messages: the best counts. None if one is missing."""
    if not all(part.code.done() and not part.code.cancelled() for part in parts):
        return None
    return best_of(outcome_of(part.code.result()) for part in parts)


def confirmations(results: Sequence[tuple[int, Sequence[Pending]]], outcome: Outcome) -> list[float]:
    """When each delivered record was confirmed: the last of its messages that the broker has accepted.

    results   the messages of each record; `outcome` is that of the leading ones
    """
    places = range(outcome.answered) if outcome.places is None else outcome.places
    return [max(part.at for part in results[place][1] if _is_accepted(part)) for place in places]


def _is_accepted(part: Pending) -> bool:
    return outcome_of(part.code.result()) == DELIVERED


async def answers(parts: Iterable[Pending]) -> bool:
    """Return once all messages are answered, or will not be. Was there any to wait for?"""
    waiting = [part.code for part in parts if not part.code.done()]
    if waiting:
        await asyncio.wait(waiting)
    return bool(waiting)


class Sending:
    """Messages that are sent together, in order."""

    __slots__ = ("messages", "parts")

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.parts: list[Pending] = []

    def add(self, message: Message, part: Pending) -> None:
        self.messages.append(message)
        self.parts.append(part)

    def answered(self, codes: Sequence[int | None]) -> None:
        """Pass the answers on; messages without one get none any more."""
        for place, part in enumerate(self.parts):
            part.answer(codes[place] if place < len(codes) else None)
