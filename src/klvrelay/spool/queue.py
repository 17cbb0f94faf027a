"""The waiting records of one stream, with a gap in the place of those that were shed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from klvrelay.gap import Gap, Item
from klvrelay.outcome import Reason
from klvrelay.record import Record

OVERHEAD = 320
"""Bytes of memory of a record in addition to its packet: measured with tracemalloc, 290 and up to three integers."""


def size_of(record: Record) -> int:
    """Bytes of memory of a waiting record."""
    return len(record.raw) + OVERHEAD


class Queue:
    """The waiting items of one stream, oldest first.

    size  bytes of the records; gaps have none, so that the limits are those of records
    gaps  number of gaps: at most one more than records, for each run of the relay
    """

    __slots__ = ("gaps", "items", "size")

    def __init__(self) -> None:
        self.items: deque[Item] = deque()
        self.size = self.gaps = 0

    @property
    def count(self) -> int:
        """Number of records."""
        return len(self.items) - self.gaps

    def add_last(self, gap: Gap) -> int:
        """Append a gap. Returns how many items were added: 0 if it continues the last one."""
        last = self.items[-1] if self.items else None
        if isinstance(last, Gap) and (joined := last.joined(gap)) is not None:
            self.items[-1] = joined
            return 0
        self.items.append(gap)
        self.gaps += 1
        return 1

    def add_first(self, item: Item) -> int:
        """Put an item before all others. Returns how many items were added: 0 for a gap that the first one continues.
        """
        if not isinstance(item, Gap):
            self.items.appendleft(item)
            self.size += size_of(item)
            return 1
        first = self.items[0] if self.items else None
        if isinstance(first, Gap) and (joined := item.joined(first) or first.joined(item)) is not None:
            self.items[0] = joined
            return 0
        self.items.appendleft(item)
        self.gaps += 1
        return 1

    def oldest(self) -> Record | None:
        """The oldest record."""
        return next((item for item in self.items if not isinstance(item, Gap)), None)

    def shed_where(self, is_shed: Callable[[Record], bool], reason: Reason) -> tuple[list[Record], int]:
        """Replace records by gaps. Returns them, and how many items more there are (below 0: fewer)."""
        items, shed = self.items, []
        self.items, self.size, self.gaps = deque(), 0, 0
        for item in items:
            if isinstance(item, Gap):
                self.add_last(item)
            elif is_shed(item):
                shed.append(item)
                self.add_last(Gap.of(item, reason))
            else:
                self.items.append(item)
                self.size += size_of(item)
        return shed, len(self.items) - len(items)

    def remove(self, reason: Reason) -> tuple[Record, int]:
        """Replace the oldest record by a gap. Returns the record, and how many items more there are (-2 to 0)."""
        before, earlier = len(self.items), []
        while isinstance(item := self.items.popleft(), Gap):
            earlier.append(item)
        self.gaps -= len(earlier)
        self.size -= size_of(item)
        for each in (Gap.of(item, reason), *reversed(earlier)):
            self.add_first(each)
        return item, len(self.items) - before
