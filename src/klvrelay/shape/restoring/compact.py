"""Reads the compact format: a CBOR array of records, each a map with integer keys.

    key   value
      0   seq; from the second record of a message on, the difference to the one before it
     -1   [boot, key of the set (null: ST 0601), received_us, pts, pid, program]: a full record; absent: a partial one
     -2   [tags that are no longer sent]
     -3   the whole packet unchanged, instead of items
     -4   key of the set of a partial record; absent: ST 0601
     -5   difference of seq to the record that a partial one continues; absent: 1
    time  8 bytes as sent; or an integer: microseconds after that record; absent: the record has none
    tag   the KLV code; [code, ...] if the item repeats
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from klvrelay.errors import DecodeError
from klvrelay.shape.restoring.cbor import CborReader
from klvrelay.shape.restoring.local_set import KEY_BEGIN, KEY_SIZE, ST0601, TAG_MOST, ItemCodes, facts_of, packets_of

SEQ, FULL, REMOVED, PACKET, SET, AFTER = 0, -1, -2, -3, -4, -5
RECORDS_MOST = 10_000
"""Maximum records of a message: a record of a few bytes restores to a whole document."""

_NUMBER_MOST = (1 << 63) - 1
_TIME_SIZE = 8
_BOOT_MOST = 64
_RESERVED = frozenset((SEQ, FULL, REMOVED, PACKET, SET, AFTER))


class FullHead(NamedTuple):
    """What only a full record states."""

    boot: str | None
    key: bytes
    received_us: int | None
    pts: int | None
    pid: int | None
    program: int | None


class CompactRecord(NamedTuple):
    """One record of a message.

    key      of its set
    head     None: a partial record
    after    seq of the record that a partial one continues
    elapsed  microseconds from that record to this one; None: the time stamp is among the codes, or absent
    packet   the whole packet, if it is not sent by items
    """

    seq: int
    key: bytes
    head: FullHead | None
    after: int
    elapsed: int | None
    removed: tuple[int, ...]
    packet: bytes | None
    codes: dict[int, ItemCodes]


def is_compact(payload: bytes) -> bool:
    """Does this begin like compact? MessagePack may begin with the same two bytes; the next tells them apart."""
    return len(payload) > 2 and 0x81 <= payload[0] <= 0x9B and (payload[0] > 0x97 or payload[2] < 0x40)


def read_compact(payload: bytes) -> list[CompactRecord]:
    """The records of a message. Raises DecodeError if it is not compact."""
    if not payload or not 0x81 <= payload[0] <= 0x9B:
        raise DecodeError("not compact: it does not begin with an array")
    reader = CborReader(payload)
    maps = reader.value(depth=4)
    if not reader.ended:
        raise DecodeError("not compact: bytes follow the array")
    if len(maps) > RECORDS_MOST:
        raise DecodeError(f"more than {RECORDS_MOST} records in a message")
    found: list[CompactRecord] = []
    for entry in maps:
        if not isinstance(entry, dict):
            raise DecodeError("not compact: a record that is not a map")
        found.append(_record(entry, found[-1].seq if found else 0))
    return found


def _record(entry: Mapping[Any, Any], before: int) -> CompactRecord:
    seq = before + _number(entry.get(SEQ), "seq", -_NUMBER_MOST)
    if not 0 <= seq <= _NUMBER_MOST:
        raise DecodeError("not compact: seq is out of range")
    head = _head(entry[FULL]) if FULL in entry else None
    packet = entry.get(PACKET)
    if packet is not None and (head is None or not isinstance(packet, bytes) or len(list(packets_of(packet))) != 1):
        raise DecodeError("not compact: a packet without a head, or that is not KLV")
    after = seq - _number(entry.get(AFTER, 1), "the number of the record before", 1)
    codes: dict[int, ItemCodes] = {}
    elapsed = None
    for tag, value in entry.items():
        if tag in _RESERVED:
            continue
        if not isinstance(tag, int) or not 0 < tag <= TAG_MOST:
            raise DecodeError("not compact: a key that is not a tag")
        if isinstance(value, int) and head is None and elapsed is None:
            elapsed = _number(value, "time")
        else:
            codes[tag] = _codes(value)
    key = head.key if head else _key(entry.get(SET))
    return CompactRecord(seq, key, head, after, elapsed, _tags(entry.get(REMOVED, [])), packet, codes)


def _head(value: Any) -> FullHead:
    if not isinstance(value, list) or len(value) != len(FullHead._fields):
        raise DecodeError("not compact: the head of a full record is not complete")
    boot, key, *numbers = value
    if not (boot is None or (isinstance(boot, str) and len(boot) <= _BOOT_MOST)):
        raise DecodeError("not compact: boot is not a short text")
    received_us, pts, pid, program = (None if one is None else _number(one, "a number of the head") for one in numbers)
    if max(pts or 0, pid or 0, program or 0) > 1 << 33:
        raise DecodeError("not compact: PTS, PID or program is out of range")
    return FullHead(boot, _key(key), received_us, pts, pid, program)


def _key(value: Any) -> bytes:
    key = ST0601 if value is None else value
    if not isinstance(key, bytes) or len(key) != KEY_SIZE or not key.startswith(KEY_BEGIN):
        raise DecodeError("not compact: the key of the set is not a KLV key")
    return key


def _number(value: Any, name: str, least: int = 0) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= _NUMBER_MOST:
        raise DecodeError(f"not compact: {name} is missing or out of range")
    return value


def _tags(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list):
        raise DecodeError("not compact: the removed tags are not an array")
    return tuple(_number(tag, "a removed tag", 1) for tag in value)


def _codes(value: Any) -> ItemCodes:
    if isinstance(value, bytes):
        return (value,)
    if not isinstance(value, list) or not value or not all(isinstance(code, bytes) for code in value):
        raise DecodeError("not compact: the code of an item is not bytes")
    return tuple(cast(list[bytes], value))


def continued(earlier: Mapping[int, ItemCodes], record: CompactRecord) -> dict[int, ItemCodes]:
    """The items after a partial record, which always has its time stamp, if it has one.

    Raises DecodeError if the time stamp counts from one that is not known.
    """
    time = facts.time if (facts := facts_of(record.key)) else None
    codes = {**earlier, **record.codes}
    for tag in record.removed:
        codes.pop(tag, None)
    if record.elapsed is not None:
        codes[time or 0] = (_later(earlier.get(time or 0, ()), record.elapsed),)
    elif time is not None and time not in record.codes:
        codes.pop(time, None)
    return codes


def _later(before: ItemCodes, elapsed: int) -> bytes:
    if len(before) != 1 or len(before[0]) != _TIME_SIZE:
        raise DecodeError("a time that continues one that is not known")
    time = int.from_bytes(before[0], "big") + elapsed
    if time >> 8 * _TIME_SIZE:
        raise DecodeError("a time out of range")
    return time.to_bytes(_TIME_SIZE, "big")
