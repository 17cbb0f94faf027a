"""A clock that only pauses advance: hours of waiting take no time in a test."""

from __future__ import annotations

import asyncio
import random

from klvrelay.backoff import Backoff


class Time:
    """Has `clock` and `sleep`; `pauses` are the requested ones. `Enough` ends the one after the last."""

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
    """The requested number of pauses is reached."""


class Longest(random.Random):
    """No jitter: each pause has its maximum length."""

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
