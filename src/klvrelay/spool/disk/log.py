"""The log on disk: records that no sink has answered for within the commit interval are written to segments.

append --> tail --> commit (one thread) --> segments
             \\                                |
              +--------> cursors <-- load ----+
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from functools import partial
from itertools import count

from klvrelay import threads
from klvrelay.record import Record
from klvrelay.spool.base import BaseLog
from klvrelay.spool.contract import Condition, LogCursor
from klvrelay.spool.cursor import Cursor
from klvrelay.spool.disk.cursor import DiskCursor
from klvrelay.spool.disk.cursor_file import Ranges
from klvrelay.spool.disk.earlier import StoredPositions
from klvrelay.spool.disk.flows import DiskFlows
from klvrelay.spool.disk.loading import Loader
from klvrelay.spool.disk.missing import PlacedGap
from klvrelay.spool.disk.ranges import Positions
from klvrelay.spool.disk.store import Committed, Store
from klvrelay.spool.disk.tail import Tail
from klvrelay.spool.memory import WAITING, WAITING_SIZE

LOG = logging.getLogger("klvrelay.spool")

COMMIT = 0.05
"""Default seconds from one commit to the next: a record that is older and unanswered survives a crash."""
GAPS_EVERY = 1.0
"""Seconds from one time that gaps are stored to the next. Those of shed records are stored at once."""
RETRY_MOST = 2.0
"""Longest pause in seconds between two attempts to write to a disk that fails."""
STALLED = 3.0
"""Seconds after which a commit that has not ended is a fault."""


class DiskLog(BaseLog[DiskFlows]):
    """Keeps each record until every cursor has answered for it, on disk beyond the commit interval.

    The limits of records and bytes are those of memory: of each cursor's window, and of what cannot be written while
    the disk is full or fails. Then the oldest records are shed. `age` is the maximum age of a waiting record in
    seconds: none that is older is delivered, and a segment is discarded once all of its records are older.
    """

    def __init__(
        self, store: Store, worker: threads.Worker, *, commit: float = COMMIT, limit: int = WAITING,
        size_limit: int = WAITING_SIZE, age: float | None = None,
    ) -> None:  # fmt: skip
        super().__init__(limit, size_limit, age)
        self._store, self._worker = store, worker
        self._interval = self._pause = commit
        self._tail = Tail(store.segments.next, limit, size_limit)
        self._earlier = StoredPositions(store)
        self._loader = Loader(store, worker, self._tail, lambda: self._cursors)
        self._saved: dict[str, Ranges] = {}
        self._gaps_saved = -GAPS_EVERY
        self._has_shed = False  # since gaps were stored
        self._timer: asyncio.TimerHandle | None = None
        self._committing: asyncio.Future[Committed] | None = None
        self._began = 0.0
        self._failures = 0
        self._closed = False
        self._age_is_due = False
        self.fault: OSError | None = None
        """Why records cannot be written at present."""

    @property
    def keeps(self) -> bool:
        """Waiting records survive the end of the process, if they were written."""
        return self._closed and not self.pending

    @property
    def pending(self) -> int:
        """Number of records that are neither durable nor, as far as is known, answered by all sinks."""
        return self._tail.count

    @property
    def owner(self) -> str:
        """See `Log.owner`."""
        return self._store.owner

    @property
    def condition(self) -> Condition:
        """The condition of the disk. A write that does not end is a fault too."""
        found = self.fault or self._store.fault
        fault = None if found is None else found.strerror or type(found).__name__
        if fault is None and self._committing is not None and time.monotonic() - self._began > STALLED:
            fault = "a write has not finished"
        return Condition(self._store.name, fault, self._failures, self.pending, self._tail.size,
                         self._store.segments.unreadable)  # fmt: skip

    def append(self, record: Record, *, waited: bool = False) -> None:
        """Append a record. `waited`: the caller has waited for room."""
        position = self._tail.append(record)
        for cursor in self._cursors:
            cursor.append(position, record)
        if self._tail.is_over:
            self._discard_excess()
        self._schedule()

    def cursor(
        self, name: str, *, holds_sources: bool = True, file: str | None = None, replay_rate: float | None = None
    ) -> DiskFlows:
        """The cursor of a sink, which continues where it was; a new one reads what is appended from now on.

        file   name of its file, so that the broker may move; by default the scheme in `name`

        For the other options see `MemoryLog.cursor`.
        """
        kind, taken = file or name.partition("://")[0], {cursor.file for cursor in self._cursors}
        file = next(file for number in count(1) if (file := f"{kind}-{number}" if number > 1 else kind) not in taken)
        limits = self._limit, self._size_limit
        window = Cursor(name, *limits, self._freed, holds_sources=holds_sources)
        gaps = self._store.gaps.get(file, ())
        first = DiskCursor(
            window, file, self._earlier.unread(file, self._tail.next), self._tail.next, self._loader.load,
            self._changed, gaps,
        )  # fmt: skip
        first.before_us = self._age.before_us
        cursor = DiskFlows(first, *limits, replay_rate, self._next_one, self._fill_of)
        self._age.start()
        self._cursors.append(cursor)
        if (saved := self._store.saved.get(file)) is not None:
            self._saved[file] = saved
        cursor.begin()
        return cursor

    def _fill_of(self, cursor: DiskFlows) -> float:
        """Of the disk; or of memory, if that is more: the disk is full or fails."""
        if not cursor.waiting:
            return 0.0
        oldest = cursor.unanswered(self._tail.next)[0][0]
        return max(self._store.segments.fill_from(oldest), self._tail.fill)

    def _next_one(self, last: DiskCursor) -> DiskCursor:
        """The cursor of the same sink for the records from now on; the other one ends here."""
        last.end_at(self._tail.next)
        limits = last.limit, last.size_limit
        window = Cursor(last.name, *limits, self._freed, holds_sources=last.holds_sources)
        following = DiskCursor(window, last.file, Positions(), self._tail.next, self._loader.load, last.changed)
        following.before_us = self._age.before_us
        return following

    def reorder(self, cursor: LogCursor, replay_rate: float | None) -> LogCursor:
        """See `Log.reorder`."""
        same = self._cursors[self._place_of(cursor)]
        same.set_rate(replay_rate)
        return same

    def remove(self, cursor: LogCursor) -> None:
        """See `Log.remove`. The files of the cursor are deleted."""
        gone = self._cursors.pop(self._place_of(cursor))
        self._saved.pop(gone.file, None)
        self._store.saved.pop(gone.file, None)
        self._store.gaps.pop(gone.file, None)
        removing = self._worker.run(partial(self._store.remove_cursor, gone.file))
        removing.add_done_callback(self._removed)
        self._changed()

    def _removed(self, done: asyncio.Future[None]) -> None:
        if not done.cancelled() and (fault := done.exception()) is not None:
            LOG.warning("spool: the file of a removed sink remains: %s: %s", self._store.name, fault)

    def set_limits(self, limit: int, size_limit: int) -> None:
        """See `Log.set_limits`. The windows of the cursors shrink as they are delivered: nothing in them is shed."""
        self._limit, self._size_limit = limit, size_limit
        self._tail.limit, self._tail.size_limit = limit, size_limit
        for cursor in self._cursors:
            cursor.set_limits(limit, size_limit)
        self._changed()

    def report_unused(self) -> None:
        """Log the cursors of earlier runs that no sink uses. They hold back no segment."""
        self._earlier.report_unused({cursor.file for cursor in self._cursors}, self._tail.next)

    def _shed_aged(self, before_us: int) -> None:
        super()._shed_aged(before_us)
        self._age_is_due = True
        self._schedule()

    def _changed(self) -> None:
        self._freed.set()
        self._schedule()

    def _schedule(self) -> None:
        if self._timer is None and self._committing is None and not self._closed:
            self._timer = asyncio.get_running_loop().call_later(self._pause, self._commit)

    def _commit(self) -> None:
        self._timer = None
        records = self._unanswered()
        ranges = {cursor.file: cursor.unanswered(self._tail.next) for cursor in self._cursors}
        gaps = self._new_gaps()
        if records or gaps or self._age_is_due or self.fault is not None or self._is_stale(ranges):
            self._saved = ranges
            self._age_is_due = False
            failed, self._began = self.fault is not None, time.monotonic()
            probe = failed and not self._closed
            job = partial(
                self._store.commit, records, ranges, hurry=failed and self._tail.is_half_full, probe=probe, gaps=gaps,
                before_us=self._age.before_us,
            )  # fmt: skip
            self._committing = self._worker.run(job)
            self._committing.add_done_callback(self._committed)
        elif any(cursor.has_new_gaps for cursor in self._cursors):
            self._schedule()

    def _new_gaps(self) -> dict[str, Sequence[PlacedGap]]:
        """The gaps of each cursor whose gaps changed, if it is time to store them."""
        changed = [cursor for cursor in self._cursors if cursor.has_new_gaps]
        now = asyncio.get_running_loop().time()
        if not changed or (now - self._gaps_saved < GAPS_EVERY and not self._has_shed and not self._closed):
            return {}
        self._gaps_saved, self._has_shed = now, False
        return {cursor.file: cursor.stored_gaps(self._tail.next) for cursor in changed}

    def _unanswered(self) -> dict[int, Record]:
        """The records in memory, without those that every cursor has answered for, which are dropped."""
        return self._tail.drop_answered([cursor.owed() for cursor in self._cursors])

    def _is_stale(self, ranges: dict[str, Ranges]) -> bool:
        """Has a cursor passed records on disk that its file does not say it has?"""
        return any(saved != ranges[name] and saved[0][0] < self._tail.durable for name, saved in self._saved.items())

    def _committed(self, done: asyncio.Future[Committed]) -> None:
        self._committing = None
        result = done.result()
        self._tail.drop_durable(result.end)
        for shed in result.sheds:
            self._has_shed = True
            for cursor in self._cursors:
                cursor.shed_up_to(shed)
        self._note(result.fault)
        if result.fault is not None:
            self._has_shed = True
            for cursor in self._cursors:
                cursor.store_gaps_again()
        if result.sheds:
            self._commit()  # store the gaps, and write what now has room
        elif self.pending or self.fault is not None or any(cursor.has_new_gaps for cursor in self._cursors):
            self._schedule()

    def _note(self, fault: OSError | None) -> None:
        if fault is None:
            self._pause = self._interval
        else:
            self._pause = min(2 * self._pause, RETRY_MOST)
            self._failures += 1
        self.fault = fault

    def _discard_excess(self) -> None:
        """The disk takes no records: discard the oldest of those that are only in memory, except in a window."""
        self._has_shed = True
        while self._tail.is_over:
            position, record = self._tail.pop_first()
            held = [cursor.discarded(position, record) for cursor in self._cursors]
            if any(held):
                self._tail.keep(position, record)
        if self._tail.has_many_late:
            self._unanswered()

    async def close(self) -> None:
        """Write what is unanswered, and close the files; in the background if cancelled. Raises OSError."""
        self._closed = True
        self._loader.close()
        self._age.stop()
        if self._timer is not None:
            self._timer.cancel()
        for _ in range(3):  # a commit in progress, the last records, and the gaps that these leave on a full disk
            await self._wait_for_commits()
            self._commit()
        await self._wait_for_commits()
        closing = self._worker.run(self._store.close)
        self._worker.close()
        await closing

    async def _wait_for_commits(self) -> None:
        while self._committing is not None:
            await asyncio.wait({self._committing})
