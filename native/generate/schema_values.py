"""Single values in the JSON Schema of a record: numbers, text, labels, bits.

`schema_packs.py` has composite values, `schema.py` the sets around them.
"""

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

HEX: Schema = {"type": "string", "pattern": "^([0-9a-f]{2})*$"}
UUID: Schema = {"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}
# A small integer; and one that `numbers = "safe"` writes as the string of its digits if it is beyond MOST.
SMALL: Schema = {"type": "integer", "minimum": 0}
COUNT: Schema = {"type": ["integer", "string"], "minimum": 0, "pattern": "^[0-9]{16,20}$"}
SIGNED: Schema = {"type": ["integer", "string"], "pattern": "^-?[0-9]{16,20}$"}
MOST = 2**53 - 1
WHOLE = {"uint", "int", "timestamp", "ber_oid", "ber", "date_time"}
KINDS: dict[str, Schema] = {
    "utf8": {"type": "string"},
    "ascii": {"type": "string"},
    "utf16": {"type": "string"},
    "bytes": HEX,
    "uuid": UUID,
    "int": SIGNED,
    "date_time": SIGNED,
    "float": {"type": "number"},
}


def pack_name(item: facts.Item) -> str:
    own = {(rows[0].set, rows[0].tag): name for name, rows in facts.packs().items()}
    return PACKS.get(item.key) or own[item.set, item.tag]


def nullable(value: Schema) -> Schema:
    if isinstance(value.get("type"), str | list) and "enum" not in value:
        types = [value["type"]] if isinstance(value["type"], str) else value["type"]
        return value | {"type": [*types, "null"]}
    either = value["anyOf"] if set(value) == {"anyOf"} else [value]
    return {"anyOf": [*either, {"type": "null"}]}


def beyond(name: str) -> list[facts.Item]:
    """The items of a set that may hold an integer beyond `MOST`, by their width in the standard."""
    return [item for item in facts.items(name) if holds_large(item)]


def holds_large(item: facts.Item) -> bool:
    kind, _, inner = item.kind.partition(":")
    if kind in ("dlp", "flp", "vlp"):
        return item.key != "sdcc_flp" and any(map(_is_large, facts.packs()[pack_name(item)]))
    if (item.set, item.key) == ("RvtUserDefined", "user_data") or kind == "mdap":
        return True
    if kind == "series":
        return any(map(_is_large, facts.packs().get(inner, ())))
    wide = item.len_max == 0 or item.len_max > 6
    return wide and kind in WHOLE and item.mapping in ("raw", "ber_oid", "special") and _in_range(item)


def _is_large(element: facts.Element) -> bool:
    wide = not element.length.isdigit() or int(element.length) > 6
    length = element.kind == "ber" and element.name.endswith("_length")
    return wide and not length and (element.kind in WHOLE or element.kind == "mdap") and _in_range(element)


def _in_range(of: facts.Item | facts.Element) -> bool:
    return of.max is None or of.max > MOST


def closed(properties: Schema, *, required: bool = False) -> Schema:
    """An object with these keys and no others."""
    shape: Schema = {"type": "object", "properties": properties}
    if required:
        shape["required"] = list(properties)
    return shape | {"additionalProperties": False}


def plain(value: Fraction) -> int | float:
    return int(value) if value.denominator == 1 else float(value)


def range_text(of: facts.Item | facts.Element) -> str:
    """`-90 to 90`, or empty if there is no range."""
    if of.min is None or of.max is None or of.kind in ("enum", "bitfield"):
        return ""
    return f"{plain(of.min)} to {plain(of.max)}"


def scalar(kind: str, mapping: str, low: Fraction | None, high: Fraction | None, codes: dict[int, str]) -> Schema:
    if codes:
        return label(list(codes.values()), whole=False)
    if mapping.startswith("linear") and low is not None and high is not None:
        return {"type": "number", "minimum": plain(low), "maximum": plain(high)}
    if mapping == "imapb":
        return {"type": "number"}  # its codes exceed the range
    return KINDS.get(kind, COUNT)


def label(labels: list[str], *, whole: bool) -> Schema:
    """One of the labels; unless they are `whole`, a code without a label is a number."""
    named: Schema = {"enum": list(dict.fromkeys(labels))}
    return named if whole else {"anyOf": [named, COUNT]}


def labels(set_: str, tag: int, field: str) -> dict[int, str]:
    rows = [code for code in facts.codes() if (code.set, code.tag, code.code_type) == (set_, tag, "value")]
    return {code.code: code.label for code in rows if code.field == field}


def bits(set_: str, tag: int, element: str = "") -> Schema:
    """The object of a bit field, with a key for each field."""
    fields = facts.bit_fields(set_, tag, element)
    return closed({field.key: bit_field(set_, tag, field) for field in fields}, required=True)


def bit_field(set_: str, tag: int, field: facts.BitField) -> Schema:
    if field.codes:
        value = label([code.label for code in field.codes], whole=len(field.codes) == 1 << field.width)
    elif field.width == 1:
        value = {"type": "boolean"}
    else:
        value = SMALL | {"maximum": (1 << field.width) - 1}
    return {"description": bit_text(set_, tag, field)} | value


def bit_text(set_: str, tag: int, field: facts.BitField) -> str:
    """`bit 2: IR polarity: 0 white hot, 1 black hot`, `bits 7 to 6`."""
    if field.width > 1:
        return f"bits {field.shift + field.width - 1} to {field.shift}"
    rows = (code for code in facts.codes() if (code.set, code.tag, code.code_type) == (set_, tag, "bit"))
    label = [code.label for code in rows if code.code == field.shift]
    return ": ".join([f"bit {field.shift}", *label])
