"""Reads the ledger of a state directory, and acknowledges incidents in it, while a relay uses it or not."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from klvrelay.errors import ConfigError, KlvrelayError
from klvrelay.incidents import database
from klvrelay.incidents.alive import read_alive
from klvrelay.incidents.figures import Period
from klvrelay.incidents.opening import NAME, LedgerDamaged, connect, connect_to_read
from klvrelay.incidents.query import Query
from klvrelay.incidents.rows import RelayRun
from klvrelay.incidents.stored_figures import stored_report
from klvrelay.text import printable

T = TypeVar("T")


class StoredLedger:
    """The ledger in a state directory. Raises ConfigError if there is none, KlvrelayError if it cannot be read."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._shown = printable(str(folder))

    def list(self, query: Query) -> Sequence[dict[str, Any]]:
        """The wanted incidents as JSON members, the latest first."""
        found = self._use(connect_to_read, lambda connection: database.select(connection, query))
        return [each.document() for each in found]

    def figures(self, period: Period) -> dict[str, Any]:
        """The figures of a period as JSON members."""

        def work(connection: sqlite3.Connection) -> dict[str, Any]:
            runs = [replace(run, seen_us=self._seen_us(run)) for run in database.select_runs(connection)]
            return stored_report(connection, period, runs).document()

        return self._use(connect_to_read, work)

    def acknowledge(self, id: str, by: str, note: str | None) -> dict[str, Any]:
        """The acknowledged incident as JSON members."""
        now = time.time_ns() // 1000
        return self._use(connect, lambda connection: database.acknowledge(connection, id, by, note, now)).document()

    def _seen_us(self, run: RelayRun) -> int:
        """When a run was seen last: by the file `alive`, which is newer than the ledger."""
        last = read_alive(self._path.parent) if run.how is None else None
        return run.seen_us if last is None or last.run != run.run else max(run.seen_us, last.at.us)

    def _use(self, opening: Callable[[Path], sqlite3.Connection], work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            self._path.stat()  # `connect` would make it
            with closing(opening(self._path)) as connection:
                return work(connection)
        except FileNotFoundError:
            raise ConfigError(
                f"{self._shown}: no ledger of incidents; give the directory of `run --state`, or of relay.state"
            ) from None
        except PermissionError:
            raise ConfigError(
                f"{self._shown}: no permission to use the ledger; run this as the user of the relay, or as root"
            ) from None
        except LedgerDamaged as fault:
            raise self._damaged(fault) from fault
        except sqlite3.Error as fault:
            raise self._explained(fault) from fault
        except UnicodeError as fault:
            raise self._damaged(fault) from fault
        except OSError as fault:
            raise KlvrelayError(f"{self._shown}: cannot be read: {fault.strerror or fault}") from fault

    def _explained(self, fault: sqlite3.Error) -> KlvrelayError:
        code = getattr(fault, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return self._damaged(fault)
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return KlvrelayError(f"{self._shown}: another process has locked the ledger: try again")
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
            text = f"{self._shown}: the ledger cannot be opened: {fault}; run this as the user of the relay"
            return ConfigError(text)
        return KlvrelayError(f"{self._shown}: the ledger cannot be read: {fault}")

    def _damaged(self, fault: Exception) -> KlvrelayError:
        return KlvrelayError(
            f"{self._shown}: the ledger is damaged: {fault}; a relay that starts moves it aside, and makes another"
        )
