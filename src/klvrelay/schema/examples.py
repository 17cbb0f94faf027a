"""An example of each payload, as documents and generated pages show it."""

from __future__ import annotations

import json
from typing import Any

from klvrelay.health import SinkHealth, StreamHealth
from klvrelay.health.documents import relay_document, stream_document
from klvrelay.health.relay import RelayHealth
from klvrelay.health.report import link_document
from klvrelay.incidents.daily import SCHEMA as DAILY
from klvrelay.incidents.figures import Figures

STREAM, BOOT, CLIENT, SEQ = "uav1", "5f2c9a", "klvrelay-5f2c9a-01ab", 1042
AT = "2026-11-22T03:14:15.926Z"

RECORD = {
    "schema": "klvrelay/1",
    "stream": STREAM,
    "boot": BOOT,
    "seq": SEQ,
    "received": "2026-11-22T03:14:15.926535Z",
    "time": "2012-06-29T13:45:12.123456Z",
    "time_us": 1340977512123456,
    "pts": 195030,
    "pid": 257,
    "program": 1,
    "set": "ST0601",
    "version": 4,
    "quality": {"checksum": "ok", "transport": "ok"},
    "items": {
        "platform_heading_angle": 159.974,
        "sensor_latitude": 34.72136412,
        "security_local_set": {"security_classification": "Unclassified"},
    },
}
REJECTED = RECORD | {"quality": {"checksum": "bad", "transport": "damaged"}}
CHANGE = RECORD | {"full": True}
GAP = {
    "schema": "klvrelay/gap/1",
    "stream": STREAM,
    "boot": BOOT,
    "from": SEQ,
    "to": SEQ + 57,
    "count": 58,
    "reason": "memory",
    "since": AT,
}
STATUS = {"state": "online", "boot": BOOT, "client_id": CLIENT, "at": AT}

ALERT = {
    "id": f"{BOOT}-1",
    "rule": "no_klv",
    "subject": "stream",
    "name": STREAM,
    "severity": "critical",
    "value": 10.2,
    "worst": 10.2,
    "threshold": 5.0,
    "unit": "s",
    "since": "2026-11-22T03:14:05.726Z",
    "raised": AT,
    "text": "no KLV for 10.2 s: nothing received for 5 s",
    "advice": "Check that the sender is running, and the network between it and this machine.",
}
SINK_ALERT = ALERT | {
    "rule": "sink_down",
    "subject": "sink",
    "name": "mqtt",
    "text": "not up for 10.2 s: connection refused",
    "advice": "Check that the far end runs, and the network between it and this machine.",
}
ALERTS = {
    "schema": "klvrelay/alert/1",
    "stream": STREAM,
    "boot": BOOT,
    "at": AT,
    "raised": [ALERT],
    "events": [{"event": "raised", **ALERT}],
}
RELAY_ALERTS = ALERTS | {"stream": None, "raised": [SINK_ALERT], "events": [{"event": "raised", **SINK_ALERT}]}
UPLINK = {
    "schema": "klvrelay/uplink/1",
    "step": 3,
    "name": "dead band",
    "halvings": 0,
    "reason": "values wait 1.2 s, 101% of the budget used in the last 5 s",
    "budget": "64kbit/s",
    "used": 61440,
    "bytes": 3824337,
    "left_out": 642,
}


def example(leaf: str) -> Any:
    """A payload of this topic; `numbers` makes no difference to it."""
    known = {
        "rejected": REJECTED, "availability": "online", "gap": GAP, "status": STATUS, "change": CHANGE,
        "uplink": UPLINK, "alert": ALERTS, "relay-alert": RELAY_ALERTS,
    }  # fmt: skip
    made = {"link": _link, "health": _stream_health, "relay-health": _relay_health, "daily-report": _daily_report}
    return made[leaf]() if leaf in made else known.get(leaf, RECORD)


def _link() -> dict[str, Any]:
    health = StreamHealth(STREAM, "udp://0.0.0.0:5000", clock=lambda: 0.0)
    document: dict[str, Any] = json.loads(link_document(health, BOOT))
    return document | {"since": AT, "at": AT}


def _stream_health() -> dict[str, Any]:
    health = StreamHealth(STREAM, "udp://0.0.0.0:5000", clock=lambda: 0.0)
    figures = {"count": 0, "p50_ms": None, "p95_ms": None, "p99_ms": None}
    lead_time = {"mqtt": {**figures, "last_minute": figures}}
    return stream_document(health, BOOT) | {"since": AT, "at": AT, "lead_time": lead_time}


def _relay_health() -> dict[str, Any]:
    sink = SinkHealth("mqtt://broker:1883", key="mqtt", clock=lambda: 0.0)
    document = relay_document(RelayHealth(BOOT, lambda: 0.0), [], [sink], None)
    document["sinks"]["mqtt"]["since"] = AT
    process = {"cpu_s": 12.5, "memory": 61_000_000, "open_files": 24, "threads": 6}
    return document | {"since": AT, "at": AT, "started": AT, "process": process}


def _daily_report() -> dict[str, Any]:
    times = 170.0, 28630.0, 4.0, 0.994788, 300.0, 450.0, 86340.0
    figures = Figures("stream", STREAM, None, 3, 0, *times, 15300, True, 0)
    period = {"from": "2026-11-21T00:00:00.000Z", "to": "2026-11-22T00:00:00.000Z"}
    return {"schema": DAILY, "boot": BOOT, "at": AT, **period, "figures": [figures.document()]}


def headers(names: tuple[str, ...]) -> dict[str, str]:
    """User properties of the same message."""
    known = {"stream": STREAM, "boot": BOOT, "seq": str(SEQ)}
    return {name: known[name] for name in names}
