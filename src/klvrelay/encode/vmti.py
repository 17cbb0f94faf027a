"""Determines the mappings of a VMTI set: those of ST 0903.4 and later, or the older linear ones.

The version identifies them. If a set has no version, decoders check the offsets of its targets: one that is shorter
than the IMAPB length indicates the older mappings. If the new values are longer, the whole set is written with the
newer mappings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from klvrelay.encode.ber import Template, read_oid
from klvrelay.encode.layout import LayoutEntry, Name, items_by_tag
from klvrelay.encode.numbers import whole
from klvrelay.encode.place import ItemPath
from klvrelay.standards.spec import SETS

VERSION = 4  # tag
_TARGETS = 101
_NEW_MAPS = 4  # the first version with the newer mappings
_OFFSETS: dict[Name, int] = {tag: item.len_min for tag, item in SETS["VTarget"].items() if item.old == "linear_int"}


def has_version(pairs: Sequence[tuple[object, object]]) -> bool:
    """Whether the items of a set include the version."""
    return any(key in ("vmti_ls_version", VERSION) for key, _ in pairs)


def uses_old_maps(pairs: Sequence[tuple[object, object]], earlier: bytes, place: ItemPath) -> bool:
    """Whether the items, or without a version the earlier set, use the older mappings."""
    if not has_version(pairs):
        return implies_old_maps(earlier)
    value = [value for key, value in pairs if key in ("vmti_ls_version", VERSION)][-1]
    if isinstance(value, bytes | bytearray | memoryview):
        return 0 < len(value) <= 8 and int.from_bytes(value, "big") < _NEW_MAPS
    return value is not None and whole(value, place.child("vmti_ls_version")) < _NEW_MAPS


def implies_old_maps(data: bytes) -> bool:
    """Whether the set has no version, and an offset of a target that is too short for IMAPB."""
    items = list(items_by_tag(data))
    if any(item.name == VERSION for item in items):
        return False
    targets = (target for item in items if item.name == _TARGETS for target in _elements(item.value))
    return any(0 < len(one.value) < _OFFSETS.get(one.name, 0) for target in targets for one in items_by_tag(target))


def _elements(series: bytes) -> Iterator[bytes]:
    """The items of each target, without its number."""
    template = Template(series)
    while template:
        element = template.length()[1].data
        number = read_oid(element)
        if number is not None:
            yield element[number[1] :]


def reveals_maps(entries: Sequence[LayoutEntry], body: bytes) -> bool:
    """Whether a decoder would read the encoded set with the mappings it was written with."""
    by_old_maps = any(entry.place.old for entry in entries)
    return not by_old_maps or any(entry.name == VERSION for entry in entries) or implies_old_maps(body)
