"""The schemas of incidents and of their figures."""

from __future__ import annotations

from typing import get_args

from klvrelay.health.causes import CAUSES
from klvrelay.health.changes import Subject
from klvrelay.incidents.daily import SCHEMA as DAILY
from klvrelay.incidents.incident import SCHEMA, End
from klvrelay.schema.parts import BOOT, COUNT, INSTANT, SECONDS, TEXT, Schema, closed, described, document, nullable

ID: Schema = {"type": "string", "pattern": "^[0-9a-f]{12}$", "description": "Id of the incident"}
OPEN_INCIDENT: dict[str, Schema] = {"id": ID, "since": described(INSTANT, "UTC of its first sign")}
_SUBJECT: Schema = {"enum": [*get_args(Subject)], "description": "What failed"}
_CAUSE: Schema = {"enum": [*CAUSES], "description": "Cause of the outage"}
_FLAG: Schema = {"type": "boolean"}


def incident() -> Schema:
    """The JSON Schema of an incident."""
    members = {
        "schema": {"const": SCHEMA},
        "id": ID,
        "subject": _SUBJECT,
        "name": described(TEXT, "Name of the stream or sink"),
        "cause": _CAUSE,
        "since": described(INSTANT, "UTC of the first sign"),
        "detected": described(INSTANT, "UTC of the detection"),
        "restored": described(nullable(INSTANT), "UTC of the end; null: it is open"),
        "end": {"enum": [*get_args(End), None], "description": "How it ended"},
        "detection_s": described(SECONDS, "Time from first sign to detection, s"),
        "duration_s": described(nullable(SECONDS), "Time from first sign to end, s"),
        "lost": described(nullable(COUNT), "Records lost; null: not known"),
        "estimated": described(_FLAG, "`lost` is an estimate"),
        "delayed": described(nullable(COUNT), "Records that waited for the sink"),
        "message": described(TEXT, "What was found"),
        "run": BOOT,
        "acknowledged_by": described(nullable(TEXT), "Who acknowledged it"),
        "acknowledged": described(nullable(INSTANT), "UTC of that"),
        "note": described(nullable(TEXT), "A note"),
    }
    return document("klvrelay incident", "One outage", closed(members))


def figures() -> Schema:
    """The schema of the figures of one part and cause."""
    seconds = nullable(SECONDS)
    return closed(
        {
            "subject": _SUBJECT,
            "name": described(TEXT, "Name of the stream or sink"),
            "cause": {"enum": [*CAUSES, None], "description": "Only incidents of this cause; null: all"},
            "count": described(COUNT, "Incidents that began in the period"),
            "open": described(COUNT, "Incidents that are open at its end"),
            "mttr_s": described(seconds, "Mean time to restore, s"),
            "mtbf_s": described(seconds, "Mean time between failures, s"),
            "detection_s": described(seconds, "Mean time to detect, s"),
            "availability": described(seconds | {"maximum": 1}, "Share of the observed time without an outage"),
            "longest_s": described(seconds, "Longest outage in the period, s"),
            "downtime_s": described(SECONDS, "Time in outages, s"),
            "observed_s": described(SECONDS, "Time in which the relay ran, s"),
            "lost": described(nullable(COUNT), "Records lost; null: not known"),
            "estimated": described(_FLAG, "`lost` contains estimates"),
            "delayed": described(nullable(COUNT), "Records that were delayed; null: not known"),
        }
    )


def daily_report() -> Schema:
    """The JSON Schema of the report of a day."""
    members = {
        "schema": {"const": DAILY},
        "boot": BOOT,
        "at": described(INSTANT, "UTC of the report"),
        "from": described(INSTANT, "Begin of the day, UTC"),
        "to": described(INSTANT, "Its end"),
        "figures": {"type": "array", "items": figures(), "description": "By stream, sink and cause"},
    }
    return document("klvrelay daily report", "Figures of the incidents of a UTC day", closed(members))
