"""Reads the csv tables beside it into plain values: the one place where an item of a standard is described.

`native/generate.py` turns these into the C tables, the Python item table, the JSON Schema and the items page.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

HERE = Path(__file__).parent

# The sets that are decoded item by item; the csv that holds each. All other known sets stay raw.
DECODED = {
    "ST0601": "st0601",
    "ST0102": "st0102",
    "ST0903": "st0903_vmti",
    "VTarget": "st0903_vtarget",
    "VMask": "st0903_vmask",
    "VObject": "st0903_vobject",
    "VFeature": "st0903_vfeature",
    "VTracker": "st0903_vtracker",
    "VChip": "st0903_vchip",
    "Algorithm": "st0903_algorithm",
    "Ontology": "st0903_ontology",
}


@dataclass(frozen=True)
class Item:
    """One row of an item table; lengths in bytes, `len_max` 0 = no maximum."""

    set: str
    tag: int
    name: str
    key: str
    units: str
    kind: str
    len_min: int
    len_max: int
    min: Fraction | None
    max: Fraction | None
    mapping: str
    special: dict[int, str]
    zero_len_legal: bool
    repeats: bool
    required: bool
    deprecated: bool
    notes: str


@dataclass(frozen=True)
class Element:
    """One row of `packs.csv`."""

    set: str
    tag: int
    pack: str
    index: int
    name: str
    kind: str
    length: str
    min: Fraction | None
    max: Fraction | None
    mapping: str
    optional: bool
    repeat: bool
    notes: str


@dataclass(frozen=True)
class Code:
    """One row of `enums.csv`: a value of an enumeration, or a bit (range) of a bit field."""

    set: str
    tag: int
    field: str
    code_type: str
    code: int
    label: str


@dataclass(frozen=True)
class UniversalKey:
    set: str
    name: str
    key: bytes
    type: str


def _rows(name: str) -> list[dict[str, str]]:
    with (HERE / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _fraction(text: str) -> Fraction | None:
    return Fraction(text) if text else None


def _special(text: str) -> dict[int, str]:
    pairs = (part.split("=", 1) for part in re.split(r"[;|]", text) if part.strip())
    return {int(raw, 0): meaning.strip() for raw, meaning in pairs}


def items(name: str) -> list[Item]:
    """The items of one decoded set, by tag."""
    return sorted(
        (
            Item(
                set=name,
                tag=int(row["tag"]),
                name=row["name"],
                key=row["key"],
                units=row["units"],
                kind=row["kind"],
                len_min=int(row["len_min"] or 0),
                len_max=int(row["len_max"] or 0),
                min=_fraction(row["min"]),
                max=_fraction(row["max"]),
                mapping=row["mapping"],
                special=_special(row["special"]),
                zero_len_legal=row["zero_len"] == "unknown",
                repeats=row["repeats"] == "Y",
                required=row["required"] == "Y",
                deprecated=row["deprecated"] == "Y",
                notes=row["notes"],
            )
            for row in _rows(DECODED[name])
        ),
        key=lambda item: item.tag,
    )


def packs() -> dict[str, list[Element]]:
    """The packs by name, each with its elements in order."""
    found: dict[str, list[Element]] = {}
    for row in _rows("packs"):
        note = re.fullmatch(r"rest of record|rest", row["length"])
        found.setdefault(row["pack"], []).append(
            Element(
                set=row["set"],
                tag=int(row["tag"] or 0),
                pack=row["pack"],
                index=int(row["index"]),
                name=row["name"],
                kind=row["kind"],
                length="rest" if note else row["length"],
                min=_fraction(row["min"]),
                max=_fraction(row["max"]),
                mapping=row["mapping"],
                optional=row["optional"] == "Y",
                repeat=row["repeat"] == "Y",
                notes=row["notes"],
            )
        )
    return found


def codes() -> list[Code]:
    return [
        Code(row["set"], int(row["tag"] or 0), row["field"], row["code_type"], int(row["code"]), row["label"])
        for row in _rows("enums")
        if row["code_type"] in ("value", "bit") or row["code_type"].startswith("bits ")
    ]


def universal_keys() -> list[UniversalKey]:
    return [
        UniversalKey(row["set"], row["name"], bytes.fromhex(row["key"]), row["type"]) for row in _rows("universal_keys")
    ]


def snake(label: str) -> str:
    """The key of a bit: the words of its label before any colon."""
    return re.sub(r"[^a-z0-9]+", "_", label.split(":")[0].lower()).strip("_")
