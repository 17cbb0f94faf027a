"""One incident: an outage of a stream, a sink, the spool or the relay."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import Any, Literal

from klvrelay.health.causes import Cause
from klvrelay.health.changes import Subject
from klvrelay.health.report import utc

SCHEMA = "klvrelay/incident/1"
ID_LENGTH = 12
"""Hex digits of an id."""
MESSAGE_MOST, BY_MOST, NOTE_MOST = 500, 100, 2000
"""Maximum characters of the texts of an incident."""

End = Literal["restored", "ended"]


@dataclass(frozen=True, slots=True)
class Incident:
    """An outage. Times are microseconds since 1970 UTC, durations seconds of clocks that no one can set.

    subject, name      what failed
    cause              see `health.causes`; it may become more exact while the incident is open
    since_us           the first sign: the last good record or answer before the outage
    detected_us        when it was found, `detection` seconds after the first sign
    restored_us        when it ended, `duration` seconds after the first sign; None: it is open
    end                "restored", or "ended": the stream or sink itself ended or was removed meanwhile; None: open
    lost               records lost in the outage; None: not known (yet). `estimated`, or counted
    delayed            records that waited in the outage of a sink, and were delivered later
    message            what was found
    run                the id of the run that found it
    acknowledged_by    who acknowledged it, at `acknowledged_us`, with a `note`
    began, boot_id     its first sign in seconds since the machine started (CLOCK_BOOTTIME), and the id of that start
    """

    id: str
    subject: Subject
    name: str
    cause: Cause
    since_us: int
    detected_us: int
    detection: float
    message: str
    run: str = ""
    began: float = 0.0
    boot_id: str = ""
    restored_us: int | None = None
    duration: float | None = None
    end: End | None = None
    lost: int | None = None
    estimated: bool = False
    delayed: int | None = None
    acknowledged_by: str | None = None
    acknowledged_us: int | None = None
    note: str | None = None

    @property
    def is_open(self) -> bool:
        return self.restored_us is None

    @property
    def is_acknowledged(self) -> bool:
        return self.acknowledged_us is not None

    def document(self) -> dict[str, Any]:
        """The incident as JSON members."""
        return {
            "schema": SCHEMA,
            "id": self.id,
            "subject": self.subject,
            "name": self.name,
            "cause": self.cause,
            "since": utc(self.since_us),
            "detected": utc(self.detected_us),
            "restored": _utc(self.restored_us),
            "end": self.end,
            "detection_s": round(self.detection, 3),
            "duration_s": None if self.duration is None else round(self.duration, 3),
            "lost": self.lost,
            "estimated": self.estimated,
            "delayed": self.delayed,
            "message": self.message,
            "run": self.run,
            "acknowledged_by": self.acknowledged_by,
            "acknowledged": _utc(self.acknowledged_us),
            "note": self.note,
        }


def acknowledged(one: Incident, by: str, us: int, note: str | None) -> Incident:
    """The incident, acknowledged at `us`. An earlier acknowledgement stays at the end of the note, with its name and
    time; the same person without another note changes the time only.
    """
    if one.acknowledged_us is not None and (by != one.acknowledged_by or note not in (None, one.note)):
        words = f": {one.note}" if one.note else ""
        earlier = f"earlier: {one.acknowledged_by}, {utc(one.acknowledged_us)}{words}"
        note = earlier if note is None else f"{note}\n{earlier}"
    else:
        note = note or one.note
    return replace(one, acknowledged_by=by, acknowledged_us=us, note=None if note is None else note[:NOTE_MOST])


def new_id() -> str:
    """An id that no other incident has."""
    return secrets.token_hex(ID_LENGTH // 2)


def _utc(us: int | None) -> str | None:
    return None if us is None else utc(us)


MEMBERS = tuple(Incident("", "relay", "relay", "relay", 0, 0, 0.0, "").document())
"""The names of its JSON members."""
