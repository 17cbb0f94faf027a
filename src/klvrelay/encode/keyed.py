"""Encodes universal sets: items with 16-byte keys (SMPTE ST 336), and packets that are a single such item."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from klvrelay.encode.layout import LayoutEntry, key_name
from klvrelay.encode.place import ItemPath
from klvrelay.encode.sets import as_pairs
from klvrelay.encode.texts import octets
from klvrelay.standards.spec import KEYED, Item

TIME = "precision_time_stamp"


@cache
def _keys() -> Mapping[str, tuple[bytes, Item]]:
    """16-byte key and item by record key."""
    return {item.key: (key, item) for key, item in KEYED.items()}


def keyed_entries(items: object, place: ItemPath) -> list[LayoutEntry]:
    """The items of a universal set, each with its 16-byte key."""
    entries: list[LayoutEntry] = []
    for key, value in as_pairs(items, place):
        if key == "unknown" and isinstance(value, Mapping):
            entries += _unknown(value, place)
        elif isinstance(key, str) and key in _keys():
            code, item = _keys()[key]
            entries.append(LayoutEntry(key_name(code), code, item, value, place.child(key)))
        else:
            raise place.unknown_key(key, _keys())
    return entries


def _unknown(values: Mapping[object, object], place: ItemPath) -> Iterator[LayoutEntry]:
    """Items that are unknown or were not decodable: bytes by key."""
    for key, value in values.items():
        inside = place.child("unknown")
        code = octets(key, inside)
        if len(code) != 16:
            raise inside.invalid(key, "expected a key of 16 bytes")
        yield LayoutEntry(key_name(code), code, None, octets(value, inside), inside)
