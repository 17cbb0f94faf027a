"""Publishes messages lane by lane while some are withheld: see `control.py`."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence

from klvrelay.sinks.mqtt.protocol.connection import TOO_LARGE, Connection, Message, Unanswered
from klvrelay.sinks.mqtt.refused.control import Control, lane_of

TURN = 0.05
"""Seconds between two checks if withheld messages may be sent."""

Publish = Callable[[Sequence[Message]], Awaitable[list[int]]]
Settle = Callable[[Iterable[tuple[Message, int]]], None]


class Lanes:
    """The lanes of one broker that have messages. Each publishes in the order of the calls, and waits for no other.

    settle  keeps the answers to messages that will be published again, so that at QoS 2 none is sent twice
    """

    def __init__(self, control: Control, settle: Settle) -> None:
        self._control = control
        self._settle = settle
        self._calls: Counter[str] = Counter()  # that publish on each lane or wait for it
        self._turns: dict[str, asyncio.Lock] = {}

    @property
    def are_used(self) -> bool:
        """Must a message be published by `publish`?"""
        return self._control.is_running or bool(self._calls)

    async def publish(self, connection: Connection, messages: Sequence[Message], send: Publish) -> list[int]:
        """Publish each message with `send`, once it is not withheld. Returns the codes. Raises Unanswered.

        After a cancellation the answers of lanes that did not wait are settled; `send` does so for its own.
        """
        lanes: dict[str, list[int]] = {}
        for at, message in enumerate(messages):
            lanes.setdefault(lane_of(message), []).append(at)
        self._calls.update(lanes.keys())
        tasks = [
            asyncio.create_task(self._publish_lane(connection, lane, [messages[at] for at in places], send), name=lane)
            for lane, places in lanes.items()
        ]
        try:
            results = await asyncio.gather(*tasks, return_exceptions=True)
        except asyncio.CancelledError:
            self._settle_answered(messages, zip(lanes.values(), tasks, strict=True))
            raise
        finally:
            self._leave(lanes)
        return _joined(len(messages), list(lanes.values()), results)

    def _settle_answered(
        self, messages: Sequence[Message], lanes: Iterable[tuple[Sequence[int], asyncio.Task[list[int]]]]
    ) -> None:
        for places, task in lanes:
            answers = zip(places, _codes_of(task), strict=False)
            self._settle((messages[at], code) for at, code in answers if code is not None and code != TOO_LARGE)

    def _leave(self, lanes: dict[str, list[int]]) -> None:
        for lane in lanes:
            self._calls[lane] -= 1
            if not self._calls[lane]:
                del self._calls[lane]
                self._turns.pop(lane, None)

    async def _publish_lane(
        self, connection: Connection, lane: str, messages: Sequence[Message], send: Publish
    ) -> list[int]:
        async with self._turns.setdefault(lane, asyncio.Lock()):
            while any(self._control.withholds(message) for message in messages):
                await connection.publish((), ahead=True)  # raises Unanswered once the connection is lost
                await asyncio.sleep(TURN)
            return await send(messages)


def _codes_of(task: asyncio.Task[list[int]]) -> Sequence[int | None]:
    """The codes of a lane that has ended."""
    if task.cancelled():
        return ()
    fault = task.exception()
    if fault is None:
        return task.result()
    return fault.codes if isinstance(fault, Unanswered) else ()


def _joined(count: int, lanes: Sequence[list[int]], results: Sequence[list[int] | BaseException]) -> list[int]:
    """The codes of all lanes in the order of the messages."""
    codes: list[int | None] = [None] * count
    fault: Unanswered | None = None
    for places, result in zip(lanes, results, strict=True):
        if isinstance(result, Unanswered):
            fault = fault if fault is not None and fault.broke is not None else result
        elif isinstance(result, BaseException):
            raise result
        for at, code in zip(places, result.codes if isinstance(result, Unanswered) else result, strict=False):
            codes[at] = code
    if fault is not None:
        fault.codes = codes
        raise fault
    return [code for code in codes if code is not None]
