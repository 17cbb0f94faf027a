"""The file of the ledger, opened when it is needed. Used by the writer thread only."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from klvrelay.incidents import database
from klvrelay.incidents.incident import Incident
from klvrelay.incidents.moment import MachineClock
from klvrelay.incidents.opening import LedgerDamaged, connect, is_damage
from klvrelay.incidents.parts import Part
from klvrelay.incidents.rows import RelayRun
from klvrelay.text import printable

LOG = logging.getLogger("klvrelay.incidents")

ASIDE_MOST = 5
"""Maximum number of damaged files that are kept."""
PRUNE_EVERY = 200
"""Incidents that are written between two checks of the limits."""
T = TypeVar("T")


class LedgerFile:
    """The ledger at `path`, or in memory (None).

    age, size  closed incidents are deleted after `age` seconds, and beyond `size` bytes
    is_new     its tables were made since this was read last
    """

    def __init__(self, path: Path | None, age: float, size: int, clock: MachineClock) -> None:
        self._path, self._age, self._size, self._clock = path, age, size, clock
        self._connection: sqlite3.Connection | None = None
        self._known: os.stat_result | None = None
        self._written = PRUNE_EVERY
        self.is_new = False

    def use(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """The result of `work`. Raises sqlite3.Error, OSError, KlvrelayError; a damaged file is moved aside first."""
        try:
            return work(self._opened())
        except LedgerDamaged as fault:
            self._move_aside(str(fault))
            return work(self._opened())
        except (sqlite3.Error, UnicodeError) as fault:
            if is_damage(fault):
                self._move_aside(str(fault))
                return work(self._opened())
            if self._path is not None:
                self.close()
            raise

    def write(self, incidents: Iterable[Incident], runs: Iterable[RelayRun], parts: Iterable[Part] = ()) -> None:
        """Write incidents, runs, and the parts of the last run, and keep the limits. Raises as `use`."""
        batch, written, had = list(incidents), list(runs), list(parts)
        self.use(lambda connection: database.write(connection, batch, written, had))
        self._written += len(batch)
        if self._written >= PRUNE_EVERY:
            self._written = 0
            before = self._clock.wall_us() - round(self._age * 1e6)
            self.use(lambda connection: database.prune(connection, before, self._size))

    def _opened(self) -> sqlite3.Connection:
        if self._path is not None and self._known is not None and database.is_replaced(self._path, self._known):
            self.close()
        if self._connection is None:
            existed = self._path is not None and self._path.exists()
            self._connection = connect(self._path)
            self._known = None if self._path is None else os.stat(self._path)
            self.is_new = self.is_new or not existed
        return self._connection

    def _move_aside(self, reason: str) -> None:
        """Rename a damaged file, with its log, so that a new one can be made. Raises OSError."""
        self.close()
        if self._path is None:
            return
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
        aside = self._path.with_name(f"{self._path.name}.damaged-{stamp}")
        os.rename(self._path, aside)
        for suffix in ("-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.rename(f"{self._path}{suffix}", f"{aside}{suffix}")
        LOG.error(
            "incidents: the ledger was damaged, a new one is used: error=%r moved_to=%s", reason, printable(str(aside))
        )
        self._limit_aside()

    def _limit_aside(self) -> None:
        assert self._path is not None
        kept = sorted(each for each in self._path.parent.glob(f"{self._path.name}.damaged-*") if each.suffix[-4:] not in
                      ("-wal", "-shm"))  # fmt: skip
        for old in kept[:-ASIDE_MOST]:
            for suffix in ("", "-wal", "-shm"):
                with contextlib.suppress(OSError):
                    os.unlink(f"{old}{suffix}")

    def close(self) -> None:
        """Close it. It is opened again when it is needed."""
        connection, self._connection, self._known = self._connection, None, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()
