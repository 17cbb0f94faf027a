"""Single values and packs in the JSON Schema of a record; next door, `schema.py` has the sets around them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from native.spec import facts

Schema = dict[str, Any]

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
LISTS = ("CommandVerification", "ActiveWavelengths")

HEX: Schema = {"type": "string", "pattern": "^([0-9a-f]{2})*$"}
UUID: Schema = {"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}
COUNT: Schema = {"type": "integer", "minimum": 0}


def nullable(value: Schema) -> Schema:
    if isinstance(value.get("type"), str) and "enum" not in value:
        return value | {"type": [value["type"], "null"]}
    either = value["anyOf"] if set(value) == {"anyOf"} else [value]
    return {"anyOf": [*either, {"type": "null"}]}


def plain(value: Fraction) -> int | float:
    return int(value) if value.denominator == 1 else float(value)


def range_text(of: facts.Item | facts.Element) -> str:
    """`-90 to 90`, or nothing where there is no range to tell."""
    if of.min is None or of.max is None or of.kind in ("enum", "bitfield"):
        return ""
    return f"{plain(of.min)} to {plain(of.max)}"


def pack_name(item: facts.Item) -> str:
    own = {(rows[0].set, rows[0].tag): name for name, rows in facts.packs().items()}
    return PACKS.get(item.key) or own[item.set, item.tag]


def scalar(kind: str, mapping: str, low: Fraction | None, high: Fraction | None, codes: dict[int, str]) -> Schema:
    if codes:
        return {"anyOf": [{"enum": list(dict.fromkeys(codes.values()))}, {"type": "integer"}]}
    if mapping.startswith("linear") and low is not None and high is not None:
        return {"type": "number", "minimum": plain(low), "maximum": plain(high)}
    if mapping == "imapb":
        return {"type": "number"}  # its codes reach past the range
    if kind in ("utf8", "ascii", "utf16"):
        return {"type": "string"}
    simple: dict[str, Schema] = {"bytes": HEX, "uuid": UUID, "int": {"type": "integer"}}
    return simple.get(kind, COUNT)


def labels(set_: str, tag: int, field: str) -> dict[int, str]:
    rows = [code for code in facts.codes() if (code.set, code.tag, code.code_type) == (set_, tag, "value")]
    return {code.code: code.label for code in rows if code.field == field}


def flags(set_: str, tag: int, extra: Schema | None = None) -> Schema:
    rows = [code for code in facts.codes() if (code.set, code.tag, code.code_type) == (set_, tag, "bit")]
    told = {row: f"bit {row.code}: {row.label}" for row in rows}
    bits = {facts.snake(row.label): {"type": "boolean", "description": text} for row, text in told.items()}
    return closed((extra or {}) | bits, required=True)


def closed(properties: Schema, *, required: bool = False) -> Schema:
    """An object with these keys and no others."""
    shape: Schema = {"type": "object", "properties": properties}
    if required:
        shape["required"] = list(properties)
    return shape | {"additionalProperties": False}


def packs() -> Schema:
    """A definition for each pack that a decoded item or series uses."""
    items = [item for name in facts.DECODED for item in facts.items(name)]
    used = {pack_name(item) for item in items if item.kind in ("dlp", "flp", "vlp")}
    used |= {item.kind.partition(":")[2] for item in items if item.kind.startswith("series:")}
    known = {name: rows for name, rows in facts.packs().items() if name in used}
    return {name: pack(name, rows) for name, rows in known.items() if not holds_set(rows)}


def holds_set(elements: list[facts.Element]) -> bool:
    return elements[-1].kind.startswith("local_set:")


def pack(name: str, elements: list[facts.Element]) -> Schema:
    if name == "SDCC-FLP":
        return sdcc()
    if name in LISTS:
        return {"type": "array", "items": element_value(elements[0])}
    repeats = [at for at, element in enumerate(elements) if element.repeat]
    if not repeats:
        return pack_object(elements)
    once, again = elements[: repeats[0]], elements[repeats[0] :]
    records: Schema = {"type": "array", "items": nullable(pack_object(again))}
    return closed(pack_object(once)["properties"] | {"records": records}) if once else records


def pack_object(elements: list[facts.Element]) -> Schema:
    """An object of the elements; each may be null (unknown) or absent (cut off the end)."""
    told = [e for e in elements if e.kind != "ber" or not e.name.endswith("_length")]
    return closed({element.name: described(element) for element in told})


def described(element: facts.Element) -> Schema:
    text = "; ".join(part for part in (range_text(element), element.notes) if part)
    return ({"description": text} if text else {}) | nullable(element_value(element))


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
    number: Schema = {"type": ["number", "null"]}
    told = "one an item; hex where the form has no defined range"
    properties: Schema = {
        "matrix_size": COUNT,
        "mode": {"enum": [1, 2]},
        "sparse": {"type": "boolean"},
        "sigma": {"type": "array", "items": {"anyOf": [number, HEX]}, "description": told},
        "rho": {"type": "array", "items": number, "description": "upper triangle, row by row"},
        "items": {"type": "array", "items": {"type": "string"}, "description": "keys of those items"},
    }
    return closed(properties, required=True)
