"""What Home Assistant gets, as an entry and payloads of the AsyncAPI document."""

from __future__ import annotations

from klvrelay.config.topic_template import DISCOVERY
from klvrelay.schema.parts import TEXT, Schema, closed
from klvrelay.schema.topics import TopicEntry
from klvrelay.shape.home_assistant import SENSORS

DEVICE: Schema = {"description": "Identifier of the stream, made of prefix and stream", "examples": ["klvrelay_uav1"]}


def discovery_topic(qos: int | None) -> TopicEntry:
    """The topic that announces a stream."""
    return TopicEntry(
        "discovery", "Announces the stream as a device of Home Assistant; an empty retained message removes it",
        headers=("stream", "boot"), retained=True, address="/".join(DISCOVERY).replace("+", "{device}"), qos=qos,
    )  # fmt: skip


def home() -> Schema:
    """The values of a stream."""
    number: Schema = {"type": "number"}
    position = closed({"latitude": number, "longitude": number, "gps_accuracy": number}, ["gps_accuracy"])
    value: Schema = {"type": ["number", "string", "boolean", "null"]}
    shape = closed({"position": position, **dict.fromkeys(SENSORS, value)}, ["position", *SENSORS])
    return shape | {"description": "The latest value of each item that Home Assistant shows"}


def announcement() -> Schema:
    """The message of device discovery, as Home Assistant documents it."""
    names = ("device", "origin", "components")
    properties: dict[str, Schema] = {name: {"type": "object"} for name in names}
    properties |= {"availability": {"type": "array"}, "availability_mode": TEXT, "state_topic": TEXT}
    return closed(properties) | {"description": "Device discovery of Home Assistant by MQTT"}
