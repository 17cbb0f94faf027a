"""The streams, sinks, spool and relay of each run, in the ledger: they have figures without an incident too."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import get_args

from klvrelay.health.changes import Subject

Part = tuple[Subject, str]
"""A stream or sink and its name, ("spool", "spool") or ("relay", "relay")."""

PARTS_MOST = 10_000
"""Maximum number of parts that are kept: the latest."""
CREATE_PARTS = """
CREATE TABLE IF NOT EXISTS parts (
    subject TEXT NOT NULL, name TEXT NOT NULL, since_us INTEGER NOT NULL, run TEXT NOT NULL, PRIMARY KEY (subject, name)
) WITHOUT ROWID;
"""
_UPSERT = (
    "INSERT INTO parts (subject, name, since_us, run) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (subject, name) DO UPDATE SET run = excluded.run"
)


def write_parts(connection: sqlite3.Connection, parts: Iterable[Part], run: str, us: int) -> None:
    """Note that a run has these parts since then, microseconds since 1970 UTC. Raises sqlite3.Error."""
    rows = [(subject, name.encode("utf-8", "replace").decode(), us, run) for subject, name in parts]
    if rows:
        connection.executemany(_UPSERT, rows)
        connection.execute(
            "DELETE FROM parts WHERE run NOT IN (SELECT run FROM runs) OR (subject, name) IN"
            " (SELECT subject, name FROM parts ORDER BY since_us DESC LIMIT -1 OFFSET ?)", (PARTS_MOST,),
        )  # fmt: skip


def select_parts(connection: sqlite3.Connection, start_us: int, end_us: int, seen: Mapping[str, int]) -> list[Part]:
    """The parts between two times; `seen`: when each run was seen last. None in a ledger that was made without them."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'parts'").fetchone():
        return []
    rows = connection.execute("SELECT subject, name, since_us, run FROM parts ORDER BY subject, name")
    return [
        (subject, name) for subject, name, since_us, run in rows
        if subject in get_args(Subject) and isinstance(name, str) and isinstance(since_us, int)
        and since_us < end_us and seen.get(run, -1) >= start_us
    ]  # fmt: skip
