"""The schemas of all payloads, by the last level of their topics."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from klvrelay.json_output import Numbers
from klvrelay.schema.alert import alert
from klvrelay.schema.examples import example
from klvrelay.schema.gap import gap
from klvrelay.schema.health import relay_health, stream_health
from klvrelay.schema.incident import daily_report
from klvrelay.schema.link import link
from klvrelay.schema.output_topics import change
from klvrelay.schema.parts import Schema, document, exact
from klvrelay.schema.relay_status import status
from klvrelay.schema.state import state
from klvrelay.schema.telemetry import record
from klvrelay.schema.uplink import uplink


def availability() -> Schema:
    shape = {"enum": ["online", "offline"]}
    return document("klvrelay availability", "online while KLV is received; plain text, not JSON", shape)


PAYLOADS: Mapping[str, Callable[[], Schema]] = {
    "telemetry": record,
    "rejected": record,
    "state": state,
    "link": link,
    "health": stream_health,
    "relay-health": relay_health,
    "alert": alert,
    "relay-alert": alert,
    "availability": availability,
    "daily-report": daily_report,
    "gap": gap,
    "status": status,
    "uplink": uplink,
}


def payload_schema(leaf: str, numbers: Numbers = "exact") -> Schema:
    """The JSON Schema (2020-12) of the payload on `{prefix}/{stream}/{leaf}`, or on a topic of the relay.

    leaf      "change": a record of an output on change
    numbers   the setting of the relay: with "safe", integers beyond 2^53 - 1 are strings
    """
    schema = change() if leaf == "change" else PAYLOADS[leaf]()
    if numbers == "exact":
        schema.pop("$comment", None)
        schema = exact(schema)
    return schema | {"examples": [example(leaf)]}
