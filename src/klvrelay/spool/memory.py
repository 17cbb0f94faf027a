"""The log between the sources and the sinks: records are appended once, and each sink reads them with a cursor."""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from klvrelay.outcome import Outcome, Sums
from klvrelay.record import Record

WAITING = 10_000
"""Records that may wait for one sink."""
WAITING_SIZE = 64 << 20
"""Bytes that they may take."""
OVERHEAD = 320
"""Bytes that a record takes beside its packet: measured with tracemalloc, 290 and up to three integers."""
NEVER = sys.maxsize


def size_of(record: Record) -> int:
    """Bytes that a record takes while it waits."""
    return len(record.raw) + OVERHEAD


class MemoryLog:
    """Holds a record until every cursor has it; knows no sink.

    Each cursor has its own limits of records and of bytes, so a sink that is away makes only itself lose records.
    """

    def __init__(self, limit: int = WAITING, size_limit: int = WAITING_SIZE) -> None:
        self._limit = limit
        self._size_limit = size_limit
        self._cursors: list[Cursor] = []
        self._freed = asyncio.Event()

    def append(self, record: Record, *, waited: bool = False) -> None:
        """Take a record in; where there is no room for it, and none was `waited` for, an older one gives way."""
        size = size_of(record)
        for cursor in self._cursors:
            cursor._append(record, size, waited=waited and cursor.holds_sources)

    async def room(self, stream: str) -> None:
        """Return once a record can be appended, before anything else happens, without shedding another."""
        while not all(cursor._has_room(stream) for cursor in self._cursors if cursor.holds_sources):
            self._freed.clear()
            await self._freed.wait()

    def cursor(self, name: str, *, holds_sources: bool = True) -> Cursor:
        """Where one sink reads; it gets what is appended from now on.

        holds_sources   a source that can wait, such as a file, waits for this sink, and none of its records is shed
                        here. That is right for a far end that keeps what it confirms, such as an MQTT broker, and
                        wrong for one that only shows what happens now: there the newest record counts, and a slow
                        viewer must not hold up the broker.
        """
        cursor = Cursor(name, self._limit, self._size_limit, self._freed, holds_sources=holds_sources)
        self._cursors.append(cursor)
        return cursor


class _Queue:
    """The records of one stream that wait, oldest first, and the bytes that they take."""

    __slots__ = ("records", "size")

    def __init__(self) -> None:
        self.records: deque[Record] = deque()
        self.size = 0


@dataclass(slots=True)
class _Offer:
    """A batch on its way, or what of it was not answered yet, and the bytes that it takes."""

    batch: Sequence[Record]
    rest: Sequence[Record]
    size: int


