"""The cursor of one sink on the disk log: a window of records in memory, and a place in the log from which to load."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from klvrelay.outcome import Outcome, Sums
from klvrelay.record import Record
from klvrelay.spool.cursor import NEVER, Cursor, size_of
from klvrelay.spool.disk.cursor_file import OPEN_END, Ranges
from klvrelay.spool.disk.ranges import Positions
from klvrelay.spool.disk.store import Loaded, Placed

PATIENT = 1000
"""Records of a source that can wait, such as a file, that may be on disk only."""


@dataclass(slots=True)
class _Behind:
    """The records of a stream that are to be loaded: the position of the first, and their number."""

    first: int
    count: int = 0


class DiskCursor:
    """The records still to be delivered to one sink.

        append --+--> window --> in flight --> answered
                 |      ^
                 +-> log (behind streams) --> loaded

    A record whose stream has room in the window waits there. If it has none, the stream is behind: its records stay in
    the log until they are loaded, in order. So a stream that floods neither displaces others nor delays them.

    window     the cursor in memory; it never sheds
    file       name of its file
    restored   positions of an earlier run
    start      first position of this run
    load       loads the next records from a position on, and passes them to `loaded`
    changed    called when records were answered or lost
    """

    def __init__(
        self,
        window: Cursor,
        file: str,
        restored: Positions,
        start: int,
        load: Callable[[DiskCursor, int], None],
        changed: Callable[[], None],
    ) -> None:
        self.window, self.name, self.holds_sources = window, window.name, window.holds_sources
        self.file = file
        self._load, self._changed = load, changed
        self._places: dict[int, int] = {}  # position by id of each record of the window
        self._restored, self._start = restored, start
        self._behind: dict[str, _Behind] = {}  # by stream
        self._unread = len(restored)
        self._next: int | None = restored.first if restored else None  # where to load from; None if nothing is behind
        self._loaded: deque[Placed] = deque()
        self._loading = False
        self._empty = asyncio.Event()
        self.numbered = len(restored)
        self.shed = 0

    def begin(self) -> None:
        """Load the first records of an earlier run."""
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

    @property
    def offered(self) -> int:
        """Number of records in flight."""
        return self.window.offered

    @property
    def offered_size(self) -> int:
        """Bytes of the records in flight."""
        return self.window.offered_size

    def sums(self) -> Sums:
        there, shed, waiting = self.window, self.shed, self.waiting
        return Sums(self.numbered, there.delivered, there.rejected, shed, there.left_out, waiting, there.unwanted)

    def append(self, position: int, record: Record) -> None:
        """Add the record that was appended to the log at this position."""
        self.numbered += 1
        stream = record.stream
        if not self._is_restoring and stream not in self._behind and self.window.has_room(stream):
            self._take(position, record)
        else:
            self._behind.setdefault(stream, _Behind(position)).count += 1
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
        behind = self._behind.get(stream)
        return self.window.has_room(stream) if behind is None else behind.count < PATIENT

    async def batch(self, most: int = 20, size: int = NEVER) -> Sequence[Record]:
        """See `Cursor.batch`."""
        batch = await self.window.batch(most, size)
        self._refill()
        return batch

    def offer_at(self, least: int) -> None:
        """See `Cursor.offer_at`."""
        self.window.offer_at(least)

    def commit(self, batch: Sequence[Record], outcome: Outcome) -> None:
        """See `Cursor.commit`."""
        answered = self.window.unanswered(batch)[: outcome.answered]
        self.window.commit(batch, outcome)
        for record in answered:
            del self._places[id(record)]
        self._refill()
        self._settle()

    def rewind(self) -> None:
        """See `Cursor.rewind`."""
        self.window.rewind()

    def set_aside(self) -> Record:
        """See `Cursor.set_aside`."""
        record = self.window.set_aside()
        del self._places[id(record)]
        self._settle()
        return record

    async def wait_until_drained(self) -> None:
        """Return once no record is waiting or in flight."""
        await self._empty.wait()

    def _settle(self) -> None:
        if not self.waiting:
            self._empty.set()
        self._changed()

    @property
    def _lowest(self) -> int:
        """The lowest position that may not be in the window; OPEN_END if all records that wait are."""
        if self._loaded:
            return self._loaded[0].position
        return OPEN_END if self._next is None else self._next

    def owed(self) -> Callable[[int], bool]:
        """Says of a position whether its record may be unanswered."""
        places, lowest = set(self._places.values()), self._lowest
        return lambda position: position >= lowest or position in places

    def unanswered(self, end: int) -> Ranges:
        """Ranges of the positions to deliver after a restart; `end`: of the log."""
        first = min(self._places.values(), default=end)
        lowest = min(first, self._lowest)
        if self._restored and self._next is not None:
            return Positions([(lowest, self._next), *self._restored.ranges, (self._start, OPEN_END)]).stored()
        return [(lowest, OPEN_END)]

    def _refill(self) -> None:
        """Move loaded records to the window while it has room, and load more."""
        while self._loaded and self.window.has_room(self._loaded[0].record.stream):
            position, _, record = self._loaded.popleft()
            self._unread -= 1
            if position >= self._start:
                self._reduce(record.stream)
            self._take(position, record)
        if self._next is not None and not self._loaded and not self._loading:
            self._loading = True
            self._load(self, self._next)

    def _reduce(self, stream: str) -> None:
        """One record of a stream that is behind is no longer to be loaded."""
        behind = self._behind[stream]
        behind.count -= 1
        if not behind.count:
            del self._behind[stream]

    def loaded(self, loaded: Loaded, end: int) -> None:
        """The records from `_next` to `loaded.end` were loaded; `end`: of the log."""
        self._loading = False
        wanted = self._wanted(loaded)
        self._loaded.extend(wanted)
        if loaded.end >= end:
            self._next = None
            self._write_off()
        self._refill()
        self._settle()

    def _wanted(self, loaded: Loaded) -> list[Placed]:
        """Those of the loaded records that are to be delivered; loading continues after them."""
        assert self._next is not None
        self._next = max(self._next, loaded.end)
        wanted = [placed for placed in loaded.records if self._wants(placed)]
        self._pass_over(self._restored.drop_below(loaded.end), 0)
        return wanted

    def _wants(self, placed: Placed) -> bool:
        position, skipped, record = placed
        if position >= self._start:
            behind = self._behind.get(record.stream)
            return behind is not None and position >= behind.first
        self._pass_over(self._restored.drop_below(position), skipped)
        return bool(self._restored.drop_below(position + 1))

    def _pass_over(self, missing: int, skipped: int) -> None:
        """Positions of an earlier run that are not in the log: those skipped were answered, the others are lost."""
        answered = min(missing, skipped)
        self._unread -= missing
        self.numbered -= answered
        self.shed += missing - answered

    def _write_off(self) -> None:
        """The end of the log is reached: what streams are still behind by, beyond what is loaded, is lost."""
        loaded = Counter(placed.record.stream for placed in self._loaded if placed.position >= self._start)
        for stream, behind in list(self._behind.items()):
            self._lose(behind.count - loaded[stream])
            behind.count = loaded[stream]
            if not behind.count:
                del self._behind[stream]

    def _lose(self, count: int) -> None:
        self._unread -= count
        self.shed += count

    def shed_up_to(self, shed: Loaded) -> None:
        """These records, the oldest on disk, were discarded."""
        if self._next is None or self._next >= shed.end:
            return
        start = self._next
        for placed in self._wanted(shed._replace(records=[one for one in shed.records if one.position >= start])):
            self._lose(1)
            if placed.position >= self._start:
                self._reduce(placed.record.stream)
        self._settle()

    def discarded(self, position: int, record: Record) -> None:
        """The log discarded a record that it could not write. An older one of the stream makes way for it."""
        if self._next is None or position < self._next or not self._wants(Placed(position, 0, record)):
            return
        self._lose(1)
        self._reduce(record.stream)
        older = self.window.shed_oldest(record.stream) if position == self._next and not self._loaded else None
        if older is not None:
            del self._places[id(older)]
            self._take(position, record)
        self._settle()
