"""A clock that only pauses move: what waits for hours takes no time in a test."""

from __future__ import annotations

import asyncio
import random

from klvrelay.backoff import Backoff


class Time:
    """Gives `clock` and `sleep`; `pauses` are those that were asked for. `Enough` ends the one after the last."""

    def __init__(self, pauses: int) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []
        self._most = pauses

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        if len(self.pauses) == self._most:
            raise Enough
        self.pauses.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


class Enough(BaseException):
    """As many pauses as the test wants to see."""


class Longest(random.Random):
    """No jitter: each pause is as long as it may be."""

    def uniform(self, a: float, b: float) -> float:
        return b


def unjittered(cap: float = 30.0) -> Backoff:
    return Backoff(cap=cap, chance=Longest())


class Clock:
    """A monotonic clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now
