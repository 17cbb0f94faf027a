"""The cursor of one sink on the disk log: a window of records in memory, and a place in the log from which to load."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from klvrelay.gap import Gap, Item
from klvrelay.outcome import Outcome, Reason, Sums
from klvrelay.record import Record
from klvrelay.spool.age import NEVER_AGED, is_aged
from klvrelay.spool.cursor import Cursor
from klvrelay.spool.disk.cursor_file import Ranges
from klvrelay.spool.disk.missing import Missing, PlacedGap, gaps_between
from klvrelay.spool.disk.ranges import Positions
from klvrelay.spool.disk.store import Loaded, Placed
from klvrelay.spool.disk.unread import Unread
from klvrelay.spool.queue import size_of

PATIENT = 1000
"""Records of a source that can wait, such as a file, that may be on disk only."""


class DiskCursor:
    """The records still to be delivered to one sink: all of them, or a part.

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
        self, window: Cursor, file: str, restored: Positions, start: int, load: Callable[[DiskCursor, int], None],
        changed: Callable[[], None], gaps: Iterable[PlacedGap] = (),
    ) -> None:  # fmt: skip
        self.window, self.name, self.holds_sources = window, window.name, window.holds_sources
        self.file = file
        self._load, self.changed = load, changed
        self._places: dict[int, int] = {}  # position by id of each record of the window
        self._unread = Unread(restored, start, gaps)
        self._is_loading = False
        # Of what is below this position, only the records in the window are unanswered: the others were shed.
        self._kept = restored.ranges[-1][0] if len(restored.ranges) > 1 else 0
        self._sent: set[int] = set()  # positions in the window that were in flight: the far end may have the records
        self._has_new_gaps = False
        self.before_us = NEVER_AGED
        """Records that arrived before this time are too old."""
        self._numbered, self._shed = len(restored), 0

    @property
    def reader(self) -> str:
        """A name that no other cursor has."""
        return f"{self.file}#{self._unread.start}"

    @property
    def has_unread(self) -> bool:
        """Are there records to be loaded, as far as known?"""
        return self._unread.next is not None

    def needs_disk(self, durable: int) -> bool:
        """Is the next record to be loaded on disk, where those below `durable` are?"""
        return self._unread.next is not None and self._unread.next < durable

    def end_at(self, position: int) -> None:
        """Records from this position on belong to another cursor."""
        self._unread.end = position

    def begin(self) -> None:
        """Load the first records of an earlier run."""
        self._proceed()

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
        return self.window.waiting + self._unread.count

    def set_limits(self, limit: int, size_limit: int) -> None:
        """Change the limits of the window, which shrinks as it is delivered: nothing in it is shed."""
        self.window.set_limits(limit, size_limit, shed=False)

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
        return self.window.is_done and self._unread.is_empty

    @property
    def has_new_gaps(self) -> bool:
        """Did the gaps that wait change?"""
        return self._has_new_gaps or self._unread.has_new_gaps

    def sums(self) -> Sums:
        numbered, shed = self._numbered - self._unread.answered, self._shed + self._unread.shed
        return self.window.sums()._replace(numbered=numbered, shed=shed, waiting=self.waiting)

    def append(self, position: int, record: Record) -> None:
        """Add the record that was appended to the log at this position."""
        self._numbered += 1
        unread, stream = self._unread, record.stream
        if not unread.is_restoring and stream not in unread and self.window.has_room(stream):
            self._take(position, record)
        else:
            unread.append(position, record)

    def _take(self, position: int, record: Record) -> None:
        self._places[id(record)] = position
        self.window.append(record, size_of(record), waited=True)

    def _forget(self, item: Item) -> None:
        """An item left the window."""
        if (place := self._places.pop(id(item), None)) is not None:
            self._sent.discard(place)

    def has_room(self, stream: str) -> bool:
        """May a source that can wait append a record of this stream?"""
        if stream in self._unread:
            return self._unread.count_of(stream) < PATIENT
        return self.window.has_room(stream)

    def take(self, most: int, size: int, batch: list[Item]) -> list[Item]:
        """See `Cursor.take`."""
        self.window.take(most, size, batch)
        self._refill()
        return batch

    def has_offered(self, batch: Sequence[Item]) -> bool:
        """See `Cursor.has_offered`."""
        return self.window.has_offered(batch)

    def commit(self, batch: Sequence[Item], outcome: Outcome) -> None:
        """See `Cursor.commit`."""
        answered = self.window.unanswered(batch)[: outcome.answered]
        self.window.commit(batch, outcome)
        self._has_new_gaps |= bool(outcome.gaps or outcome.unpublished)
        for item in answered:
            self._forget(item)
        self._proceed()

    def rewind(self) -> None:
        """See `Cursor.rewind`."""
        flying = self.window.flying()
        self._sent.update(place for item in flying if (place := self._places.get(id(item))) is not None)
        self.window.rewind()

    def set_aside(self) -> Item:
        """See `Cursor.set_aside`."""
        item = self.window.set_aside()
        self._forget(item)
        self._has_new_gaps = True
        self._proceed()
        return item

    def _proceed(self) -> None:
        """Records left the window, or were loaded or lost."""
        self._refill()
        self._move_last_gaps()

    def _move_last_gaps(self) -> None:
        for gap in self._unread.take_last_gaps():
            self.window.append_gap(gap)
        self.changed()

    def _refill(self) -> None:
        """Move loaded records to the window while it has room, and load more."""
        unread = self._unread
        while unread.loaded:
            position = unread.loaded[0].position
            if isinstance(first := unread.loaded[0], Placed) and not self.window.has_room(first.record.stream):
                break
            item = unread.take()
            if isinstance(item, Gap):
                self.window.append_gap(item)
            else:
                self._take(position, item)
        if unread.next is not None and not unread.loaded and not self._is_loading:
            self._is_loading = True
            self._load(self, unread.next)

    def owed(self) -> Callable[[int], bool]:
        """Says of a position whether its record may be unanswered."""
        places, lowest, end = set(self._places.values()), self._unread.lowest, self._unread.end
        return lambda position: lowest <= position < end or position in places

    def unanswered(self, end: int) -> Ranges:
        """Ranges of the positions to deliver after a restart; `end`: of the log."""
        sent = sorted(place for place in self._places.values() if place < self._kept)
        others = (place for place in self._places.values() if place >= self._kept)
        lowest = min(min(others, default=min(end, self._unread.end)), self._unread.lowest)
        return Positions([*((place, place + 1) for place in sent), *self._unread.ranges(lowest)]).stored()

    def loaded(self, loaded: Loaded, end: int) -> None:
        """The records up to `loaded.end` were loaded; `end`: of the log."""
        self._is_loading = False
        self._unread.add(loaded, end)
        self._unread.shed_where(self._age_of)
        self._proceed()

    def shed_up_to(self, shed: Loaded) -> None:
        """These records, the oldest on disk, are shed, wherever they wait; but not those that the far end may have."""
        self._kept = max(self._kept, shed.end)

        def is_shed(record: Record) -> bool:
            place = self._places[id(record)]
            return place < shed.end and place not in self._sent

        self._note_shed(self.window.shed_where(is_shed, shed.reason))
        self._unread.shed_up_to(shed)
        self._proceed()

    def discarded(self, position: int, record: Record) -> bool:
        """The log has no room for a record that it could not write: is it in memory here? An older one of the stream
        makes way for it.
        """
        unread = self._unread
        is_next = position == unread.next
        if unread.discard(position, record):
            if is_next and not unread.loaded and self._shed_older(record.stream):
                unread.shed -= 1
                self._take(position, record)
            else:
                unread.put_gap(PlacedGap(position, Gap.of(record, "memory")))
            self._move_last_gaps()
        in_window = self._places.get(id(record)) == position
        return in_window or any(isinstance(one, Placed) and one.position == position for one in unread.loaded)

    def _shed_older(self, stream: str) -> bool:
        """Shed the oldest record of a stream in the window, unless the far end may have it."""
        oldest = self.window.oldest(stream)
        if oldest is None or self._places[id(oldest)] in self._sent:
            return False
        self.window.shed_oldest(stream, "memory")
        self._note_shed([oldest])
        return True

    def shed_aged(self, before_us: int) -> None:
        """Shed the records in memory that arrived before this time, and those that are loaded later."""
        self.before_us = before_us
        self._unread.shed_where(self._age_of)
        self._note_shed(self.window.shed_aged(before_us))
        self._proceed()

    def _age_of(self, placed: Placed) -> Reason | None:
        return "age" if is_aged(placed.record, self.before_us) else None

    def _note_shed(self, records: Sequence[Record]) -> None:
        """Records of the window were shed."""
        for record in records:
            self._forget(record)
            self._shed += 1
            self._has_new_gaps = True

    def store_gaps_again(self) -> None:
        """The gaps may not have been stored."""
        self._has_new_gaps = True

    def stored_gaps(self, end: int) -> list[PlacedGap]:
        """The gaps to deliver after a restart; `end`: of the log. They name no record that may yet be delivered."""
        self._has_new_gaps = self._unread.has_new_gaps = False
        found = Missing()
        in_window = gaps_between(self.window.items(), self._places, min(self._unread.lowest, self._unread.end, end))
        for each in (*in_window, *self._unread.gaps()):
            found.add(each)
        return found.gaps
