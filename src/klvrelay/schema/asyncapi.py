"""The AsyncAPI 3.0 document: server, channels, messages and MQTT bindings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from klvrelay import __version__
from klvrelay.config.mqtt import MqttSettings
from klvrelay.config.topic_template import filled
from klvrelay.errors import ConfigError
from klvrelay.schema import examples
from klvrelay.schema.acknowledgement import ACKNOWLEDGEMENT_TOPICS, acknowledgement, acknowledgement_result
from klvrelay.schema.draft7 import components
from klvrelay.schema.home_assistant import DEVICE, announcement, home
from klvrelay.schema.output_changes import EITHER, request, result
from klvrelay.schema.output_topics import COMPACT, COMPRESSED, DICTIONARY_SCHEMA, ITEM, topics_of
from klvrelay.schema.parts import Schema
from klvrelay.schema.payloads import PAYLOADS, payload_schema
from klvrelay.schema.topics import TopicEntry
from klvrelay.shape.output import Output
from klvrelay.sinks.mqtt.messages import Messages

Document = dict[str, Any]

BINDING = "0.2.0"
RAW: Schema = {"type": "string", "format": "binary", "description": "One KLV packet: 16-byte key, length, value"}
HEADERS: dict[str, Schema] = {
    "stream": {"type": "string", "maxLength": 1000, "description": "Name of the stream, not encoded as in the topic"},
    "boot": {"type": "string", "description": "Random id of the run of the relay"},
    "seq": {"type": "string", "pattern": "^[0-9]{1,20}$", "description": "seq of the record"},
    "replayed": {
        "type": "string",
        "pattern": r"^([0-9]+\.[0-9]{3})?$",
        "description": "Only in the backlog of an outage: seconds from arrival to publication; empty if never live",
    },
}
PARAMETERS = {
    "stream": {
        "description": "Name of the stream as a topic level: characters other than A-Z a-z 0-9 _ . - are"
        " percent-encoded",
        "examples": ["uav1"],
    },
    "item": {"description": "Key of the item", "examples": ["sensor_latitude"]},
    "set": {"description": "Name of the set", "examples": ["ST0601"]},
    "device": DEVICE,
}
BINARY: dict[str, Schema] = {
    "raw": RAW, "compact": COMPACT, "compressed": COMPRESSED, "dictionary": DICTIONARY_SCHEMA, "item": ITEM,
    "either": EITHER,
}  # fmt: skip
OBJECTS: dict[str, Callable[[], Schema]] = {
    "home": home, "discovery": announcement, "set": request, "set_result": result,
    "acknowledgement": acknowledgement, "acknowledgement_result": acknowledgement_result,
}  # fmt: skip
DESCRIPTION = """\
klvrelay decodes the KLV metadata of drone video (MISB ST 0601 and related standards) and publishes every record.

- `stream`, `boot` and `seq` identify a record. At QoS 1 a record may be received twice.
- With the setting `batch`, a message on `telemetry` or `rejected` has one or several records as JSON Lines, with the
  content type `application/x-ndjson`, and one on `raw` their KLV packets. `seq` is then that of the first record.
- User properties, content types and expiry need MQTT 5.
- If the relay is lost, the broker publishes the last will on the topic `status`. The availability of its streams is
  then out of date.
