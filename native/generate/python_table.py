"""`src/klvrelay/standards/spec.py` out of the csv facts: what Python knows of items, packs, labels and keys.

`c_tables.py` writes the same facts for C.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from functools import cache

from native.generate.c_rows import string
from native.generate.c_tables import CELLS, OLD_LINEAR_INT, OLD_LINEAR_UINT
from native.generate.schema_values import pack_name
from native.spec import facts

HEAD = '''"""What the standards say of items, packs, labels and keys. Made by native/generate: do not edit."""

from typing import NamedTuple


class Bits(NamedTuple):
    """Bits of a bit field: one is a flag, several are a number or, with `codes`, a label."""

    key: str
    shift: int
    width: int
    codes: dict[int, str]


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
    set: str  # the table it is from
    zero_len: bool  # length 0 is legal: the value is unknown
    old: str  # its mapping before version 4 of VMTI, where that was another
    codes: dict[int, str]  # code -> label
    bits: tuple[Bits, ...]
    cells: str  # natural elements of an array: "float", "uint", "int", or rows of deviations and correlations


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
    len_min: int  # 0 = open
    len_max: int
    special: dict[int, str]
    group: int  # optional elements of one group are there together; 0 = no group
    old: str
    codes: dict[int, str]
    bits: tuple[Bits, ...]
    default: int | str | None  # its value where it is left out: a number, an item of the set, an earlier group

'''

SUMS = {2: "crc16", 4: "crc32"}


class Name(str):
    """A value that the module refers to by its expression."""


def python_table() -> str:
    """The module as text."""
    return "\n".join([HEAD, *_codes(), *_bits(), *_sets(), *_packs(), *_heads(), *_keys(), ""])


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
    where = item.set, item.tag
    old = "linear_int" if where in OLD_LINEAR_INT else "linear_uint" if where in OLD_LINEAR_UINT else ""
    cells = CELLS.get(where, "C_INT").removeprefix("C_").lower() if item.kind == "mdap" else ""
    return _call(
        "Item", item.tag, item.key, item.name, item.units, item.kind, item.len_min, item.len_max, item.min, item.max,
        item.mapping, pack, item.special, item.repeats, item.required, item.deprecated, item.notes,
        item.set, item.zero_len_legal, old, _named("CODES", *where, item.key), _named("BITS", *where, ""), cells,
    )  # fmt: skip


def _named(table: str, set_: str, tag: int, field: str) -> Name:
    """The labels or bits of an item, or nothing."""
    if table == "BITS":
        return Name(f"BITS[{_value((set_, tag, field))}]" if (set_, tag, field) in _bit_places() else "()")
    coded = any(
        (code.set, code.tag, code.field, code.code_type) == (set_, tag, field, "value") for code in _all_codes()
    )
    return Name(f"CODES[{_value((set_, tag, field))}]" if coded else "{}")


@cache
def _all_codes() -> list[facts.Code]:
    return facts.codes()


def _packs() -> Iterator[str]:
    yield "PACKS: dict[str, tuple[Element, ...]] = {"
    for name, elements in facts.packs().items():
        yield f'    "{name}": ('
        for e in elements:
            yield f"        {_element(e)},"
        yield "    ),"
    yield "}\n"


def _element(e: facts.Element) -> str:
    low, _, high = e.length.partition("|")
    least, most = (int(low), int(high or low)) if low.isdigit() else (0, 0)
    group = re.match(r"group (\d)", e.notes)
    special = {1 << (8 * least - 1): "error"} if e.mapping == "linear_int" else {}
    old = "linear_uint" if e.set == "ST0903" and e.mapping == "imapb" else ""
    # The order of a waypoint is a number, though one of its codes has a name.
    codes = Name("{}") if e.name == "prosecution_order" else _named("CODES", e.set, e.tag, e.name)
    return _call(
        "Element", e.name, e.kind, e.length, e.min, e.max, e.mapping, e.optional, e.repeat,
        least, most, special, int(group[1]) if group else 0, old, codes, _named("BITS", e.set, e.tag, e.name),
        e.default or None if facts.omitted(e) is None else facts.omitted(e),
    )  # fmt: skip


def _heads() -> Iterator[str]:
    """What a record lifts out of a packet's own items."""
    sums = {name: (tag, _sum(name, tag)) for name, tag in facts.CHECKSUM.items()}
    yield "# set -> the item that holds its checksum, and which that is"
    yield f"CHECKSUM: dict[str, tuple[int, str]] = {_value(sums)}"
    yield "# set -> the item that holds its time, its version"
    yield f"TIME: dict[str, int] = {_value(facts.TIME)}"
    yield f"VERSION: dict[str, int] = {_value(facts.VERSION)}\n"


def _sum(name: str, tag: int) -> str:
    item = {item.tag: item for item in facts.items(name)}[tag]
    return "sum16" if tag == 1 and item.len_max == 2 else SUMS[item.len_max]


def _keys() -> Iterator[str]:
    yield "UNIVERSAL_KEYS: dict[str, bytes] = {"
    for row in facts.universal_keys():
        yield f'    "{row.set}": bytes.fromhex("{row.key.hex()}"),'
    yield "}\n"
    yield '# what comes under such a key: "local_set", "universal_set", or one "pack" or "item"'
    yield "KEY_TYPES: dict[str, str] = {"
    for row in facts.universal_keys():
        yield f'    "{row.set}": "{row.type}",'
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
    yield '# (set, tag, element of the pack or "") -> what the bits mean'
    yield "BITS: dict[tuple[str, int, str], tuple[Bits, ...]] = {"
    for where in _bit_places():
        fields = (
            _call("Bits", f.key, f.shift, f.width, {code.code: code.label for code in f.codes})
            for f in facts.bit_fields(*where)
        )
        yield f"    {_value(where)}: ({', '.join(fields)},),"
    yield "}\n"


@cache
def _bit_places() -> list[tuple[str, int, str]]:
    items = (item for name in facts.DECODED for item in facts.items(name) if item.kind == "bitfield")
    own = [(item.set, item.tag, "") for item in items if facts.bit_fields(item.set, item.tag)]
    return [*own, ("ST0601", 140, "status"), ("ST0601", 141, "info")]


def _call(name: str, *values: object) -> str:
    return f"{name}({', '.join(_value(value) for value in values)})"


def _value(value: object) -> str:
    if isinstance(value, Name):
        return str(value)
    if isinstance(value, Fraction):
        return repr(int(value) if value.denominator == 1 else float(value))
    if isinstance(value, str):
        return string(value)
    if isinstance(value, tuple):
        return f"({', '.join(_value(part) for part in value)})"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_value(key)}: {_value(part)}' for key, part in value.items())}}}"
    return repr(value)
