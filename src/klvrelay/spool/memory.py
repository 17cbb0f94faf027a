"""A log in memory between streams and sinks: each record is appended once, and each sink reads with a cursor."""

from __future__ import annotations

from klvrelay.record import Record
from klvrelay.spool.base import BaseLog
from klvrelay.spool.contract import LogCursor
from klvrelay.spool.cursor import Cursor
from klvrelay.spool.memory_flows import MemoryFlows
from klvrelay.spool.queue import size_of

WAITING = 10_000
"""Default maximum of records that wait for one sink."""
WAITING_SIZE = 64 << 20
"""Default maximum of their bytes."""


class MemoryLog(BaseLog[Cursor | MemoryFlows]):
    """Keeps each record until every cursor has read it.

    Each cursor has separate limits of records and bytes, so a disconnected sink sheds only its own records. `age` is
    the maximum age of a waiting record in seconds, of any source.
    """

    def __init__(self, limit: int = WAITING, size_limit: int = WAITING_SIZE, age: float | None = None) -> None:
        super().__init__(limit, size_limit, age)

    @property
    def keeps(self) -> bool:
        """Waiting records are lost when the process ends."""
        return False

    @property
    def condition(self) -> None:
        """There is no disk."""

    @property
    def owner(self) -> None:
        """There is no disk."""

    def append(self, record: Record, *, waited: bool = False) -> None:
        """Append a record. If the log is full, shed an older one, unless the caller has `waited` for room."""
        size = size_of(record)
        for cursor in self._cursors:
            cursor.append(record, size, waited=waited and cursor.holds_sources)

    def cursor(
        self, name: str, *, holds_sources: bool = True, file: str | None = None, replay_rate: float | None = None
    ) -> Cursor | MemoryFlows:
        """A cursor for one sink, which reads the records appended from now on. It has no file.

        holds_sources   sources that can wait, such as files, wait for this sink, and none of their records is shed.
                        Use it for a far end that stores what it confirms, such as an MQTT broker. Do not use it for a
                        live view: only the newest record matters there, and a slow viewer must not delay the broker.
        replay_rate     after an outage, live records are delivered at once, and the backlog beside them at this rate in
                        records per second. None: all in order
        """
        limits = self._limit, self._size_limit
        cursor: Cursor | MemoryFlows
        if replay_rate is None:
            cursor = Cursor(name, *limits, self._freed, holds_sources=holds_sources)
        else:
            cursor = MemoryFlows(name, *limits, replay_rate, self._freed, holds_sources=holds_sources)
        self._cursors.append(cursor)
        self._age.start()
        return cursor

    def reorder(self, cursor: LogCursor, replay_rate: float | None) -> LogCursor:
        """See `Log.reorder`."""
        at = self._place_of(cursor)
        old = self._cursors[at]
        if isinstance(old, MemoryFlows):
            old.set_rate(replay_rate)
        elif replay_rate is not None:
            flows = MemoryFlows(
                old.name, self._limit, self._size_limit, replay_rate, self._freed, holds_sources=old.holds_sources
            )
            flows.absorb(old)
            self._cursors[at] = flows
        return self._cursors[at]

    def remove(self, cursor: LogCursor) -> None:
        """See `Log.remove`."""
        del self._cursors[self._place_of(cursor)]
        self._freed.set()

    def set_limits(self, limit: int, size_limit: int) -> None:
        """See `Log.set_limits`."""
        self._limit, self._size_limit = limit, size_limit
        for cursor in self._cursors:
            cursor.set_limits(limit, size_limit)
