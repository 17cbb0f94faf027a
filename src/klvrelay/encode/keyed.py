"""Universal sets to bytes: items behind 16-byte keys (SMPTE ST 336), and a packet that is one such item.

Room: encode. Next door: `sets.py` writes the items, which are those of other sets in universal form.
"""

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
    """The 16-byte key and the item of each key that a record uses."""
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
            raise place.stranger(key, _keys())
    return entries


def _unknown(values: Mapping[object, object], place: ItemPath) -> Iterator[LayoutEntry]:
    """What no table knows or a decoder could not read: bytes by key."""
    for key, value in values.items():
        inside = place.child("unknown")
        code = octets(key, inside)
        if len(code) != 16:
            raise inside.misfit(key, "a key of 16 bytes is wanted")
        yield LayoutEntry(key_name(code), code, None, octets(value, inside), inside)
