"""Pack the messages of an isolated source's process; see `messages.py` for their layout."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from klvrelay.core import CHECKSUMS, TRANSPORTS, Counters, Entry
from klvrelay.errors import KlvrelayError, SourceDown
from klvrelay.record import Packet, Units
from klvrelay.sources.isolated.messages import (
    CLEAN,
    DAMAGED,
    ENDS,
    ENTRY,
    HEAD,
    KLV,
    MOST,
    PACKET,
    TEXT_MOST,
    UNITS_MOST,
    WAIT,
    WAIT_MOST,
    Status,
)


def pack(packet: Packet | Units, most: int = MOST) -> Iterator[bytes | bytearray | memoryview]:
    """The octets of a packet or of units, in pieces to be sent in order; `most`: see `most_of`."""
    if isinstance(packet, Units):
        yield from _pack_units(packet)
        return
    data = memoryview(packet.data)
    damaged = packet.damaged
    for at in range(0, len(data), most - PACKET.size) if data else (0,):
        piece = data[at : at + most - PACKET.size]
        flags = (packet.carriage == "klv") * KLV | damaged * DAMAGED
        yield HEAD.pack(b"P", PACKET.size + len(piece)) + PACKET.pack(
            _number(packet.received_us), _number(packet.pts), _number(packet.pid), _number(packet.program), flags,
            packet.listing,
        )  # fmt: skip
        yield piece
        damaged = False


def _pack_units(units: Units) -> Iterator[bytes]:
    parts: list[bytes] = []
    size = 0
    for entry in units.entries:
        parts.append(_pack_entry(entry))
        size += len(parts[-1])
        if size > UNITS_MOST:
            yield HEAD.pack(b"U", size) + b"".join(parts)
            parts, size = [], 0
    yield HEAD.pack(b"U", size) + b"".join(parts)


def _pack_entry(entry: Entry) -> bytes:
    raw, pts, pid, set_, checksum, transport, received_us, pcr, program, listing = entry
    name = set_.encode()
    fixed = ENTRY.pack(
        len(raw), _number(pts), _number(pid), _number(received_us), _number(pcr), _number(program),
        CHECKSUMS.index(checksum), TRANSPORTS.index(transport), listing, len(name),
    )  # fmt: skip
    return fixed + name + raw


def pack_status(status: Status) -> bytes:
    payload = orjson.dumps(status._asdict(), default=Counters._asdict)
    return HEAD.pack(b"S", len(payload)) + payload


def pack_position(position: bytes) -> bytes:
    """How far a playlist was read, as returned by `Position.pack`."""
    return HEAD.pack(b"M", len(position)) + position


def pack_end(fault: KlvrelayError | None) -> bytes:
    """A clean end, or the fault that caused it; a fault without a letter in `ENDS` counts as SourceDown."""
    letter = next((key for key, kind in ENDS.items() if type(fault) is kind), b"D")
    wait = WAIT.pack(min(round(fault.wait), WAIT_MOST) if isinstance(fault, SourceDown) else 0)
    payload = CLEAN if fault is None else letter + wait + str(fault)[:TEXT_MOST].encode("utf-8", "replace")
    return HEAD.pack(b"E", len(payload)) + payload


def _number(value: int | None) -> int:
    return -1 if value is None else value
