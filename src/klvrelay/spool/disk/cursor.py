"""The cursor of one sink on the disk log: a window of records in memory, and a place in the log from which to load."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeGuard

from klvrelay.gap import Gap, Item
from klvrelay.outcome import Outcome, Sums
from klvrelay.record import Record
from klvrelay.spool.age import NEVER_AGED
from klvrelay.spool.cursor import NEVER, Cursor, is_aged
from klvrelay.spool.disk.behind import Behind
from klvrelay.spool.disk.cursor_file import OPEN_END, Ranges
from klvrelay.spool.disk.missing import Missing, PlacedGap, gaps_of
from klvrelay.spool.disk.ranges import Positions
from klvrelay.spool.disk.store import Loaded, Placed
from klvrelay.spool.queue import size_of

PATIENT = 1000
"""Records of a source that can wait, such as a file, that may be on disk only."""


class _Seen(NamedTuple):
    """The last record of a stream that the loader passed, and how many positions were lost until then."""

    boot: str | None
    seq: int
    lost: int


class DiskCursor:
    """The records still to be delivered to one sink.

        append --+--> window --> in flight --> answered
                 |      ^
                 +-> log (behind streams) --> loaded

    A record whose stream has room in the window waits there. If it has none, the stream is behind: its records stay in
    the log until they are loaded, in order. So a stream that floods neither displaces others nor delays them. Records
    that are lost on disk leave gaps, which are loaded like them.

    window     the cursor in memory; it never sheds
    file       name of its file
    restored   positions of an earlier run
    start      first position of this run
    load       loads the next records from a position on, and passes them to `loaded`
    changed    called when records were answered or lost
    gaps       of an earlier run
    """

    def __init__(
        self,
        window: Cursor,
        file: str,
        restored: Positions,
        start: int,
        load: Callable[[DiskCursor, int], None],
        changed: Callable[[], None],
        gaps: Iterable[PlacedGap] = (),
    ) -> None:
        self.window, self.name, self.holds_sources = window, window.name, window.holds_sources
        self.file = file
        self._load, self.changed = load, changed
        self._places: dict[int, int] = {}  # position by id of each record of the window
        self._restored, self._start, self._end = restored, start, OPEN_END
        self._behind = Behind()
        self._unread = len(restored)
        self._next: int | None = restored.first if restored else None  # where to load from; None if nothing is behind
        self._loaded: deque[Placed | PlacedGap] = deque()
        self._loading = False
        self._missing = Missing(gaps)
        self._has_gaps = bool(self._missing.gaps)  # perhaps, outside the window
        self._seen: dict[str, _Seen] = {}  # by stream
        self._lost = 0  # positions of an earlier run
        self._kept = 0  # entries below this position are no longer on disk
        self._unwritten: set[int] = set()  # positions in the window that will never be
        self._discarded = Positions()  # not reached by the loader; a commit in progress may have written them
        self.has_new_gaps = False
        """Did the gaps that wait change?"""
        self.before_us = NEVER_AGED
        """Records that arrived before this time are too old."""
        self._empty = asyncio.Event()
        self.numbered = len(restored)
        self.shed = 0

    @property
    def reader(self) -> str:
        """A name that no other cursor has."""
        return f"{self.file}#{self._start}"

    @property
    def has_unread(self) -> bool:
        """Are there records to be loaded, as far as known?"""
        return self._next is not None

    def end_at(self, position: int) -> None:
        """Records from this position on belong to another cursor."""
        self._end = position

    def begin(self) -> None:
        """Load the first records of an earlier run."""
        if self._next is None:
            self._loaded.extend(self._missing.take_below())
        if self._loaded or self._missing.gaps:
            self._empty.clear()
        self._refill()
        self._settle()

    @property
    def limit(self) -> int:
        """Maximum number of records in memory."""
        return self.window.limit

    @property
    def size_limit(self) -> int:
        """Maximum bytes of records in memory."""
        return self.window.size_limit

    @property
    def waiting(self) -> int:
        """Number of records that are not answered."""
        return self.window.waiting + self._unread

    def set_limits(self, limit: int, size_limit: int) -> None:
        """Change the limits of the window, which shrinks as it is delivered: nothing in it is shed."""
        self.window.limit, self.window.size_limit = limit, size_limit

    @property
    def offered(self) -> int:
        """Number of records in flight."""
        return self.window.offered

    @property
    def offered_size(self) -> int:
        """Bytes of the records in flight."""
        return self.window.offered_size

    @property
    def count(self) -> int:
        """Number of records and gaps that can be offered now."""
        return self.window.count

    @property
    def is_done(self) -> bool:
        """Is nothing waiting or in flight?"""
        return not (self.waiting or self.window.gaps or self._loaded or self._missing.gaps)

    def sums(self) -> Sums:
        there = self.window.sums()
        return there._replace(numbered=self.numbered, shed=self.shed, waiting=self.waiting)

    def append(self, position: int, record: Record) -> None:
        """Add the record that was appended to the log at this position."""
        self.numbered += 1
        stream = record.stream
        if not self._is_restoring and stream not in self._behind and self.window.has_room(stream):
            self._take(position, record)
        else:
            self._behind.add(position, record)
            self._unread += 1
            if self._next is None:
                self._next = position
        self._empty.clear()

    @property
    def _is_restoring(self) -> bool:
        """Are there records of an earlier run to be loaded? They come before those of this run."""
        return bool(self._restored) or bool(self._loaded and self._loaded[0].position < self._start)

    def _take(self, position: int, record: Record) -> None:
        self._places[id(record)] = position
        self.window.append(record, size_of(record), waited=True)

    def has_room(self, stream: str) -> bool:
        """May a source that can wait append a record of this stream?"""
        if stream in self._behind:
            return self._behind.count(stream) < PATIENT
        return self.window.has_room(stream)

    async def batch(self, most: int = 20, size: int = NEVER) -> Sequence[Item]:
        """See `Cursor.batch`."""
        batch = await self.window.batch(most, size)
        self._refill()
        return batch

    def take(self, most: int, size: int, batch: list[Item]) -> list[Item]:
        """See `Cursor.take`."""
        self.window.take(most, size, batch)
        self._refill()
        return batch

    def begin_connection(self, is_suspicious: Callable[[], bool] = bool) -> None:
        """A connection begins. All that waits is delivered in order."""

    def offer_at(self, least: int) -> None:
        """See `Cursor.offer_at`."""
        self.window.offer_at(least)

    def commit(self, batch: Sequence[Item], outcome: Outcome) -> None:
        """See `Cursor.commit`."""
        answered = self.window.unanswered(batch)[: outcome.answered]
        self.window.commit(batch, outcome)
        self.has_new_gaps |= bool(outcome.gaps or outcome.unpublished)
        for item in answered:
            self.has_new_gaps |= self._places.pop(id(item), OPEN_END) < self._kept
        self._refill()
        self._settle()

    def rewind(self) -> None:
        """See `Cursor.rewind`."""
        self.window.rewind()

    def set_aside(self) -> Item:
        """See `Cursor.set_aside`."""
        item = self.window.set_aside()
        self._places.pop(id(item), None)
        self.has_new_gaps = True
        self._settle()
        return item

    async def wait_until_drained(self) -> None:
        """Return once no record or gap is waiting or in flight."""
        await self._empty.wait()

    def _settle(self) -> None:
        if self._has_gaps and not self._is_restoring:
            self._move_last_gaps()
        if self.is_done:
            self._empty.set()
        self.changed()

    def _move_last_gaps(self) -> None:
        """Move the gaps after which no record of their stream is to be loaded: new records go to the window."""
        for one in (*self._loaded, *self._missing.gaps):
            if self._is_last(one):
                self.window.append_gap(one.gap)
        self._loaded = deque(one for one in self._loaded if not self._is_last(one))
        self._missing.gaps = [one for one in self._missing.gaps if not self._is_last(one)]
        self._has_gaps = bool(self._missing.gaps) or any(isinstance(one, PlacedGap) for one in self._loaded)

    def _is_last(self, one: Placed | PlacedGap) -> TypeGuard[PlacedGap]:
        return isinstance(one, PlacedGap) and one.gap.stream not in self._behind

    @property
    def _lowest(self) -> int:
        """The lowest position that may not be in the window; OPEN_END if all records that wait are."""
        if self._loaded:
            return self._loaded[0].position
        return OPEN_END if self._next is None else self._next

    def owed(self) -> Callable[[int], bool]:
        """Says of a position whether its record may be unanswered."""
        places, lowest, end = set(self._places.values()), self._lowest, self._end
        return lambda position: lowest <= position < end or position in places

    def unanswered(self, end: int) -> Ranges:
        """Ranges of the positions to deliver after a restart; `end`: of the log."""
        first = min(self._places.values(), default=min(end, self._end))
        lowest = min(first, self._lowest)
        if self._restored and self._next is not None:
            return Positions([(lowest, self._next), *self._restored.ranges, (self._start, self._end)]).stored()
        return [(lowest, self._end)]

    def _refill(self) -> None:
        """Move loaded records to the window while it has room, and load more."""
        while self._loaded:
            first = self._loaded[0]
            if isinstance(first, PlacedGap):
                self.window.append_gap(first.gap)
            elif self.window.has_room(first.record.stream):
                self._unread -= 1
                if first.position >= self._start:
                    self._behind.reduce(first.record.stream)
                self._take(first.position, first.record)
            else:
                break
            self._loaded.popleft()
        if self._next is not None and not self._loaded and not self._loading:
            self._loading = True
            self._load(self, self._next)

    def loaded(self, loaded: Loaded, end: int) -> None:
        """The records from `_next` to `loaded.end` were loaded; `end`: of the log."""
        self._loading = False
        self._put(self._wanted(loaded))
        self._shed_loaded()
        if loaded.end >= min(end, self._end):
            self._write_off(loaded.end)
            self._next = None
            self._put(())
        self._refill()
        self._settle()

    def _wanted(self, loaded: Loaded) -> list[Placed]:
        """Those of the loaded records that are to be delivered; loading continues after them."""
        assert self._next is not None
        self._next = max(self._next, loaded.end)
        wanted = [placed for placed in loaded.records if self._passes(placed)]
        self._pass_over(self._restored.drop_below(loaded.end), 0)
        self._discarded.drop_below(loaded.end)
        return wanted

    def _put(self, wanted: Sequence[Placed]) -> None:
        """Put records that were loaded, and the gaps among them, in order."""
        end = OPEN_END if self._next is None else self._next
        for position, gap in self._missing.gaps:
            if position < end:
                self._pass_item(position, gap, gap.last)
        due = self._missing.take_below(end)
        # A gap precedes the record at its position.
        ready: list[Placed | PlacedGap] = [*due, *wanted]
        for one in sorted(ready, key=lambda one: (one.position, isinstance(one, Placed))):
            if not (isinstance(one, PlacedGap) and self._continues(one.gap)):
                self._loaded.append(one)

    def _continues(self, gap: Gap) -> bool:
        """Join a gap to the last of its stream among those at the end of what is loaded, if it continues that one."""
        for at in range(len(self._loaded) - 1, -1, -1):
            last = self._loaded[at]
            if not isinstance(last, PlacedGap):
                return False
            if (joined := last.gap.joined(gap)) is not None:
                self._loaded[at] = last._replace(gap=joined)
                return True
        return False

    def _passes(self, placed: Placed) -> bool:
        """The loader passes a record: is it to be delivered?"""
        position, skipped, record = placed
        if position >= self._start:
            if wanted := position not in self._discarded and self._wants(position, record.stream):
                self._pass_item(position, record, record.seq)
            return wanted
        self._pass_over(self._restored.drop_below(position), skipped)
        self._note_lost(placed)
        if wanted := bool(self._restored.drop_below(position + 1)):
            self._missing.exclude(position, record)
        return wanted

    def _wants(self, position: int, stream: str) -> bool:
        """Is a record of this run at this position to be loaded?"""
        return position < self._end and self._behind.wants(position, stream)

    def _pass_item(self, position: int, item: Item, last: int) -> None:
        """The loader reached a record of this run, or a gap with the numbers up to `last`."""
        for placed in self._behind.pass_item(position, item, last, self._missing):
            self._lose(placed.gap.count)
            self._add_missing(placed)

    def _note_lost(self, placed: Placed) -> None:
        """As for damage, in an earlier run: the gap may contain records that were answered."""
        record, seen = placed.record, self._seen.get(placed.record.stream)
        self._seen[record.stream] = _Seen(record.boot, record.seq, self._lost)
        if seen is not None and seen.boot == record.boot and seen.lost < self._lost and seen.seq + 1 < record.seq:
            gap = Gap(record.stream, record.boot, seen.seq + 1, record.seq - 1, "damaged", None)
            self._add_missing(PlacedGap(placed.position, gap))

    def _add_missing(self, placed: PlacedGap) -> None:
        self._missing.add(placed)
        self._has_gaps = True
        self._empty.clear()
        self.has_new_gaps = True

    def _pass_over(self, missing: int, skipped: int) -> None:
        """Positions of an earlier run that are not in the log: those skipped were answered, the others are lost."""
        answered = min(missing, skipped)
        self._unread -= missing
        self.numbered -= answered
        self.shed += missing - answered
        self._lost += missing - answered

    def _write_off(self, end: int) -> None:
        """The end of the log is reached: what streams are still behind by, beyond what is loaded, is lost."""
        records = (one for one in self._loaded if isinstance(one, Placed) and one.position >= self._start)
        loaded = Counter(placed.record.stream for placed in records)
        for gap in self._behind.write_off(loaded):
            self._lose(gap.count)
            self._add_missing(PlacedGap(end, gap))

    def _lose(self, count: int) -> None:
        self._unread -= count
        self.shed += count

    def shed_up_to(self, shed: Loaded) -> None:
        """These records, the oldest on disk, were discarded."""
        self._kept = max(self._kept, shed.end)
        self.has_new_gaps = True  # those of the window are no longer on disk
        if self._next is None or self._next >= shed.end:
            return
        start = self._next
        wanted = self._wanted(shed._replace(records=[one for one in shed.records if one.position >= start]))
        for placed in wanted:
            self._lose(1)
            if placed.position >= self._start:
                self._behind.reduce(placed.record.stream)
        for gap in gaps_of(((placed.position, placed.record) for placed in wanted), shed.reason):
            self._add_missing(gap)
        self._put(())
        self._refill()
        self._settle()

    def discarded(self, position: int, record: Record) -> None:
        """The log discarded a record that it could not write. An older one of the stream makes way for it."""
        if self._next is None or position < self._next or not self._wants(position, record.stream):
            self._note_unwritten(position)
            return
        if position == self._next:
            self._pass_item(position, record, record.seq)
            self._put(())
        self._discarded.add(position)
        self._lose(1)
        self._behind.reduce(record.stream)
        is_next = position == self._next and not self._loaded
        older = self.window.shed_oldest(record.stream, "memory") if is_next else None
        if older is not None:
            del self._places[id(older)]
            self._take(position, record)
            self._note_unwritten(position)
        else:
            self._add_missing(PlacedGap(position, Gap.of(record, "memory")))
        self._settle()

    def store_gaps_again(self) -> None:
        """The gaps may not have been stored."""
        self.has_new_gaps = True

    def shed_aged(self, before_us: int) -> None:
        """Shed the records in memory that arrived before this time, and those that are loaded later."""
        self.before_us = before_us
        self._shed_loaded()
        for record in self.window.shed_aged(before_us):
            del self._places[id(record)]
            self.shed += 1
            self.has_new_gaps = True
        self._refill()
        self._settle()

    def _shed_loaded(self) -> None:
        """Replace the loaded records that are too old by gaps."""
        loaded, self._loaded = self._loaded, deque()
        for one in loaded:
            if isinstance(one, Placed) and is_aged(one.record, self.before_us):
                self._lose(1)
                if one.position >= self._start:
                    self._behind.reduce(one.record.stream)
                self._has_gaps = self.has_new_gaps = True
                one = PlacedGap(one.position, Gap.of(one.record, "age"))
            if not (isinstance(one, PlacedGap) and self._continues(one.gap)):
                self._loaded.append(one)

    def stored_gaps(self, end: int) -> list[PlacedGap]:
        """The gaps to deliver after a restart; `end`: of the log. A record in memory that is not on disk is one too."""
        self.has_new_gaps = False
        self._trim_unwritten()
        found = Missing()
        for each in (*self._gaps_of_window(min(self._lowest, end)), *self._loaded, *self._missing.gaps):
            if isinstance(each, PlacedGap):
                found.add(each)
            elif self._is_off_disk(each.position):
                found.add(PlacedGap(each.position, Gap.of(each.record, "size")))
        return found.gaps

    def _gaps_of_window(self, lowest: int) -> list[PlacedGap]:
        """Those of the window, before the next record of their stream; `lowest`: of the records outside the window."""
        found: list[PlacedGap] = []
        items = self.window.items()
        last = {item.stream: place for item in items if (place := self._places.get(id(item))) is not None}
        following: dict[str, int] = {}
        for item in reversed(items):
            place = self._places.get(id(item))
            if isinstance(item, Gap):
                until = following.get(item.stream, max(lowest, last.get(item.stream, -1) + 1))
                found.append(PlacedGap(until, item))
            elif place is not None:
                following[item.stream] = place
                if self._is_off_disk(place):
                    found.append(PlacedGap(place, Gap.of(item, "size")))
        return found[::-1]

    def _note_unwritten(self, position: int) -> None:
        """The record at this position, if it is in memory, will not be on disk."""
        self._unwritten.add(position)
        self.has_new_gaps = True
        if len(self._unwritten) > 2 * self.limit:  # most are answered
            self._trim_unwritten()

    def _trim_unwritten(self) -> None:
        self._unwritten &= {*self._places.values(), *(one.position for one in self._loaded)}

    def _is_off_disk(self, position: int) -> bool:
        return position < self._kept or position in self._unwritten
