"""MQTT discovery for Home Assistant: a stream becomes one device, with a tracker on the map and a sensor for each item.

    homeassistant/device/{id}/config      the device and its entities, retained
    {prefix}/{stream}/homeassistant       the values, retained: the latest of each item, and the position
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from typing import Any

from klvrelay.config.names import safe_level
from klvrelay.config.topic_template import DISCOVERY
from klvrelay.json_output import dumps
from klvrelay.shape.home_assistant import LATITUDE, LONGITUDE, SENSORS, Sensor
from klvrelay.sinks.mqtt.protocol.connection import Received
from klvrelay.sinks.mqtt.topics import matches, status_topic, stream_topic
from klvrelay.sinks.mqtt.values.earlier_runs import object_of
from klvrelay.text import printable

LEAF = "homeassistant"
ID_MOST = 64
"""Maximum characters of the identifier of a device."""
CONFIG_MOST = 64 << 10
"""Maximum bytes of what announces a device."""


def discovery(
    prefix: str, stream: str, items: Collection[str], *, topic: str | None = None
) -> tuple[str, bytes]:
    """Topic and payload that announce a stream as a device.

    items   keys of the items that the stream has; those without a sensor are ignored
    topic   of the values, if it is not the usual one
    """
    topic = topic or stream_topic(prefix, stream, LEAF)
    id = device_id(prefix, stream)
    name = printable(stream)
    document = {
        "device": {"identifiers": [id], "name": name, "manufacturer": "klvrelay", "model": "MISB KLV stream"},
        "origin": {"name": "klvrelay"},
        "availability": [
            {"topic": stream_topic(prefix, stream, "availability")},
            {"topic": status_topic(prefix), "value_template": "{{ value_json.state }}"},
        ],
        "availability_mode": "all",
        "state_topic": topic,
        "components": _components(id, stream_topic(prefix, stream, "link"), topic, items),
    }
    return config_topic(id), dumps(document)


def _components(id: str, link: str, topic: str, items: Collection[str]) -> dict[str, dict[str, Any]]:
    components = {"link": _link(id, link)}
    if LATITUDE in items and LONGITUDE in items:
        components["position"] = {
            "platform": "device_tracker",
            "unique_id": f"{id}_position",
            "name": "Position",
            "source_type": "gps",
            "json_attributes_topic": topic,
            "json_attributes_template": _POSITION,
        }
    return components | {key: _sensor(id, key, sensor) for key, sensor in SENSORS.items() if key in items}


_POSITION = "{{ value_json.get('position', {}) | tojson }}"
"""A tracker with incomplete coordinates has none, and Home Assistant logs a warning: `position` has both or neither."""


def _link(id: str, topic: str) -> dict[str, Any]:
    return {
        "platform": "sensor",
        "unique_id": f"{id}_link",
        "name": "Stream",
        "entity_category": "diagnostic",
        "state_topic": topic,
        "value_template": "{{ value_json.state }}",
    }


def _sensor(id: str, key: str, sensor: Sensor) -> dict[str, Any]:
    entity: dict[str, Any] = {
        "platform": "sensor",
        "unique_id": f"{id}_{key}",
        "name": sensor.name,
        "value_template": f"{{{{ value_json.get('{key}') }}}}",  # None: unknown
    }
    if sensor.device_class is not None:
        entity["device_class"] = sensor.device_class
    if sensor.unit is not None:
        entity["unit_of_measurement"] = sensor.unit
    if sensor.decimals is not None:
        entity |= {"suggested_display_precision": sensor.decimals, "state_class": "measurement"}
    else:
        entity["entity_category"] = "diagnostic"
    return entity


def config_topic(id: str) -> str:
    """The topic that announces a device."""
    return "/".join(DISCOVERY).replace("+", id)


def announces(message: Received, prefix: str) -> bool:
    """Does a message announce a stream under this prefix?"""
    if not matches(message.topic, [*DISCOVERY]):
        return False
    document = object_of(message.payload, CONFIG_MOST)
    origin, device = document.get("origin"), document.get("device")
    if not isinstance(origin, dict) or not isinstance(device, dict) or origin.get("name") != "klvrelay":
        return False
    ids, topics = device.get("identifiers"), document.get("availability")
    own = topics[0].get("topic") if isinstance(topics, list) and topics and isinstance(topics[0], dict) else None
    return ids == [message.topic.split("/")[2]] and isinstance(own, str) and own.startswith(f"{prefix}/")


def device_id(prefix: str, stream: str) -> str:
    """Identifier of a stream: letters, digits, - and _, as Home Assistant requires of a topic."""
    name = f"{prefix}_{stream}"
    id = re.sub(r"[^A-Za-z0-9_-]", "_", name)
    if id == name and len(id) <= ID_MOST and "_" not in prefix:  # a_b and c are not a and b_c
        return id
    digest = hashlib.sha256(f"{prefix}/{safe_level(stream)}".encode()).hexdigest()[:12]
    return f"{id[: ID_MOST - 13]}-{digest}"
