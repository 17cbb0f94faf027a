"""The SQLite file of the ledger: reading, writing, pruning. Used by one thread at a time."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from klvrelay.errors import ConfigError
from klvrelay.incidents.figures import Period
from klvrelay.incidents.incident import Incident, acknowledged
from klvrelay.incidents.parts import Part, write_parts
from klvrelay.incidents.query import LIMIT_MOST, Query
from klvrelay.incidents.rows import (
    SELECT,
    SELECT_RUNS,
    UPSERT,
    UPSERT_RUN,
    RelayRun,
    incidents_of,
    row_of,
    row_of_run,
    runs_of,
)

SIZE_LEAST = 1 << 20
"""Least limit of the size, bytes."""
FULL, PRUNED = 0.9, 0.8
"""Shares of the limit of the size: above FULL the oldest closed incidents are deleted, down to PRUNED."""
CHUNK = 500
"""Rows that are deleted at a time."""
RUNS_MOST = 20_000
"""Maximum number of runs that are kept."""
_CONDITIONS = {
    "stream": "name = ?", "subject": "subject = ?", "cause": "cause = ?",
    "since_us": "(restored_us IS NULL OR restored_us >= ?)", "before_us": "since_us < ?",
    "id": "id GLOB ? || '*'",
}  # fmt: skip


def select(connection: sqlite3.Connection, query: Query) -> list[Incident]:
    """The wanted incidents, the latest first."""
    parts, values = _conditions(query)
    where = f" WHERE {' AND '.join(parts)}" if parts else ""
    limit = max(0, min(query.limit, LIMIT_MOST + 1))
    rows = connection.execute(f"{SELECT}{where} ORDER BY since_us DESC, id LIMIT ?", (*values, limit))
    return list(incidents_of(rows))


def _conditions(query: Query) -> tuple[list[str], list[Any]]:
    given = {name: getattr(query, name) for name in _CONDITIONS}
    given["subject"] = query.effective_subject
    parts = [_CONDITIONS[name] for name, value in given.items() if value is not None]
    if query.open is not None:
        parts.append(f"restored_us IS {'' if query.open else 'NOT '}NULL")
    values = [value for value in given.values() if value is not None]
    if query.after is not None:
        since_us, id = query.after
        parts.append("since_us <= ? AND (since_us < ? OR id > ?)")
        values += since_us, since_us, id
    return parts, values


def select_period(connection: sqlite3.Connection, period: Period) -> Iterator[Incident]:
    """The incidents of a period, the earliest first. Few are in memory at a time."""
    conditions = "since_us < ? AND (restored_us IS NULL OR since_us + duration * 1000000 >= ?)"
    rows = connection.execute(f"{SELECT} WHERE {conditions} ORDER BY since_us", (period.end_us, period.start_us))
    return incidents_of(rows)


def select_open(connection: sqlite3.Connection) -> list[Incident]:
    """All open incidents, the earliest first."""
    return list(incidents_of(connection.execute(f"{SELECT} WHERE restored_us IS NULL ORDER BY since_us LIMIT 10000")))


def select_runs(connection: sqlite3.Connection) -> list[RelayRun]:
    """All runs in the order of their starts."""
    return list(runs_of(connection.execute(f"{SELECT_RUNS} ORDER BY start_us")))


def totals(connection: sqlite3.Connection) -> list[tuple[str, str, int, float]]:
    """Number and seconds of the closed incidents by subject and cause."""
    rows = connection.execute(
        "SELECT subject, cause, count(*), total(duration) FROM incidents WHERE restored_us IS NOT NULL"
        " GROUP BY subject, cause"
    )
    return [(str(subject), str(cause), int(count), float(seconds)) for subject, cause, count, seconds in rows]


def write(
    connection: sqlite3.Connection, incidents: Iterable[Incident], runs: Sequence[RelayRun], parts: Iterable[Part] = ()
) -> None:
    """Add or change incidents, runs, and the parts of the last of these runs: all or none. Raises sqlite3.Error."""

    def work() -> None:
        connection.executemany(UPSERT, map(row_of, incidents))
        connection.executemany(UPSERT_RUN, map(row_of_run, runs))
        if runs:
            write_parts(connection, parts, runs[-1].run, runs[-1].seen_us)

    _transaction(connection, work)


def _transaction(connection: sqlite3.Connection, work: Callable[[], None]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        work()
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def acknowledge(connection: sqlite3.Connection, id: str, by: str, note: str | None, us: int) -> Incident:
    """Acknowledge the incident whose id begins with `id`: see `acknowledged`. Raises ConfigError, sqlite3.Error."""

    def work() -> None:
        now = acknowledged(find(connection, id), by, us, note)
        connection.execute(
            "UPDATE incidents SET acknowledged_by = ?, acknowledged_us = ?, note = ? WHERE id = ?",
            (now.acknowledged_by, now.acknowledged_us, now.note, now.id),
        )

    _transaction(connection, work)
    return find(connection, id)


def find(connection: sqlite3.Connection, id: str) -> Incident:
    """The incident whose id begins with `id`. Raises ConfigError."""
    rows = connection.execute(f"{SELECT} WHERE substr(id, 1, ?) = ? LIMIT 5", (len(id), id)) if id else ()
    return only_one(id, list(incidents_of(rows)))


def only_one(id: str, found: Sequence[Incident]) -> Incident:
    """The only incident of an id that may be shortened. Raises ConfigError."""
    exact = [each for each in found if each.id == id]
    if len(chosen := exact or found) == 1:
        return chosen[0]
    shown = id[:40] if id.isprintable() else "?"
    if not chosen:
        raise ConfigError(f"{shown}: no incident has this id; klvrelay incidents lists them")
    raise ConfigError(f"{shown}: several ids begin so: {', '.join(each.id for each in chosen)}")


def close_runs(connection: sqlite3.Connection, run: str, seen_us: int | None, how: str | None, own: str) -> None:
    """Set how `run` ended, and when; all other runs but `own` without an end were killed when they were last seen."""
    if seen_us is not None:
        values = (seen_us, how or "killed", run)
        connection.execute("UPDATE runs SET seen_us = max(start_us, ?), how = ? WHERE run = ? AND how IS NULL", values)
    connection.execute("UPDATE runs SET how = 'killed' WHERE how IS NULL AND run <> ? AND run <> ?", (own, run))


def prune(connection: sqlite3.Connection, before_us: int, size: int) -> int:
    """Delete incidents that were closed before a time, and the oldest closed ones beyond a size in bytes. Returns their
    number. Raises sqlite3.Error.
    """
    count = 0
    while deleted := _delete(connection, f"restored_us < {before_us:d}"):
        count += deleted
    if _used(connection) > FULL * size:
        while _used(connection) > PRUNED * size and (deleted := _delete(connection, "restored_us IS NOT NULL")):
            count += deleted
    connection.execute(
        "DELETE FROM runs WHERE how IS NOT NULL AND (seen_us < ? OR run IN"
        " (SELECT run FROM runs ORDER BY start_us DESC LIMIT -1 OFFSET ?))", (before_us, RUNS_MOST),
    )  # fmt: skip
    if count and file_size(connection) > size:
        connection.execute("PRAGMA incremental_vacuum").fetchall()
    return count


def _delete(connection: sqlite3.Connection, condition: str) -> int:
    """Delete some of the oldest incidents."""
    oldest = f"SELECT id FROM incidents WHERE {condition} ORDER BY since_us LIMIT {CHUNK}"
    return connection.execute(f"DELETE FROM incidents WHERE id IN ({oldest})").rowcount


def _used(connection: sqlite3.Connection) -> int:
    """Bytes of the pages in use."""
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    (page,) = connection.execute("PRAGMA page_size").fetchone()
    return file_size(connection) - int(free) * int(page)


def file_size(connection: sqlite3.Connection) -> int:
    """Bytes of the file, without its log."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (page,) = connection.execute("PRAGMA page_size").fetchone()
    return int(pages) * int(page)


def is_replaced(path: Path, known: os.stat_result) -> bool:
    """Was the file deleted, or replaced by another one?"""
    try:
        return not os.path.samestat(os.stat(path), known)
    except OSError:
        return True
