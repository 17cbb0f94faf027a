"""The records that one sink has yet to deliver: their order, their limits, and the batches in flight."""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from klvrelay.outcome import Outcome, Sums
from klvrelay.record import Record

OVERHEAD = 320
"""Bytes of memory of a record in addition to its packet: measured with tracemalloc, 290 and up to three integers."""
NEVER = sys.maxsize
"""More records than can wait."""


def size_of(record: Record) -> int:
    """Bytes of memory of a waiting record."""
    return len(record.raw) + OVERHEAD


class _Queue:
    """The waiting records of one stream, oldest first, and their bytes."""

    __slots__ = ("records", "size")

    def __init__(self) -> None:
        self.records: deque[Record] = deque()
        self.size = 0


@dataclass(slots=True)
class _Offer:
    """A batch in flight: its unanswered records, and their bytes."""

    batch: Sequence[Record]
    rest: Sequence[Record]
    size: int


class Cursor:
    """The records still to be delivered to one sink: one queue per stream, and batches in flight.

    Streams take turns, so a stream with many records neither delays nor displaces others. When a limit (records or
    bytes) is reached, the oldest waiting record of the largest live stream is shed. A record in flight is never shed.
    Each of n streams has room for 1/n of the limit, even if files fill the rest.
    """

    def __init__(self, name: str, limit: int, size_limit: int, freed: asyncio.Event, *, holds_sources: bool) -> None:
        self.name = name
        self.holds_sources = holds_sources
        self.limit, self.size_limit = limit, size_limit
        self._queues: dict[str, _Queue] = {}  # non-empty queues by stream, the next in turn first
        self._count = self._size = 0
        self._patient: set[str] = set()
        self._offers: dict[int, _Offer] = {}  # by the id of the batch, which the offer keeps alive
        self._offered = self._offered_size = 0
        self._least = 1
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._woken = False
        self._freed, self._empty = freed, asyncio.Event()
        self._empty.set()
        self.numbered = self.delivered = self.rejected = self.left_out = self.shed = self.unwanted = 0

    @property
    def waiting(self) -> int:
        """Number of records that are not answered: waiting or in flight."""
        return self._count + self._offered

    @property
    def offered(self) -> int:
        """Number of records in flight."""
        return self._offered

    @property
    def offered_size(self) -> int:
        """Bytes of the records in flight."""
        return self._offered_size

    def sums(self) -> Sums:
        """The counts of all records so far."""
        counts = self.numbered, self.delivered, self.rejected, self.shed, self.left_out, self.waiting, self.unwanted
        return Sums(*counts)

    async def batch(self, most: int = 20, size: int = NEVER) -> Sequence[Record]:
        """The next records, from each stream in turn: one to `most`, ending once they reach `size` bytes.

        They are in flight until `commit` or `rewind`; further batches may be requested before that. Concurrent callers
        are served in order.
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
                queues[stream] = queue  # now last in turn
        self._move(-len(batch), -taken)
        self._offers[id(batch)] = _Offer(batch, batch, taken)
        self._freed.set()  # a stream with few waiting records may have room again
        self._wake()
        return batch

    def _move(self, count: int, size: int) -> None:
        """Move records and bytes from in flight to waiting (negative: to in flight)."""
        self._count += count
        self._size += size
        self._offered -= count
        self._offered_size -= size

    async def _turn(self) -> None:
        """Wait until a batch may be available. Waiters are woken one at a time, in order."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if not waiter.cancelled():
                self._woken = False
                self._wake()  # wake the next one instead
            raise
        self._woken = False

    def _wake(self) -> None:
        while self._waiters and self._count >= self._least and not self._woken:
            waiter = self._waiters.popleft()
            if not waiter.done():
                self._woken = True
                waiter.set_result(None)

    def offer_at(self, least: int) -> None:
        """Make `batch` wait for at least this many records; NEVER: until the next call of this method."""
        self._least = least
        self._wake()

    def commit(self, batch: Sequence[Record], outcome: Outcome) -> None:
        """The far end has answered the leading records of the batch, as many as `outcome` counts.

        The other records of the batch remain in flight. Raises ValueError for an impossible outcome.
        """
        offer = self._offers[id(batch)]
        rest, answered = offer.rest, outcome.answered
        if min(outcome) < 0 or answered > len(rest):
            raise ValueError(f"{tuple(outcome)} is not a valid outcome of {len(rest)} records")
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
        """The connection was lost: records in flight wait again, before later ones, in the original order."""
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

    def unanswered(self, batch: Sequence[Record]) -> Sequence[Record]:
        """The records of a batch in flight that are not answered."""
        return self._offers[id(batch)].rest

    def set_aside(self) -> Record:
        """Leave out the next record, because the far end never accepts it."""
        record = self._take(next(iter(self._queues)))
        self.left_out += 1
        self._settle()
        return record

    def shed_oldest(self, stream: str) -> Record | None:
        """Remove the oldest record of a stream that is not in flight; None if there is none. The caller counts it."""
        return self._take(stream) if stream in self._queues else None

    async def wait_until_drained(self) -> None:
        """Return once no record is waiting or in flight."""
        await self._empty.wait()

    def append(self, record: Record, size: int, *, waited: bool) -> None:
        """Append a record of `size` bytes. If a limit is exceeded, shed older ones, unless the source has `waited`."""
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

    def set_limits(self, limit: int, size_limit: int) -> None:
        """Change the limits, and shed the excess."""
        self.limit, self.size_limit = limit, size_limit
        self._shed_excess()
        self._settle()

    def _shed_excess(self) -> None:
        while (stream := self._to_shed()) is not None:
            self._take(stream)
            self.shed += 1

    def _to_shed(self) -> str | None:
        """The stream whose oldest record is to be shed; None if there is room, or only sources that wait fill it.

        A single record, with no other waiting or in flight, is never shed, whatever its size.
        """
        if self.waiting <= 1:
            return None
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

    def has_room(self, stream: str) -> bool:
        """Can a record of the stream be appended without shedding?"""
        queue = self._queues.get(stream) or _Queue()
        streams = len(self._queues) + (stream not in self._queues)
        if self.waiting >= self.limit and len(queue.records) >= (self.limit - self._offered) // streams:
            return False
        held, share = self._size + self._offered_size, (self.size_limit - self._offered_size) // streams
        return held < self.size_limit or queue.size < share

    def _take(self, stream: str) -> Record:
        """Remove the oldest record of a stream, which is then last in turn."""
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
