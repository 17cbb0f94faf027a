"""The records that one sink has yet to deliver: their order, their limits, and the batches in flight."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from klvrelay.gap import Gap, Item
from klvrelay.outcome import Outcome, Reason, Sums
from klvrelay.record import Record
from klvrelay.spool.queue import OVERHEAD, Queue, size_of
from klvrelay.spool.turns import Turns

NEVER = sys.maxsize
"""More records than can wait."""


@dataclass(slots=True)
class _Offer:
    """A batch in flight: its unanswered items, and the bytes of their records."""

    batch: Sequence[Item]
    rest: Sequence[Item]
    size: int


class Cursor:
    """The records still to be delivered to one sink: one queue per stream, and batches in flight.

    Streams take turns, so a stream with many records neither delays nor displaces others. When a limit (records or
    bytes) is reached, the oldest waiting record of the largest live stream is shed, and a gap takes its place. A record
    in flight is never shed. Each of n streams has room for 1/n of the limit, even if files fill the rest.
    """

    def __init__(self, name: str, limit: int, size_limit: int, freed: asyncio.Event, *, holds_sources: bool) -> None:
        self.name = name
        self.holds_sources = holds_sources
        self.limit, self.size_limit = limit, size_limit
        self._queues: dict[str, Queue] = {}  # non-empty queues by stream, the next in turn first
        self._count = self._size = 0  # waiting items, and bytes of the records among them
        self._patient: set[str] = set()
        self._offers: dict[int, _Offer] = {}  # by the id of the batch, which the offer keeps alive
        self._offered = self._offered_size = 0
        self._gaps = 0  # waiting or in flight
        self._least = 1
        self._turns = Turns(lambda: self._count >= self._least)
        self._freed, self._empty = freed, asyncio.Event()
        self._empty.set()
        self._clear_counts()

    def _clear_counts(self) -> None:
        self.numbered = self.delivered = self.rejected = self.left_out = self.shed = 0
        self.unwanted = self.thinned = self.withheld = 0

    @property
    def waiting(self) -> int:
        """Number of records that are not answered: waiting or in flight."""
        return self._count + self._offered - self._gaps

    @property
    def count(self) -> int:
        """Number of records and gaps that wait."""
        return self._count

    @property
    def held_size(self) -> int:
        """Bytes of the records that are not answered."""
        return self._size + self._offered_size

    def loads(self) -> dict[str, tuple[int, int]]:
        """Number and bytes of the waiting records by stream."""
        return {stream: (queue.count, queue.size) for stream, queue in self._queues.items()}

    @property
    def is_done(self) -> bool:
        """Is nothing waiting or in flight?"""
        return not self._count and not self._offered

    @property
    def gaps(self) -> int:
        """Number of gaps that are not answered."""
        return self._gaps

    @property
    def offered(self) -> int:
        """Number of records and gaps in flight."""
        return self._offered

    @property
    def offered_size(self) -> int:
        """Bytes of the records in flight."""
        return self._offered_size

    def sums(self) -> Sums:
        """The counts of all records so far."""
        return Sums(
            self.numbered, self.delivered, self.rejected, self.shed, self.left_out, self.waiting, self.unwanted,
            self.thinned, self.withheld,
        )  # fmt: skip

    async def batch(self, most: int = 20, size: int = NEVER) -> Sequence[Item]:
        """The next records and gaps, from each stream in turn: one to `most`, ending once they reach `size` bytes.

        They are in flight until `commit` or `rewind`; further batches may be requested before that. Concurrent callers
        are served in order.
        """
        while self._count < self._least:
            await self._turns.wait()
        batch = self.take(most, size, [])
        self._turns.wake()
        return batch

    def take(self, most: int, size: int, batch: list[Item]) -> list[Item]:
        """Add the next items to an empty batch, without waiting; see `batch`."""
        taken, queues = 0, self._queues
        for _ in range(min(most, self._count)):
            if taken >= size:
                break
            stream = next(iter(queues))
            queue = queues.pop(stream)
            item = queue.items.popleft()
            batch.append(item)
            if item.__class__ is Gap:
                queue.gaps -= 1
            else:
                its_size = len(item.raw) + OVERHEAD
                taken += its_size
                queue.size -= its_size
            if queue.items:
                queues[stream] = queue  # now last in turn
        self._move(-len(batch), -taken)
        self._offers[id(batch)] = _Offer(batch, batch, taken)
        self._freed.set()  # a stream with few waiting records may have room again
        return batch

    def _move(self, count: int, size: int) -> None:
        """Move records and bytes from in flight to waiting (negative: to in flight)."""
        self._count += count
        self._size += size
        self._offered -= count
        self._offered_size -= size

    def begin_connection(self, is_suspicious: Callable[[], bool] = bool) -> None:
        """A connection begins. All that waits is delivered in order."""

    def offer_at(self, least: int) -> None:
        """Make `batch` wait for at least this many records; NEVER: until the next call of this method."""
        self._least = least
        self._turns.wake()

    def commit(self, batch: Sequence[Item], outcome: Outcome) -> None:
        """The far end has answered the leading items of the batch, as many as `outcome` counts.

        The others remain in flight. A gap for records that are not published waits before later records. Raises
        ValueError for an impossible outcome.
        """
        offer = self._offers[id(batch)]
        rest, answered = offer.rest, outcome.answered
        if min(outcome) < 0 or answered > len(rest):
            raise ValueError(f"{tuple(outcome)} is not a valid outcome of {len(rest)} records")
        if (self._gaps or outcome.gaps) and outcome.gaps != sum(isinstance(item, Gap) for item in rest[:answered]):
            raise ValueError(f"{outcome.gaps} is not the number of gaps that were answered")
        self.delivered += outcome.delivered
        self.rejected += outcome.rejected
        self.left_out += outcome.left_out
        self.unwanted += outcome.unwanted
        self.thinned += outcome.thinned
        self.withheld += outcome.withheld
        size = offer.size if answered == len(rest) else _size_of_all(rest[:answered])
        self._gaps -= outcome.gaps
        self._offered -= answered
        self._offered_size -= size
        offer.size -= size
        offer.rest = rest[answered:]
        if not offer.rest:
            del self._offers[id(batch)]
        for place, reason in reversed(outcome.unpublished):
            if not isinstance(item := rest[place], Gap):
                self._put_first(Gap.of(item, reason))
        self._settle()

    def rewind(self) -> None:
        """The connection was lost: items in flight wait again, before later ones, in the original order."""
        again = [item for offer in self._offers.values() for item in offer.rest]
        self._offers.clear()
        first = {item.stream: self._queues.get(item.stream) or Queue() for item in again}
        self._queues = first | self._queues
        self._gaps -= sum(isinstance(item, Gap) for item in again)
        self._offered = self._offered_size = 0
        for item in reversed(again):
            self._put_first(item)
        self._settle()

    def absorb(self, later: Cursor) -> None:
        """Take the waiting items and the counts of another cursor with nothing in flight, which is empty afterwards."""
        for queue in later._queues.values():
            for item in queue.items:
                if isinstance(item, Gap):
                    self.append_gap(item)
                else:
                    self.append(item, size_of(item), waited=True)
        self.numbered += later.numbered - later.waiting
        self.delivered += later.delivered
        self.rejected += later.rejected
        self.left_out += later.left_out
        self.shed += later.shed
        self.unwanted += later.unwanted
        self.thinned += later.thinned
        self.withheld += later.withheld
        later._clear()

    def _clear(self) -> None:
        self._queues.clear()
        self._count = self._size = self._gaps = 0
        self._clear_counts()
        self._settle()

    def _put_first(self, item: Item) -> None:
        """An item waits before all others of its stream."""
        queue = self._queues.get(item.stream)
        if queue is None:
            queue = self._queues[item.stream] = Queue()
        added = queue.add_first(item)
        self._count += added
        if isinstance(item, Gap):
            self._gaps += added
        else:
            self._size += size_of(item)
        self._turns.wake()

    def unanswered(self, batch: Sequence[Item]) -> Sequence[Item]:
        """The items of a batch in flight that are not answered."""
        return self._offers[id(batch)].rest

    def set_aside(self) -> Item:
        """Leave out the next item, because the far end never accepts it. A record leaves a gap."""
        stream, queue = next(iter(self._queues.items()))
        if isinstance(first := queue.items[0], Gap):
            queue.items.popleft()
            queue.gaps -= 1
            self._gaps -= 1
            self._count -= 1
            if not queue.items:
                del self._queues[stream]
        else:
            self._remove(stream, "set_aside")
            self.left_out += 1
        self._settle()
        return first

    def shed_oldest(self, stream: str, reason: Reason) -> Record | None:
        """Replace the oldest record of a stream that is not in flight by a gap. None if there is none.

        The caller counts it.
        """
        queue = self._queues.get(stream)
        return self._remove(stream, reason) if queue is not None and queue.count else None

    def shed_aged(self, before_us: int) -> list[Record]:
        """Shed the waiting records that arrived before this time, from the oldest on."""
        shed: list[Record] = []
        for stream, queue in list(self._queues.items()):
            while (oldest := queue.oldest()) is not None and is_aged(oldest, before_us):
                shed.append(self._remove(stream, "age"))
        self.shed += len(shed)
        self._settle()
        return shed

    async def wait_until_drained(self) -> None:
        """Return once no record or gap is waiting or in flight."""
        await self._empty.wait()

    def append(self, record: Record, size: int, *, waited: bool) -> None:
        """Append a record of `size` bytes. If a limit is exceeded, shed older ones, unless the source has `waited`."""
        stream = record.stream
        queue = self._queues.get(stream)
        if queue is None:
            queue = self._queues[stream] = Queue()
        queue.items.append(record)
        queue.size += size
        self.numbered += 1
        self._count += 1
        self._size += size
        if waited:
            self._patient.add(stream)
        else:
            self._patient.discard(stream)
            if self.waiting > self.limit or self._size + self._offered_size > self.size_limit:
                self._shed_excess()
        self._empty.clear()
        if self._turns.waiters:
            self._turns.wake()

    def append_gap(self, gap: Gap) -> None:
        """Append a gap, after all items of its stream."""
        queue = self._queues.get(gap.stream)
        if queue is None:
            queue = self._queues[gap.stream] = Queue()
        added = queue.add_last(gap)
        self._count += added
        self._gaps += added
        self._empty.clear()
        self._turns.wake()

    def set_limits(self, limit: int, size_limit: int) -> None:
        """Change the limits, and shed the excess."""
        self.limit, self.size_limit = limit, size_limit
        self._shed_excess()
        self._settle()

    def _shed_excess(self) -> None:
        while (stream := self._to_shed()) is not None:
            self._remove(stream, "memory")
            self.shed += 1

    def _to_shed(self) -> str | None:
        """The stream whose oldest record is to be shed; None if there is room, or only sources that wait fill it.

        A single record, with no other waiting or in flight, is never shed, whatever its size.
        """
        if self.waiting <= 1:
            return None
        if self.waiting > self.limit and (live := self._live()):
            longest = max(live, key=lambda stream: self._queues[stream].count)
            if self._queues[longest].count > (self.limit - self._offered) // len(self._queues):
                return longest
        if self._size + self._offered_size > self.size_limit and (live := self._live()):
            largest = max(live, key=lambda stream: self._queues[stream].size)
            if self._queues[largest].size > (self.size_limit - self._offered_size) // len(self._queues):
                return largest
        return None

    def _live(self) -> list[str]:
        return [stream for stream, queue in self._queues.items() if queue.count and stream not in self._patient]

    def has_room(self, stream: str) -> bool:
        """Can a record of the stream be appended without shedding?"""
        queue = self._queues.get(stream) or Queue()
        streams = len(self._queues) + (stream not in self._queues)
        if self.waiting >= self.limit and queue.count >= (self.limit - self._offered) // streams:
            return False
        held, share = self._size + self._offered_size, (self.size_limit - self._offered_size) // streams
        return held < self.size_limit or queue.size < share

    def _remove(self, stream: str, reason: Reason) -> Record:
        """Replace the oldest record of a stream, which is then last in turn, by a gap."""
        queue = self._queues.pop(stream)
        gaps = queue.gaps
        record, added = queue.remove(reason)
        self._queues[stream] = queue
        self._gaps += queue.gaps - gaps
        self._count += added
        self._size -= size_of(record)
        return record

    def items(self) -> list[Item]:
        """All unanswered items, per stream in order."""
        flying = [item for offer in self._offers.values() for item in offer.rest]
        return [*flying, *(item for queue in self._queues.values() for item in queue.items)]

    def _settle(self) -> None:
        self._freed.set()
        if self.is_done:
            self._empty.set()


def is_aged(record: Record, before_us: int) -> bool:
    """Did it arrive before this time? A record that was never live does not age."""
    return record.received_us is not None and record.received_us < before_us


def _size_of_all(items: Sequence[Item]) -> int:
    return sum(size_of(item) for item in items if not isinstance(item, Gap))
