"""MQTT discovery for Home Assistant: a stream becomes one device, with a tracker on the map and a sensor for each item.

    homeassistant/device/{id}/config      the device and its entities, retained
    {prefix}/{stream}/homeassistant       the values, retained: the latest of each item, and the position
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from klvrelay.config.names import safe_level
from klvrelay.json_output import dumps
from klvrelay.sinks.mqtt.topics import status_topic, stream_topic
from klvrelay.text import printable

LEAF = "homeassistant"
DISCOVERY_PREFIX = "homeassistant"
ID_MOST = 64
"""Maximum characters of the identifier of a device."""
LATITUDE, LONGITUDE = "sensor_latitude", "sensor_longitude"


class Sensor(NamedTuple):
    """A sensor of Home Assistant: its name, its device class, its unit, and the decimals to show."""

    name: str
    device_class: str | None = None
    unit: str | None = None
    decimals: int | None = None


SENSORS: Mapping[str, Sensor] = {
    "platform_heading_angle": Sensor("Heading", unit="°", decimals=0),
    "platform_pitch_angle": Sensor("Pitch", unit="°", decimals=1),
    "platform_pitch_angle_full": Sensor("Pitch (full range)", unit="°", decimals=1),
    "platform_roll_angle": Sensor("Roll", unit="°", decimals=1),
    "platform_roll_angle_full": Sensor("Roll (full range)", unit="°", decimals=1),
    "platform_course_angle": Sensor("Course", unit="°", decimals=0),
    "platform_ground_speed": Sensor("Ground speed", "speed", "m/s", 0),
    "platform_true_airspeed": Sensor("True airspeed", "speed", "m/s", 0),
    "platform_indicated_airspeed": Sensor("Indicated airspeed", "speed", "m/s", 0),
    "platform_vertical_speed": Sensor("Vertical speed", "speed", "m/s", 1),
    "sensor_true_altitude": Sensor("Altitude", "distance", "m", 0),
    "sensor_ellipsoid_height": Sensor("Ellipsoid height", "distance", "m", 0),
    "sensor_ellipsoid_height_extended": Sensor("Ellipsoid height (extended)", "distance", "m", 0),
    "altitude_agl": Sensor("Altitude above ground", "distance", "m", 0),
    "frame_center_latitude": Sensor("Frame center latitude", unit="°", decimals=5),
    "frame_center_longitude": Sensor("Frame center longitude", unit="°", decimals=5),
    "frame_center_elevation": Sensor("Frame center elevation", "distance", "m", 0),
    "slant_range": Sensor("Slant range", "distance", "m", 0),
    "target_width": Sensor("Target width", "distance", "m", 0),
    "sensor_horizontal_field_of_view": Sensor("Horizontal field of view", unit="°", decimals=1),
    "sensor_vertical_field_of_view": Sensor("Vertical field of view", unit="°", decimals=1),
    "sensor_relative_azimuth_angle": Sensor("Sensor azimuth", unit="°", decimals=0),
    "sensor_relative_elevation_angle": Sensor("Sensor elevation", unit="°", decimals=0),
    "wind_speed": Sensor("Wind speed", "wind_speed", "m/s", 0),
    "wind_direction": Sensor("Wind direction", unit="°", decimals=0),
    "outside_air_temperature": Sensor("Outside air temperature", "temperature", "°C", 0),
    "static_pressure": Sensor("Static pressure", "atmospheric_pressure", "mbar", 0),
    "platform_fuel_remaining": Sensor("Fuel remaining", "weight", "kg", 0),
    "time_airborne": Sensor("Time airborne", "duration", "s", 0),
    "on_board_mi_storage_percent_full": Sensor("Storage used", unit="%", decimals=0),
    "number_of_navsats_in_view": Sensor("Satellites in view", decimals=0),
    "mission_id": Sensor("Mission"),
    "platform_tail_number": Sensor("Tail number"),
    "platform_call_sign": Sensor("Call sign"),
    "platform_designation": Sensor("Platform"),
    "image_source_sensor": Sensor("Image source"),
    "operational_mode": Sensor("Operational mode"),
    "platform_status": Sensor("Platform status"),
    "sensor_control_mode": Sensor("Sensor control mode"),
}
"""The sensors by the item that each shows."""
KEYS = frozenset((LATITUDE, LONGITUDE, *SENSORS))
"""The items that Home Assistant gets."""
STATE_MOST = 255
"""Maximum characters of a state in Home Assistant."""


def discovery(
    prefix: str, stream: str, items: Collection[str], *, version: str, discovery_prefix: str = DISCOVERY_PREFIX
) -> tuple[str, bytes]:
    """Topic and payload that announce a stream as a device.

    items   keys of the items that the stream has; those without a sensor are ignored
    """
    id = device_id(prefix, stream)
    name = printable(stream)
    document = {
        "device": {"identifiers": [id], "name": name, "manufacturer": "klvrelay", "model": "MISB KLV stream"},
        "origin": {"name": "klvrelay", "sw_version": version},
        "availability": [
            {"topic": stream_topic(prefix, stream, "availability")},
            {"topic": status_topic(prefix), "value_template": "{{ value_json.state }}"},
        ],
        "availability_mode": "all",
        "state_topic": stream_topic(prefix, stream, LEAF),
        "components": _components(id, prefix, stream, items),
    }
    return f"{discovery_prefix}/device/{id}/config", dumps(document)


def _components(id: str, prefix: str, stream: str, items: Collection[str]) -> dict[str, dict[str, Any]]:
    components = {"link": _link(id, stream_topic(prefix, stream, "link"))}
    if LATITUDE in items and LONGITUDE in items:
        components["position"] = {
            "platform": "device_tracker",
            "unique_id": f"{id}_position",
            "name": "Position",
            "source_type": "gps",
            "json_attributes_topic": stream_topic(prefix, stream, LEAF),
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


def values(items: Mapping[str, Any], *, accuracy: float = 0.0) -> bytes:
    """The values of a stream as one JSON object.

    items      the latest value of each item, by key
    accuracy   metres to which the position is rounded
    """
    shown = {key: _state(items[key]) for key in SENSORS if key in items}
    latitude, longitude = items.get(LATITUDE), items.get(LONGITUDE)
    if isinstance(latitude, int | float) and isinstance(longitude, int | float):
        position = {"latitude": latitude, "longitude": longitude}
        return dumps({"position": {**position, "gps_accuracy": accuracy} if accuracy else position, **shown})
    return dumps(shown)


def _state(value: Any) -> Any:
    """A value that Home Assistant accepts as a state."""
    if value is None or isinstance(value, bool | int | float):
        return value
    return printable(value if isinstance(value, str) else dumps(value).decode())[:STATE_MOST]


def device_id(prefix: str, stream: str) -> str:
    """Identifier of a stream: letters, digits, - and _, as Home Assistant requires of a topic."""
    name = f"{prefix}_{stream}"
    id = re.sub(r"[^A-Za-z0-9_-]", "_", name)
    if id == name and len(id) <= ID_MOST and "_" not in prefix:  # a_b and c are not a and b_c
        return id
    digest = hashlib.sha256(f"{prefix}/{safe_level(stream)}".encode()).hexdigest()[:12]
    return f"{id[: ID_MOST - 13]}-{digest}"
