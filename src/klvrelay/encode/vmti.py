"""Which maps a VMTI set follows: those of ST 0903.4 and later, or the linear ones of before.

Room: encode. Next door: `sets.py` asks here before it writes such a set.

The version tells it. Where a set leaves the version out, as decoders read it, an offset of a target that is shorter
than IMAPB made them shows the older maps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from klvrelay.encode.layout import Entry, Name, items_by_tag
from klvrelay.encode.numbers import whole
from klvrelay.encode.place import Place
from klvrelay.encode.wire import Trace, read_oid
from klvrelay.spec import SETS

VERSION = 4  # the tag
_TARGETS = 101
_NEW_MAPS = 4  # the first version that has them
_OFFSETS: dict[Name, int] = {tag: item.len_min for tag, item in SETS["VTarget"].items() if item.old == "linear_int"}


def has_old_maps(pairs: Sequence[tuple[object, object]], earlier: bytes, place: Place) -> bool:
    """Do the items, or where they are silent the earlier set, follow the older maps?"""
    versions = [value for key, value in pairs if key in ("vmti_ls_version", VERSION)]
    if not versions:
        return shows_old_maps(earlier)
    value = versions[-1]
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


def check_maps(entries: Sequence[Entry], body: bytes) -> None:
    """Refuse a set on the older maps of which nothing tells so: it would be read wrong."""
    old = [entry for entry in entries if entry.place.old]
    if old and not any(entry.name == VERSION for entry in entries) and not shows_old_maps(body):
        raise old[0].place.misfit(old[0].value, "vmti_ls_version is wanted: no short offset shows the older maps now")
