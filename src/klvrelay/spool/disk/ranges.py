"""A set of positions as ranges."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from klvrelay.spool.disk.cursor_file import MOST_RANGES, OPEN_END, Ranges


class Positions:
    """Positions of the log as ascending ranges `[start, end)`; few, since positions are answered nearly in order."""

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self.ranges: list[tuple[int, int]] = []
        for start, end in ranges:
            self._add(start, end)
        self._count = sum(end - start for start, end in self.ranges)

    def _add(self, start: int, end: int) -> None:
        if self.ranges and start <= self.ranges[-1][1]:
            start = self.ranges.pop()[0]
        if start < end:
            self.ranges.append((start, end))

    def add(self, position: int) -> None:
        """Add a position that is higher than all others."""
        self._add(position, position + 1)
        self._count += 1

    def __contains__(self, position: int) -> bool:
        at = bisect_right(self.ranges, (position, OPEN_END))
        return at > 0 and position < self.ranges[at - 1][1]

    def __len__(self) -> int:
        return self._count

    @property
    def first(self) -> int:
        """The lowest position; OPEN_END if there is none."""
        return self.ranges[0][0] if self.ranges else OPEN_END

    def drop_below(self, position: int) -> int:
        """Remove all lower positions; how many there were."""
        dropped = 0
        while self.ranges and self.ranges[0][0] < position:
            start, end = self.ranges.pop(0)
            if end > position:
                self.ranges.insert(0, (position, end))
                end = position
            dropped += end - start
        self._count -= dropped
        return dropped

    def stored(self) -> Ranges:
        """At most MOST_RANGES: the nearest ones are joined, so a few answered records are delivered again."""
        ranges = list(self.ranges)
        while len(ranges) > MOST_RANGES:
            at = min(range(1, len(ranges)), key=lambda at: ranges[at][0] - ranges[at - 1][1])
            ranges[at - 1 : at + 1] = [(ranges[at - 1][0], ranges[at][1])]
        return ranges
