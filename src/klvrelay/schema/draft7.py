"""Turns a JSON Schema of draft 2020-12 into a Schema Object of AsyncAPI 3.0, a superset of draft 7."""

from __future__ import annotations

from typing import Any

from klvrelay.schema.parts import Schema

DEFINITIONS, COMPONENTS = "#/$defs/", "#/components/schemas/"
_DROPPED = ("$schema", "$id", "$comment", "$defs", "examples")


def components(name: str, schema: Schema) -> dict[str, Schema]:
    """The schema under `name`, and its definitions under their own names, as components of an AsyncAPI document."""
    definitions = {inner: draft7(part) for inner, part in schema.get("$defs", {}).items()}
    return {**definitions, name: draft7({key: part for key, part in schema.items() if key not in _DROPPED})}


def draft7(schema: Any) -> Any:
    """The same in draft 7, which ignores what is beside a `$ref`: the `$ref` moves into `allOf`."""
    if isinstance(schema, list):
        return [draft7(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    converted = {key: draft7(part) for key, part in schema.items()}
    if not isinstance(schema.get("$ref"), str):
        return converted
    reference = {"$ref": converted.pop("$ref").replace(DEFINITIONS, COMPONENTS)}
    return {**converted, "allOf": [reference, *converted.get("allOf", ())]} if converted else reference
