"""Real records for the tests of sinks: small KLV packets of known sets."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

from klvrelay.gap import Gap, Item
from klvrelay.outcome import Outcome
from klvrelay.record import Record
from klvrelay.standards.spec import UNIVERSAL_KEYS

BOOT = "5f2c9a"
TIME_US = 1_340_977_512_123_456

Items = list[tuple[int, bytes]]


def packet(name: str, items: Items, *, checksum: bool) -> bytes:
    """A local set: key, length, tag-length-value, and the checksum of ST 0601."""
    value = b"".join(_oid(tag) + _length(len(data)) + data for tag, data in items) + b"\x01\x02" * checksum
    head = UNIVERSAL_KEYS[name] + _length(len(value) + 2 * checksum) + value
    total = (sum(head[::2]) << 8) + sum(head[1::2]) & 0xFFFF
    return head + total.to_bytes(2, "big") if checksum else head


def _oid(tag: int) -> bytes:
    return bytes([tag]) if tag < 0x80 else bytes([tag >> 7 | 0x80, tag & 0x7F])


def _length(size: int) -> bytes:
    return bytes([size]) if size < 0x80 else b"\x83" + size.to_bytes(3, "big")


def platform(seq: int, *more: tuple[int, bytes], heading: int = 0x71C2) -> bytes:
    """A ST 0601 packet: time, heading, a tail number that identifies the packet, version, checksum."""
    stamp = (2, struct.pack("!Q", TIME_US + seq * 33_333))
    items: Items = [stamp, (4, f"tail-{seq}".encode()), (5, struct.pack("!H", heading)), *more, (65, b"\x13")]
    return packet("ST0601", items, checksum=True)


def record(seq: int, stream: str = "uav1", *, raw: bytes | None = None, **fields: Any) -> Record:
    """A valid ST 0601 record, except for these `fields`."""
    known: dict[str, Any] = {"set": "ST0601", "checksum": "ok", "transport": "ok", "boot": BOOT}
    known |= {"pts": None, "pid": None, "received_us": TIME_US + 1_000_000, **fields}
    return Record(raw=platform(seq) if raw is None else raw, stream=stream, seq=seq, **known)


def spoilt(seq: int, stream: str = "uav1") -> Record:
    """A record whose checksum is wrong."""
    raw = bytearray(platform(seq))
    raw[-1] ^= 0xFF
    return record(seq, stream, raw=bytes(raw), checksum="bad")


def damaged(seq: int, stream: str = "uav1") -> Record:
    """A record that spans a transport loss, though its checksum is correct."""
    return record(seq, stream, transport="damaged")


def security(seq: int, classification: int = 1) -> Record:
    """A stand-alone ST 0102 record."""
    raw = packet("ST0102", [(1, bytes([classification])), (22, b"\x00\x0c")], checksum=False)
    return record(seq, raw=raw, set="ST0102", checksum="absent")


def targets(seq: int, total: int) -> Record:
    """A stand-alone ST 0903 record with the number of targets."""
    raw = packet("ST0903", [(4, b"\x06"), (5, bytes([total]))], checksum=True)
    return record(seq, raw=raw, set="ST0903")


def records_of(batch: Sequence[Item]) -> list[Record]:
    """The batch without its gaps."""
    return [item for item in batch if isinstance(item, Record)]


def gaps_of(batch: Sequence[Item]) -> list[tuple[str, int, int, str]]:
    """Stream, first and last number, and reason of each gap of the batch."""
    return [(gap.stream, gap.first, gap.last, gap.reason) for gap in batch if isinstance(gap, Gap)]


def all_of(batch: Sequence[Item]) -> Outcome:
    """All of the batch is delivered."""
    records = len(records_of(batch))
    return Outcome(records, gaps=len(batch) - records)
