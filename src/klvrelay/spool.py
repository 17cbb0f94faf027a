"""Where records wait for one sink, in memory: bounded, oldest first, kept until the far end has confirmed.

Next door: `relay.py` puts records in and carries batches to the sink; `record.py` is what waits here.
"""

from __future__ import annotations

import asyncio
from collections import deque

from klvrelay.record import Record


class Spool:
    """A queue with a cursor: a batch stays in it until it is committed, and is offered again until then.

    When it is full a live source sheds the oldest record that is not on its way (counted in `shed`); a source
    that can wait asks for `room()` first, so that nothing of a file is lost.
    """

    def __init__(self, limit: int = 10_000) -> None:
        self._limit = limit
        self._waiting: deque[Record] = deque()
        self._offered: list[Record] = []
        self._filled = asyncio.Event()
        self._roomy = asyncio.Event()
        self._roomy.set()
        self._empty = asyncio.Event()
        self._empty.set()
        self.shed = 0
        self.delivered = 0

    def __len__(self) -> int:
        return len(self._waiting) + len(self._offered)

    def put(self, record: Record) -> None:
        """Take a record in; where there is no room for it, the oldest gives way."""
        if len(self) >= self._limit and self._waiting:
            self._waiting.popleft()
            self.shed += 1
        self._waiting.append(record)
        self._settle()

    async def room(self) -> None:
        """Return once a record can be put, before anything else happens, without shedding another."""
        while len(self) >= self._limit:
            await self._roomy.wait()

    async def batch(self, most: int = 20) -> list[Record]:
        """The oldest records, at least one; the same again until `commit`."""
        if not self._offered:
            await self._filled.wait()
            self._offered = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
            self._settle()
        return self._offered

    def commit(self) -> None:
        """The far end has the batch: let it go."""
        self.delivered += len(self._offered)
        self._offered = []
        self._settle()

    async def drained(self) -> None:
        """Return once nothing waits and nothing is on its way."""
        await self._empty.wait()

    def _settle(self) -> None:
        for event, holds in (
            (self._filled, bool(self._waiting)),
            (self._roomy, len(self) < self._limit),
            (self._empty, not self),
        ):
            if holds:
                event.set()
            else:
                event.clear()
