"""What one sink has yet to get from the log: records that are not in its window, and the gaps among them."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeGuard

from klvrelay.gap import Gap, Item
from klvrelay.outcome import Reason
from klvrelay.record import Record
from klvrelay.spool.disk.behind import Behind
from klvrelay.spool.disk.cursor_file import OPEN_END
from klvrelay.spool.disk.missing import Missing, PlacedGap, PlacedItem, gaps_of
from klvrelay.spool.disk.ranges import Positions
from klvrelay.spool.disk.store import Loaded, Placed


class _Seen(NamedTuple):
    """The last record of a stream that the loader passed, and how many positions were lost until then."""

    boot: str | None
    seq: int
    lost: int


class Unread:
    """Records of an earlier run, and of this run those of streams that are behind. They are loaded in order.

    restored   positions of an earlier run
    start      first position of this run
    gaps       of an earlier run

    count          number of records
    next           where to load from; None if nothing is to be loaded
    loaded         records and gaps that were loaded, and find no room in the window yet
    answered       number of positions of an earlier run that were answered, as it turned out
    shed           number of records that were lost or shed
    has_new_gaps   did the gaps change?
    """

    def __init__(self, restored: Positions, start: int, gaps: Iterable[PlacedGap]) -> None:
        self._restored, self.start, self.end = restored, start, OPEN_END
        self.count = len(restored)
        self.next: int | None = restored.first if restored else None
        self.loaded: deque[Placed | PlacedGap] = deque()
        self.answered = self.shed = 0
        self.has_new_gaps = False
        self._behind = Behind()
        self._missing = Missing(gaps)
        self._has_gaps = bool(self._missing.gaps)  # perhaps
        self._seen: dict[str, _Seen] = {}  # by stream
        self._lost = 0  # positions of an earlier run
        self._discarded = Positions()  # not reached by the loader; a commit in progress may have written them
        if self.next is None:
            self.loaded.extend(self._missing.take_below())

    @property
    def is_empty(self) -> bool:
        """Are there neither records nor gaps?"""
        return not (self.count or self.loaded or self._missing.gaps)

    @property
    def is_restoring(self) -> bool:
        """Are there records of an earlier run to be loaded? They come before those of this run."""
        return bool(self._restored) or bool(self.loaded and self.loaded[0].position < self.start)

    @property
    def lowest(self) -> int:
        """The lowest position; OPEN_END if there is none."""
        if self.loaded:
            return self.loaded[0].position
        return OPEN_END if self.next is None else self.next

    def __contains__(self, stream: str) -> bool:
        """Is the stream behind?"""
        return stream in self._behind

    def count_of(self, stream: str) -> int:
        """Number of records of a stream that is behind."""
        return self._behind.count(stream)

    def append(self, position: int, record: Record) -> None:
        """Add a record of this run: its stream is behind from now on."""
        self._behind.add(position, record)
        self.count += 1
        if self.next is None:
            self.next = position

    def ranges(self, lowest: int) -> list[tuple[int, int]]:
        """The positions to deliver after a restart, from the lowest on."""
        if self._restored and self.next is not None:
            return [(lowest, self.next), *self._restored.ranges, (self.start, self.end)]
        return [(lowest, self.end)]

    def take(self) -> Item:
        """Remove the first of `loaded`."""
        first = self.loaded.popleft()
        if isinstance(first, PlacedGap):
            return first.gap
        self.count -= 1
        if first.position >= self.start:
            self._behind.reduce(first.record.stream)
        return first.record

    def add(self, loaded: Loaded, end: int) -> None:
        """The records from `next` to `loaded.end` were loaded; `end`: of the log."""
        self._put(self._wanted(loaded))
        if loaded.end >= min(end, self.end):
            self._write_off(loaded.end)
            self.next = None
            self._put(())

    def _wanted(self, loaded: Loaded) -> list[Placed]:
        """Those of the loaded records that are to be delivered; loading continues after them."""
        assert self.next is not None
        self.next = max(self.next, loaded.end)
        wanted = [placed for placed in loaded.records if self._passes(placed)]
        self._pass_over(self._restored.drop_below(loaded.end), 0)
        self._discarded.drop_below(loaded.end)
        return wanted

    def _put(self, wanted: Sequence[Placed]) -> None:
        """Put records that were loaded, and the gaps among them, in order."""
        end = OPEN_END if self.next is None else self.next
        for position, gap in self._missing.gaps:
            if position < end:
                self._pass_item(position, gap, gap.last)
        due = self._missing.take_below(end)
        # A gap precedes the record at its position.
        ready: list[Placed | PlacedGap] = [*due, *wanted]
        for one in sorted(ready, key=lambda one: (one.position, isinstance(one, Placed))):
            if not (isinstance(one, PlacedGap) and self._continues(one.gap)):
                self.loaded.append(one)

    def _continues(self, gap: Gap) -> bool:
        """Join a gap to the last of its stream among those at the end of what is loaded, if it continues that one."""
        for at in range(len(self.loaded) - 1, -1, -1):
            last = self.loaded[at]
            if not isinstance(last, PlacedGap):
                return False
            if (joined := last.gap.joined(gap)) is not None:
                self.loaded[at] = last._replace(gap=joined)
                return True
        return False

    def _passes(self, placed: Placed) -> bool:
        """The loader passes a record: is it to be delivered?"""
        position, skipped, record = placed
        if position >= self.start:
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
        return position < self.end and self._behind.wants(position, stream)

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
            item = PlacedItem(placed.position, record)
            for found in self._missing.between(record.boot, seen.seq + 1, item):
                self._add_missing(found._replace(position=found.position + 1))

    def _add_missing(self, placed: PlacedGap) -> None:
        self._missing.add(placed)
        self._has_gaps = self.has_new_gaps = True

    def _pass_over(self, missing: int, skipped: int) -> None:
        """Positions of an earlier run that are not in the log: those skipped were answered, the others are lost."""
        answered = min(missing, skipped)
        self.count -= missing
        self.answered += answered
        self.shed += missing - answered
        self._lost += missing - answered

    def _write_off(self, end: int) -> None:
        """The end of the log is reached: what streams are still behind by, beyond what is loaded, is lost."""
        records = (one for one in self.loaded if isinstance(one, Placed) and one.position >= self.start)
        loaded = Counter(placed.record.stream for placed in records)
        for gap in self._behind.write_off(loaded):
            self._lose(gap.count)
            self._add_missing(PlacedGap(end, gap))

    def _lose(self, count: int) -> None:
        self.count -= count
        self.shed += count

    def shed_up_to(self, shed: Loaded) -> None:
        """These records, the oldest on disk, are shed."""
        self.shed_where(lambda placed: shed.reason if placed.position < shed.end else None)
        if (start := self.next) is None or start >= shed.end:
            return
        wanted = self._wanted(shed._replace(records=[one for one in shed.records if one.position >= start]))
        for placed in wanted:
            self._shed_one(placed)
        for gap in gaps_of(((placed.position, placed.record) for placed in wanted), shed.reason):
            self._add_missing(gap)
        self._put(())

    def shed_where(self, why_shed: Callable[[Placed], Reason | None]) -> None:
        """Replace the loaded records that are to be shed by gaps."""
        loaded, self.loaded = self.loaded, deque()
        for one in loaded:
            if isinstance(one, Placed) and (reason := why_shed(one)) is not None:
                self._shed_one(one)
                self._has_gaps = self.has_new_gaps = True
                one = PlacedGap(one.position, Gap.of(one.record, reason))
            if not (isinstance(one, PlacedGap) and self._continues(one.gap)):
                self.loaded.append(one)

    def _shed_one(self, placed: Placed) -> None:
        self._lose(1)
        if placed.position >= self.start:
            self._behind.reduce(placed.record.stream)

    def discard(self, position: int, record: Record) -> bool:
        """The log has no room for a record that it could not write. Is it one of these? Then it is no more."""
        if self.next is None or position < self.next or not self._wants(position, record.stream):
            return False
        if position == self.next:
            self._pass_item(position, record, record.seq)
            self._put(())
        self._discarded.add(position)
        self._shed_one(Placed(position, 0, record))
        return True

    def put_gap(self, placed: PlacedGap) -> None:
        """A gap in the place of a record that was discarded."""
        self._add_missing(placed)

    def take_last_gaps(self) -> list[Gap]:
        """Remove the gaps after which no record of their stream is to be loaded: new records go to the window."""
        if not self._has_gaps or self.is_restoring:
            return []
        taken = [one.gap for one in (*self.loaded, *self._missing.gaps) if self._is_last(one)]
        self.loaded = deque(one for one in self.loaded if not self._is_last(one))
        self._missing.gaps = [one for one in self._missing.gaps if not self._is_last(one)]
        self._has_gaps = bool(self._missing.gaps) or any(isinstance(one, PlacedGap) for one in self.loaded)
        return taken

    def _is_last(self, one: Placed | PlacedGap) -> TypeGuard[PlacedGap]:
        return isinstance(one, PlacedGap) and one.gap.stream not in self._behind

    def gaps(self) -> list[PlacedGap]:
        """All gaps."""
        return [one for one in (*self.loaded, *self._missing.gaps) if isinstance(one, PlacedGap)]