class Cursor:
    """What one sink has still to get: waiting records in a queue a stream, and batches on their way.

    The streams take turns, so one that floods delays and displaces no other. When it is full a live source sheds
    the oldest waiting record of the live stream that has most of them, in records or in bytes, whichever limit is
    reached. A record on its way is not shed. Of n streams each has room for an n-th of the limit, also beside files
    that fill it.
    """

    def __init__(self, name: str, limit: int, size_limit: int, freed: asyncio.Event, *, holds_sources: bool) -> None:
        self.name = name
        self.holds_sources = holds_sources
        self.limit, self.size_limit = limit, size_limit
        self._queues: dict[str, _Queue] = {}  # of streams that have some, the next in turn first
        self._count = self._size = 0
        self._patient: set[str] = set()
        self._offers: dict[int, _Offer] = {}  # by the identity of their batch, which each keeps alive
        self._offered = self._offered_size = 0
        self._least = 1
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._woken = False
        self._freed, self._empty = freed, asyncio.Event()
        self._empty.set()
        self.numbered = self.delivered = self.rejected = self.left_out = self.shed = self.unwanted = 0

    @property
    def waiting(self) -> int:
        """Records that the far end has not answered."""
        return self._count + self._offered

    @property
    def offered(self) -> int:
        """Those of them that are on their way."""
        return self._offered

    @property
    def offered_size(self) -> int:
        """Bytes that those take."""
        return self._offered_size

    def sums(self) -> Sums:
        counts = self.numbered, self.delivered, self.rejected, self.shed, self.left_out, self.waiting, self.unwanted
        return Sums(*counts)

    async def batch(self, most: int = 20, size: int = NEVER) -> Sequence[Record]:
        """The next records, of each stream in turn: at least one, and no more once they have `size` bytes.

        They are on their way until `commit` or `rewind`; it may be called again before that. Of several callers that
        wait the first gets the next batch.
        """
        while self._count < self._least:
            await self._turn()
        batch: list[Record] = []
        taken, queues = 0, self._queues
        for _ in range(min(most, self._count)):
            if taken >= size:
                break
            stream = next(iter(queues))
            queue = queues.pop(stream)
            record = queue.records.popleft()
            batch.append(record)
            its_size = len(record.raw) + OVERHEAD
            taken += its_size
            queue.size -= its_size
            if queue.records:
                queues[stream] = queue  # the last in turn
        self._move(-len(batch), -taken)
        self._offers[id(batch)] = _Offer(batch, batch, taken)
        self._freed.set()  # a stream that has few left may have room again
        self._wake()
        return batch

    def _move(self, count: int, size: int) -> None:
        """So many more records wait, and are not on their way."""
        self._count += count
        self._size += size
        self._offered -= count
        self._offered_size -= size

    async def _turn(self) -> None:
        """Wait until there may be a batch; of several that wait one at a time is woken, in their order."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if not waiter.cancelled():
                self._woken = False
                self._wake()  # the next one, instead
            raise
        self._woken = False

    def _wake(self) -> None:
        while self._waiters and self._count >= self._least and not self._woken:
            waiter = self._waiters.popleft()
            if not waiter.done():
                self._woken = True
                waiter.set_result(None)

    def offer_at(self, least: int) -> None:
        """From now on `batch` waits until so many records wait; NEVER: until the next call of this."""
        self._least = least
        self._wake()

    def commit(self, batch: Sequence[Record], outcome: Outcome) -> None:
        """The far end has answered for as many leading records of the batch as `outcome` counts.

        The others of the batch stay on their way.
        """
        offer = self._offers[id(batch)]
        rest, answered = offer.rest, outcome.answered
        if min(outcome) < 0 or answered > len(rest):
            raise ValueError(f"{tuple(outcome)} is no outcome of {len(rest)} records")
        self.delivered += outcome.delivered
        self.rejected += outcome.rejected
        self.left_out += outcome.left_out
        self.unwanted += outcome.unwanted
        size = offer.size if answered == len(rest) else sum(map(size_of, rest[:answered]))
        self._offered -= answered
        self._offered_size -= size
        offer.size -= size
        offer.rest = rest[answered:]
        if not offer.rest:
            del self._offers[id(batch)]
        self._settle()

    def rewind(self) -> None:
        """The connection fell: all that is on its way waits again, before what came later, in the old order."""
        again = [record for offer in self._offers.values() for record in offer.rest]
        self._offers.clear()
        first = {record.stream: self._queues.get(record.stream) or _Queue() for record in again}
        self._queues = first | self._queues
        for record in reversed(again):
            queue = self._queues[record.stream]
            queue.records.appendleft(record)
            queue.size += size_of(record)
        self._move(self._offered, self._offered_size)
        self._settle()
        self._wake()

    def set_aside(self) -> Record:
        """Leave the next record out, since the far end never takes it."""
        record = self._take(next(iter(self._queues)))
        self.left_out += 1
        self._settle()
        return record

    async def drained(self) -> None:
        """Return once nothing waits and nothing is on its way."""
        await self._empty.wait()

    def _append(self, record: Record, size: int, *, waited: bool) -> None:
        stream = record.stream
        queue = self._queues.get(stream)
        if queue is None:
            queue = self._queues[stream] = _Queue()
        queue.records.append(record)
        queue.size += size
        self.numbered += 1
        self._count += 1
        self._size += size
        if waited:
            self._patient.add(stream)
        else:
            self._patient.discard(stream)
            if self._count + self._offered > self.limit or self._size + self._offered_size > self.size_limit:
                self._shed_excess()
        if self._count:
            self._empty.clear()
            if self._waiters and not self._woken:
                self._wake()

    def _shed_excess(self) -> None:
        while (stream := self._to_shed()) is not None:
            self._take(stream)
            self.shed += 1

    def _to_shed(self) -> str | None:
        """The stream that is to lose its oldest record; None where there is room, or those who wait fill it."""
        if self.waiting > self.limit and (live := self._live()):
            longest = max(live, key=lambda stream: len(self._queues[stream].records))
            if len(self._queues[longest].records) > (self.limit - self._offered) // len(self._queues):
                return longest
        if self._size + self._offered_size > self.size_limit and (live := self._live()):
            largest = max(live, key=lambda stream: self._queues[stream].size)
            if self._queues[largest].size > (self.size_limit - self._offered_size) // len(self._queues):
                return largest
        return None

    def _live(self) -> list[str]:
        return [stream for stream in self._queues if stream not in self._patient]

    def _has_room(self, stream: str) -> bool:
        queue = self._queues.get(stream) or _Queue()
        streams = len(self._queues) + (stream not in self._queues)
        if self.waiting >= self.limit and len(queue.records) >= (self.limit - self._offered) // streams:
            return False
        held, share = self._size + self._offered_size, (self.size_limit - self._offered_size) // streams
        return held < self.size_limit or queue.size < share

    def _take(self, stream: str) -> Record:
        """The oldest record of a stream, which is then the last in turn."""
        queue = self._queues.pop(stream)
        record = queue.records.popleft()
        size = size_of(record)
        queue.size -= size
        if queue.records:
            self._queues[stream] = queue
        self._count -= 1
        self._size -= size
        return record

    def _settle(self) -> None:
        self._freed.set()
        if not self.waiting:
            self._empty.set()
