"""Validators of what is published: by the JSON Schemas, and by the AsyncAPI document."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from jsonschema import Draft7Validator, Draft202012Validator
from oracle_broker import Published

from klvrelay.config.mqtt import MqttSettings
from klvrelay.schema import asyncapi, payload_schema

EXPIRY, CONTENT_TYPE = 0x02, 0x03
JSON, TEXT = "application/json", "text/plain"


@cache
def validator(leaf: str, numbers: str = "exact") -> Draft202012Validator:
    return Draft202012Validator(payload_schema(leaf, numbers))


def faults(leaf: str, document: Any, numbers: str = "exact") -> list[str]:
    """What the JSON Schema of a topic finds wrong with a payload."""
    return [f"{error.json_path}: {error.message[:200]}" for error in validator(leaf, numbers).iter_errors(document)]


@dataclass(frozen=True, slots=True)
class Described:
    """The AsyncAPI document of a relay, and what it says of messages."""

    document: dict[str, Any]

    @classmethod
    def of(cls, settings: MqttSettings) -> Described:
        return cls(asyncapi(settings))

    def leaf(self, topic: str) -> str | None:
        """The channel that a topic belongs to."""
        for leaf, channel in self.document["channels"].items():
            pattern = re.escape(channel["address"]).replace(r"\{stream\}", r"[A-Za-z0-9_.%-]{1,96}")
            if re.fullmatch(pattern, topic):
                return str(leaf)
        return None

    def differences(self, message: Published) -> dict[str, tuple[object, object]]:
        """What differs from the description of its topic: found, described."""
        leaf = self.leaf(message.topic)
        if leaf is None:
            return {"topic": (message.topic, None)}
        about = self.document["components"]["messages"][leaf]
        binding = self.document["operations"][f"publish_{leaf}"]["bindings"]["mqtt"]
        has_properties = self.document["servers"]["broker"]["protocolVersion"] == "5.0"
        headers = about.get("headers", {"properties": {}})
        pairs = {
            "qos": (message.qos, binding["qos"]),
            "retain": (message.retain, binding["retain"]),
            "expiry": (message.properties.get(EXPIRY), binding.get("messageExpiryInterval")),
            "content type": (message.properties.get(CONTENT_TYPE), about["contentType"] if has_properties else None),
            "user properties": ({*dict(message.user)}, {*headers["properties"]}),
            "headers": ([*Draft7Validator(headers).iter_errors(dict(message.user))], []),
            "payload": (self._payload_faults(message, about), []),
        }
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}

    def _payload_faults(self, message: Published, about: dict[str, Any]) -> list[str]:
        kind = about["contentType"]
        if kind not in (JSON, TEXT):
            return []
        document = json.loads(message.payload) if kind == JSON else message.payload.decode()
        return [f"{error.json_path}: {error.message[:200]}" for error in self._validator(about).iter_errors(document)]

    def _validator(self, about: dict[str, Any]) -> Draft7Validator:
        """By the schema in the document, in which references lead to other parts of the document."""
        return Draft7Validator({**about["payload"], "components": self.document["components"]})
