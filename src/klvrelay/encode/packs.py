"""Encodes packs: values of several elements without tags, as listed in `spec.PACKS`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from klvrelay.core import micros
from klvrelay.encode.ber import Template, ber_length
from klvrelay.encode.integers import LARGEST
from klvrelay.encode.mdap import write_array
from klvrelay.encode.numbers import is_value, whole
from klvrelay.encode.place import ItemPath
from klvrelay.encode.specials import special_of, still_special
from klvrelay.encode.values import write_scalar
from klvrelay.standards.spec import PACKS, Element

TIME_OF_SET = "precision_time_stamp"


class Step(NamedTuple):
    """One element, or a length-prefixed group; `default` is that of its first row.

    prefixes   of the names in a group, and of the names in the group that provides its default
    """

    elements: tuple[Element, ...]
    grouped: bool
    optional: bool
    default: int | str | None = None
    prefixes: tuple[str, str] = ("", "")


@cache
def steps_of(name: str) -> tuple[Step, ...]:
    """The steps of a pack, or of its records; each length is combined with what it measures."""
    rows = list(PACKS[name])
    records = [at for at, row in enumerate(rows) if row.name == "record_length"]
    return _steps(rows[records[0] + 1 :] if records else rows)


def _steps(rows: list[Element]) -> tuple[Step, ...]:
    found = []
    while rows:
        head = rows.pop(0)
        if not (head.kind == "ber" and head.name.endswith("_length")):
            found.append(Step((head,), False, head.optional, head.default))
            continue
        group = [rows.pop(0)]
        while group[0].length != head.name and rows and rows[0].kind != "ber":
            group.append(rows.pop(0))
        prefixes = head.name.removesuffix("length"), str(head.default or "").removesuffix("length")
        found.append(Step(tuple(group), True, head.optional, head.default, prefixes))
    return tuple(found)


def write_pack(name: str, value: object, template: Template, place: ItemPath) -> bytes:
    """Encode a pack from a mapping; a pack of records or numbers from a list."""
    first = PACKS[name][0]
    if first.name == "record_length":
        return _records(name, value, template, place)
    if first.repeat:
        return b"".join(_element(first, one, template, place.at(at)) for at, one in enumerate(as_list(value, place)))
    if name == "PayloadRecord":
        return _payload_records(name, value, template, place)
    return write_elements(steps_of(name), as_mapping(value, place), template, place)


def as_list(value: object, place: ItemPath) -> list[object]:
    """The value if it is a list; else raise EncodeError."""
    if not isinstance(value, list | tuple):
        raise place.invalid(value, "expected a list")
    return list(value)


def as_mapping(value: object, place: ItemPath) -> Mapping[str, object]:
    """The value if it is a mapping; else raise EncodeError."""
    if not isinstance(value, Mapping):
        raise place.invalid(value, "expected a mapping")
    return value


def _payload_records(name: str, value: object, template: Template, place: ItemPath) -> bytes:
    """Encode ST 0601 item 138: the number of payloads on the platform, and the records of some of them."""
    values = as_mapping(value, place)
    for key in values:
        if key not in ("payload_count", "records"):
            raise place.unknown_key(key, ("payload_count", "records"))
    count = _element(PACKS[name][0], values.get("payload_count"), template, place.child("payload_count"))
    return count + _records(name, values.get("records", []), template, place.child("records"))


def _records(name: str, value: object, template: Template, place: ItemPath) -> bytes:
    parts: list[bytes] = []
    for at, record in enumerate(as_list(value, place)):
        octets, inner = template.length()
        body = write_elements(steps_of(name), as_mapping(record, place.at(at)), inner, place.at(at))
        parts += (ber_length(len(body), octets), body)
    return b"".join(parts)


def write_elements(steps: tuple[Step, ...], values: Mapping[str, object], template: Template, place: ItemPath) -> bytes:
    """Encode elements in order. Optional ones may be omitted at the end; an omitted group is unknown."""
    known = [element.name for step in steps for element in step.elements]
    for key in values:
        if key not in known:
            raise place.unknown_key(key, known)
    present = [at for at, step in enumerate(steps) if not step.optional or any(e.name in values for e in step.elements)]
    parts = []
    for step in steps[: max(present, default=-1) + 1]:
        if step.default and place.has_layout and not template and _has_default(step, values, place):
            continue
        if step.grouped:
            parts.append(_group(step.elements, values, template, place))
        elif step.elements[0].name in values:
            element = step.elements[0]
            parts.append(_element(element, values[element.name], template, place.child(element.name)))
        else:
            raise place.invalid(values, f"{step.elements[0].name} is missing; only trailing elements may be omitted")
    whole_pack = b"".join(parts)
    _check_groups(steps, values, template, place)
    return whole_pack


def _has_default(step: Step, values: Mapping[str, object], place: ItemPath) -> bool:
    """Whether the given value equals the default that applies when the step is omitted."""
    if step.grouped:
        pairs = [(e.name, e.name.replace(*step.prefixes, 1)) for e in step.elements]
        compared = ([_value_and_special(values, name, place) for name in pair] for pair in pairs)
        return all(one == other for one, other in compared)
    value = values.get(step.elements[0].name)
    if step.default != TIME_OF_SET:
        return is_value(value, step.default)
    time = place.time
    return isinstance(time, int) and 0 <= time <= LARGEST and is_value(value, micros(time))


def _value_and_special(values: Mapping[str, object], name: str, place: ItemPath) -> tuple[object, str | None]:
    value = values.get(name, "")
    return value, special_of(value, place.child(name))


def _check_groups(steps: tuple[Step, ...], values: Mapping[str, object], template: Template, place: ItemPath) -> None:
    """Require all three deviations or none, and likewise the correlations; received values are exempt."""
    for number in {element.group for step in steps for element in step.elements} - {0}:
        names = [element.name for step in steps for element in step.elements if element.group == number]
        if not place.received and any(name in values for name in names) and not all(name in values for name in names):
            raise place.invalid(values, f"{', '.join(names)} must be given together")


def _group(elements: tuple[Element, ...], values: Mapping[str, object], template: Template, place: ItemPath) -> bytes:
    """Encode a length-prefixed group; length 0: all of it is unknown."""
    octets, inner = template.length()
    size = len(inner) // 2
    present = [e for e in elements if e.name in values]
    if all(values[e.name] is None and special_of(None, place.child(e.name)) is None for e in present):
        return ber_length(0, octets)
    parts = []
    for at, element in enumerate(elements):
        if element.name not in values:
            if not element.optional or any(later in present for later in elements[at:]):
                raise place.invalid(values, f"{element.name} is missing; only trailing elements may be omitted")
            continue
        part = inner.take(size) if element.length == "half" else inner
        parts.append(_element(element, values[element.name], part, place.child(element.name)))
    if elements[0].length == "half" and len(present) != len(elements):
        raise place.invalid(values, f"{' and '.join(e.name for e in elements)} must be given together")
    if elements[0].length == "half" and len({len(part) for part in parts}) > 1:
        raise place.invalid(values, "both need the same width")
    body = b"".join(parts)
    return ber_length(len(body), octets) + body


def _element(element: Element, value: object, template: Template, place: ItemPath) -> bytes:
    """Encode one element; `template` is positioned at the earlier element and is moved past it."""
    if element.kind == "ber":
        return _ber_number(value, template, place)
    if element.kind == "mdap":
        return write_array(value, "float", template, place)
    if element.kind == "ber_oid":
        return _oid(element, value, template, place)
    fixed = element.len_min if element.len_min == element.len_max else 0
    part = template.take(fixed or len(template))
    if element.length == "rest" and value == "" and part.data != b"\0":
        return b""  # nothing but an omitted text remains, and it needs no bytes
    if value is None and place.received and still_special(element, None, part.data, place) is None:
        value = {"special": next(iter(element.special.values()), "quiet_nan")}
    written = write_scalar(element, value, part, place)
    if fixed and len(written) != fixed:
        raise place.invalid(value, f"expected {fixed} bytes")
    return written


def _oid(element: Element, value: object, template: Template, place: ItemPath) -> bytes:
    before = template.data
    octets = template.oid()
    form = Template(before[: len(before) - len(template)]) if octets else Template()
    return write_scalar(element, value, form, place)


def _ber_number(value: object, template: Template, place: ItemPath) -> bytes:
    number = whole(value, place)
    if not 0 <= number <= LARGEST:
        raise place.invalid(value, f"the range is 0 to {LARGEST}")
    return ber_length(number, template.number()[0])
