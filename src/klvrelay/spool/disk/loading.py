"""Loads the next records for the cursors: from memory if they are not on disk yet, else from disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from functools import partial

from klvrelay import threads
from klvrelay.spool.disk.cursor import DiskCursor
from klvrelay.spool.disk.flows import DiskFlows
from klvrelay.spool.disk.store import Loaded, Store
from klvrelay.spool.disk.tail import Tail

LOAD = 1000
"""Maximum number of records that are loaded at a time."""
AGAIN = 0.5
"""Seconds after which a disk that cannot be read is tried again."""
AWAY = 3.0
"""Seconds for which records on a disk that cannot be read hold back later ones."""


class Loader:
    """Reads in the thread of the spool.

    cursors   those of all sinks
    """

    def __init__(
        self, store: Store, worker: threads.Worker, tail: Tail, cursors: Callable[[], Iterable[DiskFlows]]
    ) -> None:
        self._store, self._worker, self._tail, self._cursors = store, worker, tail, cursors
        self._readers: set[str] = set()
        self._away_since: float | None = None
        self._closed = False

    def load(self, cursor: DiskCursor, start: int) -> None:
        """Load the next records from this position on, and pass them to `cursor.loaded`."""
        if start >= self._tail.durable:
            self._pass(cursor, self._tail.read(start, LOAD))
        else:
            self._readers.add(cursor.reader)
            reading = self._worker.run(partial(self._store.read, cursor.reader, start, LOAD))
            reading.add_done_callback(partial(self._loaded, cursor, start))

    def _loaded(self, cursor: DiskCursor, start: int, done: asyncio.Future[Loaded | None]) -> None:
        loaded = done.result()
        if loaded is None:
            self._retry(cursor, start)
            return
        self._away_since = None
        for each in self._cursors():
            each.wait_for_backlog()
        nothing_more = loaded.end == start
        self._pass(cursor, Loaded((), self._tail.first) if nothing_more else loaded)

    def _retry(self, cursor: DiskCursor, start: int) -> None:
        """The disk cannot be read. What is on it waits, and after a while nothing else does."""
        loop = asyncio.get_running_loop()
        self._away_since = self._away_since or loop.time()
        if loop.time() - self._away_since >= AWAY:
            for each in self._cursors():
                each.overtake(self._tail.durable)
        if not self._closed:
            loop.call_later(AGAIN, self.load, cursor, start)

    def _pass(self, cursor: DiskCursor, loaded: Loaded) -> None:
        cursor.loaded(loaded, self._tail.next)
        if not cursor.has_unread and cursor.reader in self._readers:  # free the segment that was read
            self._readers.discard(cursor.reader)
            self._worker.run(partial(self._store.forget, cursor.reader))

    def close(self) -> None:
        """Try no more."""
        self._closed = True
