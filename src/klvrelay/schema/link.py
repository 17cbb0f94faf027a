"""The schema of `link`, from the types that count."""

from __future__ import annotations

from typing import get_args

from klvrelay.core.counters import MEASURES
from klvrelay.health.report import SCHEMA, counter_names
from klvrelay.health.stream import State
from klvrelay.schema.link_terms import COUNTERS, STATES
from klvrelay.schema.parts import (
    BOOT,
    COUNT,
    INSTANT,
    LARGE_COUNT,
    SECONDS,
    STREAM,
    TEXT,
    Schema,
    closed,
    described,
    document,
    listed,
    nullable,
)

_RECORDS = {
    "records": "Records of the stream, good or not",
    "bad_checksum": "Records with a bad checksum",
    "damaged": "Records damaged in transport",
    "refused": "KLV packets on PIDs beyond the limit of streams per source",
}
_NUMBER16 = {"type": ["integer", "null"], "minimum": 0, "maximum": 65535}
_NUMBER = {"type": ["number", "null"]}


def link() -> Schema:
    """The JSON Schema of the health of a stream, as `link` has it."""
    shape = closed({"schema": {"const": SCHEMA}, **link_members()})
    shape["$defs"] = link_definitions()
    return document("klvrelay link", "Health of a stream: state, outages, KLV rate, losses, clocks", shape)


def link_definitions() -> Schema:
    """What the members refer to."""
    return {"spent": _spent(), "offset": _offset()}


def link_members() -> dict[str, Schema]:
    """The members that `health` has too."""
    return {
        "stream": STREAM,
        "boot": BOOT,
        "pid": described(_NUMBER16, "PID of the KLV, or number of the stream in a container; null if unknown"),
        "program": described(_NUMBER16, "Program whose PMT lists the PID; null if unknown"),
        "state": {"enum": [*get_args(State)], "description": listed(STATES)},
        "reason": described(TEXT, "Why the stream is in this state"),
        "since": described(INSTANT, "UTC of the last change of state"),
        "at": described(INSTANT, "UTC of this report"),
        "states": _states(),
        "openings": described(COUNT, "Number of times the source was opened"),
        "outages": _outages(),
        "klv": _klv(),
        "link": _transport(),
        "clock": _clock(),
    }


def _states() -> Schema:
    members: dict[str, Schema] = {state: {"$ref": "#/$defs/spent"} for state in get_args(State)}
    return described(closed(members, optional=members), "Number and total length of each state so far")


def _spent() -> Schema:
    return closed({"entered": described(COUNT, "Number of times"), "seconds": described(SECONDS, "Total length, s")})


def _outages() -> Schema:
    seconds = nullable(SECONDS)
    return described(
        closed(
            {
                "count": described(COUNT, "Number of times the stream stopped being live"),
                "recovered": described(COUNT, "How many of these have ended"),
                "last_s": described(seconds, "Length of the last outage that has ended, s"),
                "mean_s": described(seconds, "Mean of the outages that have ended, s"),
                "longest_s": described(seconds, "Longest outage that has ended, s"),
            }
        ),
        "Interruptions of the KLV",
    )


def _klv() -> Schema:
    counts = {name: described(COUNT, text) for name, text in _RECORDS.items()}
    rhythm = {
        "rate_hz": described(SECONDS, "Records per second"),
        "gaps": described(COUNT, "Pauses that are long for the rate of the stream"),
        "longest_gap_s": described(SECONDS, "Longest pause between two records, s"),
    }
    return described(closed(counts | rhythm), "Records, and their rhythm")


def _transport() -> Schema:
    counters = {name: described(_counter(name), COUNTERS[name]) for name in counter_names()}
    return described(closed(counters), "Transport counters, over all openings of the source; 0 if not applicable")


def _counter(name: str) -> Schema:
    if name == "srt_rtt_ms":
        return nullable(SECONDS)
    return {"type": "integer", "minimum": 0} if name in MEASURES else COUNT


def _clock() -> Schema:
    jump = closed(
        {
            "against": {"enum": ["wall", "pts", "pcr"], "description": "The clock it is compared with"},
            "seconds": {"type": "number", "description": "How much further the KLV time went than that clock, s"},
            "time_us": described(LARGE_COUNT, "KLV time after the step, us since 1970"),
        }
    )
    offsets = {
        name: described({"$ref": "#/$defs/offset"}, f"KLV time compared with {clock}")
        for name, clock in (("wall", "the system clock"), ("pts", "the PTS"), ("pcr", "the PCR"))
    }
    jumps = described(COUNT, "Lasting steps of KLV time, against all three clocks")
    members = {**offsets, "jumps": jumps, "last_jump": described(jump, "The last of these steps")}
    return closed(members, optional=["last_jump"])


def _offset() -> Schema:
    return closed(
        {
            "offset_s": described(_NUMBER, "How far the other clock is ahead, s; null if not measured"),
            "drift_ppm": described(_NUMBER, "Drift of the offset, parts per million; null until known"),
            "jumps": described(COUNT, "Lasting steps"),
        }
    )
