"""The JSON Schema of a record, from the csv tables; `native/generate` writes it.

Every key of every decoded set is in it with its name, units, range and tag, and nothing else may be in a
record's items: a test holds all records against it. `schema_values.py` and `schema_packs.py` have the values
in the sets.
"""

from __future__ import annotations

import json
import re

from native.generate.documents import STANDARDS
from native.generate.schema_packs import holds_set, packs
from native.generate.schema_values import (
    COUNT,
    HEX,
    SMALL,
    Schema,
    bits,
    closed,
    holds_large,
    labels,
    nullable,
    pack_name,
    range_text,
    scalar,
)
from native.spec import facts

# Items whose nested set uses another's tags (ST 1607 segments and amends carry ST 0601 items).
SAME_TAGS = {"ST1607-segment": "ST0601", "ST1607-amend": "ST0601"}
# The universal set whose time stamp is moved to the head like that of a local set.
LEGACY = "ST0104"
# The sets whose elements in a series begin with the number of the target.
NUMBERED = {"VTarget", "VTrackItem"}
NUMBER16: Schema = SMALL | {"maximum": 2**16 - 1}
TARGET: Schema = COUNT | {"description": "Number of the target (BER-OID)"}
NULL: Schema = {"type": "null"}
LARGE = "; may be beyond 2^53 - 1"
INSTANT: Schema = {
    "type": ["string", "null"],
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$",
}

REPLAYED: Schema = {
    "type": ["number", "null"],
    "minimum": 0,
    "description": "Only in the backlog of an outage: seconds from arrival to publication; null if it was never live",
}


def schema() -> str:
    """The JSON Schema (draft 2020-12) of a record, as a JSON document."""
    return json.dumps(record(), indent=2, ensure_ascii=False) + "\n"


def record() -> Schema:
    sets = [key.set for key in facts.universal_keys()]
    properties = {
        "schema": {"const": "klvrelay/1"},
        "stream": {"type": "string", "description": "Name of the stream"},
        "boot": {"type": ["string", "null"], "description": "The run of the relay; null for a file"},
        "seq": COUNT | {"description": "Counts the stream's records within one boot"},
        "received": INSTANT | {"description": "UTC of arrival; null for bytes that were never live"},
        "time": INSTANT | {"description": "The packet's time stamp as a date, converted if it was sent in another"
                           " unit than microseconds; null after 9999"},
        "time_us": nullable(COUNT) | {"description": "The packet's time stamp as sent: microseconds since 1970"
                                      " (ST 0603), unless quality.warnings names another unit" + LARGE},
        "pts": nullable(SMALL | {"maximum": 2**33 - 1}) | {"description": "90 kHz presentation time"},
        "pid": nullable(NUMBER16) | {"description": "PID of the packet, or number of the stream in a container"},
        "program": nullable(NUMBER16) | {"description": "Number of the program whose PMT lists the PID"},
        "set": {"enum": [*sets, "unknown"], "description": "The set that the packet contains"},
        "version": nullable(COUNT) | {"description": "ST 0601 item 65; null for other sets"},
        "quality": quality(),
        "items": {"description": "The items by key", "anyOf": [*map(definition, packet_forms(sets))]},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "klvrelay/1",
        "title": "klvrelay record",
        "description": "One KLV packet of a drone's video (MISB ST 0601 and related standards), decoded",
        "$comment": "With numbers = \"safe\", integers beyond 2^53 - 1 are strings of their digits; items that may be"
        " that large say so, others are so only if they were sent with too many bytes",
        "type": "object",
        "properties": {**properties, "replayed_s": REPLAYED},
        "required": list(properties),
        "additionalProperties": False,
        "allOf": [*map(top_level, sets), item_packet()],
        "$defs": {
            **{name: local_set(name) for name in facts.DECODED},
            "keyed": keyed(),
            "unknown": unknown("^[0-9]{1,11}$", "by tag"),
            "unknown_keys": unknown("^[0-9a-f]{32}$", "by 16-byte key"),
            **packs(),
        },
    }


def packet_forms(sets: list[str]) -> list[str]:
    """The definitions that the items of packets have. A condition on `set` selects one; type generators see all."""
    return [*(name for name in sets if name in facts.DECODED), "keyed"]


