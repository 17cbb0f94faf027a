"""What earlier runs left for the sinks."""

from __future__ import annotations

import logging
from collections.abc import Collection

from klvrelay.spool.disk.cursor_file import OPEN_END, SUFFIX
from klvrelay.spool.disk.ranges import Positions
from klvrelay.spool.disk.store import Store

LOG = logging.getLogger("klvrelay.spool")


class StoredPositions:
    """The positions that the sinks of earlier runs have still to answer for."""

    def __init__(self, store: Store) -> None:
        self._store, self._end = store, store.segments.next
        self._new_from = self._end if store.saved else store.segments.first  # without any cursor, all is new

    def unread(self, name: str, now: int) -> Positions:
        """Those of one sink; `now`: the next position. A new sink gets what follows."""
        first = self._store.segments.first
        saved = self._store.saved.get(name, [(self._new_from if now == self._end else now, OPEN_END)])
        if saved is None:
            file = f"{self._store.name}/{name}{SUFFIX}"
            LOG.warning("spool: cursor is damaged or of another spool, all records are delivered again: file=%s", file)
            saved = [(first, OPEN_END)]
        unread = Positions((low, min(now, high)) for low, high in saved)
        if discarded := unread.drop_below(first):
            LOG.warning("spool: records of an earlier run were shed: sink=%s at_most=%d", name, discarded)
        return unread

    def report_unused(self, used: Collection[str], now: int) -> None:
        """Log the cursors that no sink uses. They hold back no segment."""
        bounds = self._store.segments.first, now
        for name in sorted(self._store.saved.keys() - used):
            unread = Positions((low, min(bounds[1], high)) for low, high in self._store.saved[name] or [bounds])
            unread.drop_below(bounds[0])
            LOG.warning(
                "spool: cursor without a sink, its records are discarded: cursor=%s records_at_most=%d advice=%r", name,
                len(unread), f"name the sink {name} to deliver them, or delete {self._store.name}/{name}{SUFFIX}",
            )  # fmt: skip
