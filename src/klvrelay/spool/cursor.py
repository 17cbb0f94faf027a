"""The records that one sink has yet to deliver: their limits, and the batches in flight."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence

from klvrelay.gap import Gap, Item
from klvrelay.outcome import Outcome, Reason, Sums
from klvrelay.record import Record
from klvrelay.spool.offered import OfferedBatches
from klvrelay.spool.queue import size_of
from klvrelay.spool.shares import Held, Load, MemoryLimits
from klvrelay.spool.turns import Turns
from klvrelay.spool.waiting import Waiting

NEVER = sys.maxsize
"""More records than can wait."""


class Cursor:
    """The records still to be delivered to one sink: one queue per stream, and batches in flight.

    Streams take turns, so a stream with many records neither delays nor displaces others. When a limit (records or
    bytes) is reached, the oldest waiting record of the largest live stream is shed, and a gap takes its place. A record
    in flight is never shed. Each of n streams has room for 1/n of the limit, even if files fill the rest.
    """

    def __init__(self, name: str, limit: int, size_limit: int, freed: asyncio.Event, *, holds_sources: bool) -> None:
        self.name = name
        self.holds_sources = holds_sources
        self.limits = MemoryLimits(limit, size_limit)
        self._waiting = Waiting()
        self._patient: set[str] = set()
        self._in_flight = OfferedBatches()
        self._least = 1
        self._turns = Turns(lambda: self._waiting.count >= self._least)
        self._freed, self._empty = freed, asyncio.Event()
        self._empty.set()
        self._clear_counts()

    def _clear_counts(self) -> None:
        self.numbered = self.delivered = self.rejected = self.left_out = self.shed = 0
        self.unwanted = self.thinned = self.withheld = 0

    @property
    def limit(self) -> int:
        """Maximum number of records in memory."""
        return self.limits.records

    @property
    def size_limit(self) -> int:
        """Maximum bytes of records in memory."""
        return self.limits.size

    @property
    def fill(self) -> float:
        """See `LogCursor.fill`."""
        return self.limits.fill(self.held)

    @property
    def waiting(self) -> int:
        """Number of records that are not answered: waiting or in flight."""
        return self._waiting.count + self._in_flight.count - self.gaps

    @property
    def count(self) -> int:
        """Number of records and gaps that wait."""
        return self._waiting.count

    @property
    def held(self) -> Held:
        """The records that are not answered."""
        flying = self._in_flight
        return Held(self.waiting, self._waiting.size + flying.size, flying.count, flying.size)

    @property
    def patient(self) -> set[str]:
        """Streams whose sources wait for room."""
        return set(self._patient)

    def loads(self) -> dict[str, Load]:
        """Number and bytes of the waiting records by stream."""
        return self._waiting.loads()

    @property
    def is_done(self) -> bool:
        """Is nothing waiting or in flight?"""
        return not self._waiting.count and not self._in_flight.count

    @property
    def gaps(self) -> int:
        """Number of gaps that are not answered."""
        return self._waiting.gaps + self._in_flight.gaps

    @property
    def offered(self) -> int:
        """Number of records and gaps in flight."""
        return self._in_flight.count

    @property
    def offered_size(self) -> int:
        """Bytes of the records in flight."""
        return self._in_flight.size

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
        while self._waiting.count < self._least:
            await self._turns.wait()
        batch = self.take(most, size, [])
        self._turns.wake()
        return batch

    def take(self, most: int, size: int, batch: list[Item]) -> list[Item]:
        """Add the next items to an empty batch, without waiting; see `batch`."""
        taken, gaps = self._waiting.take(most, size, batch)
        self._in_flight.add(batch, taken, gaps)
        self._freed.set()  # a stream with few waiting records may have room again
        return batch

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
        rest, answered = self._in_flight.rest(batch), outcome.answered
        if min(outcome) < 0 or answered > len(rest):
            raise ValueError(f"{tuple(outcome)} is not a valid outcome of {len(rest)} records")
        if (self.gaps or outcome.gaps) and outcome.gaps != sum(isinstance(item, Gap) for item in rest[:answered]):
            raise ValueError(f"{outcome.gaps} is not the number of gaps that were answered")
        self.delivered += outcome.delivered
        self.rejected += outcome.rejected
        self.left_out += outcome.left_out
        self.unwanted += outcome.unwanted
        self.thinned += outcome.thinned
        self.withheld += outcome.withheld
        self._in_flight.remove(batch, answered, outcome.gaps)
        for place, reason in reversed(outcome.unpublished):
            if not isinstance(item := rest[place], Gap):
                self._waiting.put_first(Gap.of(item, reason))
        self._settle()
        self._turns.wake()

    def rewind(self) -> None:
        """The connection was lost: items in flight wait again, before later ones, in the original order."""
        again = self.flying()
        self._in_flight.clear()
        self._waiting.put_back(again)
        self._settle()
        self._turns.wake()

    def absorb(self, later: Cursor) -> None:
        """Take the waiting items and the counts of another cursor with nothing in flight, which is empty afterwards."""
        for item in later.items():
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
        self._waiting.clear()
        self._clear_counts()
        self._settle()

    def has_offered(self, batch: Sequence[Item]) -> bool:
        """Is this batch in flight?"""
        return self._in_flight.has(batch)

    def unanswered(self, batch: Sequence[Item]) -> Sequence[Item]:
        """The items of a batch in flight that are not answered."""
        return self._in_flight.rest(batch)

    def set_aside(self) -> Item:
        """Leave out the next item, because the far end never accepts it. A record leaves a gap."""
        item = self._waiting.set_aside()
        self.left_out += not isinstance(item, Gap)
        self._settle()
        return item

    def shed_oldest(self, stream: str, reason: Reason) -> Record | None:
        """Replace the oldest record of a stream that is not in flight by a gap. None if there is none.

        The caller counts it.
        """
        return None if self.oldest(stream) is None else self._waiting.shed(stream, reason)

    def oldest(self, stream: str) -> Record | None:
        """The oldest record of a stream that is not in flight."""
        return self._waiting.oldest(stream)

    def shed_where(self, is_shed: Callable[[Record], bool], reason: Reason) -> list[Record]:
        """Replace waiting records by gaps. The caller counts them."""
        shed = self._waiting.shed_where(is_shed, reason)
        self._settle()
        return shed

    def shed_aged(self, before_us: int) -> list[Record]:
        """Shed the waiting records that arrived before this time, from the oldest on."""
        shed = self._waiting.shed_aged(before_us)
        self.shed += len(shed)
        self._settle()
        return shed

    async def wait_until_drained(self) -> None:
        """Return once no record or gap is waiting or in flight."""
        await self._empty.wait()

    def append(self, record: Record, size: int, *, waited: bool) -> None:
        """Append a record of `size` bytes. If a limit is exceeded, shed older ones, unless the source has `waited`."""
        waiting = self._waiting
        waiting.append(record, size)
        self.numbered += 1
        if waited:
            self._patient.add(record.stream)
        else:
            self._patient.discard(record.stream)
            if self.waiting > self.limits.records or waiting.size + self._in_flight.size > self.limits.size:
                self._shed_excess()
        self._empty.clear()
        if self._turns.waiters:
            self._turns.wake()

    def append_gap(self, gap: Gap) -> None:
        """Append a gap, after all items of its stream."""
        self._waiting.append_gap(gap)
        self._empty.clear()
        self._turns.wake()

    def set_limits(self, limit: int, size_limit: int, *, shed: bool = True) -> None:
        """Change the limits, and shed the excess; or else it is delivered."""
        self.limits = MemoryLimits(limit, size_limit)
        if shed:
            self._shed_excess()
        self._settle()

    def _shed_excess(self) -> None:
        while (stream := self.limits.to_shed(self.held, self.loads, self._patient)) is not None:
            self._waiting.shed(stream, "memory")
            self.shed += 1

    def has_room(self, stream: str) -> bool:
        """Can a record of the stream be appended without shedding?"""
        count, size = self.limits
        if self.waiting < count and self._waiting.size + self._in_flight.size < size:
            return True
        return self.limits.has_room(self.held, *self._waiting.load(stream))

    def items(self) -> list[Item]:
        """All unanswered items, per stream in order."""
        return [*self.flying(), *self._waiting.items()]

    def flying(self) -> list[Item]:
        """The items in flight, in order."""
        return self._in_flight.items()

    def _settle(self) -> None:
        self._freed.set()
        if self.is_done:
            self._empty.set()