def definition(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def quality() -> Schema:
    return {
        "type": "object",
        "properties": {
            "checksum": {
                "enum": ["ok", "bad", "absent", "partial"],
                "description": "partial: right, but it does not cover items that follow it",
            },
            "transport": {
                "enum": ["ok", "damaged"],
                "description": "damaged: bytes of this packet were lost in transport; do not trust it",
            },
            "special": {
                "type": "object",
                "description": "Path of an item that is null -> meaning of its code",
                "additionalProperties": {"type": "string", "pattern": "^[a-z0-9_]+$"},
                "minProperties": 1,
            },
            "warnings": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        },
        "required": ["checksum", "transport"],
        "additionalProperties": False,
    }


def unknown(names: str, order: str) -> Schema:
    return {
        "type": "object",
        "description": f"Items that no table has or that can't be read: hex, {order}",
        "patternProperties": {names: HEX},
        "additionalProperties": False,
        "minProperties": 1,
    }


def top_level(name: str) -> Schema:
    """The permitted items, and head fields from them, of a packet of this set."""
    rest: Schema = {} if name in (*facts.TIME, LEGACY) else dict.fromkeys(("time", "time_us"), NULL)
    if name not in facts.VERSION:
        rest["version"] = NULL
    return condition({"const": name}, {"items": top_items(name), **rest})


def top_items(name: str) -> Schema:
    if name in facts.ALONE:
        return alone(facts.ALONE[name][0])
    if name in facts.UNIVERSAL:
        lifted = {"precision_time_stamp": False} if name == LEGACY else {}
        return {"$ref": "#/$defs/keyed", "properties": lifted}
    if name not in facts.DECODED:
        return closed({"unknown": {"$ref": "#/$defs/unknown"}})
    return {"$ref": f"#/$defs/{name}", "properties": dict.fromkeys(lifted_keys(name), False)}


def lifted_keys(name: str) -> list[str]:
    """The items that a record has in its head, if the set is the packet."""
    tags = {lifted[name] for lifted in (facts.CHECKSUM, facts.TIME, facts.VERSION) if name in lifted}
    return [item.key for item in facts.items(name) if item.tag in tags]


def item_packet() -> Schema:
    """A packet that is no set: one item by its 16-byte key, or the hex of what no table has."""
    nothing = dict.fromkeys(("time", "time_us", "version"), NULL)
    single: Schema = {"$ref": "#/$defs/keyed", "minProperties": 1, "maxProperties": 1}
    return condition({"const": "unknown"}, {"items": single, **nothing})


def alone(key: str) -> Schema:
    """This one item, or hex."""
    names = (key, "unknown")
    shape = closed({name: {"$ref": f"#/$defs/keyed/properties/{name}"} for name in names})
    return shape | {"minProperties": 1, "maxProperties": 1}


def condition(name: Schema, properties: Schema) -> Schema:
    return {"if": {"properties": {"set": name}}, "then": {"properties": properties}}


def local_set(name: str) -> Schema:
    """The object of one set: all its keys, and `unknown`."""
    properties = {item.key: item_schema(item) for item in facts.items(name)}
    if name in NUMBERED:
        properties = {"target_id": TARGET} | properties
    if name == "RvtUserDefined":
        properties["user_value"] = {"type": ["string", "integer"], "description": "User Data as its data type says"}
    about = {"title": clause(name), "description": ": ".join(STANDARDS[name])}
    shape = {**about, **closed(properties | {"unknown": {"$ref": "#/$defs/unknown"}})}
    return shape | ({"required": ["target_id"]} if name in NUMBERED else {})


def keyed() -> Schema:
    """The object of a universal set: items by 16-byte keys, each once; no tags."""
    items = {item.key: keyed_item(key, item) for key, item in facts.keyed()}
    return {"title": "Items in universal form", **closed(items | {"unknown": {"$ref": "#/$defs/unknown_keys"}})}


def keyed_item(key: bytes, item: facts.Item) -> Schema:
    text = ", ".join(part for part in (item.name, item.units, range_text(item)) if part)
    large = LARGE if holds_large(item) else ""
    return {"description": f"{text} ({place(item)}, key {key.hex()}){large}"} | nullable(item_value(item))


def place(item: facts.Item) -> str:
    """`EG 0104`, `ST 0102 item 3`."""
    return f"{clause(item.set)} item {item.tag}" if item.set in facts.DECODED else words(item.set)


def words(name: str) -> str:
    """`ST0601` -> `ST 0601`; the oldest was an engineering guideline."""
    return re.sub(r"^([A-Z]{2})(\d{4})", r"\1 \2", "EG0104" if name == "ST0104" else name)


def clause(name: str) -> str:
    """`VTarget` -> `ST 0903 VTarget`, by the number in the name of its csv."""
    number = f"ST {facts.DECODED[name][2:6]}"
    return f"{number} {name.removeprefix(number.replace(' ', ''))}".strip()


def item_schema(item: facts.Item) -> Schema:
    value = nullable(item_value(item))
    if item.repeats:
        value = {"type": "array", "items": value, "minItems": 1}
    return {"description": description(item)} | value


def description(item: facts.Item) -> str:
    """`Sensor Latitude, deg, -90 to 90 (ST 0601 item 13)`."""
    parts = [item.name, item.units, range_text(item)]
    text = ", ".join(part for part in parts if part) + f" ({clause(item.set)} item {item.tag})"
    text += LARGE if holds_large(item) else ""
    return text + ("; deprecated" if item.deprecated else "")


def item_value(item: facts.Item) -> Schema:
    kind, _, inner = item.kind.partition(":")
    if kind == "local_set":
        return set_reference(inner)
    if kind == "series":
        return {"type": "array", "items": nullable(element_of(inner))}
    if kind == "mdap":
        return {"$ref": "#/$defs/MDAP"}
    if kind in ("dlp", "flp", "vlp"):
        return {"$ref": f"#/$defs/{pack_name(item)}"}
    if item.key == "active_payloads":
        return {"type": "array", "items": SMALL, "uniqueItems": True}
    if kind == "bitfield":
        return bits(item.set, item.tag)
    coded = labels(item.set, item.tag, item.key) if kind == "enum" else {}
    return scalar(kind, item.mapping, item.min, item.max, coded)


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
