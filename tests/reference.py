"""The second opinion: a slow, plain decoder of one KLV packet, written from the csv facts alone.

It shares no code with the C core, which is held against it (`test_second_opinion.py`). `decode` gives the
record's JSON object without the parts that are not in the bytes (schema, stream, boot, seq, received, pts,
transport). A number that an encoding only resolves in steps is a `Real`: its exact value and that step.

What the standards leave open is decided like this:

- A value that can't be read as its kind says goes to `unknown` as hex, with one warning, whole.
- A set or series of sets that breaks off keeps what came before, with one warning.
- Of a repeated item only the last counts, and one warning says so.

Beside it: `reference_sets.py` (sets), `reference_packs.py` (packs), `reference_values.py` (numbers, text),
`reference_wire.py` (lengths, tags, checksums).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from reference_sets import break_off, read_set, table
from reference_values import Context, Place, integer
from reference_wire import Entry, Unreadable, ber_length, checksum16, crc16, crc32, walk

from native.spec import facts

LIFTED = {"ST0601": {1, 2, 65}, "ST0903": {1, 2}}
# Set -> the item that holds its checksum, how many bytes that has, and what it is.
CHECKSUMS = {
    **dict.fromkeys(["ST0601", "ST0903", "VTrack"], (1, 2, checksum16)),
    "ST0806": (1, 4, crc32),
    "ST1002": (21, 2, crc16),
    "ST1107": (45, 2, crc16),
    "ST1108": (11, 2, crc16),
}


@cache
def names() -> dict[bytes, facts.UniversalKey]:
    """Known packet keys without byte 8, the registry version."""
    return {key.key[:7] + key.key[8:]: key for key in facts.universal_keys()}


def decode(raw: bytes) -> dict[str, Any]:
    """The record of one whole packet: key, BER length, value."""
    length, used = ber_length(raw[16:])
    value = raw[16 + used : 16 + used + length]
    known = names().get(raw[:7] + raw[8:16])
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
        record["items"] = {"unknown": {raw[:16].hex(): value.hex()}}
    elif known.type == "universal_set":
        record["items"] = universal_set(value, context)
    elif known.set not in facts.DECODED:
        record["items"] = raw_set(value, context)
        record["quality"]["checksum"] = verify(known.set, raw, value)
    else:
        record.update(top_level(known.set, raw, value, context))
    if context.special:
        record["quality"]["special"] = context.special
    if context.warnings:
        record["quality"]["warnings"] = context.warnings
    return record


def top_level(name: str, raw: bytes, value: bytes, context: Context) -> dict[str, Any]:
    """A decoded set of its own: the items that the record lifts are taken out."""
    items = read_set(name, value, Place(), context)
    lifted = {tag: table(name)[tag].key for tag in LIFTED.get(name, ())}
    found = {tag: items.pop(key, None) for tag, key in lifted.items()}
    return {
        "version": found.get(65),
        "time": calendar(found.get(2)),
        "time_us": found.get(2),
        "quality": {"checksum": verify(name, raw, value)},
        "items": items,
    }


def verify(name: str, raw: bytes, value: bytes) -> str:
    """The checksum item, last in its set, holds the sum of every byte before its value.

    A 16-bit sum that is right at the very end vouches for the packet, even where the set can't be walked.
    """
    if name not in CHECKSUMS:
        return "absent"
    tag, size, total = CHECKSUMS[name]
    entries, broken = walk(value)
    last = [entry for entry in entries if entry.tag == tag][-1:]
    if value[-size - 2 : -size] == bytes([tag, size]) and size == 2:
        at_end = Entry(tag, value[-size:], len(value) - size)
        last = [at_end] if broken is not None or agrees(at_end, raw, value, total) else last
    elif broken is not None:
        return "bad"
    if not last:
        return "absent"
    return "ok" if len(last[0].value) == size and agrees(last[0], raw, value, total) else "bad"


def agrees(entry: Entry, raw: bytes, value: bytes, total: Callable[[bytes], int]) -> bool:
    return integer(entry.value) == total(raw[: len(raw) - len(value) + entry.at])


def calendar(us: int | None) -> str | None:
    if us is None or us > 253402300799_999999:
        return None
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def universal_set(data: bytes, context: Context) -> dict[str, Any]:
    """Items behind 16-byte keys, all raw."""
    found: list[tuple[str, bytes]] = []
    at = 0
    while at < len(data):
        key = data[at : at + 16].hex()
        try:
            length, used = ber_length(data[at + 16 :])
        except Unreadable:
            length, used = len(data), 0
        at += 16 + used
        if length > len(data) - at:
            context.warn_packet("an item is malformed, the rest left out")
            break
        found.append((key, data[at : at + length]))
        at += length
    return all_raw(found, context)


def raw_set(data: bytes, context: Context) -> dict[str, Any]:
    """A local set whose items have no table: all raw."""
    entries, broken = walk(data)
    if broken is not None:
        break_off(Place(), broken, context)
    return all_raw([(str(entry.tag), entry.value) for entry in entries], context)


def all_raw(found: list[tuple[str, bytes]], context: Context) -> dict[str, Any]:
    names = [name for name, _ in found]
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            context.warn(Place(tags=name), "repeated, last kept")
    unknown = {name: value.hex() for name, value in found}
    return {"unknown": unknown} if unknown else {}
