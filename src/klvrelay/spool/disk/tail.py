"""The records that are in memory only: those since the last commit or, while the disk takes none, the newest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from klvrelay.record import Record
from klvrelay.spool.disk.store import Loaded, Placed
from klvrelay.spool.queue import size_of


class Tail:
    """Records by position, within limits.

    next      position of the next record
    durable   records below this position are on disk or discarded, all others here or discarded
    size      bytes of the records
    """

    def __init__(self, start: int, limit: int, size_limit: int) -> None:
        self.next = self.durable = start
        self.limit, self.size_limit = limit, size_limit
        self.records: dict[int, Record] = {}
        self.size = 0
        self._late: dict[int, Record] = {}  # before the others; they are in the windows of cursors, and nowhere else
        self._late_most = limit

    @property
    def count(self) -> int:
        return len(self._late) + len(self.records)

    @property
    def first(self) -> int:
        """Position of the first record within the limits, or of the next one."""
        return next(iter(self.records), self.next)

    @property
    def is_over(self) -> bool:
        return len(self.records) > self.limit or self.size > self.size_limit

    @property
    def fill(self) -> float:
        """The share of the limits that is taken."""
        return max(len(self.records) / max(1, self.limit), self.size / max(1, self.size_limit))

    @property
    def is_half_full(self) -> bool:
        return self.fill > 0.5

    @property
    def has_many_late(self) -> bool:
        """Are there so many records in windows only that some are probably answered? See `drop_answered`."""
        return len(self._late) > self._late_most

    def append(self, record: Record) -> int:
        """Append a record, and return its position."""
        position, self.next = self.next, self.next + 1
        self.records[position] = record
        self.size += size_of(record)
        return position

    def pop_first(self) -> tuple[int, Record]:
        """Remove the oldest record."""
        position = next(iter(self.records))
        return position, self._drop(position)

    def _drop(self, position: int) -> Record:
        record = self.records.pop(position)
        self.size -= size_of(record)
        return record

    def keep(self, position: int, record: Record) -> None:
        """A record that was removed is in the window of a cursor: write it, too, once that is possible."""
        self._late[position] = record

    def drop_answered(self, owed: Sequence[Callable[[int], bool]]) -> dict[int, Record]:
        """Drop the records that every cursor has answered for. Returns all others."""
        for position in [position for position in self.records if not _is_owed(position, owed)]:
            self._drop(position)
        self._late = {position: record for position, record in self._late.items() if _is_owed(position, owed)}
        self._late_most = max(self.limit, 2 * len(self._late))
        return self._late | self.records

    def drop_durable(self, end: int) -> None:
        """Records below this position are durable."""
        for position in [position for position in self.records if position < end]:
            self._drop(position)
        self._late = {position: record for position, record in self._late.items() if position >= end}
        self.durable = max(self.durable, end)

    def read(self, start: int, most: int) -> Loaded:
        """The records from this position on, at most so many."""
        rest = ((position, record) for position, record in self.records.items() if position >= start)
        found = [Placed(position, 0, record) for position, record in islice(rest, most)]
        return Loaded(found, found[-1].position + 1 if found else self.next)


def _is_owed(position: int, owed: Iterable[Callable[[int], bool]]) -> bool:
    return any(is_owed(position) for is_owed in owed)
