"""What the logs in memory and on disk have in common: their cursors, and who waits for room."""

from __future__ import annotations

import asyncio
from typing import Generic, Protocol, TypeVar

from klvrelay.spool.age import AgeLimit


class _Holder(Protocol):
    holds_sources: bool

    def has_room(self, stream: str) -> bool: ...

    def shed_aged(self, before_us: int) -> object: ...


C = TypeVar("C", bound=_Holder)


class BaseLog(Generic[C]):
    """The cursors of a log, and its limits in memory. `age`: maximum age of a waiting record in seconds."""

    def __init__(self, limit: int, size_limit: int, age: float | None) -> None:
        self._limit, self._size_limit = limit, size_limit
        self._cursors: list[C] = []
        self._freed = asyncio.Event()
        self._age = AgeLimit(age, self._shed_aged)

    async def wait_for_room(self, stream: str) -> None:
        """Return once a record of the stream can be appended without shedding. Do not `await` before appending."""
        while not all(cursor.has_room(stream) for cursor in self._cursors if cursor.holds_sources):
            self._freed.clear()
            await self._freed.wait()

    def set_age(self, seconds: float | None) -> None:
        """See `Log.set_age`."""
        self._age.set(seconds)

    def _place_of(self, cursor: object) -> int:
        return next(at for at, each in enumerate(self._cursors) if each is cursor)

    def _shed_aged(self, before_us: int) -> None:
        for cursor in self._cursors:
            cursor.shed_aged(before_us)
