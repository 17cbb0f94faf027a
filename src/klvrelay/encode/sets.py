"""Encodes local sets: items with tags, and the sets, series and packs inside them (SMPTE ST 336)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache

from klvrelay.encode.ber import Template, ber_length
from klvrelay.encode.integers import LARGEST, checked_oid, fits, least_octets
from klvrelay.encode.layout import (
    EarlierItem,
    LayoutEntry,
    arrange,
    items_by_tag,
    place_matrices,
    tagged_entry,
    template_of,
    write_entries,
)
from klvrelay.encode.mdap import write_array
from klvrelay.encode.miis import write_miis
from klvrelay.encode.numbers import whole
from klvrelay.encode.packs import as_list, as_mapping, write_pack
from klvrelay.encode.place import ItemPath
from klvrelay.encode.sdcc import write_sdcc
from klvrelay.encode.specials import still_special
from klvrelay.encode.texts import octets
from klvrelay.encode.userdata import resolve_user_value
from klvrelay.encode.values import write_scalar
from klvrelay.encode.vmti import has_version, reveals_maps, uses_old_maps
from klvrelay.standards.spec import SETS, TIME, Item

# Sets that use the tags of another set (ST 1607 segments and amends contain ST 0601 items).
_SEGMENTS = {"ST1607-segment": "ST0601", "ST1607-amend": "ST0601"}
_TARGETS = {"VTargetPack": "VTarget", "VTrackItemPack": "VTrackItem"}
_HIGHEST_TAG = (1 << 35) - 1  # five octets, the maximum that a decoder reads


@cache
def items_of(name: str) -> Mapping[str, Item]:
    """The items of a set by key; empty for an unknown set."""
    return {item.key: item for item in SETS.get(name, {}).values()}


def write_set(name: str, items: object, template: Template, place: ItemPath) -> bytes:
    """Encode the value of a local set: items in the given order, or in that of the earlier set."""
    seen = list(items_by_tag(template.data))
    entries = entries_of(name, items, template.data, place)
    body = b"".join(write_pairs(place_matrices(arrange(entries, seen)))[0])
    if name == "ST0903" and not reveals_maps(entries, body):
        entries = entries_of(name, items, b"", place)
        body = b"".join(write_pairs(place_matrices(arrange(entries, seen)))[0])
    return body


def write_pairs(pairs: Sequence[tuple[LayoutEntry, EarlierItem | None]]) -> tuple[list[bytes], list[int]]:
    """Encode each item in the form of its counterpart. Also returns the offsets of the values."""
    return write_entries(pairs, [write_entry(entry, template_of(seen)) for entry, seen in pairs])


def entries_of(name: str, items: object, earlier: bytes, place: ItemPath) -> list[LayoutEntry]:
    """The items of a set with tag and path; a repeated item gives one entry per list element."""
    if name == "RvtUserDefined" and isinstance(items, Mapping):
        items = resolve_user_value(items, place)
    pairs = as_pairs(items, place)
    if name == "ST0903":
        place = place._replace(old=uses_old_maps(pairs, earlier, place), versioned=has_version(pairs))
    place = place._replace(time=_time_of(name, pairs, place))
    entries: list[LayoutEntry] = []
    for key, value in pairs:
        if key == "unknown" and isinstance(value, Mapping):
            entries += _unknown(name, value, place)
        else:
            entries += _entries(name, key, value, place, entries)
    return entries


def _time_of(name: str, pairs: list[tuple[object, object]], place: ItemPath) -> object:
    """The time stamp of a set, or else of an enclosing one."""
    tag = TIME.get(name)
    keys = (tag, SETS[name][tag].key) if tag is not None else ()
    return next((value for key, value in reversed(pairs) if key in keys), place.time)


def as_pairs(items: object, place: ItemPath) -> list[tuple[object, object]]:
    """The items as pairs of key and value."""
    if isinstance(items, Mapping):
        return list(items.items())
    if not isinstance(items, Iterable) or isinstance(items, str | bytes | bytearray | memoryview):
        raise place.invalid(items, "expected a mapping of items, or pairs")
    pairs = list(items)
    if not all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in pairs):
        raise place.invalid(items, "expected a mapping of items, or pairs")
    return [(key, value) for key, value in pairs]


def _unknown(name: str, values: Mapping[object, object], place: ItemPath) -> Iterator[LayoutEntry]:
    """Items that are unknown or were not decodable: bytes by tag."""
    for tag, value in values.items():
        if not (isinstance(tag, int) or (isinstance(tag, str) and tag.isdecimal() and tag.isascii() and len(tag) < 12)):
            raise place.child("unknown").invalid(tag, "expected a tag")
        inside = place.child(str(tag))
        item = SETS.get(name, {}).get(int(tag))
        yield tagged_entry(_checked_tag(int(tag), place), item, octets(value, inside), inside)


def _checked_tag(tag: int, place: ItemPath) -> int:
    if not 0 <= tag <= _HIGHEST_TAG:
        raise place.invalid(tag, f"tags range from 0 to {_HIGHEST_TAG}")
    return tag


def _entries(
    name: str, key: object, value: object, place: ItemPath, before: list[LayoutEntry]
) -> Iterator[LayoutEntry]:
    item = _item(name, key, place)
    tag = item.tag if item else _checked_tag(int(key), place)  # type: ignore[call-overload]
    inside = place.child(item.key if item else str(tag))
    if item is None or not item.repeats:
        yield tagged_entry(tag, item, value, inside)
        return
    first = sum(entry.name == tag for entry in before)
    for at, one in enumerate(value if isinstance(value, list | tuple) else [value], first):
        yield tagged_entry(tag, item, one, inside.at(at))


def _item(name: str, key: object, place: ItemPath) -> Item | None:
    """The item of a key or tag; None for an unknown tag."""
    if isinstance(key, int) and not isinstance(key, bool):
        return SETS.get(name, {}).get(key)
    item = items_of(name).get(key) if isinstance(key, str) else None
    if item is None:
        raise place.unknown_key(key, items_of(name))
    return item


def write_entry(entry: LayoutEntry, template: Template) -> bytes:
    """Encode the value of one item; bytes are written unchanged, `null` is length 0."""
    value, item, place = entry.value, entry.item, entry.place
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if value is None and (item is None or still_special(item, value, template.data, place) is None):
        if item is not None and not (item.zero_len or place.received or place.amend):
            raise place.invalid(None, "length 0 is not legal here")
        return b""
    if item is None:
        raise place.invalid(value, "expected bytes for an unknown item")
    code = _by_kind(item, value, template, place)
    if code and not place.received and len(code) != len(template):
        _check_length(item, value, len(code), place)
    return code


def _check_length(item: Item, value: object, size: int, place: ItemPath) -> None:
    if size < item.len_min or (item.len_max and size > item.len_max):
        allowed = f"{item.len_min} to {item.len_max}" if item.len_min < item.len_max else f"{item.len_min}"
        allowed += "" if item.len_max else " or more"
        raise place.invalid(value, f"it takes {size} bytes, {allowed} allowed")


def _by_kind(item: Item, value: object, template: Template, place: ItemPath) -> bytes:
    kind, _, inner = item.kind.partition(":")
    if kind == "local_set":
        return _write_nested(inner, value, template, place)
    if kind == "series":
        return _series(inner, value, template, place)
    if item.pack == "CoreIdentifier":
        return write_miis(value, place)
    if item.pack == "SDCC-FLP":
        return write_sdcc(value, template, place)
    if item.pack:
        return write_pack(item.pack, value, template, place)
    if kind == "mdap":
        return write_array(value, item.cells, template, place)
    return write_scalar(item, value, template, place)


def _write_nested(name: str, value: object, template: Template, place: ItemPath) -> bytes:
    inside = place.inside(value)
    if name == "ST1607-amend":
        inside = inside._replace(amend=True)
    return write_set(_SEGMENTS.get(name, name), value, template, inside)


def _series(kind: str, value: object, template: Template, place: ItemPath) -> bytes:
    """Encode length-prefixed elements; `null` is an element of length 0."""
    parts: list[bytes] = []
    for at, element in enumerate(as_list(value, place)):
        size, inner = template.length()
        code = _element(kind, element, inner, place.at(at))
        parts += (ber_length(len(code), size), code)
    return b"".join(parts)


def _element(kind: str, value: object, template: Template, place: ItemPath) -> bytes:
    if value is None:
        return b""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if kind in _TARGETS:
        return _target(kind, as_mapping(value, place), template, place)
    if kind.startswith("local_set:"):
        return _write_nested(kind.partition(":")[2], value, template, place)
    if kind == "uint":
        return _uint(value, len(template), place)
    return write_pack(kind, value, template, place)


def _target(kind: str, value: Mapping[str, object], template: Template, place: ItemPath) -> bytes:
    """Encode a BER-OID number and the items of a set."""
    number = whole(value.get("target_id"), place.child("target_id"))
    head = checked_oid(number, template, place.child("target_id"))
    items = {key: one for key, one in value.items() if key != "target_id"}
    return head + _write_nested(_TARGETS[kind], items, template, place)


def _uint(value: object, width: int, place: ItemPath) -> bytes:
    number = whole(value, place)
    if not 0 <= number <= LARGEST:
        raise place.invalid(value, f"the range is 0 to {LARGEST}")
    return number.to_bytes(width if fits(number, width, False) else least_octets(number, signed=False), "big")
