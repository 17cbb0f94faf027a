"""`src/klvrelay/spec.py` out of the csv facts: what Python knows of items, packs, labels and keys.

Next door, `c_tables.py` writes the same facts for C; `generate.py` calls both.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from native.generate.c_tables import string
from native.generate.schema_values import pack_name
from native.spec import facts

HEAD = '''"""What the standards say of items, packs, labels and keys. Made by native/generate: do not edit."""

from typing import NamedTuple


class Item(NamedTuple):
    """One item of a set; lengths in bytes (0 = no maximum), range in `units`."""

    tag: int
    key: str
    name: str
    units: str
    kind: str
    len_min: int
    len_max: int
    min: float | None
    max: float | None
    mapping: str
    pack: str  # name in PACKS, or ""
    special: dict[int, str]  # raw code -> what it means instead of a number
    repeats: bool
    required: bool
    deprecated: bool
    notes: str


class Element(NamedTuple):
    """One element of a pack; `length` in bytes, or the name of the element that holds it, "var", "half", "rest"."""

    name: str
    kind: str
    length: str
    min: float | None
    max: float | None
    mapping: str
    optional: bool
    repeat: bool


class Bits(NamedTuple):
    """Bits of a bit field: one is a flag, several are a number or, with `codes`, a label."""

    key: str
    shift: int
    width: int
    codes: dict[int, str]

'''


def python_table() -> str:
    """The module as text."""
    return "\n".join([HEAD, *_sets(), *_packs(), *_keys(), *_codes(), *_bits(), ""])


def _sets() -> Iterator[str]:
    yield "SETS: dict[str, dict[int, Item]] = {"
    for name in facts.DECODED:
        yield f'    "{name}": {{'
        for item in facts.items(name):
            yield f"        {item.tag}: {_item(item)},"
        yield "    },"
    yield "}\n"


def _item(item: facts.Item) -> str:
    pack = pack_name(item) if item.kind in ("dlp", "flp", "vlp") else ""
    return _call(
        "Item", item.tag, item.key, item.name, item.units, item.kind, item.len_min, item.len_max, item.min, item.max,
        item.mapping, pack, item.special, item.repeats, item.required, item.deprecated, item.notes,
    )  # fmt: skip


def _packs() -> Iterator[str]:
    yield "PACKS: dict[str, tuple[Element, ...]] = {"
    for name, elements in facts.packs().items():
        yield f'    "{name}": ('
        for e in elements:
            values = (e.name, e.kind, e.length, e.min, e.max, e.mapping, e.optional, e.repeat)
            yield f"        {_call('Element', *values)},"
        yield "    ),"
    yield "}\n"


def _keys() -> Iterator[str]:
    yield "UNIVERSAL_KEYS: dict[str, bytes] = {"
    for row in facts.universal_keys():
        yield f'    "{row.set}": bytes.fromhex("{row.key.hex()}"),'
    yield "}\n"
    yield "# What 16-byte keys of items mean, in universal form"
    yield "KEYED: dict[bytes, Item] = {"
    for key, item in facts.keyed():
        yield f'    bytes.fromhex("{key.hex()}"): {_item(item)},'
    yield "}\n"


def _codes() -> Iterator[str]:
    grouped: dict[tuple[str, int, str], dict[int, str]] = {}
    for code in facts.codes():
        if code.code_type == "value":
            grouped.setdefault((code.set, code.tag, code.field), {})[code.code] = code.label
    yield "# (set, tag, field) -> code -> label"
    yield "CODES: dict[tuple[str, int, str], dict[int, str]] = {"
    for where, labels in grouped.items():
        yield f"    {_value(where)}: {_value(labels)},"
    yield "}\n"


def _bits() -> Iterator[str]:
    yield "# (set, tag, element of the pack or \"\") -> what the bits mean"
    yield "BITS: dict[tuple[str, int, str], tuple[Bits, ...]] = {"
    for where in _bit_places():
        fields = (
            _call("Bits", f.key, f.shift, f.width, {code.code: code.label for code in f.codes})
            for f in facts.bit_fields(*where)
        )
        yield f"    {_value(where)}: ({', '.join(fields)},),"
    yield "}"


def _bit_places() -> Iterator[tuple[str, int, str]]:
    for name in facts.DECODED:
        for item in facts.items(name):
            if item.kind == "bitfield" and facts.bit_fields(name, item.tag):
                yield name, item.tag, ""
    yield "ST0601", 140, "status"
    yield "ST0601", 141, "info"


def _call(name: str, *values: object) -> str:
    return f"{name}({', '.join(_value(value) for value in values)})"


def _value(value: object) -> str:
    if isinstance(value, Fraction):
        return repr(int(value) if value.denominator == 1 else float(value))
    if isinstance(value, str):
        return string(value)
    if isinstance(value, tuple):
        return f"({', '.join(_value(part) for part in value)})"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_value(key)}: {_value(part)}' for key, part in value.items())}}}"
    return repr(value)
