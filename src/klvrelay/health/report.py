"""Writes the health of a stream as a JSON document (`klvrelay/link/1`)."""

from __future__ import annotations

import time
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from klvrelay.health.clocks import Clocks, Offset
from klvrelay.health.stream import StreamHealth
from klvrelay.json_output import dumps
from klvrelay.link_stats import LinkStats

SCHEMA = "klvrelay/link/1"
_RENAMED = {"size": "bytes"}
_ELSEWHERE = {"packets", "bad_checksum", "damaged", "unknown_items"}  # under `klv`, or counted where JSON is made


def link_document(health: StreamHealth, boot: str) -> bytes:
    """The health of a stream as JSON."""
    return dumps(link_members(health, boot))


def link_members(health: StreamHealth, boot: str) -> dict[str, Any]:
    """State, outages, KLV rate and gaps, transport counters, clocks."""
    now = health.clock()
    return {
        "schema": SCHEMA,
        "stream": health.name,
        "boot": boot,
        "pid": health.pid,
        "program": health.program,
        "state": health.state,
        "reason": health.reason,
        "since": utc(health.since_us),
        "at": utc(time.time_ns() // 1000),
        "states": {state: {"entered": health.changes[state], "seconds": round(seconds, 1)}
                   for state, seconds in health.spent().items()},
        "openings": health.openings,
        "outages": _outages(health),
        "klv": {
            "records": health.records,
            "bad_checksum": health.bad,
            "damaged": health.damaged,
            "refused": health.refused,
            "rate_hz": round(health.rhythm.rate(now), 2),
            "gaps": health.rhythm.gaps,
            "longest_gap_s": round(health.rhythm.longest, 3),
        },
        "link": {"dropped": health.dropped} | _transport_counters(health.link),
        "clock": _clocks(health.clocks),
    }  # fmt: skip


def counter_names() -> tuple[str, ...]:
    """The counters under `link`."""
    return "dropped", *_transport_counters(LinkStats())


def _outages(health: StreamHealth) -> dict[str, Any]:
    mean = health.away / health.recovered if health.recovered else None
    return {
        "count": health.outages,
        "recovered": health.recovered,
        "last_s": _rounded(health.away_last if health.recovered else None, 3),
        "mean_s": _rounded(mean, 3),
        "longest_s": _rounded(health.away_longest if health.recovered else None, 3),
    }


def _transport_counters(link: LinkStats) -> dict[str, Any]:
    """The counters of the socket and of the transport lane by name."""
    socket = {_RENAMED.get(f.name, f.name): getattr(link, f.name) for f in fields(LinkStats) if f.name != "lane"}
    lane = {name: value for name, value in link.lane._asdict().items() if name not in _ELSEWHERE}
    return socket | lane


def _clocks(clocks: Clocks) -> dict[str, Any]:
    document: dict[str, Any] = {name: _offset(offset) for name, offset in clocks.against.items()}
    jump = clocks.last_jump
    document["jumps"] = clocks.jumps
    if jump is not None:
        document["last_jump"] = {"against": jump.against, "seconds": round(jump.seconds, 3), "time_us": jump.time_us}
    return document


def _offset(offset: Offset) -> dict[str, Any]:
    return {"offset_s": _rounded(offset.offset_s, 4), "drift_ppm": _rounded(offset.drift_ppm, 1), "jumps": offset.jumps}


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def utc(us: int) -> str:
    """Microseconds since 1970 as ISO 8601 with milliseconds."""
    return datetime.fromtimestamp(us / 1e6, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
