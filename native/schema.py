"""The JSON Schema of a record, out of the csv facts; `native/generate.py` writes it, `items_page.py` is next door.

Every key of every decoded set is in it with its name, units, range and tag, and nothing else may be in a
record's items: a test holds all records against it.
"""

from __future__ import annotations

import json
import re
from fractions import Fraction
from typing import Any

from native.spec import facts

Schema = dict[str, Any]

# Items whose nested set uses another's tags (ST 1607 segments and amends carry ST 0601 items).
SAME_TAGS = {"ST1607-segment": "ST0601", "ST1607-amend": "ST0601"}
# The packs of items that packs.csv lists without a tag.
PACKS = {
    "target_location": "Location",
    "velocity": "Velocity",
    "acceleration": "Acceleration",
    "fpa_index": "FpaIndex",
    "miis_id": "CoreIdentifier",
    "miis_core_identifier": "CoreIdentifier",
    "sdcc_flp": "SDCC-FLP",
}
# Items that a record lifts out of the set, where it is a packet of its own.
LIFTED = {"ST0601": (1, 2, 65), "ST0903": (1, 2)}
LISTS = ("CommandVerification", "ActiveWavelengths")

HEX: Schema = {"type": "string", "pattern": "^([0-9a-f]{2})*$"}
UUID: Schema = {"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}
COUNT: Schema = {"type": "integer", "minimum": 0}
INSTANT: Schema = {
    "type": ["string", "null"],
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$",
}
UNKNOWN: Schema = {
    "type": "object",
    "description": "Items with no entry in the tables or that can't be read, by tag or by 16-byte key, as hex",
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
        "boot": {"type": ["string", "null"], "description": "Which run of the relay; null for a decoded file"},
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
    inside = {"properties": {"unknown": UNKNOWN}, "additionalProperties": False}
    nothing = {"type": "null"}
    return condition(
        {"enum": [*raw, "unknown"]}, {"items": inside, "time": nothing, "time_us": nothing, "version": nothing}
    )


def condition(name: Schema, properties: Schema) -> Schema:
    return {"if": {"properties": {"set": name}}, "then": {"properties": properties}}


def nullable(value: Schema) -> Schema:
    if isinstance(value.get("type"), str) and "enum" not in value:
        return value | {"type": [value["type"], "null"]}
    return {"anyOf": [value, {"type": "null"}]}


def local_set(name: str) -> Schema:
    """The object of one set: all its keys, and `unknown`."""
    properties = {item.key: item_schema(item) for item in facts.items(name)}
    if name == "VTarget":
        properties = {"target_id": COUNT | {"description": "Number of the target (BER-OID)"}} | properties
    return {
        "type": "object",
        "title": f"{standard(name)} {name}" if not name.startswith("ST") else standard(name),
        "properties": properties | {"unknown": {"$ref": "#/$defs/unknown"}},
        "additionalProperties": False,
    } | ({"required": ["target_id"]} if name == "VTarget" else {})


def standard(name: str) -> str:
    """`VTarget` -> `ST 0903`: the number in the name of its csv."""
    return f"ST {facts.DECODED[name][2:6]}"


def item_schema(item: facts.Item) -> Schema:
    value = nullable(item_value(item))
    if item.repeats:
        value = {"type": "array", "items": {"anyOf": [value, HEX]}, "minItems": 1}
    return {"description": description(item)} | value


def description(item: facts.Item) -> str:
    """`Sensor Latitude, deg, -90 to 90 (ST 0601 item 13)`."""
    clause = standard(item.set) if item.set.startswith("ST") else f"{standard(item.set)} {item.set}"
    parts = [item.name, item.units, range_text(item)]
    text = ", ".join(part for part in parts if part) + f" ({clause} item {item.tag})"
    return text + ("; deprecated" if item.deprecated else "")


def range_text(item: facts.Item) -> str:
    if item.min is None or item.max is None or item.kind in ("enum", "bitfield"):
        return ""
    return f"{plain(item.min)} to {plain(item.max)}"


def plain(value: Fraction) -> int | float:
    return int(value) if value.denominator == 1 else float(value)


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
    target = facts.packs()[series][-1].kind
    return set_reference(target.partition(":")[2]) if ":" in target else {"$ref": f"#/$defs/{series}"}


def pack_name(item: facts.Item) -> str:
    own = {(rows[0].set, rows[0].tag): name for name, rows in facts.packs().items()}
    return PACKS.get(item.key) or own[item.set, item.tag]


def scalar(
    kind: str, mapping: str, low: Fraction | None, high: Fraction | None, codes: dict[int, str]
) -> Schema:
    if codes:
        return {"anyOf": [{"enum": list(dict.fromkeys(codes.values()))}, {"type": "integer"}]}
    if mapping.startswith("linear") and low is not None and high is not None:
        return {"type": "number", "minimum": plain(low), "maximum": plain(high)}
    if mapping == "imapb":
        return {"type": "number"}  # its codes reach past the range
    simple = {"bytes": HEX, "uuid": UUID, "int": {"type": "integer"}}
    simple |= dict.fromkeys(["utf8", "ascii", "utf16"], {"type": "string"})
    return simple.get(kind, COUNT)


def labels(set_: str, tag: int, field: str) -> dict[int, str]:
    rows = [code for code in facts.codes() if (code.set, code.tag, code.code_type) == (set_, tag, "value")]
    return {code.code: code.label for code in rows if code.field == field}


def flags(set_: str, tag: int, extra: Schema | None = None) -> Schema:
    rows = [code for code in facts.codes() if (code.set, code.tag, code.code_type) == (set_, tag, "bit")]
    bits = {
        facts.snake(row.label): {"type": "boolean", "description": f"bit {row.code}: {row.label}"} for row in rows
    }
    properties = (extra or {}) | bits
    return {"type": "object", "properties": properties, "required": list(properties)} | {
        "additionalProperties": False
    }


def packs() -> Schema:
    """A definition for each pack that a decoded item or series uses."""
    used = {pack_name(i) for name in facts.DECODED for i in facts.items(name) if i.kind in ("dlp", "flp", "vlp")}
    series = {i.kind.partition(":")[2] for name in facts.DECODED for i in facts.items(name) if "series:" in i.kind}
    known = facts.packs()
    used |= {name for name in series if name in known and ":" not in known[name][-1].kind}
    return {name: pack(name, known[name]) for name in known if name in used}


def pack(name: str, elements: list[facts.Element]) -> Schema:
    if name == "SDCC-FLP":
        return sdcc()
    if name in LISTS:
        return {"type": "array", "items": element_value(elements[0])}
    if not any(element.repeat for element in elements):
        return pack_object(elements)
    records: Schema = {"type": "array", "items": nullable(pack_object(elements))}
    if elements[0].repeat:
        return records
    count = elements[0].name
    records["items"]["anyOf"][0]["properties"].pop(count)
    return {
        "type": "object",
        "properties": {count: element_value(elements[0]), "records": records},
        "additionalProperties": False,
    }


def pack_object(elements: list[facts.Element]) -> Schema:
    """An object of the elements; each may be null (unknown) or absent (cut off the end)."""
    told = [element for element in elements if not (element.kind == "ber" and element.name.endswith("_length"))]
    return {
        "type": "object",
        "properties": {element.name: nullable(element_value(element)) for element in told},
        "additionalProperties": False,
    }


def element_value(element: facts.Element) -> Schema:
    if (element.pack, element.name) == ("WeaponRecord", "status"):
        general = scalar("enum", "raw", None, None, labels("ST0601", 140, "weapon_general_status"))
        return flags("ST0601", 140, {"general_status": general})
    if (element.pack, element.name) == ("WaypointRecord", "info"):
        return flags("ST0601", 141)
    coded = labels(element.set, element.tag, element.name) if element.kind != "int" else {}
    return scalar(element.kind, element.mapping, element.min, element.max, coded)


def sdcc() -> Schema:
    """ST 1010: standard deviations and correlations of the items before it."""
    numbers = {"type": "array", "items": {"anyOf": [{"type": ["number", "null"]}, HEX]}}
    properties = {
        "matrix_size": COUNT,
        "mode": {"enum": [1, 2]},
        "sparse": {"type": "boolean"},
        "sigma": numbers | {"description": "one an item; hex where the form has no defined range"},
        "rho": {"type": "array", "items": {"type": ["number", "null"]}, "description": "upper triangle, by rows"},
        "items": {"type": "array", "items": {"type": "string"}, "description": "keys of the items it is about"},
    }
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def words(name: str) -> str:
    """`ST0601` -> `ST 0601`."""
    return re.sub(r"^([A-Z]{2})(\d{4})", r"\1 \2", name)