"""


def asyncapi(
    settings: MqttSettings, outputs: Sequence[Output] = (), changeable: Sequence[str] = (), *,
    budget: bool | None = None, later: bool = False, acknowledges: bool = False,
) -> Document:  # fmt: skip
    """The document of a sink with these settings; `changeable`: see `set`; `budget`: None if it is not known;
    `acknowledges`: subscribers may acknowledge incidents.

    Raises ConfigError if its prefix contains a brace.
    """
    if set("{}") & set(settings.prefix):
        raise ConfigError("prefix: AsyncAPI has no form for { and } in a topic")
    topics = topics_of(outputs, raw=settings.raw, changeable=changeable, budget=budget, later=later)
    topics += ACKNOWLEDGEMENT_TOPICS if acknowledges else ()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "klvrelay",
            "version": __version__,
            "description": DESCRIPTION,
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": {"broker": _server(settings)},
        "channels": {topic.leaf: _channel(topic, settings) for topic in topics},
        "operations": {_name_of(topic): _operation(topic, settings) for topic in topics},
        "components": {
            "messages": {topic.leaf: _message(topic, settings) for topic in topics},
            "schemas": _schemas({topic.schema for topic in topics}, settings),
        },
    }


def _server(settings: MqttSettings) -> Document:
    will = Messages(settings, examples.BOOT, examples.CLIENT).will()
    last_will = {"topic": will.topic, "qos": will.qos, "message": will.payload.decode(), "retain": will.retain}
    binding = {"lastWill": last_will, "keepAlive": settings.keepalive, "bindingVersion": BINDING}
    return {
        "host": settings.url.partition("://")[2],
        "protocol": "secure-mqtt" if settings.tls else "mqtt",
        "protocolVersion": "5.0" if settings.protocol == 5 else "3.1.1",
        "description": "The broker to which klvrelay publishes. boot and client_id of the last will are examples",
        "bindings": {"mqtt": binding},
    }


def _channel(topic: TopicEntry, settings: MqttSettings) -> Document:
    address = filled(topic.template, {"prefix": settings.prefix})
    found: Document = {
        "address": address,
        "title": topic.leaf,
        "summary": topic.summary,
        "messages": {topic.leaf: {"$ref": f"#/components/messages/{topic.leaf}"}},
    }
    parameters = {name: text for name, text in PARAMETERS.items() if f"{{{name}}}" in address}
    return found | ({"parameters": parameters} if parameters else {})


def _name_of(topic: TopicEntry) -> str:
    return f"{'read' if topic.received else 'publish'}_{topic.leaf}"


def _operation(topic: TopicEntry, settings: MqttSettings) -> Document:
    qos = settings.qos if topic.qos is None else topic.qos
    if topic.received:
        qos = 0
    binding: Document = {"qos": qos, "retain": topic.retained, "bindingVersion": BINDING}
    if topic.expires and settings.expiry and _has_properties(settings):
        binding["messageExpiryInterval"] = settings.expiry
    at = f"#/channels/{topic.leaf}"
    return {
        "action": "receive" if topic.received else "send",
        "channel": {"$ref": at},
        "summary": topic.summary,
        "bindings": {"mqtt": binding},
        "messages": [{"$ref": f"{at}/messages/{topic.leaf}"}],
    }


def _message(topic: TopicEntry, settings: MqttSettings) -> Document:
    names = topic.headers if _has_properties(settings) else ()
    found: Document = {
        "name": topic.leaf,
        "title": topic.leaf,
        "summary": topic.summary,
        "contentType": topic.content_type,
        "payload": {"$ref": f"#/components/schemas/{topic.schema}"},
    }
    if headers := (*names, *topic.optional) if _has_properties(settings) else ():
        properties = {name: HEADERS[name] for name in headers}
        found["headers"] = {"type": "object", "properties": properties, "required": [*names]}
    if topic.leaf in PAYLOADS and not topic.address:
        shown = {"headers": examples.headers(names)} if names else {}
        found["examples"] = [{**shown, "payload": examples.example(topic.leaf)}]
    return found


def _has_properties(settings: MqttSettings) -> bool:
    """MQTT 3.1.1 has no user properties and no expiry."""
    return settings.protocol == 5


def _schemas(names: set[str], settings: MqttSettings) -> dict[str, Schema]:
    if "either" in names:
        names |= {"telemetry", "change"}
    found = {name: schema for name, schema in BINARY.items() if name in names}
    found |= {name: make() for name, make in OBJECTS.items() if name in names}
    for name in (*PAYLOADS, "change"):
        if name in names:
            found |= components(name, payload_schema(name, settings.numbers))
    return found
