"""The cursor of `order = "live-first"` on the log in memory, also once the order is `strict` again."""

from __future__ import annotations

import asyncio

from klvrelay.record import Record
from klvrelay.spool.cursor import Cursor
from klvrelay.spool.flows import Flows
from klvrelay.spool.shares import Held, Load, MemoryLimits


class MemoryFlows(Flows):
    """Two cursors with common limits: of the largest stream the oldest record is shed, from the backlog first."""

    live: Cursor
    backlog: list[Cursor]  # type: ignore[assignment]

    def __init__(
        self, name: str, limit: int, size_limit: int, rate: float, freed: asyncio.Event, *, holds_sources: bool
    ) -> None:
        super().__init__(name, limit, size_limit, rate)
        self.holds_sources = holds_sources
        self._freed = freed
        self._patient: set[str] = set()
        self.live, self.backlog = self._cursor(), []

    def absorb(self, cursor: Cursor) -> None:
        """Take all that waits in a cursor with nothing in flight, and its counts."""
        self._patient |= cursor.patient
        self.live.absorb(cursor)
        if not self.live.is_done:
            self._empty.clear()

    def _cursor(self) -> Cursor:
        limits = self.limit, self.size_limit
        return Cursor(self.name, *limits, self._freed, holds_sources=self.holds_sources)

    def _divide(self) -> None:
        if self.backlog:
            self.backlog[0].absorb(self.live)
        else:
            self.backlog, self.live = [self.live], self._cursor()

    @property
    def _cursors(self) -> list[Cursor]:
        return [*self.backlog, self.live]

    @property
    def fill(self) -> float:
        """See `LogCursor.fill`."""
        return MemoryLimits(self.limit, self.size_limit).fill(self._held())

    def append(self, record: Record, size: int, *, waited: bool) -> None:
        """See `Cursor.append`."""
        self._empty.clear()
        self.live.append(record, size, waited=True)
        (self._patient.add if waited else self._patient.discard)(record.stream)
        while not waited and (stream := self._to_shed()) is not None:
            self._shed(stream)
        self._turns.wake()

    def set_limits(self, limit: int, size_limit: int) -> None:
        """See `Cursor.set_limits`."""
        self.limit, self.size_limit = limit, size_limit
        for cursor in self._cursors:
            cursor.set_limits(limit, size_limit, shed=False)
        while (stream := self._to_shed()) is not None:
            self._shed(stream)
        self._freed.set()

    def _to_shed(self) -> str | None:
        """See `MemoryLimits.to_shed`."""
        return MemoryLimits(self.limit, self.size_limit).to_shed(self._held(), self._loads, self._patient)

    def _held(self) -> Held:
        return Held(*map(sum, zip(*(cursor.held for cursor in self._cursors), strict=True)))

    def _loads(self) -> dict[str, Load]:
        """Number and bytes of the waiting records by stream."""
        loads: dict[str, Load] = {}
        for cursor in self._cursors:
            for stream, (count, size) in cursor.loads().items():
                known = loads.get(stream, (0, 0))
                loads[stream] = known[0] + count, known[1] + size
        return loads

    def _shed(self, stream: str) -> None:
        for cursor in self._cursors:
            if cursor.shed_oldest(stream, "memory") is not None:
                cursor.shed += 1
                return

    def shed_aged(self, before_us: int) -> list[Record]:
        """See `Cursor.shed_aged`."""
        shed = [record for cursor in self._cursors for record in cursor.shed_aged(before_us)]
        self.changed()
        return shed

    def has_room(self, stream: str) -> bool:
        """See `Cursor.has_room`."""
        loads = self._loads()
        streams = len(loads) + (stream not in loads)
        return MemoryLimits(self.limit, self.size_limit).has_room(self._held(), loads.get(stream, (0, 0)), streams)
