"""The endpoints of the relay itself, of its streams, its sinks and its spool."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import orjson

from klvrelay.health.documents import sink_document
from klvrelay.health.report import utc
from klvrelay.health.stream import StreamHealth
from klvrelay.schema.health import relay_health, sink_schema, stream_health
from klvrelay.schema.parts import BOOT, COUNT, INSTANT, SECONDS, TEXT, closed, described, nullable
from klvrelay.schema.relay_status import spool_members
from klvrelay.web.api.endpoint import ApiEndpoint, Call, Parameter
from klvrelay.web.problems import Problem

STREAM = Parameter("stream", "Name of the stream", {"type": "string"}, "path")
SINK = Parameter("sink", "Name of the sink in the settings", {"type": "string"}, "path")
_ITEMS = {"type": ["object", "null"], "description": "The document of the topic state: the latest value of each item"}


async def about(call: Call) -> Any:
    relay = call.observed.board.relay
    return {
        "name": "klvrelay",
        "version": version("klvrelay"),
        "boot": relay.boot,
        "started": utc(relay.began_us),
        "uptime_s": round(relay.clock() - relay.began, 1),
    }


async def relay(call: Call) -> Any:
    call.observed.board.refresh()
    return call.observed.board.relay_document()


async def streams(call: Call) -> Any:
    board = call.observed.board
    board.refresh()
    return [brief(health) for health in board.streams() if health.reported]


def brief(health: StreamHealth) -> dict[str, Any]:
    """What the list of the streams has of one."""
    now = health.clock()
    return {
        "stream": health.name,
        "state": health.state,
        "reason": health.reason,
        "cause": health.cause,
        "since": utc(health.since_us),
        "rate_hz": round(health.rhythm.rate(now), 2),
        "age_s": round(now - health.last_record, 3) if health.records else None,
        "records": health.records,
        "outages": health.outages,
    }


async def stream(call: Call) -> Any:
    board, name = call.observed.board, call.values["stream"]
    health = next((one for one in board.streams() if one.name == name and one.reported), None)
    if health is None:
        raise Problem(404, "there is no stream of this name: see /api/v1/streams")
    board.refresh()
    latest = board.latest(name)
    state = None if latest is None else orjson.loads(latest)
    return {"health": board.stream_document(health), "state": state}


async def sinks(call: Call) -> Any:
    board = call.observed.board
    board.refresh()
    return {one.key or one.name: sink_document(one) for one in board.sinks()}


async def sink(call: Call) -> Any:
    known: Mapping[str, Any] = await sinks(call)
    if call.values["sink"] not in known:
        raise Problem(404, "there is no sink of this name: see /api/v1/sinks")
    return known[call.values["sink"]]


async def spool(call: Call) -> Any:
    board = call.observed.board
    return board.spool.document() if board.has_spool else None


async def config(call: Call) -> Any:
    return {"toml": await call.observed.config()}


_BRIEF = {
    **{name: stream_health()["properties"][name] for name in ("stream", "state", "reason", "since", "cause", "age_s")},
    "rate_hz": described(SECONDS, "Records per second"),
    "records": described(COUNT, "Records of the stream, good or not"),
    "outages": described(COUNT, "Number of times the stream stopped being live"),
}
_ABOUT = {
    "name": {"const": "klvrelay"},
    "version": described(TEXT, "Version of the relay"),
    "boot": BOOT,
    "started": described(INSTANT, "UTC of the start of the run"),
    "uptime_s": described(SECONDS, "Time since then, s"),
}
_SINKS = {"type": "object", "additionalProperties": sink_schema(), "description": "The sinks by name"}

ENDPOINTS = (
    ApiEndpoint("/", "Version and run of the relay", about, closed(_ABOUT)),
    ApiEndpoint("/health", "Health of the relay, as on the topic {prefix}/health", relay, relay_health()),
    ApiEndpoint("/streams", "All streams in brief", streams, {"type": "array", "items": closed(_BRIEF)}),
    ApiEndpoint(
        "/streams/{stream}", "Health of a stream, and the latest values of its items", stream,
        closed({"health": stream_health(), "state": _ITEMS}), (STREAM,), errors=(404,),
    ),
    ApiEndpoint("/sinks", "All sinks by name", sinks, _SINKS),
    ApiEndpoint("/sinks/{sink}", "Health of a sink", sink, sink_schema(), (SINK,), errors=(404,)),
    ApiEndpoint("/spool", "The disk of the spool; null without one", spool, nullable(closed(*spool_members()))),
    ApiEndpoint("/config", "The settings as the file and the options have them now, without secrets", config,
             closed({"toml": described(TEXT, "As klvrelay run --print-config prints them")})),
)  # fmt: skip
