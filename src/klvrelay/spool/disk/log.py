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
from contextlib import ExitStack
from functools import partial
from itertools import count, islice
from pathlib import Path

from klvrelay import threads
from klvrelay.errors import ConfigError
from klvrelay.record import Record
from klvrelay.spool.age import AgeLimit
from klvrelay.spool.contract import Condition, LogCursor
from klvrelay.spool.cursor import Cursor
from klvrelay.spool.disk.cursor import DiskCursor
from klvrelay.spool.disk.cursor_file import OPEN_END, SUFFIX, Ranges
from klvrelay.spool.disk.files import OsFolder, why_refused
from klvrelay.spool.disk.flows import DiskFlows
from klvrelay.spool.disk.missing import PlacedGap
from klvrelay.spool.disk.ranges import Positions
from klvrelay.spool.disk.store import Committed, Loaded, Placed, Store
from klvrelay.spool.memory import WAITING, WAITING_SIZE
from klvrelay.spool.queue import size_of

LOG = logging.getLogger("klvrelay.spool")

COMMIT = 0.05
"""Default seconds from one commit to the next: a record that is older and unanswered survives a crash."""
LOAD = 1000
"""Maximum number of records that are loaded at a time."""
GAPS_EVERY = 1.0
"""Seconds from one time that gaps are stored to the next. Those of shed records are stored at once."""
RETRY_MOST = 2.0
"""Longest pause in seconds between two attempts to write to a disk that fails."""
AWAY = 3.0
"""Seconds for which records on a disk that cannot be read hold back later ones."""
STALLED = 3.0
"""Seconds after which a commit that has not ended is a fault."""


