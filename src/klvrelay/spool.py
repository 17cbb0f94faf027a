"""Where records wait for one sink, in memory: bounded, oldest first, kept until the far end has confirmed.

Next door: `relay.py` puts records in and carries batches to the sink; `record.py` is what waits here.
"""

from __future__ import annotations

import asyncio
from collections import deque

from klvrelay.outcome import Outcome
from klvrelay.record import Record


class Spool:
    """A queue for each stream, and a cursor: a batch stays until it is committed, and is offered again until then.

    The streams take turns, so one that floods delays and displaces no other. When it is full a live source sheds
    the oldest record, not on its way, of the live stream that has most of them (counted in `shed`); a source that can
    wait asks for `room()` first, so that nothing of a file is lost. Beside files that fill it a stream has room for
    its share all the same: of n streams, an n-th of the limit.
    """

    def __init__(self, limit: int = 10_000) -> None:
        self._limit = limit
        self._waiting: dict[str, deque[Record]] = {}  # of streams that have some, the next in turn first
        self._count = 0
        self._patient: set[str] = set()
        self._offered: list[Record] = []
        self._filled = asyncio.Event()
        self._roomy = asyncio.Event()
        self._roomy.set()
        self._empty = asyncio.Event()
        self._empty.set()
        self.shed = 0
        self.delivered = self.rejected = self.left_out = 0

    def __len__(self) -> int:
        return self._count + len(self._offered)

    def put(self, record: Record, *, waited: bool = False) -> None:
        """Take a record in; where there is no room for it, and none was waited for, an older one gives way."""
        stream = record.stream
        queue = self._waiting.get(stream)
        if queue is None:
            queue = self._waiting[stream] = deque()
        queue.append(record)
        self._count += 1
        if waited:
            self._patient.add(stream)
        else:
            self._patient.discard(stream)
        held = self._count + len(self._offered)
        if held > self._limit and not waited:
            self._shed_one()
        if self._count == 1 or held >= self._limit:  # else others waited before, and there is room as before
            self._settle()

    def _shed_one(self) -> None:
        live = [stream for stream in self._waiting if stream not in self._patient]
        longest = max(live, key=lambda stream: len(self._waiting[stream]))
        if len(self._waiting[longest]) > self._share(longest):  # else it is those who wait that fill it
            self._taken(longest)
            self.shed += 1

    def _share(self, stream: str) -> int:
        """Records of this stream that there is room for, whatever the others have."""
        return (self._limit - len(self._offered)) // (len(self._waiting) + (stream not in self._waiting))

    def _taken(self, stream: str) -> Record:
        """The oldest record of a stream, which is then the last in turn."""
        queue = self._waiting.pop(stream)
        if len(queue) > 1:
            self._waiting[stream] = queue
        self._count -= 1
        return queue.popleft()

    async def room(self, stream: str) -> None:
        """Return once a record can be put, before anything else happens, without shedding another."""
        while len(self) >= self._limit and len(self._waiting.get(stream, ())) >= self._share(stream):
            self._roomy.clear()
            await self._roomy.wait()

    async def batch(self, most: int = 20) -> list[Record]:
        """The oldest records of each stream in turn, at least one; the same again until `commit`."""
        if not self._offered:
            await self._filled.wait()
            self._offered = [self._taken(next(iter(self._waiting))) for _ in range(min(most, self._count))]
            self._settle()
            self._roomy.set()  # a stream that has few left may have room again
        return self._offered

    def commit(self, outcome: Outcome | None = None) -> None:
        """The far end has answered for the leading records of the batch (None: has taken all): let them go."""
        outcome = Outcome(len(self._offered)) if outcome is None else outcome
        self.delivered += outcome.delivered
        self.rejected += outcome.rejected
        self.left_out += outcome.left_out
        self._offered = self._offered[outcome.answered :]
        self._settle()

    async def drained(self) -> None:
        """Return once nothing waits and nothing is on its way."""
        await self._empty.wait()

    def _settle(self) -> None:
        for event, holds in (
            (self._filled, self._count > 0),
            (self._roomy, len(self) < self._limit),
            (self._empty, not self),
        ):
            if holds:
                event.set()
            else:
                event.clear()
