"""The cursor of one sink on the log on disk: live records, and the parts of its backlog."""

from __future__ import annotations

from collections.abc import Callable

from klvrelay.record import Record
from klvrelay.spool.disk.cursor import DiskCursor
from klvrelay.spool.disk.cursor_file import Ranges
from klvrelay.spool.disk.missing import Missing, PlacedGap
from klvrelay.spool.disk.ranges import Positions
from klvrelay.spool.disk.store import Loaded
from klvrelay.spool.flows import Flows

PARTS = 8
"""Maximum parts of the backlog. At later connections what waits remains live. With `live-first` each part, and the live
records, have 1/PARTS of the limits in memory."""


class DiskFlows(Flows):
    """One cursor for each part of the backlog, the oldest first, and one for the live records.

    first     the records of an earlier run and, until the first connection, of this one
    next_one  makes the cursor of the records from now on, and ends the other one there
    fill_of   the share of the log's room that is taken by what one of its cursors has to deliver
    """

    live: DiskCursor
    backlog: list[DiskCursor]  # type: ignore[assignment]

    def __init__(
        self, first: DiskCursor, limit: int, size_limit: int, rate: float | None,
        next_one: Callable[[DiskCursor], DiskCursor], fill_of: Callable[[DiskFlows], float],
    ) -> None:  # fmt: skip
        super().__init__(first.name, limit, size_limit, rate)
        self.live, self.backlog = first, []
        self.set_limits(limit, size_limit)
        self._next_one, self._fill_of = next_one, fill_of
        self.file, self.holds_sources = first.file, first.holds_sources
        self._log_changed, first.changed = first.changed, self.changed

    def changed(self) -> None:
        """Records were answered, lost or loaded."""
        super().changed()
        self._log_changed()

    @property
    def _cursors(self) -> list[DiskCursor]:
        return [*self.backlog, self.live]

    @property
    def fill(self) -> float:
        """See `LogCursor.fill`."""
        return self._fill_of(self)

    def set_limits(self, limit: int, size_limit: int) -> None:
        """See `DiskCursor.set_limits`."""
        self.limit, self.size_limit = limit, size_limit
        parts = 1 if self._rate is None else PARTS
        for cursor in self._cursors:
            cursor.set_limits(max(1, limit // parts), max(1, size_limit // parts))

    def set_rate(self, rate: float | None) -> None:
        """See `Flows.set_rate`."""
        super().set_rate(rate)
        self.set_limits(self.limit, self.size_limit)

    def overtake(self, durable: int) -> None:
        """The disk cannot be read: later records do not wait for those below `durable`, which are on it."""
        self._is_away = True
        if self.live.needs_disk(durable):
            self._divide()
            if self._pulse is None:
                self._continue()
        self._turns.wake()

    def wait_for_backlog(self) -> None:
        """The disk can be read."""
        self._is_away = False

    def begin(self) -> None:
        """See `DiskCursor.begin`."""
        self.live.begin()
        if not self.live.is_done:
            self._empty.clear()

    def _divide(self) -> None:
        if len(self.backlog) < PARTS:
            self.backlog.append(self.live)
            self.live = self._next_one(self.live)

    def append(self, position: int, record: Record) -> None:
        """See `DiskCursor.append`."""
        self._empty.clear()
        self.live.append(position, record)
        if self._turns.waiters:
            self._turns.wake()

    def has_room(self, stream: str) -> bool:
        """See `DiskCursor.has_room`."""
        return self.live.has_room(stream)

    def owed(self) -> Callable[[int], bool]:
        """See `DiskCursor.owed`."""
        owed = [cursor.owed() for cursor in self._cursors]
        return lambda position: any(is_owed(position) for is_owed in owed)

    def unanswered(self, end: int) -> Ranges:
        """See `DiskCursor.unanswered`."""
        return Positions(bounds for cursor in self._cursors for bounds in cursor.unanswered(end)).stored()

    def shed_up_to(self, shed: Loaded) -> None:
        """See `DiskCursor.shed_up_to`."""
        for cursor in self._cursors:
            cursor.shed_up_to(shed)

    def discarded(self, position: int, record: Record) -> bool:
        """See `DiskCursor.discarded`."""
        held = [cursor.discarded(position, record) for cursor in self._cursors]
        return any(held)

    def shed_aged(self, before_us: int) -> None:
        """See `DiskCursor.shed_aged`."""
        for cursor in self._cursors:
            cursor.shed_aged(before_us)

    @property
    def has_new_gaps(self) -> bool:
        """Did the gaps that wait change?"""
        return any(cursor.has_new_gaps for cursor in self._cursors)

    def stored_gaps(self, end: int) -> list[PlacedGap]:
        """See `DiskCursor.stored_gaps`."""
        found = Missing()
        for cursor in self._cursors:
            for placed in cursor.stored_gaps(end):
                found.add(placed)
        return found.gaps

    def store_gaps_again(self) -> None:
        """See `DiskCursor.store_gaps_again`."""
        self.live.store_gaps_again()
