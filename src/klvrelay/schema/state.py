"""The schema of `state`, from that of a record: the items of several sets merged into one document.

`relay/state.py` decides where the items of each set are.
"""

from __future__ import annotations

from collections.abc import Sequence

from klvrelay.relay.state import NESTED, PLATFORM, ROOT
from klvrelay.schema.parts import Schema, closed
from klvrelay.schema.telemetry import items_by_set, record

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
    del schema["allOf"], schema["$id"]
    return schema


def _all_unknown(defs: dict[str, Schema]) -> Schema:
    tags, keys = defs["unknown"], defs["unknown_keys"]
    patterns = tags["patternProperties"] | keys["patternProperties"]
    return tags | {"description": f"{tags['description']} or 16-byte key", "patternProperties": patterns}


def _merged_items(schema: Schema) -> Schema:
    sets = items_by_set(schema)
    properties = _union(schema, [sets[name] for name in ROOT])["properties"]
    for key in dict.fromkeys(NESTED.values()):
        alone = [sets[name] for name, place in NESTED.items() if place == key]
        if len(alone) > 1:
            properties[key] = {"anyOf": [properties[key], _union(schema, alone)]}
    others = {name.lower(): _union(schema, [items]) for name, items in sets.items() if name not in ROOT}
    return closed(properties | others, optional=properties | others)


def _union(schema: Schema, sets: Sequence[Schema]) -> Schema:
    """An object with the items of several sets. An item of one form in two sets has the description of the first."""
    defs = schema["$defs"]
    if len(sets) == 1:
        return _reference(sets[0])
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
