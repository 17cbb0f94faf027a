"""Reference decoder, items with 16-byte keys: universal sets, and packets of one item."""

from __future__ import annotations

from functools import cache
from typing import Any

from reference_sets import read_value
from reference_values import Context, Place
from reference_wire import Unreadable, ber_length

from native.spec import facts


def plain(key: bytes) -> bytes:
    """A key without octet 8, the version of the registry."""
    return key[:7] + key[8:]


@cache
def keyed() -> dict[bytes, facts.Item]:
    return {plain(key): item for key, item in facts.keyed()}


def read_universal_set(data: bytes, context: Context) -> dict[str, Any]:
    """Items with 16-byte keys, under the keys of a record."""
    found: list[tuple[bytes, bytes]] = []
    at = 0
    while at < len(data):
        try:
            length, used = ber_length(data[at + 16 :])
        except Unreadable:
            length, used = len(data), 0
        value = data[at + 16 + used : at + 16 + used + length]
        if len(value) < length:
            context.warn_packet("an item is malformed, the rest left out")
            break
        if not context.room.take(items=1):
            context.warn_packet("too many items, the rest left out")
            break
        found.append((data[at : at + 16], value))
        at += 16 + used + length
    return read_each_once(found, context)


def read_each_once(found: list[tuple[bytes, bytes]], context: Context) -> dict[str, Any]:
    by_item: dict[bytes, list[tuple[bytes, bytes]]] = {}
    for key, value in found:
        by_item[plain(key)] = [*by_item.pop(plain(key), []), (key, value)]
    items: dict[str, Any] = {}
    unknown: dict[str, str] = {}
    for same in by_item.values():
        key, value = same[-1]
        if len(same) > 1:
            context.warn(Place(tags=key.hex()), "repeated, last kept")
        try:
            items |= read_keyed(key, value, context)
        except Unreadable:
            unknown[key.hex()] = value.hex()
    return {**items, "unknown": unknown} if unknown else items


def read_keyed(key: bytes, value: bytes, context: Context) -> dict[str, Any]:
    """One item under the key of a record; raises Unreadable after a warning."""
    item = keyed().get(plain(key))
    if item is None:
        raise Unreadable
    if not value:
        return {item.key: None}
    read = read_value(item, value, Place(item.key, key.hex()), context)
    return {item.key: {**read, "items": []} if item.key == "sdcc_flp" else read}


def read_item_packet(key: bytes, value: bytes, context: Context) -> dict[str, Any]:
    """The items of a packet whose key is that of a single item, or unknown."""
    if plain(key) not in keyed():
        context.warn_packet(f"key {key.hex()} is in no table, {len(value)} bytes kept")
    context.room.take(items=1)
    return read_each_once([(key, value)], context)
