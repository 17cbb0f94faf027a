"""The schemas of `health`: of a stream, and of the relay."""

from __future__ import annotations

from typing import get_args

from klvrelay.health.causes import CAUSES
from klvrelay.health.documents import SCHEMA
from klvrelay.health.relay import RelayState
from klvrelay.health.sink import SinkState
from klvrelay.health.stream import State
from klvrelay.outcome import Sums
from klvrelay.schema.link import link_definitions, link_members
from klvrelay.schema.link_terms import SINK_STATES
from klvrelay.schema.parts import (
    BOOT,
    COUNT,
    INSTANT,
    SECONDS,
    TEXT,
    Schema,
    closed,
    described,
    document,
    listed,
    nullable,
)
from klvrelay.schema.relay_status import SUMS, spool_members

_CAUSE = {"enum": [*CAUSES, None], "description": f"Cause of the present outage; {listed(CAUSES)}"}


def stream_health() -> Schema:
    """The JSON Schema of the health of a stream."""
    more = {
        "cause": _CAUSE,
        "age_s": described(nullable(SECONDS), "Time since the last record, s; null without one"),
        "alerts": _alerts("Rules that are raised"),
    }
    shape = closed({"schema": {"const": SCHEMA}, **link_members(), **more}, optional=("alerts",))
    shape["$defs"] = link_definitions()
    return document("klvrelay stream health", "Health of a stream: what `link` has, and more", shape)


def relay_health() -> Schema:
    """The JSON Schema of the health of the relay."""
    states: dict[str, Schema] = dict.fromkeys(get_args(State), COUNT)
    members = {
        "schema": {"const": SCHEMA},
        "boot": BOOT,
        "state": {"enum": [*get_args(RelayState)]},
        "since": described(INSTANT, "UTC of the last change of state"),
        "at": described(INSTANT, "UTC of this report"),
        "started": described(INSTANT, "UTC of the start of the run"),
        "uptime_s": described(SECONDS, "Time since then, s"),
        "streams": described(closed(states), "Number of streams in each state"),
        "sinks": {"type": "object", "additionalProperties": _sink(), "description": "The sinks by name"},
        "spool": described(nullable(closed(*spool_members())), "The disk of the spool; null without one"),
        "process": described(_process(), "What the process uses"),
        "alerts": _alerts("What is raised for the relay, relay/RULE, and for its sinks, sink/NAME/RULE"),
    }
    shape = closed(members, optional=("alerts",))
    return document("klvrelay health", "Health of the relay, of its sinks and of its spool", shape)


def _alerts(text: str) -> Schema:
    return {"type": "array", "items": TEXT, "description": text}


def _sink() -> Schema:
    return closed(
        {
            "url": described(TEXT, "Its address"),
            "state": {"enum": [*get_args(SinkState)], "description": listed(SINK_STATES)},
            "reason": described(TEXT, "Why it is in this state"),
            "cause": _CAUSE,
            "since": described(INSTANT, "UTC of the start of this state"),
            "outages": described(COUNT, "Number of times it stopped being up"),
            "records": closed({name: described(COUNT, SUMS[name]) for name in Sums._fields}),
            "suspended": {"type": "array", "items": TEXT, "description": "Topics that the far end refuses"},
            "suspended_topics": described(COUNT, "Number of these topics"),
        }
    )


def _process() -> Schema:
    number = {"type": ["integer", "null"], "minimum": 0}
    return closed(
        {
            "cpu_s": described(SECONDS, "Processor time, s"),
            "memory": described(number, "Resident memory, bytes"),
            "open_files": described(number, "Open file descriptors"),
            "threads": described(number, "Threads"),
        }
    )
