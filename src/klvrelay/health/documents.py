"""Writes the health of a stream and of the relay as JSON documents."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from klvrelay.health.relay import RelayHealth, process_figures
from klvrelay.health.report import link_members, utc
from klvrelay.health.sink import SinkHealth
from klvrelay.health.spool import SpoolHealth
from klvrelay.health.stream import State, StreamHealth

SCHEMA, RELAY_SCHEMA = "klvrelay/health/1", "klvrelay/relay-health/1"
SUSPENDED_MOST = 100
"""Maximum number of suspended topics in a document."""


def stream_document(health: StreamHealth, boot: str, link: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The members of `link`, the cause of an outage, and the time since the last record.

    link   the members of `link`, if they are known already
    """
    age = round(health.clock() - health.last_record, 3) if health.records else None
    members = link_members(health, boot) if link is None else link
    return {**members, "schema": SCHEMA, "cause": health.cause, "age_s": age}


def relay_document(
    relay: RelayHealth, streams: Sequence[StreamHealth], sinks: Sequence[SinkHealth], spool: SpoolHealth | None
) -> dict[str, Any]:
    """The relay itself, its streams by state, its sinks and its spool."""
    states = Counter(health.state for health in streams if health.reported)
    return {
        "schema": RELAY_SCHEMA,
        "boot": relay.boot,
        "state": relay.state,
        "since": utc(relay.since_us),
        "at": utc(time.time_ns() // 1000),
        "started": utc(relay.began_us),
        "uptime_s": round(relay.clock() - relay.began, 1),
        "streams": {state: states[state] for state in get_args(State)},
        "sinks": {health.key or health.name: sink_document(health) for health in sinks},
        "spool": None if spool is None else spool.document(),
        "process": process_figures(),
    }


def sink_document(health: SinkHealth) -> dict[str, Any]:
    """The state of a sink, its record counts and the topics that its far end refuses."""
    suspended, since = list(health.suspended()), health.suspended_since()
    return {
        "url": health.name,
        "state": health.state,
        "reason": health.reason,
        "cause": health.cause,
        "since": utc(health.since_us),
        "outages": health.outages,
        "records": health.sums._asdict(),
        "lead_time": health.lead_times.all().document(),
        "suspended": suspended[:SUSPENDED_MOST],
        "suspended_topics": len(suspended),
        "suspended_since": {topic: utc(since[topic]) for topic in suspended[:SUSPENDED_MOST] if topic in since},
        "outputs": dict(health.outputs()),
        "budget": health.uplink(),
    }
