"""Incidents and runs as rows of the SQLite file. Rows with impossible values, of a damaged file, are left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from types import NoneType
from typing import Any, Literal, get_args

from klvrelay.health.causes import CAUSES
from klvrelay.health.changes import Subject
from klvrelay.incidents.incident import BY_MOST, MESSAGE_MOST, NOTE_MOST, End, Incident

_US_MOST = 253_402_300_799_000_000
"""The last microsecond of the year 9999 that `datetime` has."""
RunHow = Literal["stopped", "ended", "failed", "killed"]

COLUMNS = tuple(field.name for field in fields(Incident))
CREATE = """
CREATE TABLE incidents (
    id TEXT PRIMARY KEY, subject TEXT NOT NULL, name TEXT NOT NULL, cause TEXT NOT NULL,
    since_us INTEGER NOT NULL, detected_us INTEGER NOT NULL, detection REAL NOT NULL, message TEXT NOT NULL,
    run TEXT NOT NULL, began REAL NOT NULL, boot_id TEXT NOT NULL,
    restored_us INTEGER, duration REAL, "end" TEXT, lost INTEGER, estimated INTEGER NOT NULL, delayed INTEGER,
    acknowledged_by TEXT, acknowledged_us INTEGER, note TEXT
) WITHOUT ROWID;
CREATE INDEX incidents_since ON incidents (since_us);
CREATE INDEX incidents_open ON incidents (restored_us) WHERE restored_us IS NULL;
CREATE TABLE runs (run TEXT PRIMARY KEY, start_us INTEGER NOT NULL, seen_us INTEGER NOT NULL, how TEXT) WITHOUT ROWID;
"""
_ACKNOWLEDGED = ("acknowledged_by", "acknowledged_us", "note")
_LIST = ", ".join(f'"{name}"' for name in COLUMNS)
SELECT = f"SELECT {_LIST} FROM incidents"
_SET = ", ".join(
    f'"{name}" = coalesce(excluded."{name}", "{name}")' if name in _ACKNOWLEDGED else f'"{name}" = excluded."{name}"'
    for name in COLUMNS[1:]
)
_PLACES = ", ".join("?" * len(COLUMNS))
UPSERT = f"INSERT INTO incidents ({_LIST}) VALUES ({_PLACES}) ON CONFLICT (id) DO UPDATE SET {_SET}"
"""Adds or changes an incident; who acknowledged it stays, whoever did so meanwhile."""
UPSERT_RUN = (
    "INSERT INTO runs (run, start_us, seen_us, how) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (run) DO UPDATE SET start_us = excluded.start_us, seen_us = excluded.seen_us, how = excluded.how"
)
SELECT_RUNS = "SELECT run, start_us, seen_us, how FROM runs"


@dataclass(frozen=True, slots=True)
class RelayRun:
    """A run of the relay, from `start_us` to `seen_us`; microseconds since 1970 UTC. `how` it ended; None: it runs."""

    run: str
    start_us: int
    seen_us: int
    how: RunHow | None = None


def row_of(incident: Incident) -> tuple[Any, ...]:
    return tuple(_valid_text(getattr(incident, name)) for name in COLUMNS)


def _valid_text(value: Any) -> Any:
    """A text that SQLite can store: without the surrogates of names that are not UTF-8."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def row_of_run(run: RelayRun) -> tuple[Any, ...]:
    return run.run, run.start_us, run.seen_us, run.how


_TYPES: dict[str, tuple[type, ...]] = {
    "detection": (float, int), "began": (float, int), "duration": (float, int, NoneType),
    "since_us": (int,), "detected_us": (int,), "estimated": (int,),
    "restored_us": (int, NoneType), "lost": (int, NoneType), "delayed": (int, NoneType),
    "acknowledged_us": (int, NoneType), "acknowledged_by": (str, NoneType), "note": (str, NoneType),
    "end": (str, NoneType),
}  # fmt: skip
_CHOICES: dict[str, tuple[Any, ...]] = {
    "subject": get_args(Subject), "cause": tuple(CAUSES), "end": (None, *get_args(End)),
}  # fmt: skip
_TIMES = ("since_us", "detected_us", "restored_us", "acknowledged_us")


def incidents_of(rows: Iterable[Sequence[Any]]) -> Iterator[Incident]:
    """The incidents of rows with COLUMNS."""
    for row in rows:
        values = dict(zip(COLUMNS, row, strict=True))
        if _is_valid(values):
            yield _bounded(Incident(**values | {"estimated": bool(values["estimated"])}))


def _is_valid(values: dict[str, Any]) -> bool:
    return (
        all(isinstance(value, _TYPES.get(name, (str,))) for name, value in values.items())
        and all(values[name] in known for name, known in _CHOICES.items())
        and all(values[name] is None or 0 <= values[name] <= _US_MOST for name in _TIMES)
        and all(values[name] is None or 0 <= values[name] <= _US_MOST for name in ("detection", "duration"))
        and (values["restored_us"] is None) == (values["duration"] is None) == (values["end"] is None)
    )


def _bounded(incident: Incident) -> Incident:
    if len(incident.message) <= MESSAGE_MOST and len(incident.note or "") <= NOTE_MOST:
        return incident
    by = None if incident.acknowledged_by is None else incident.acknowledged_by[:BY_MOST]
    note = None if incident.note is None else incident.note[:NOTE_MOST]
    return replace(incident, message=incident.message[:MESSAGE_MOST], acknowledged_by=by, note=note)


def runs_of(rows: Iterable[Sequence[Any]]) -> Iterator[RelayRun]:
    """The runs of rows of SELECT_RUNS."""
    for run, start_us, seen_us, how in rows:
        is_valid = isinstance(run, str) and isinstance(start_us, int) and isinstance(seen_us, int)
        if is_valid and 0 <= start_us <= seen_us <= _US_MOST and how in (None, *get_args(RunHow)):
            yield RelayRun(run, start_us, seen_us, how)
