"""Packs of the second opinion: values made of several elements, as `packs.csv` lists them.

Next door, `reference_values.py` reads the elements and `reference_sets.py` the sets around a pack.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

from reference_values import (
    Context,
    Place,
    Real,
    bits,
    flags,
    identifier,
    ieee,
    imapb,
    integer,
    labels,
    linear,
    number,
    text,
)
from reference_wire import Unreadable, ber_length, ber_oid, split

from native.spec import facts

ZERO = Real(Fraction(0), Fraction(0))


@cache
def packs() -> dict[str, list[facts.Element]]:
    return facts.packs()


@dataclass
class Cursor:
    """Takes bytes off the front."""

    data: bytes

    def take(self, count: int) -> bytes:
        if count > len(self.data):
            raise Unreadable
        taken, self.data = self.data[:count], self.data[count:]
        return taken

    def ber(self) -> int:
        value, used = ber_length(self.data)
        self.take(used)
        return value

    def oid(self) -> int:
        value, used = ber_oid(self.data)
        self.take(used)
        return value

    def end(self) -> None:
        if self.data:
            raise Unreadable


def read_pack(name: str, data: bytes, place: Place, context: Context) -> Any:
    elements = packs()[name]
    cursor = Cursor(data)
    if name == "CoreIdentifier":
        return read_core_identifier(cursor)
    if name in ("CommandVerification", "ActiveWavelengths"):
        return read_numbers(elements[0], cursor)
    if name == "PayloadRecord":
        count = cursor.oid()
        records = read_records(elements[2:], cursor.data, place.child("records"), context)
        return {"payload_count": count, "records": records}
    if elements[0].repeat:
        return read_records(elements[1:], data, place, context)
    return read_elements(elements, cursor, place, context)


def read_numbers(element: facts.Element, cursor: Cursor) -> list[Any]:
    numbers = []
    while cursor.data:
        numbers.append(read_oid(element, cursor.oid()))
    return numbers


def read_records(elements: list[facts.Element], data: bytes, place: Place, context: Context) -> list[Any]:
    records, broken = split(data)
    if broken:
        raise Unreadable
    return [
        read_elements(elements, Cursor(record), place.index(at), context) for at, record in enumerate(records)
    ]


def read_elements(
    elements: list[facts.Element], cursor: Cursor, place: Place, context: Context
) -> dict[str, Any]:
    """Elements in order; only optional ones may be cut off the end, and nothing may be left over."""
    found: dict[str, Any] = {}
    rest = list(elements)
    while rest and (cursor.data or not rest[0].optional):
        element = rest.pop(0)
        if element.kind != "ber" or not element.name.endswith("_length"):
            size = int(element.length) if element.length.isdigit() else len(cursor.data)
            found[element.name] = read_element(element, cursor, size, place, context)
            continue
        count = cursor.ber()
        group = [rest.pop(0)]
        while group[0].length != element.name and rest and rest[0].kind != "ber":
            group.append(rest.pop(0))
        found.update(read_group(group, cursor.take(count), place, context))
    cursor.end()
    return found


def read_group(group: list[facts.Element], data: bytes, place: Place, context: Context) -> dict[str, Any]:
    """What stands behind a length of its own; of length 0: all of it unknown."""
    if not data:
        return {element.name: None for element in group}
    if len(data) % 2 and group[0].length == "half":
        raise Unreadable
    cursor = Cursor(data)
    found = {}
    for element in group:
        if cursor.data or not element.optional:
            whole = len(data) // 2 if element.length == "half" else len(data)
            size = int(element.length) if element.length.isdigit() else whole
            found[element.name] = read_element(element, cursor, size, place, context)
    cursor.end()
    return found


def read_element(element: facts.Element, cursor: Cursor, size: int, place: Place, context: Context) -> Any:
    if element.kind == "ber":
        return cursor.ber()
    if element.kind == "ber_oid":
        return read_oid(element, cursor.oid())
    data = cursor.take(size)
    if element.kind == "utf8":
        return text(data, "utf8", place, context)
    if element.kind == "uuid":
        return identifier(data)
    if element.mapping != "raw":
        return read_mapped(element, data, place.child(element.name), context)
    value = integer(data, signed=element.kind == "int")
    known = labels(element.set, element.tag, element.name) if element.kind == "enum" else {}
    return known.get(value, value)


def read_mapped(element: facts.Element, data: bytes, place: Place, context: Context) -> Real | None:
    assert element.min is not None
    assert element.max is not None
    raw, _, meaning = element.notes.partition("=")
    if meaning and int(raw, 16) == int.from_bytes(data, "big"):
        return number(meaning, place, context)
    if element.mapping == "imapb" and element.set == "ST0903" and context.old_maps:
        return linear("linear_uint", data, element.min, element.max)
    if element.mapping == "imapb":
        return number(imapb(data, element.min, element.max), place, context)
    return linear(element.mapping, data, element.min, element.max)


def read_oid(element: facts.Element, value: int) -> Any:
    if (element.pack, element.name) == ("WeaponRecord", "status"):
        general = value & 0x7F
        known = labels("ST0601", 140, "weapon_general_status")
        return {"general_status": known.get(general, general), **flags(value, bits("ST0601", 140))}
    if (element.pack, element.name) == ("WaypointRecord", "info"):
        return flags(value, bits("ST0601", 141))
    return labels(element.set, element.tag, element.name).get(value, value)


def read_core_identifier(cursor: Cursor) -> dict[str, Any]:
    """MISB ST 1204: the usage byte says which identifiers follow."""
    found: dict[str, Any] = {"version": cursor.take(1)[0], "usage": cursor.take(1)[0]}
    if found["version"] > 0x7F:
        raise Unreadable
    masks = {"sensor_id": 0x60, "platform_id": 0x18, "window_id": 4, "minor_id": 2}
    for name, mask in masks.items():
        if found["usage"] & mask:
            found[name] = identifier(cursor.take(16))
    cursor.end()
    return found


@dataclass(frozen=True)
class Form:
    """How the numbers of an SDCC-FLP are written (ST 1010 parse control)."""

    mode: int
    sparse: bool
    rho: str
    rho_bytes: int
    sigma: str
    sigma_bytes: int


def read_form(cursor: Cursor) -> Form:
    first = cursor.take(1)[0]
    if not first & 0x80:
        return Form(1, bool(first & 8), "imapb", first & 7, "ieee", first >> 4 & 7)
    second = cursor.take(1)[0]
    rho = "imapb" if first & 0x10 else "ieee"
    return Form(2, bool(first & 0x20), rho, first & 15, "raw" if second & 0x10 else "ieee", second & 15)


def read_sdcc(value: bytes, place: Place, context: Context) -> dict[str, Any]:
    """MISB ST 1010: sigmas, and the upper triangle of correlations, row by row."""
    cursor = Cursor(value)
    size = cursor.oid()
    if not 1 <= size <= 143:
        raise Unreadable
    form = read_form(cursor)
    pairs = size * (size - 1) // 2
    vector = cursor.take(-(-pairs // 8)) if form.sparse else b"\xff" * pairs
    there = [bool(vector[pair // 8] >> (7 - pair % 8) & 1) for pair in range(pairs)]
    sigma = [
        read_sdcc_number(cursor.take(form.sigma_bytes), form.sigma, place.child(f"sigma[{row}]"), context)
        for row in range(size if form.sigma_bytes else 0)
    ]
    rho: list[Any] = []
    for pair, given in enumerate(there if form.rho_bytes else []):
        data = cursor.take(form.rho_bytes) if given else b""
        rho.append(read_sdcc_number(data, form.rho, place.child(f"rho[{pair}]"), context) if given else ZERO)
    cursor.end()
    return {"matrix_size": size, "mode": form.mode, "sparse": form.sparse, "sigma": sigma, "rho": rho}


def read_sdcc_number(data: bytes, form: str, place: Place, context: Context) -> Any:
    if form == "raw":
        return data.hex()
    if form == "imapb":
        return number(imapb(data, Fraction(-1), Fraction(1)), place, context)
    if len(data) not in (2, 4, 8):
        return data.hex()
    return ieee(data, place, context)
