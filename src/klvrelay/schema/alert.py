"""The schema of `alert`: of a stream, and of the relay with its sinks."""

from __future__ import annotations

from klvrelay.alerts.alert import SCHEMA
from klvrelay.config.alert_rules import SEVERITIES
from klvrelay.schema.parts import BOOT, INSTANT, SECONDS, TEXT, Schema, closed, described, document

_NUMBER: Schema = {"type": "number"}
_OVER = ("cleared", "ended", "reason", "seconds")


def alert() -> Schema:
    """The JSON Schema of the alerts of a stream, or of the relay."""
    members: dict[str, Schema] = {
        "schema": {"const": SCHEMA},
        "stream": {"type": ["string", "null"], "description": "Name of the stream; null: the relay and its sinks"},
        "boot": BOOT,
        "at": described(INSTANT, "UTC of this document"),
        "raised": {"type": "array", "items": alert_schema(),
                   "description": "What is raised; empty after the last clear"},
        "events": {"type": "array", "items": _event(), "description": "What happened just now"},
    }
    return document("klvrelay alerts", "Alerts: what is raised, and what just happened", closed(members))


def _members() -> dict[str, Schema]:
    return {
        "id": described(TEXT, "The same in every document about this alert"),
        "rule": described(TEXT, "Id of the rule"),
        "subject": {"enum": ["stream", "sink", "relay"], "description": "What it is about"},
        "name": described(TEXT, "Name of the stream or sink"),
        "severity": {"enum": [*SEVERITIES]},
        "value": described(_NUMBER, "The value when it was raised"),
        "worst": described(_NUMBER, "The worst value so far"),
        "threshold": described(_NUMBER, "Threshold of the rule"),
        "unit": described(TEXT, "Unit of these values"),
        "since": described(INSTANT, "UTC at which the value left its normal range"),
        "raised": described(INSTANT, "UTC at which it was raised, after the hold"),
        "text": described(TEXT, "What is wrong"),
        "advice": described(TEXT, "What to do"),
        "cleared": described(INSTANT, "UTC at which it was cleared"),
        "ended": described(INSTANT, "UTC at which it ended without being cleared"),
        "reason": described(TEXT, "Why it ended"),
        "seconds": described(SECONDS, "Time from `since` to `cleared` or `ended`, s"),
    }


def alert_schema() -> Schema:
    """The schema of one alert."""
    return closed(_members(), optional=_OVER)


def _event() -> Schema:
    event: dict[str, Schema] = {"event": {"enum": ["raised", "continues", "updated", "cleared", "ended"]}}
    return closed(event | _members(), optional=_OVER)
