"""Home Assistant finds a stream as one device with a tracker and sensors."""

from __future__ import annotations

import json
import re
from typing import Any

import jinja2
import pytest
from cases import each_case

from klvrelay.shape.home_assistant import KEYS, SENSORS, values
from klvrelay.sinks.mqtt.values.home_assistant import device_id, discovery
from klvrelay.standards.spec import SETS

UNITS = {
    "speed": {"m/s"}, "distance": {"m"}, "wind_speed": {"m/s"}, "temperature": {"°C"}, "weight": {"kg"},
    "atmospheric_pressure": {"mbar"}, "duration": {"s"},
}  # fmt: skip
"""Device classes of Home Assistant's sensors, with the units of these that its documentation allows."""
DEVICE = {"identifiers", "name", "manufacturer", "model"}
OPTIONS = {"device", "origin", "availability", "availability_mode", "state_topic", "components"}
SENSOR = {
    "platform", "unique_id", "name", "value_template", "device_class", "unit_of_measurement", "state_class",
    "suggested_display_precision", "entity_category", "state_topic",
}  # fmt: skip
TRACKER = {"platform", "unique_id", "name", "source_type", "json_attributes_topic", "json_attributes_template"}


def announced(items: Any = KEYS, prefix: str = "klvrelay", stream: str = "uav1") -> tuple[str, dict[str, Any]]:
    topic, payload = discovery(prefix, stream, items)
    return topic, json.loads(payload)


def rendered(template: str, document: bytes) -> str:
    """What Home Assistant makes of a message: its templates are Jinja, with the parsed payload as value_json."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    return environment.from_string(template).render(value_json=json.loads(document))


def test_the_payload_has_what_home_assistant_requires():
    """Device discovery: a device with an identifier, an origin with a name, a platform and a unique id per entity."""
    topic, document = announced()

    assert re.fullmatch(r"homeassistant/device/[a-zA-Z0-9_-]+/config", topic)
    assert document.keys() == OPTIONS
    assert document["device"].keys() == DEVICE
    assert document["device"]["identifiers"]
    assert document["origin"] == {"name": "klvrelay"}
    entities = document["components"].values()
    assert len({entity["unique_id"] for entity in entities}) == len(entities) == len(SENSORS) + 2


def test_each_entity_has_options_of_its_platform_only():
    for name, entity in announced()[1]["components"].items():
        assert entity.keys() <= (TRACKER if entity["platform"] == "device_tracker" else SENSOR), name
        if (device_class := entity.get("device_class")) is not None:
            assert entity["unit_of_measurement"] in UNITS[device_class], name


@each_case("key", sorted(KEYS))
def test_each_sensor_shows_an_item_in_its_unit(key: str):
    item = next(item for item in SETS["ST0601"].values() if item.key == key)
    if (sensor := SENSORS.get(key)) is not None and sensor.unit is not None:
        assert {"deg": "°", "degC": "°C", "percent": "%"}.get(item.units, item.units) == sensor.unit


def test_only_items_of_the_stream_become_entities():
    components = announced({"slant_range", "sensor_latitude"})[1]["components"]
    assert components.keys() == {"link", "slant_range"}  # a latitude without a longitude is no position


def test_the_templates_read_the_values():
    """Each template, rendered as Home Assistant does, gives the value; "None" is its word for unknown."""
    items = {"sensor_latitude": 34.5, "sensor_longitude": -117.25, "slant_range": 812.5, "mission_id": "M\n1",
             "wind_speed": None}  # fmt: skip
    components = announced(items)[1]["components"]
    payload = values(items, accuracy=100.0)

    assert rendered(components["slant_range"]["value_template"], payload) == "812.5"
    assert rendered(components["wind_speed"]["value_template"], payload) == "None"
    position = json.loads(rendered(components["position"]["json_attributes_template"], payload))
    assert position == {"latitude": 34.5, "longitude": -117.25, "gps_accuracy": 100.0}
    assert "\n" not in rendered(components["mission_id"]["value_template"], payload)


def test_an_unknown_position_gives_no_coordinates():
    """Home Assistant warns of incomplete coordinates at each message."""
    payload = values({"sensor_latitude": None, "sensor_longitude": 3.0, "slant_range": 1})
    assert json.loads(payload) == {"slant_range": 1}
    template = announced()[1]["components"]["position"]["json_attributes_template"]
    assert rendered(template, payload) == "{}"


def test_availability_needs_the_stream_and_the_relay():
    document = announced()[1]
    stream, relay = document["availability"]
    assert (stream, document["availability_mode"]) == ({"topic": "klvrelay/uav1/availability"}, "all")
    assert rendered(relay["value_template"], b'{"state":"online"}') == "online"


@pytest.mark.parametrize(("prefix", "stream"), [("a/b", "c"), ("a", "b_c"), ("a", "ü" * 90), ("a", "x" * 200)])
def test_a_device_id_is_valid_and_of_one_stream_only(prefix: str, stream: str):
    id = device_id(prefix, stream)
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", id)
    assert id not in {device_id("a", "b/c"), device_id("a_b", "c"), device_id("b", stream)}
