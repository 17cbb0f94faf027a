"""Composite values in the JSON Schema of a record: packs, arrays, identifiers.

`schema_values.py` has the single values in them, `schema.py` the sets around them.
"""

from __future__ import annotations

from native.generate.schema_values import (
    COUNT,
    HEX,
    SIGNED,
    SMALL,
    Schema,
    bits,
    closed,
    labels,
    nullable,
    pack_name,
    range_text,
    scalar,
)
from native.spec import facts

LISTS = ("CommandVerification", "ActiveWavelengths")

# What an array's object has in addition to its values, or instead of them, by array processing algorithm.
ARRAY_HEADS = {2: "imapb_bounds", 4: "bias"}


def packs() -> Schema:
    """A definition for each pack that a decoded item or series uses."""
    items = [item for name in facts.DECODED for item in facts.items(name)]
    used = {pack_name(item) for item in items if item.kind in ("dlp", "flp", "vlp")}
    used |= {item.kind.partition(":")[2] for item in items if item.kind.startswith("series:")}
    known = {name: rows for name, rows in facts.packs().items() if name in used}
    made = {name: pack(name, rows) for name, rows in known.items() if not holds_set(rows)}
    return made | {"MDAP": array()}


def holds_set(elements: list[facts.Element]) -> bool:
    return elements[-1].kind.startswith("local_set:")


def pack(name: str, elements: list[facts.Element]) -> Schema:
    if name == "SDCC-FLP":
        return sdcc()
    if name == "CoreIdentifier":
        return core_identifier(elements)
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
    shown = [e for e in elements if e.kind != "ber" or not e.name.endswith("_length")]
    return closed({element.name: described(element) for element in shown})


def described(element: facts.Element) -> Schema:
    text = "; ".join(part for part in (range_text(element), element.notes) if part)
    return ({"description": text} if text else {}) | nullable(element_value(element))


def element_value(element: facts.Element) -> Schema:
    if element.kind == "mdap":
        return {"$ref": "#/$defs/MDAP"}
    if facts.bit_fields(element.set, element.tag, element.name):
        return bits(element.set, element.tag, element.name)
    coded = labels(element.set, element.tag, element.name) if element.kind != "int" else {}
    return scalar(element.kind, element.mapping, element.min, element.max, coded)


def core_identifier(elements: list[facts.Element]) -> Schema:
    """ST 1204: `usage`, the identifiers, and the text form with its two check digits."""
    text: Schema = {
        "type": "string",
        "description": "The identifier in the text form of ST 1204",
        "pattern": "^[0-9A-F]{4}:([0-9A-F]{4}(-[0-9A-F]{4}){7}[/:])*[0-9A-F]{2}$",
    }
    parts = {element.name: element_value(element) | {"description": element.notes} for element in elements}
    usage = SMALL | {"maximum": 255}
    shape = closed({**parts, "version": parts["version"] | usage, "usage": parts["usage"] | usage, "text": text})
    return shape | {"required": ["version", "usage", "text"]}


def sdcc() -> Schema:
    """ST 1010: standard deviations and correlations of the items before it."""
    number: Schema = {"anyOf": [{"type": ["number", "null"]}, HEX]}
    note = "one per item; hex if the form has no defined range or width"
    properties: Schema = {
        "matrix_size": SMALL,
        "mode": {"enum": [1, 2]},
        "sparse": {"type": "boolean"},
        "sigma": {"type": "array", "items": number, "description": note},
        "rho": {"type": "array", "items": number, "description": "upper triangle, row by row"},
        "items": {"type": "array", "items": {"type": "string"}, "description": "keys of those items"},
    }
    return closed(properties, required=True)


def array() -> Schema:
    """ST 1303: dimensions, elements in row-major order, and what their algorithm needs."""
    number: Schema = SIGNED | {"type": ["number", "string", "null"]}
    cell: Schema = SIGNED | {"type": ["number", "string", "boolean", "null"]}
    rows: Schema = {"type": "array", "items": number, "description": "if each row has a range: the value in each row"}
    shared: Schema = {"anyOf": [number, rows]}
    counts: Schema = {"type": "array", "items": COUNT, "minItems": 1, "maxItems": 8}
    run = closed({"value": shared, "start": counts, "size": counts}, required=True)
    methods = [f"{code} {name}" for code, name in labels("ST1303", 0, "array_processing_algorithm").items()]
    properties: Schema = {
        "dims": {"type": "array", "items": COUNT, "minItems": 1, "maxItems": 8, "description": "outermost first"},
        "ebytes": SMALL | {"description": "bytes of an element; 0: no elements"},
        "apa": {"enum": [1, 2, 3, 4, 5], "description": "array processing algorithm: " + ", ".join(methods)},
        "imapb_bounds": {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
        "bias": COUNT | {"description": "was added to each element"},
        "default": shared | {"description": "value of the elements that no run covers"},
        "runs": {"type": "array", "items": run, "description": "later ones override earlier ones"},
        "values": {"type": "array", "items": cell, "description": "row-major"},
    }
    shape = closed(properties) | {"required": ["dims", "ebytes", "apa"]}
    heads = [only_with(apa, key) for apa, key in ARRAY_HEADS.items()]
    return shape | {"oneOf": [plain(), run_lengths()], "allOf": heads}


def plain() -> Schema:
    """All elements; for run lengths only if there are no elements."""
    return {"required": ["values"], "properties": {"runs": False, "default": False}}


def run_lengths() -> Schema:
    return {"required": ["default", "runs"], "properties": {"apa": {"const": 5}, "values": False}}


def only_with(apa: int, key: str) -> Schema:
    """The key is present with elements of its algorithm, and with no other algorithm."""
    filled: Schema = {"properties": {"apa": {"const": apa}, "values": {"minItems": 1}}}
    other: Schema = {"properties": {"apa": {"not": {"const": apa}}}}
    return {
        "if": filled,
        "then": {"required": [key]},
        "else": {"if": other, "then": {"properties": {key: False}}},
    }
