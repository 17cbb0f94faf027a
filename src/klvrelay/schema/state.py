"""The schema of `state`, from that of a record: the items of several sets merged into one document.

`shape/state.py` decides where the items of each set are.
"""

from __future__ import annotations

from collections.abc import Sequence

from klvrelay.schema.parts import Schema, closed
from klvrelay.schema.telemetry import items_by_set, record
from klvrelay.shape.state import NESTED, PLATFORM, ROOT

ITEM = "#/$defs/{}/properties/{}"
ALL_UNKNOWN = "unknown_all"


def state() -> Schema:
    """The JSON Schema of the latest values of a stream."""
    schema = record()
    schema["title"] = "klvrelay state"
    schema["description"] = (
        "The latest value of each item of a stream, merged from its good records. seq, received and quality are those"
        " of the last record. Items of ST 0601 and EG 0104 are at the root of items; a set that was received alone is"
        " under the key that it has in ST 0601, or under its name in small letters"
    )
    schema["properties"]["set"] = {"enum": [*PLATFORM]}
    schema["$defs"][ALL_UNKNOWN] = _all_unknown(schema["$defs"])
    schema["properties"]["items"] = _merged_items(schema)
    del schema["allOf"], schema["$id"], schema["properties"]["replayed_s"]
    return schema


def _all_unknown(defs: dict[str, Schema]) -> Schema:
    tags, keys = defs["unknown"], defs["unknown_keys"]
    patterns = tags["patternProperties"] | keys["patternProperties"]
    return tags | {"description": f"{tags['description']} or 16-byte key", "patternProperties": patterns}


def _merged_items(schema: Schema) -> Schema:
    sets = items_by_set(schema)
    root: dict[str, Schema] = _union(schema, [sets[name] for name in ROOT])["properties"]
    alone = {name: _reference(items) for name, items in sets.items() if name not in ROOT}
    for key, names in _sharing_a_key().items():
        mixed = "_or_".join(names)
        schema["$defs"][mixed] = _union(schema, [sets[name] for name in names])
        alone |= {name: {"$ref": f"#/$defs/{mixed}"} for name in names}
        root[key] = {"anyOf": [root[key], {"$ref": f"#/$defs/{mixed}"}]}
    properties = root | {name.lower(): items for name, items in alone.items()}
    return closed(properties, optional=properties)


def _sharing_a_key() -> dict[str, list[str]]:
    """Keys in ST 0601 that several sets have: their items are merged there, and under the name of one of the sets."""
    names = {key: [name for name, place in NESTED.items() if place == key] for key in NESTED.values()}
    return {key: sharing for key, sharing in names.items() if len(sharing) > 1}


def _union(schema: Schema, sets: Sequence[Schema]) -> Schema:
    """An object with the items of several sets. An item of one form in two sets has the description of the first."""
    defs = schema["$defs"]
    found: dict[str, list[Schema]] = {}
    for items in sets:
        for key, value in _items(items, defs).items():
            forms = found.setdefault(key, [])
            if not any(_resolved(form, defs) == _resolved(value, defs) for form in forms):
                forms.append(value)
    merged = {key: forms[0] if len(forms) == 1 else {"anyOf": forms} for key, forms in found.items()}
    return closed(merged | {"unknown": {"$ref": f"#/$defs/{ALL_UNKNOWN}"}}, optional=[*merged, "unknown"])


def _reference(items: Schema) -> Schema:
    """The items of one set. The merged ones of several packets may be more than one packet has."""
    return {key: value for key, value in items.items() if key not in ("minProperties", "maxProperties")}


def _items(items: Schema, defs: Schema) -> Schema:
    """The items of a set by key, as references; without those that are in the head of the record."""
    excluded = [key for key, value in items.get("properties", {}).items() if value is False]
    if "$ref" not in items:
        return {**items["properties"]}
    name = items["$ref"].rpartition("/")[2]
    return {key: {"$ref": ITEM.format(name, key)} for key in defs[name]["properties"] if key not in excluded}


def _resolved(value: Schema, defs: Schema) -> Schema:
    """The schema that a reference leads to, without its description."""
    found = value
    if "$ref" in value:
        found = defs
        for part in value["$ref"].removeprefix("#/$defs/").split("/"):
            found = found[part]
    return {key: part for key, part in found.items() if key != "description"}
