"""Small JSON Schemas that several documents share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from klvrelay.json_output import MOST

Schema = dict[str, Any]

DIGITS = "[0-9]{16,20}$"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
COUNT: Schema = {"type": "integer", "minimum": 0, "maximum": MOST}
SECONDS: Schema = {"type": "number", "minimum": 0}
TEXT: Schema = {"type": "string"}
INSTANT: Schema = {
    "type": "string",
    "format": "date-time",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$",
}
STREAM = TEXT | {"description": "Name of the stream, not encoded as in the topic"}
BOOT = TEXT | {"description": "Random id of the run of the relay"}
LARGE_COUNT: Schema = {"type": ["integer", "string"], "minimum": 0, "pattern": f"^{DIGITS}"}
"""An integer that may be beyond 2^53 - 1. With numbers = "safe" it is then a string of its digits."""


def document(title: str, description: str, shape: Mapping[str, Any]) -> Schema:
    """The schema of a whole payload."""
    return {"$schema": DIALECT, "title": title, "description": description, **shape}


def closed(properties: Mapping[str, Schema], optional: Iterable[str] = ()) -> Schema:
    """An object with these members and no others."""
    required = [name for name in properties if name not in set(optional)]
    shape: Schema = {"type": "object", "properties": dict(properties)}
    return shape | ({"required": required} if required else {}) | {"additionalProperties": False}


def described(schema: Schema, text: str) -> Schema:
    return {"description": text, **schema}


def listed(texts: Mapping[str, str]) -> str:
    """The description of an enumeration."""
    return "; ".join(f"{name}: {text}" for name, text in texts.items())


def nullable(schema: Schema) -> Schema:
    return schema | {"type": [schema["type"], "null"]}


def exact(schema: Any) -> Any:
    """The schema without the strings that numbers = "safe" writes: integers are integers."""
    if isinstance(schema, list):
        return [exact(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: exact(value) for key, value in schema.items()}
    types = schema.get("type")
    if isinstance(types, list) and str(schema.get("pattern")).endswith(DIGITS):
        numbers = [name for name in types if name != "string"]
        kept["type"] = numbers[0] if len(numbers) == 1 else numbers
        del kept["pattern"]
    return kept
