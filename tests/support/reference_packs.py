"""Reference decoder, packs: values made of several elements, as listed in `packs.csv`."""

from __future__ import annotations

from functools import cache
from typing import Any

from reference_arrays import read_array
from reference_miis import read_core_identifier
from reference_scalars import fields, identifier, labels, read_bits, read_float, text
from reference_values import Context, Place, Real, imapb, integer, linear, microseconds, number
from reference_wire import Cursor, Unreadable, split

from native.spec import facts


@cache
def packs() -> dict[str, list[facts.Element]]:
    return facts.packs()


def read_pack(name: str, data: bytes, place: Place, context: Context) -> Any:
    elements = packs()[name]
    cursor = Cursor(data)
    if name == "CoreIdentifier":
        return read_core_identifier(data)
    if name in ("CommandVerification", "ActiveWavelengths"):
        return read_numbers(elements[0], cursor, place, context)
    if name == "PayloadRecord":
        count = cursor.oid()
        records = read_records(elements[2:], cursor.data, place.child("records"), context)
        return {"payload_count": count, "records": records}
    if elements[0].repeat:
        return read_records(elements[1:], data, place, context)
    return read_elements(elements, cursor, place, context)


def read_numbers(element: facts.Element, cursor: Cursor, place: Place, context: Context) -> list[Any]:
    numbers = []
    while cursor.data:
        numbers.append(read_oid(element, cursor.oid(), place, context))
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
    """Elements in order; only optional ones may be missing at the end, and no bytes may be left over."""
    found: dict[str, Any] = {}
    rest = list(elements)
    groups: dict[str, bytes] = {}
    while rest and (cursor.data or not rest[0].optional or rest[0].default):
        element = rest.pop(0)
        if element.default and not cursor.data and element.default not in groups:
            value = context.time if element.default == "precision_time_stamp" else facts.omitted(element)
            value = microseconds(value) if element.kind == "timestamp" else value
            found |= {} if value is None else {element.name: value}
            continue
        if element.kind != "ber" or not element.name.endswith("_length"):
            size = int(element.length) if element.length.isdigit() else len(cursor.data)
            found[element.name] = read_element(element, cursor, size, place, context)
            continue
        left_out = element.default and not cursor.data
        groups[element.name] = groups[element.default] if left_out else cursor.take(cursor.ber())
        group = [rest.pop(0)]
        while group[0].length != element.name and rest and rest[0].kind != "ber":
            group.append(rest.pop(0))
        found.update(read_group(group, groups[element.name], place, context))
    cursor.end()
    return found


def read_group(group: list[facts.Element], data: bytes, place: Place, context: Context) -> dict[str, Any]:
    """A group with its own length prefix; of length 0: all elements unknown."""
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
        return read_oid(element, cursor.oid(), place, context)
    data = cursor.take(size)
    if element.kind == "mdap":
        return read_array((element.set, element.tag), data, place.child(element.name), context)
    if element.kind == "float":
        return read_float(data, place.child(element.name), context)
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


def read_oid(element: facts.Element, value: int, place: Place, context: Context) -> Any:
    of = fields(element.set, element.tag, element.name)
    if of:
        return read_bits(of, value, place, context)
    return labels(element.set, element.tag, element.name).get(value, value)
