"""The JSON Schema of a record, out of the csv facts; `native/generate.py` writes it.

Every key of every decoded set is in it with its name, units, range and tag, and nothing else may be in a
record's items: a test holds all records against it. Next door, `schema_values.py` has the values in the sets.
"""

from __future__ import annotations

import json
import re

from native.schema_values import (
    COUNT,
    HEX,
    Schema,
    closed,
    flags,
    holds_set,
    labels,
    nullable,
    pack_name,
    packs,
    range_text,
    scalar,
)
from native.spec import facts

# Items whose nested set uses another's tags (ST 1607 segments and amends carry ST 0601 items).
SAME_TAGS = {"ST1607-segment": "ST0601", "ST1607-amend": "ST0601"}
# Items that a record lifts out of the set, where it is a packet of its own.
LIFTED = {"ST0601": (1, 2, 65), "ST0903": (1, 2)}
INSTANT: Schema = {
    "type": ["string", "null"],
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$",
}
UNKNOWN: Schema = {
    "type": "object",
    "description": "Items that no table has or that can't be read: hex, by tag or by 16-byte key",
    "patternProperties": {"^([0-9]+|[0-9a-f]{32})$": HEX},
    "additionalProperties": False,
    "minProperties": 1,
}


def schema() -> str:
    """The JSON Schema (draft 2020-12) of a record, as a JSON document."""
    return json.dumps(record(), indent=2, ensure_ascii=False) + "\n"


def record() -> Schema:
    sets = [key.set for key in facts.universal_keys()]
    properties = {
        "schema": {"const": "klvrelay/1"},
        "stream": {"type": "string", "description": "Name of the stream"},
        "boot": {"type": ["string", "null"], "description": "Which run of the relay; null for a file"},
        "seq": COUNT | {"description": "Counts the stream's records within one boot"},
        "received": INSTANT | {"description": "UTC of arrival; null for bytes that were never live"},
        "time": INSTANT | {"description": "Item 2 as calendar time, as it stands; null past the year 9999"},
        "time_us": nullable(COUNT) | {"description": "Item 2: microseconds since 1970 (ST 0603)"},
        "pts": nullable(COUNT | {"maximum": 2**33 - 1}) | {"description": "90 kHz presentation time"},
        "set": {"enum": [*sets, "unknown"], "description": "Which set the packet is"},
        "version": nullable(COUNT) | {"description": "ST 0601 item 65; null for other sets"},
        "quality": quality(),
        "items": {"type": "object", "description": "The items by key"},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "klvrelay/1",
        "title": "klvrelay record",
        "description": "One KLV packet of a drone's video (MISB ST 0601, 0102, 0903), decoded",
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
        "allOf": [*(top_level(name) for name in facts.DECODED if name in sets), left_raw(sets)],
        "$defs": {name: local_set(name) for name in facts.DECODED} | {"unknown": UNKNOWN} | packs(),
    }


def quality() -> Schema:
    return {
        "type": "object",
        "properties": {
            "checksum": {"enum": ["ok", "bad", "absent"]},
            "transport": {
                "enum": ["ok", "damaged"],
                "description": "damaged: bytes were lost on the way inside this packet; never to be trusted",
            },
            "special": {
                "type": "object",
                "description": "Path of an item that is null -> what its code means instead of a number",
                "additionalProperties": {"type": "string", "pattern": "^[a-z0-9_]+$"},
                "minProperties": 1,
            },
            "warnings": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        },
        "required": ["checksum", "transport"],
        "additionalProperties": False,
    }


def top_level(name: str) -> Schema:
    """What `items` may hold where the packet is one of this set."""
    lifted = [item.key for item in facts.items(name) if item.tag in LIFTED.get(name, ())]
    inside: Schema = {"$ref": f"#/$defs/{name}"}
    if lifted:
        inside["properties"] = dict.fromkeys(lifted, False)
    others: Schema = {} if name == "ST0601" else {"version": {"type": "null"}}
    return condition({"const": name}, {"items": inside, **others})


def left_raw(sets: list[str]) -> Schema:
    raw = [name for name in sets if name not in facts.DECODED]
    nothing = {name: {"type": "null"} for name in ("time", "time_us", "version")}
    return condition({"enum": [*raw, "unknown"]}, {"items": closed({"unknown": UNKNOWN}), **nothing})


def condition(name: Schema, properties: Schema) -> Schema:
    return {"if": {"properties": {"set": name}}, "then": {"properties": properties}}


def local_set(name: str) -> Schema:
    """The object of one set: all its keys, and `unknown`."""
    properties = {item.key: item_schema(item) for item in facts.items(name)}
    if name == "VTarget":
        properties = {"target_id": COUNT | {"description": "Number of the target (BER-OID)"}} | properties
    shape = {"title": clause(name), **closed(properties | {"unknown": {"$ref": "#/$defs/unknown"}})}
    return shape | ({"required": ["target_id"]} if name == "VTarget" else {})


def clause(name: str) -> str:
    """`VTarget` -> `ST 0903 VTarget`, by the number in the name of its csv."""
    number = f"ST {facts.DECODED[name][2:6]}"
    return number if name == number.replace(" ", "") else f"{number} {name}"


def item_schema(item: facts.Item) -> Schema:
    value = nullable(item_value(item))
    if item.repeats:
        value = {"type": "array", "items": {"anyOf": [value, HEX]}, "minItems": 1}
    return {"description": description(item)} | value


def description(item: facts.Item) -> str:
    """`Sensor Latitude, deg, -90 to 90 (ST 0601 item 13)`."""
    parts = [item.name, item.units, range_text(item)]
    text = ", ".join(part for part in parts if part) + f" ({clause(item.set)} item {item.tag})"
    return text + ("; deprecated" if item.deprecated else "")


def item_value(item: facts.Item) -> Schema:
    kind, _, inner = item.kind.partition(":")
    if kind == "local_set":
        return set_reference(inner)
    if kind == "series":
        return {"type": "array", "items": nullable(element_of(inner))}
    if kind in ("dlp", "flp", "vlp"):
        return {"$ref": f"#/$defs/{pack_name(item)}"}
    if item.key == "active_payloads":
        return {"type": "array", "items": COUNT, "uniqueItems": True}
    if kind == "bitfield":
        return flags(item.set, item.tag)
    return scalar(kind, item.mapping, item.min, item.max, labels(item.set, item.tag, item.key))


def set_reference(name: str) -> Schema:
    name = SAME_TAGS.get(name, name)
    return {"$ref": f"#/$defs/{name}"} if name in facts.DECODED else HEX


def element_of(series: str) -> Schema:
    """One element of a series: `uint`, `local_set:VChip`, `VTargetPack`, `Location`."""
    if series == "uint":
        return COUNT
    if series.startswith("local_set:"):
        return set_reference(series.partition(":")[2])
    elements = facts.packs()[series]
    if holds_set(elements):
        return set_reference(elements[-1].kind.partition(":")[2])
    return {"$ref": f"#/$defs/{series}"}


def words(name: str) -> str:
    """`ST0601` -> `ST 0601`."""
    return re.sub(r"^([A-Z]{2})(\d{4})", r"\1 \2", name)
