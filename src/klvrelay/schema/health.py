"""The schemas of `health`: of a stream, and of the relay."""

from __future__ import annotations

from typing import get_args

from klvrelay.health.causes import CAUSES
from klvrelay.health.documents import RELAY_SCHEMA, SCHEMA
from klvrelay.health.lead_time import QUANTILES
from klvrelay.health.relay import RelayState
from klvrelay.health.sink import SinkState
from klvrelay.health.stream import State
from klvrelay.outcome import Sums
from klvrelay.schema.incident import OPEN_INCIDENT
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
from klvrelay.schema.uplink import uplink_members

_CAUSE = {"enum": [*CAUSES, None], "description": f"Cause of the present outage; {listed(CAUSES)}"}

_LEDGER: dict[str, Schema] = {
    "open": described(COUNT, "Number of open incidents"),
    "ledger": described(nullable(TEXT), "Why the ledger cannot be written; null if it can"),
}


def stream_health() -> Schema:
    """The JSON Schema of the health of a stream."""
    more = {
        "cause": _CAUSE,
        "age_s": described(nullable(SECONDS), "Time since the last record, s; null without one"),
        "lead_time": _by_sink(lead_time(), "Time from arrival to confirmation, by sink"),
        "incident": described(nullable(closed(OPEN_INCIDENT)), "The open incident of the stream; null without one"),
        "alerts": _alerts("Rules that are raised"),
    }
    shape = closed({"schema": {"const": SCHEMA}, **link_members(), **more}, ["incident", "alerts"])
    shape["$defs"] = link_definitions()
    return document("klvrelay stream health", "Health of a stream: what `link` has, and more", shape)


def relay_health() -> Schema:
    """The JSON Schema of the health of the relay."""
    states: dict[str, Schema] = dict.fromkeys(get_args(State), COUNT)
    members = {
        "schema": {"const": RELAY_SCHEMA},
        "boot": BOOT,
        "state": {"enum": [*get_args(RelayState)]},
        "since": described(INSTANT, "UTC of the last change of state"),
        "at": described(INSTANT, "UTC of this report"),
        "started": described(INSTANT, "UTC of the start of the run"),
        "uptime_s": described(SECONDS, "Time since then, s"),
        "streams": described(closed(states), "Number of streams in each state"),
        "sinks": {"type": "object", "additionalProperties": sink_schema(), "description": "The sinks by name"},
        "spool": described(nullable(closed(*spool_members())), "The disk of the spool; null without one"),
        "process": described(_process(), "What the process uses"),
        "alerts": _alerts("What is raised for the relay, relay/RULE, and for its sinks, sink/NAME/RULE"),
    }
    members["incidents"] = described(closed(_LEDGER), "The ledger of incidents")
    shape = closed(members, ["incidents", "alerts"])
    return document("klvrelay health", "Health of the relay, of its sinks and of its spool", shape)


def _alerts(text: str) -> Schema:
    return {"type": "array", "items": TEXT, "description": text}


def sink_schema() -> Schema:
    """The JSON Schema of the health of a sink."""
    return closed(
        {
            "url": described(TEXT, "Its address"),
            "state": {"enum": [*get_args(SinkState)], "description": listed(SINK_STATES)},
            "reason": described(TEXT, "Why it is in this state"),
            "cause": _CAUSE,
            "since": described(INSTANT, "UTC of the start of this state"),
            "outages": described(COUNT, "Number of times it stopped being up"),
            "records": closed({name: described(COUNT, SUMS[name]) for name in Sums._fields}),
            "lead_time": described(lead_time(), "Time from arrival to confirmation, of all streams"),
            "suspended": {"type": "array", "items": TEXT, "description": "Topics that the far end refuses"},
            "suspended_topics": described(COUNT, "Number of these topics"),
            "suspended_since": _by_topic("When each of the listed topics was suspended, UTC"),
            "outputs": _by_output(),
            "budget": described(nullable(closed(uplink_members())), "The use of the budget; null without one"),
        }
    )


def _by_topic(text: str) -> Schema:
    return {"type": "object", "additionalProperties": INSTANT, "description": text}


def _by_output() -> Schema:
    members = {
        "published": described(COUNT, "Records that were due for it"),
        "thinned": described(COUNT, "Records that were not due; the latest of them may be published later"),
        "withheld": described(COUNT, "Records withheld because of their marking"),
        "left": {"enum": ["all", "less", "nothing"], "description": "What the budget leaves of it at present"},
    }
    text = "Its outputs by name; empty if it publishes each record once, whole"
    return {"type": "object", "additionalProperties": closed(members), "description": text}


def _by_sink(schema: Schema, text: str) -> Schema:
    return {"type": "object", "additionalProperties": schema, "description": text}


def lead_time() -> Schema:
    """The JSON Schema of lead times."""
    milliseconds = nullable(SECONDS)
    figures = {"count": described(COUNT, "Number of confirmed records that had a time of arrival")}
    for share in QUANTILES:
        figures[f"p{share * 100:.0f}_ms"] = described(milliseconds, f"{share:.0%} of them took at most this time, ms")
    return closed({**figures, "last_minute": described(closed(figures), "The same of the last minute")})


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
