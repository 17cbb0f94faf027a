"""Records and states, and validators of payloads: by the JSON Schemas, and by the AsyncAPI document."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jsonschema import Draft7Validator, Draft202012Validator
from oracle_broker import Published

from klvrelay.config.mqtt import MqttSettings
from klvrelay.decoder import decode
from klvrelay.record import Record
from klvrelay.schema import asyncapi, payload_schema
from klvrelay.shape.output import Output
from klvrelay.shape.state import StreamState

EXPIRY, CONTENT_TYPE = 0x02, 0x03
JSON, TEXT = "application/json", "text/plain"


@cache
def validator(leaf: str, numbers: str = "exact") -> Draft202012Validator:
    return Draft202012Validator(payload_schema(leaf, numbers))


def faults(leaf: str, document: Any, numbers: str = "exact") -> list[str]:
    """What the JSON Schema of a topic finds wrong with a payload."""
    return [f"{error.json_path}: {error.message[:200]}" for error in validator(leaf, numbers).iter_errors(document)]


def record_of(raw: bytes) -> Record | None:
    """The record of one packet."""
    records = decode(raw, stream="uav1", boot="5f2c9a")
    return records[0] if records else None


def state_of(raws: list[bytes]) -> dict[str, Any] | None:
    """The state after these packets, if one of them is good."""
    latest = StreamState()
    for record in filter(None, map(record_of, raws)):
        latest.add(record)
    document = latest.document()
    return None if document is None else dict(json.loads(document))


@dataclass(frozen=True, slots=True)
class Described:
    """The AsyncAPI document of a relay, and what it says of messages."""

    document: dict[str, Any]

    @classmethod
    def of(cls, settings: MqttSettings, outputs: Sequence[Output] = (), changeable: Sequence[str] = ()) -> Described:
        return cls(asyncapi(settings, outputs, changeable))

    def leaf(self, topic: str) -> str | None:
        """The channel that a topic belongs to."""
        for leaf, channel in self.document["channels"].items():
            pattern = re.sub(r"\\{\w+\\}", r"[A-Za-z0-9_.%-]{1,96}", re.escape(channel["address"]))
            if re.fullmatch(pattern, topic):
                return str(leaf)
        return None

    def differences(self, message: Published, *, payload: bool = True) -> dict[str, tuple[object, object]]:
        """What differs from the description of its topic: found, described. `payload`: validate it too."""
        leaf = self.leaf(message.topic)
        if leaf is None:
            return {"topic": (message.topic, None)}
        about = self.document["components"]["messages"][leaf]
        binding = self.document["operations"][f"publish_{leaf}"]["bindings"]["mqtt"]
        has_properties = self.document["servers"]["broker"]["protocolVersion"] == "5.0"
        headers = about.get("headers", {"properties": {}})
        user = dict(message.user)
        sends_type = has_properties and "compact" not in about["contentType"]
        pairs = {
            "qos": (message.qos, binding["qos"]),
            "retain": (message.retain, binding["retain"]),
            "expiry": (message.properties.get(EXPIRY), binding.get("messageExpiryInterval")),
            "content type": (message.properties.get(CONTENT_TYPE), about["contentType"] if sends_type else None),
            "user properties": ({*user} - {*headers["properties"]}, set()),
            "headers": ([*Draft7Validator(headers).iter_errors(user)], []),
            "payload": (self._payload_faults(leaf, message) if payload else [], []),
        }
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}

    def _payload_faults(self, leaf: str, message: Published) -> list[str]:
        kind = self.document["components"]["messages"][leaf]["contentType"]
        if kind not in (JSON, TEXT):
            return []
        return self.faults(leaf, json.loads(message.payload) if kind == JSON else message.payload.decode())

    def faults(self, leaf: str, payload: Any) -> list[str]:
        """What the schema in the document, whose references lead to other parts of it, finds wrong with a payload."""
        components = self.document["components"]
        whole = Draft7Validator({**components["messages"][leaf]["payload"], "components": components})
        return [f"{error.json_path}: {error.message[:200]}" for error in whole.iter_errors(payload)]