class DiskLog:
    """Keeps each record until every cursor has answered for it, on disk beyond the commit interval.

    The limits of records and bytes are those of memory: of each cursor's window, and of what cannot be written while
    the disk is full or fails. Then the oldest records are shed. `age` is the maximum age of a waiting record in
    seconds: none that is older is delivered, and a segment is discarded once all of its records are older.
    """

    def __init__(
        self, store: Store, worker: threads.Worker, *, commit: float = COMMIT, limit: int = WAITING,
        size_limit: int = WAITING_SIZE, age: float | None = None,
    ) -> None:  # fmt: skip
        self._store, self._worker = store, worker
        self._interval = self._pause = commit
        self._limit, self._size_limit = limit, size_limit
        self._next = self._first = store.segments.next
        self._durable = self._next
        self._new_from = self._next if store.saved else store.segments.first  # without any cursor, all is new
        self._tail: dict[int, Record] = {}
        self._tail_size = 0
        self._late_most = limit
        self._late: dict[int, Record] = {}  # before the tail; they are in the windows of cursors, and nowhere else
        self._cursors: list[DiskFlows] = []
        self._readers: set[str] = set()
        self._saved: dict[str, Ranges] = {}
        self._gaps_saved = -GAPS_EVERY
        self._has_shed = False  # since gaps were stored
        self._freed = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._committing: asyncio.Future[Committed] | None = None
        self._began = 0.0
        self._away_since: float | None = None  # that the disk cannot be read
        self._failures = 0
        self._closed = False
        self._age = AgeLimit(age, self._shed_aged)
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
        return len(self._late) + len(self._tail)

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
        return Condition(self._store.name, fault, self._failures, self.pending, self._tail_size,
                         self._store.segments.unreadable)  # fmt: skip

    def append(self, record: Record, *, waited: bool = False) -> None:
        """Append a record. `waited`: the caller has waited for room."""
        position, self._next = self._next, self._next + 1
        self._tail[position] = record
        self._tail_size += size_of(record)
        for cursor in self._cursors:
            cursor.append(position, record)
        if len(self._tail) > self._limit or self._tail_size > self._size_limit:
            self._discard_excess()
        self._schedule()

    async def wait_for_room(self, stream: str) -> None:
        """See `MemoryLog.wait_for_room`."""
        while not all(cursor.has_room(stream) for cursor in self._cursors if cursor.holds_sources):
            self._freed.clear()
            await self._freed.wait()

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
        first = DiskCursor(window, file, self._unread(file), self._next, self._load, self._changed, gaps)
        first.before_us = self._age.before_us
        cursor = DiskFlows(first, *limits, replay_rate, self._next_one)
        self._age.start()
        self._cursors.append(cursor)
        if (saved := self._store.saved.get(file)) is not None:
            self._saved[file] = saved
        cursor.begin()
        return cursor

    def _next_one(self, last: DiskCursor) -> DiskCursor:
        """The cursor of the same sink for the records from now on; the other one ends here."""
        last.end_at(self._next)
        limits = last.limit, last.size_limit
        window = Cursor(last.name, *limits, self._freed, holds_sources=last.holds_sources)
        following = DiskCursor(window, last.file, Positions(), self._next, self._load, last.changed)
        following.before_us = self._age.before_us
        return following

    def reorder(self, cursor: LogCursor, replay_rate: float | None) -> LogCursor:
        """See `Log.reorder`."""
        (same,) = [each for each in self._cursors if each is cursor]
        same.set_rate(replay_rate)
        return same

    def set_age(self, seconds: float | None) -> None:
        """See `Log.set_age`."""
        self._age.set(seconds)

    def remove(self, cursor: LogCursor) -> None:
        """See `Log.remove`. The files of the cursor are deleted."""
        gone = [each for each in self._cursors if each is cursor]
        self._cursors = [each for each in self._cursors if each is not cursor]
        for each in gone:
            self._saved.pop(each.file, None)
            self._store.saved.pop(each.file, None)
            self._store.gaps.pop(each.file, None)
            removing = self._worker.run(partial(self._store.remove_cursor, each.file))
            removing.add_done_callback(self._removed)
        self._changed()

    def _removed(self, done: asyncio.Future[None]) -> None:
        if not done.cancelled() and (fault := done.exception()) is not None:
            LOG.warning("spool: the file of a removed sink remains: %s: %s", self._store.name, fault)

    def set_limits(self, limit: int, size_limit: int) -> None:
        """See `Log.set_limits`. The windows of the cursors shrink as they are delivered: nothing in them is shed."""
        self._limit, self._size_limit = limit, size_limit
        for cursor in self._cursors:
            cursor.set_limits(limit, size_limit)
        self._changed()

    def _unread(self, name: str) -> Positions:
        """The positions of earlier runs that the sink has still to answer for."""
        new_from = self._new_from if self._next == self._first else self._next
        saved = self._store.saved.get(name, [(new_from, OPEN_END)])
        first, end = self._store.segments.first, self._next
        if saved is None:
            file = f"{self._store.name}/{name}{SUFFIX}"
            LOG.warning("spool: cursor is damaged or of another spool, all records are delivered again: file=%s", file)
            saved = [(first, OPEN_END)]
        unread = Positions((low, min(end, high)) for low, high in saved)
        if discarded := unread.drop_below(first):
            LOG.warning("spool: records of an earlier run were shed: sink=%s at_most=%d", name, discarded)
        return unread

    def report_unused(self) -> None:
        """Log the cursors of earlier runs that no sink uses. They hold back no segment."""
        bounds = self._store.segments.first, self._next
        for name in sorted(self._store.saved.keys() - {cursor.file for cursor in self._cursors}):
            unread = Positions((low, min(bounds[1], high)) for low, high in self._store.saved[name] or [bounds])
            unread.drop_below(bounds[0])
            LOG.warning(
                "spool: cursor without a sink, its records are discarded: cursor=%s records_at_most=%d advice=%r", name,
                len(unread), f"name the sink {name} to deliver them, or delete {self._store.name}/{name}{SUFFIX}",
            )  # fmt: skip

    def _shed_aged(self, before_us: int) -> None:
        for cursor in self._cursors:
            cursor.shed_aged(before_us)
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
        ranges = {cursor.file: cursor.unanswered(self._next) for cursor in self._cursors}
        gaps = self._new_gaps()
        if records or gaps or self._age_is_due or self.fault is not None or self._is_stale(ranges):
            self._saved = ranges
            self._age_is_due = False
            failed, self._began = self.fault is not None, time.monotonic()
            probe = failed and not self._closed
            job = partial(
                self._store.commit, records, ranges, hurry=failed and self._is_full(), probe=probe, gaps=gaps,
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
        return {cursor.file: cursor.stored_gaps(self._next) for cursor in changed}

    def _unanswered(self) -> dict[int, Record]:
        """The records of the tail, without those that every cursor has answered for, which are dropped."""
        owed = [cursor.owed() for cursor in self._cursors]
        for position in list(self._tail):
            if not any(is_owed(position) for is_owed in owed):
                self._drop(position)
        self._late = {
            position: record for position, record in self._late.items() if any(is_owed(position) for is_owed in owed)
        }
        self._late_most = max(self._limit, 2 * len(self._late))
        return self._late | self._tail

    def _drop(self, position: int) -> Record:
        record = self._tail.pop(position)
        self._tail_size -= size_of(record)
        return record

    def _is_stale(self, ranges: dict[str, Ranges]) -> bool:
        """Has a cursor passed records on disk that its file does not say it has?"""
        return any(saved != ranges[name] and saved[0][0] < self._durable for name, saved in self._saved.items())

    def _committed(self, done: asyncio.Future[Committed]) -> None:
        self._committing = None
        result = done.result()
        for position in [position for position in self._tail if position < result.end]:
            self._drop(position)
        self._late = {position: record for position, record in self._late.items() if position >= result.end}
        self._durable = max(self._durable, result.end)
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

    def _is_full(self) -> bool:
        return 2 * len(self._tail) > self._limit or 2 * self._tail_size > self._size_limit

    def _discard_excess(self) -> None:
        """The disk takes no records: discard the oldest of those that are only in memory, except in a window."""
        self._has_shed = True
        while len(self._tail) > self._limit or self._tail_size > self._size_limit:
            position = next(iter(self._tail))
            record = self._drop(position)
            held = [cursor.discarded(position, record) for cursor in self._cursors]
            if any(held):
                self._late[position] = record
        if len(self._late) > self._late_most:
            self._unanswered()

    def _load(self, cursor: DiskCursor, start: int) -> None:
        """Load the next records for a cursor: from memory if they are not on disk yet, else from disk."""
        if start >= self._durable:
            rest = ((position, record) for position, record in self._tail.items() if position >= start)
            records = [Placed(position, 0, record) for position, record in islice(rest, LOAD)]
            end = records[-1].position + 1 if records else self._next
            cursor.loaded(Loaded(records, end), self._next)
            self._forget(cursor)
        else:
            self._readers.add(cursor.reader)
            reading = self._worker.run(partial(self._store.read, cursor.reader, start, LOAD))
            reading.add_done_callback(partial(self._loaded, cursor, start))

    @property
    def _written_end(self) -> int:
        """Records below this position are on disk or discarded, all others in the tail."""
        return next(iter(self._tail), self._next)

    def _loaded(self, cursor: DiskCursor, start: int, done: asyncio.Future[Loaded | None]) -> None:
        loaded = done.result()
        if loaded is None:
            self._retry(cursor, start)
            return
        self._away_since = None
        for each in self._cursors:
            each.wait_for_backlog()
        if loaded.end == start:  # there is nothing more on disk
            loaded = Loaded((), self._written_end)
        cursor.loaded(loaded, self._next)
        self._forget(cursor)

    def _retry(self, cursor: DiskCursor, start: int) -> None:
        """The disk cannot be read. What is on it waits, and after a while nothing else does."""
        loop = asyncio.get_running_loop()
        self._away_since = self._away_since or loop.time()
        if loop.time() - self._away_since >= AWAY:
            for each in self._cursors:
                each.overtake(self._durable)
        if not self._closed:
            loop.call_later(RETRY_MOST / 4, self._load, cursor, start)

    def _forget(self, cursor: DiskCursor) -> None:
        """Free the segment that was read for a cursor, if it has all of its records."""
        if not cursor.has_unread and cursor.reader in self._readers:
            self._readers.discard(cursor.reader)
            self._worker.run(partial(self._store.forget, cursor.reader))

    async def close(self) -> None:
        """Write what is unanswered, and close the files; in the background if cancelled. Raises OSError."""
        self._closed = True
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


async def open_log(
    path: Path, relay: str, size: int, *, commit: float = COMMIT, limit: int = WAITING, size_limit: int = WAITING_SIZE,
    age: float | None = None, others: Sequence[str] = (),
) -> DiskLog:  # fmt: skip
    """The log in a folder, which is created if absent.

    relay   name of the relay that owns the spool
    size    maximum bytes of the segments
    others  further names of this relay, see `Store`; for the other arguments see `DiskLog`

    Raises ConfigError if another process uses the folder, if it cannot be used, or for a spool of another version or
    relay.
    """
    worker = threads.Worker("klvrelay-spool")
    try:
        store = await worker.run(partial(_open_store, path, relay, size, others))
    except BaseException:
        worker.close()
        raise
    return DiskLog(store, worker, commit=commit, limit=limit, size_limit=size_limit, age=age)


def _open_store(path: Path, relay: str, size: int, others: Sequence[str]) -> Store:
    try:
        path.mkdir(mode=0o750, parents=True, exist_ok=True)
        with ExitStack() as opened:
            folder = OsFolder(path)
            opened.callback(folder.close)
            store = Store(folder, relay, size, str(path), others)
            opened.pop_all()  # the store closes it
            return store
    except BlockingIOError:
        raise ConfigError(f"{path}: another klvrelay uses this spool; give each its own folder") from None
    except ConfigError as fault:
        raise ConfigError(f"{path}: {fault}") from None
    except OSError as fault:
        raise ConfigError(f"{fault.filename or path}: {why_refused(fault)}") from None
