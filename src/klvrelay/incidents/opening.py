"""Opens the SQLite file of the ledger, and says why it cannot be used."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from klvrelay.errors import KlvrelayError
from klvrelay.incidents.parts import CREATE_PARTS
from klvrelay.incidents.rows import CREATE, SELECT, SELECT_RUNS
from klvrelay.text import printable

NAME = "incidents.sqlite"
APPLICATION_ID = 0x4B4C5649
"""`KLVI`, in the header of the file (PRAGMA application_id)."""
VERSION = 1
"""Version of the tables (PRAGMA user_version)."""
BUSY = 1.0
"""Seconds to wait for another process that has locked the file."""
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class LedgerDamaged(KlvrelayError):
    """The file is damaged."""


class LedgerUnusable(KlvrelayError):
    """The file belongs to another program or to a newer version: it is left as it is."""


def connect(path: Path | None) -> sqlite3.Connection:
    """The ledger, ready to write; None: one in memory. Raises LedgerDamaged, LedgerUnusable, sqlite3.Error, OSError."""
    with _kept(_connection(":memory:" if path is None else str(path))) as connection:
        _check_owner(connection, path)
        if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
            _create(connection)
        else:
            connection.execute("PRAGMA journal_mode = WAL")
            _check_contents(connection)
        connection.executescript(CREATE_PARTS)  # a ledger may have been made without it
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA journal_size_limit = 1048576")
    return connection


def connect_to_read(path: Path) -> sqlite3.Connection:
    """The ledger, read-only, also while a relay writes. Raises as `connect`."""
    os.stat(path)
    # Without a -wal file no relay uses it, and all is in the file: do not make files that the relay may not open.
    mode = "mode=ro" if os.path.exists(f"{path}-wal") else "immutable=1"
    with _kept(_connection(f"{path.absolute().as_uri()}?{mode}", uri=True)) as connection:
        _check_owner(connection, path)
        if connection.execute("PRAGMA user_version").fetchone()[0] != 0:
            connection.execute(f"{SELECT} LIMIT 1").fetchall()
    return connection


@contextmanager
def _kept(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Close it if the block raises. Raises LedgerDamaged where the block finds damage."""
    try:
        yield connection
    except BaseException as fault:
        connection.close()
        if isinstance(fault, (sqlite3.Error, UnicodeError)) and is_damage(fault):
            raise LedgerDamaged(str(fault)) from fault
        raise


def is_damage(fault: Exception) -> bool:
    """Is the file damaged? Otherwise it cannot be used at present. A damaged name is not valid UTF-8."""
    if isinstance(fault, UnicodeError):
        return True
    code = getattr(fault, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _DAMAGED


def _connection(name: str, *, uri: bool = False) -> sqlite3.Connection:
    connection = sqlite3.connect(name, timeout=BUSY, isolation_level=None, check_same_thread=False, uri=uri)
    connection.text_factory = lambda data: data.decode("utf-8", "replace")
    return connection


def _check_owner(connection: sqlite3.Connection, path: Path | None) -> None:
    owner = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    shown = printable(str(path))
    if owner != APPLICATION_ID and (owner or version or tables):
        if {"incidents", "runs"} <= tables:
            raise LedgerDamaged("its header is damaged")
        raise LedgerUnusable(f"{shown} belongs to another program: move it away, or choose another state directory")
    if version > VERSION:
        raise LedgerUnusable(
            f"{shown} was written by a newer version of klvrelay: use that version, or move the file away"
        )


def _create(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(
        f"BEGIN IMMEDIATE; PRAGMA application_id = {APPLICATION_ID}; {CREATE}"
        f" PRAGMA user_version = {VERSION}; COMMIT;"
    )


def _check_contents(connection: sqlite3.Connection) -> None:
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise LedgerDamaged(found.splitlines()[-1][:200])
    try:
        connection.execute(f"{SELECT} LIMIT 1").fetchall()
        connection.execute(f"{SELECT_RUNS} LIMIT 1").fetchall()
    except sqlite3.OperationalError as fault:
        if fault.sqlite_errorcode == sqlite3.SQLITE_ERROR:
            raise LedgerDamaged(str(fault)) from fault
        raise
