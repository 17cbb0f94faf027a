"""Which maps a VMTI set follows: those of ST 0903.4 and later, or the linear ones of before.

Room: encode. Next door: `sets.py` asks here before it writes such a set.

The version tells it. Where a set leaves the version out, decoders go by the offsets of its targets: one that is
shorter than IMAPB made them shows the older maps. New values may be longer; then all of it is written by the newer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from klvrelay.encode.layout import LayoutEntry, Name, items_by_tag
from klvrelay.encode.numbers import whole
from klvrelay.encode.place import ItemPath
from klvrelay.encode.wire import Trace, read_oid
from klvrelay.standards.spec import SETS

VERSION = 4  # the tag
_TARGETS = 101
_NEW_MAPS = 4  # the first version that has them
_OFFSETS: dict[Name, int] = {tag: item.len_min for tag, item in SETS["VTarget"].items() if item.old == "linear_int"}


def tells_version(pairs: Sequence[tuple[object, object]]) -> bool:
    """Is the version among the items of a set?"""
    return any(key in ("vmti_ls_version", VERSION) for key, _ in pairs)


def has_old_maps(pairs: Sequence[tuple[object, object]], earlier: bytes, place: ItemPath) -> bool:
    """Do the items, or where they are silent the earlier set, follow the older maps?"""
    if not tells_version(pairs):
        return shows_old_maps(earlier)
    value = [value for key, value in pairs if key in ("vmti_ls_version", VERSION)][-1]
    if isinstance(value, bytes | bytearray | memoryview):
        return 0 < len(value) <= 8 and int.from_bytes(value, "big") < _NEW_MAPS
    return value is not None and whole(value, place.child("vmti_ls_version")) < _NEW_MAPS


def shows_old_maps(data: bytes) -> bool:
    """Is an offset of a target in this set too short for IMAPB, and no version there?"""
    items = list(items_by_tag(data))
    if any(item.name == VERSION for item in items):
        return False
    targets = (target for item in items if item.name == _TARGETS for target in _elements(item.value))
    return any(0 < len(one.value) < _OFFSETS.get(one.name, 0) for target in targets for one in items_by_tag(target))


def _elements(series: bytes) -> Iterator[bytes]:
    """The items of each target, behind its number."""
    trace = Trace(series)
    while trace:
        element = trace.length()[1].data
        number = read_oid(element)
        if number is not None:
            yield element[number[1] :]


def tells_maps(entries: Sequence[LayoutEntry], body: bytes) -> bool:
    """Would the set, as it is written, be read by the maps that it was written by?"""
    by_old_maps = any(entry.place.old for entry in entries)
    return not by_old_maps or any(entry.name == VERSION for entry in entries) or shows_old_maps(body)
