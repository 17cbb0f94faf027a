"""Reference decoder, local sets: items by tag, nested sets and series."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from reference_arrays import read_array, read_sdcc
from reference_packs import packs, read_pack
from reference_scalars import mapping_of, read_scalar, text
from reference_values import Context, Place, integer
from reference_wire import Entry, TooDeep, Unreadable, ber_oid, split, walk

from native.spec import facts

DEPTH = 8
SEGMENTS = {"ST1607-segment": "ST0601", "ST1607-amend": "ST0601"}
OFFSETS = (10, 11, 13, 14, 15, 16)
TARGETS = {"VTargetPack": "VTarget", "VTrackItemPack": "VTrackItem"}
PACKS = {
    "target_location": "Location",
    "velocity": "Velocity",
    "acceleration": "Acceleration",
    "fpa_index": "FpaIndex",
    "miis_id": "CoreIdentifier",
    "miis_core_identifier": "CoreIdentifier",
}


@cache
def table(name: str) -> dict[int, facts.Item]:
    return {item.tag: item for item in facts.items(name)}


def pack_of(item: facts.Item) -> str:
    own = {(rows[0].set, rows[0].tag): name for name, rows in packs().items()}
    return PACKS.get(item.key) or own[item.set, item.tag]


def read_set(
    name: str, data: bytes, place: Place, context: Context, *, amend: bool = False
) -> dict[str, Any]:
    """The items of one set by key; under `unknown` those that are not in the table or unreadable."""
    entries = read_entries(data, place, context)
    if name == "ST0903":
        context = context.with_old_maps(has_old_maps(entries, context))
    times = [entry.value for entry in entries if entry.tag == facts.TIME.get(name)]
    if times:
        context = context.with_time(integer(times[-1]) if 0 < len(times[-1]) <= 8 else None)
    items: dict[str, Any] = {}
    unknown: dict[str, str] = {}
    for tag, found in in_turn(by_tag(entries), name):
        item = table(name).get(tag)
        inside = place.child(item.key if item else str(tag), str(tag))
        if item is not None and item.repeats:
            items[item.key] = [
                read_repeated(item, entry, entries, inside.index(at), context, amend)
                for at, entry in enumerate(found)
            ]
            continue
        if len(found) > 1:
            context.warn(inside, "repeated, last kept")
        try:
            if item is None:
                raise Unreadable
            items[item.key] = read_item(item, found[-1].value, inside, context, amend)
            if name == "RvtUserDefined" and tag == 2:
                items |= user_value(found[-1].value, entries, inside, context)
        except Unreadable:
            unknown[str(tag)] = found[-1].value.hex()
    return {**items, "unknown": unknown} if unknown else items


def read_entries(data: bytes, place: Place, context: Context) -> list[Entry]:
    """The items of a set, up to the point where it is truncated."""
    entries, broken = walk(data)
    if broken is not None:
        break_off(place, broken, context)
    return entries


def break_off(place: Place, tag: int | str, context: Context) -> None:
    if tag == "":
        context.warn_packet("a tag is malformed, the rest of its set left out")
    else:
        context.warn(place.child("", str(tag)), "length runs past the end, the rest of its set left out")


def by_tag(entries: list[Entry]) -> dict[int, list[Entry]]:
    found: dict[int, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.tag, []).append(entry)
    return found


def in_turn(found: dict[int, list[Entry]], name: str) -> list[tuple[int, list[Entry]]]:
    """The place of an item in its set: an array at its first element, any other at the last, which is kept."""

    def at(tag: int) -> int:
        item = table(name).get(tag)
        return found[tag][0 if item and item.repeats else -1].at

    return [(tag, found[tag]) for tag in sorted(found, key=at)]


def user_value(data: bytes, entries: list[Entry], place: Place, context: Context) -> dict[str, Any]:
    """The value of the user data of an RVT set, where the item before them defines it (MISB ST 0806)."""
    kinds = [entry.value[0] >> 6 if len(entry.value) == 1 else None for entry in entries if entry.tag == 1]
    kind = kinds[-1] if kinds and data else None
    if kind == 0:
        return {"user_value": text(data, "utf8", place, context)}
    if kind in (1, 2) and len(data) <= 8:
        return {"user_value": integer(data, signed=kind == 1)}
    return {}


def has_old_maps(entries: list[Entry], context: Context) -> bool:
    """Is this a VMTI set before version 4? Without a version, offsets shorter than IMAPB show it."""
    versions = [entry.value for entry in entries if entry.tag == 4]
    if versions:
        return 0 < len(versions[-1]) <= 8 and integer(versions[-1]) < 4
    short = any(short_offset(target) for entry in entries if entry.tag == 101 for target in split(entry.value)[0])
    if short:
        context.warn_packet("VMTI version not told: short offsets show the maps of before version 4")
    return short


def short_offset(target: bytes) -> bool:
    try:
        _, used = ber_oid(target)
    except Unreadable:
        return False
    return any(entry.tag in OFFSETS and len(entry.value) in (1, 2) for entry in walk(target[used:])[0])


def read_repeated(
    item: facts.Item, entry: Entry, entries: list[Entry], place: Place, context: Context, amend: bool
) -> Any:
    """One element of a repeatable item; an unreadable one is null."""
    try:
        value = read_item(item, entry.value, place, context, amend)
    except Unreadable:
        return None
    if item.key == "sdcc_flp" and value is not None:
        before = entries[: entries.index(entry)]
        before = before[len(before) - value["matrix_size"] :] if len(before) >= value["matrix_size"] else []
        keys = {tag: other.key for tag, other in table(item.set).items()}
        value["items"] = [keys.get(other.tag, str(other.tag)) for other in before]
    return value


def read_item(item: facts.Item, value: bytes, place: Place, context: Context, amend: bool) -> Any:
    """One value of one item; raises Unreadable after a warning."""
    if not value:
        if not item.zero_len_legal and not amend:
            context.warn(place, "length 0 is not legal here")
        return None
    return read_value(item, value, place, context)


def read_value(item: facts.Item, value: bytes, place: Place, context: Context) -> Any:
    """One non-empty value; raises Unreadable after a warning."""
    wrong = len(value) < item.len_min or (item.len_max and len(value) > item.len_max)
    short_offset = len(value) < item.len_min and mapping_of(item, context) == "linear_int" != item.mapping
    if wrong and not short_offset:  # before version 4 of VMTI, offsets had as many bytes as they needed
        context.warn(place, f"{len(value)} byte{'s' * (len(value) > 1)}, expected {span(item)}")
    trial = context.trial()
    try:
        read = read_kind(item, value, place, trial)
    except Unreadable as fault:
        if not wrong or fault.reason != "malformed":
            context.warn(place, fault.reason)
        raise
    context.merge(trial)
    return read


def span(item: facts.Item) -> str:
    if not item.len_max:
        return f"{item.len_min} or more"
    return str(item.len_max) if item.len_min == item.len_max else f"{item.len_min}-{item.len_max}"


def read_kind(item: facts.Item, value: bytes, place: Place, context: Context) -> Any:
    kind, _, inner = item.kind.partition(":")
    if kind == "local_set":
        return read_local_set(inner, value, place, context)
    if kind == "series":
        return read_series(inner, value, place, context)
    if item.key == "sdcc_flp":
        return read_sdcc(value, place, context)
    if kind == "mdap":
        return read_array((item.set, item.tag), value, place, context)
    if kind in ("dlp", "flp", "vlp"):
        return read_pack(pack_of(item), value, place, context)
    return read_scalar(item, value, place, context)


def read_local_set(name: str, value: bytes, place: Place, context: Context) -> Any:
    if context.depth >= DEPTH:
        raise TooDeep
    inner = SEGMENTS.get(name, name)
    if inner not in facts.DECODED:
        return value.hex()
    return read_set(inner, value, place, context.deeper(), amend=name == "ST1607-amend")


def read_series(kind: str, value: bytes, place: Place, context: Context) -> list[Any]:
    elements, broken = split(value)
    of_sets = kind.startswith("local_set:") or kind in TARGETS
    if broken and not of_sets:
        raise Unreadable
    if of_sets and context.depth >= DEPTH:
        context.warn(place, "nested too deep")
        raise Unreadable
    if broken:
        context.warn(place.index(len(elements)), "series is malformed, the rest left out")
    return list(read_each(kind, elements, place, context))


def read_each(kind: str, elements: list[bytes], place: Place, context: Context) -> Iterator[Any]:
    for at, element in enumerate(elements):
        inside = place.index(at)
        if kind in TARGETS:
            yield read_target(TARGETS[kind], element, inside, context)
        elif kind.startswith("local_set:"):
            yield read_local_set(kind.partition(":")[2], element, inside, context)
        elif not element:
            yield None
        elif kind == "uint":
            yield integer(element)
        else:
            yield read_pack(kind, element, inside, context)


def read_target(name: str, element: bytes, place: Place, context: Context) -> dict[str, Any] | None:
    try:
        number, used = ber_oid(element)
    except Unreadable:
        context.warn(place, "target without id")
        return None
    return {"target_id": number, **read_set(name, element[used:], place, context.deeper())}
