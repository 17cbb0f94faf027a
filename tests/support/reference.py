"""The reference decoder: a slow, plain decoder of one KLV packet, written from the csv tables alone.

It shares no code with the C core, which is compared with it (`test_second_opinion.py`). `decode` gives the
record's JSON object without the parts that are not in the bytes (schema, stream, boot, seq, received, pts,
transport). A number that an encoding only resolves in steps is a `Real`: its exact value and that step.

Where the standards leave a choice:

- A value that can't be read as its kind says goes to `unknown` as hex, with one warning, whole.
- A set or series of sets that is truncated keeps what came before, with one warning.
- Of a repeated item only the last counts, and one warning says so.
- A BER-OID number has at most 9 octets. The cells of an array count towards the limit of its packet once its head
  is read, even if the rest then can't be; those of an array of patches once these are read.

Beside it: `reference_sets.py` (local sets), `reference_keys.py` (universal sets, single items),
`reference_packs.py`, `reference_arrays.py` and `reference_miis.py` (packs), `reference_scalars.py` and
`reference_values.py` (text, numbers), `reference_wire.py` (lengths, tags, checksums).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from reference_keys import plain, read_item_packet, read_universal_set
from reference_sets import by_tag, read_entries, read_set, table
from reference_values import Context, Place, integer, microseconds, unit_of
from reference_wire import Entry, ber_length, checksum16, crc16, crc32, walk

from native.spec import facts

# Size and algorithm of the checksum item of each set.
SUMS: dict[str, tuple[int, Callable[[bytes], int]]] = {
    **dict.fromkeys(["ST0601", "ST0903", "VTrack"], (2, checksum16)),
    "ST0806": (4, crc32),
    **dict.fromkeys(["ST1002", "ST1107", "ST1108"], (2, crc16)),
}


@cache
def names() -> dict[bytes, facts.UniversalKey]:
    """Known packet keys without octet 8, the registry version."""
    return {plain(key.key): key for key in facts.universal_keys()}


def decode(raw: bytes) -> dict[str, Any]:
    """The record of one whole packet: key, BER length, value."""
    length, used = ber_length(raw[16:])
    value = raw[16 + used : 16 + used + length]
    known = names().get(plain(raw[:16]))
    context = Context()
    record: dict[str, Any] = {
        "set": known.set if known else "unknown",
        "version": None,
        "time": None,
        "time_us": None,
        "quality": {"checksum": "absent"},
        "items": {},
    }
    if known is None or known.type not in ("local_set", "universal_set"):
        record["items"] = read_item_packet(raw[:16], value, context)
    elif known.type == "universal_set":
        record.update(universal_set(known.set, value, context))
    elif known.set not in facts.DECODED:
        record["items"] = raw_set(value, context)
    else:
        record.update(top_level(known.set, raw, value, context))
    if context.special:
        record["quality"]["special"] = context.special
    if context.warnings:
        record["quality"]["warnings"] = context.warnings
    return record


def top_level(name: str, raw: bytes, value: bytes, context: Context) -> dict[str, Any]:
    """A decoded top-level set: the items that the record lifts are removed."""
    items = read_set(name, value, Place(), context)

    def lift(tags: dict[str, int]) -> Any:
        return items.pop(table(name)[tags[name]].key, None) if name in tags else None

    lift(facts.CHECKSUM)
    time = lift(facts.TIME)
    remark_unit(time, facts.TIME.get(name), context)
    return {
        "version": lift(facts.VERSION),
        "time": calendar(microseconds(time)),
        "time_us": time,
        "quality": {"checksum": verify(name, raw, value)},
        "items": items,
    }


def universal_set(name: str, value: bytes, context: Context) -> dict[str, Any]:
    items = read_universal_set(value, context)
    time = items.pop("precision_time_stamp", None) if name == "ST0104" else None
    remark_unit(time, 2, context)
    return {"time": calendar(microseconds(time)), "time_us": time, "items": items}


def verify(name: str, raw: bytes, value: bytes) -> str:
    """The checksum item, last in its set, covers every byte before its value.

    A running sum that is correct at the very end proves the packet even where the set cannot be parsed.
    """
    if name not in facts.CHECKSUM:
        return "absent"
    tag = facts.CHECKSUM[name]
    size, total = SUMS[name]
    entries, broken = walk(value)
    last = [entry for entry in entries if entry.tag == tag][-1:]
    if value[-size - 2 : -size] == bytes([tag, size]) and total is checksum16:
        at_end = Entry(tag, value[-size:], len(value) - size)
        last = [at_end] if broken is not None or agrees(at_end, raw, value, total) else last
    elif broken is not None:
        return "bad"
    if not last:
        return "absent"
    if len(last[0].value) != size or not agrees(last[0], raw, value, total):
        return "bad"
    return "ok" if last[0].at + size == len(value) else "partial"


def agrees(entry: Entry, raw: bytes, value: bytes, total: Callable[[bytes], int]) -> bool:
    return integer(entry.value) == total(raw[: len(raw) - len(value) + entry.at])


def remark_unit(time: int | None, tag: int | None, context: Context) -> None:
    unit, _ = unit_of(time)
    if unit != "microseconds":
        context.warn(
            Place(tags=str(tag)), f"in {unit}, not microseconds; time is converted, time_us is as sent"
        )


def calendar(us: int | None) -> str | None:
    if us is None or us > 253402300799_999999:
        return None
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def raw_set(data: bytes, context: Context) -> dict[str, Any]:
    """A local set whose items are unknown: all raw."""
    entries = read_entries(data, Place(), context)
    for tag, found in by_tag(entries).items():
        if len(found) > 1:
            context.warn(Place(tags=str(tag)), "repeated, last kept")
    unknown = {str(entry.tag): entry.value.hex() for entry in entries}
    return {"unknown": unknown} if unknown else {}
