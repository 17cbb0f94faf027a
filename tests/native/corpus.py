"""The harness's corpus: every vector as a KLV packet, the packets again inside transport streams, stamped frames."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from klvrelay.spec import UNIVERSAL_KEYS

PMT_PID, ASYNC_PID, SYNC_PID = 0x1000, 0x101, 0x102
STAMP = bytes.fromhex("02080004cfd6bd0f6b40")
# Items that hold a set of their own, by which a nested set's vectors are reached.
INSIDE = {"ST0102": 48, "ST0903": 74, "ST1206": 95, "ST1002": 97, "ST1107": 98, "ST1601": 99, "ST0806": 73}


@dataclass(frozen=True, slots=True)
class Corpus:
    """Bare KLV (and frames of video among it) and transport streams, and how many packets the latter hold."""

    bare: list[bytes]
    transport: list[bytes]
    packets_in_transport: int

    def save(self, path: Path) -> None:
        """As the harness reads it."""
        with path.open("wb") as file:
            for kind, inputs in enumerate((self.bare, self.transport)):
                for data in inputs:
                    file.write(struct.pack("<BI", kind, len(data)) + data)


def ber(length: int) -> bytes:
    return bytes([length]) if length < 0x80 else b"\x82" + struct.pack(">H", length)


def oid(tag: int) -> bytes:
    return bytes([tag]) if tag < 0x80 else bytes([0x80 | tag >> 7, tag & 0x7F])


def item(tag: int, value: bytes) -> bytes:
    return oid(tag) + ber(len(value)) + value


def packet(name: str, value: bytes) -> bytes:
    """A packet of a universal set; ST 0601 and ST 0903 with their checksum."""
    key = UNIVERSAL_KEYS[name]
    if name not in ("ST0601", "ST0903"):
        return key + ber(len(value)) + value
    head = key + ber(len(value) + 4) + value + b"\x01\x02"
    total = sum(byte << (8 * (1 - at % 2)) for at, byte in enumerate(head)) & 0xFFFF
    return head + struct.pack(">H", total)


def as_packets(vector: dict[str, object]) -> Iterator[bytes]:
    """The packets that carry a vector: as it is, in its own set, and nested in ST 0601."""
    raw, name = bytes.fromhex(str(vector["hex"])), str(vector.get("set"))
    if vector["type"] == "packet":
        yield raw
        return
    value = raw if vector["type"] == "set" else item(int(str(vector.get("tag", 0))), raw)
    if name in UNIVERSAL_KEYS:
        yield packet(name, STAMP + value if name in ("ST0601", "ST0903") else value)
    if name in INSIDE:
        yield packet("ST0601", STAMP + item(INSIDE[name], value))
    if name == "VTarget":
        yield packet("ST0903", STAMP + item(101, ber(len(value) + 1) + b"\x07" + value))
    yield raw


def corpus_of(vectors: Path) -> Corpus:
    """Every vector of a JSON Lines file, and three streams of packets that are whole and right."""
    read = [json.loads(line) for line in vectors.read_text(encoding="utf-8").splitlines()]
    bare = [data for vector in read for data in as_packets(vector)]
    right = [
        data
        for vector in read
        if vector["type"] == "item" and vector["set"] in ("ST0601", "ST0102")
        for data in as_packets(vector)
        if data.startswith(bytes.fromhex("060e2b34"))
    ]
    bare.append(b"".join(right[:12]))
    bare.append(b"\x06\x0e\x2b" + right[0] + b"junk\x06\x0e" + right[1] + right[2][:-9] + right[3])
    stamps = (vectors.parent / "stamps.jsonl").read_text(encoding="utf-8").splitlines()
    bare += [bytes.fromhex(json.loads(line)["hex"]) for line in stamps]
    chosen = [max(right, key=len), *right[:5]]
    streams = [transport(chosen, stride) for stride in (188, 192, 204)]
    return Corpus(bare, streams, packets_in_transport=2 * len(chosen) * len(streams))


# ---- MPEG-TS (ISO/IEC 13818-1), as little of it as carries KLV ---------------------------------------


def crc32(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc & 0x80000000 else 0)) & 0xFFFFFFFF
    return crc


def section(table: int, number: int, body: bytes) -> bytes:
    head = struct.pack(">BHHBBB", table, 0xB000 | len(body) + 9, number, 0xC1, 0, 0) + body
    return b"\x00" + head + struct.pack(">I", crc32(head))


def tables() -> tuple[bytes, bytes]:
    """A PAT with one programme, and its PMT: KLV asynchronous (0x06) and synchronous (0x15)."""
    streams = [(0x06, ASYNC_PID, b"\x05\x04KLVA"), (0x15, SYNC_PID, b"\x26\x09\x01\x00\xffKLVA\x00\x0f")]
    body = struct.pack(">HH", 0xE000 | ASYNC_PID, 0xF000)
    for kind, pid, descriptors in streams:
        body += struct.pack(">BHH", kind, 0xE000 | pid, 0xF000 | len(descriptors)) + descriptors
    return section(0, 1, struct.pack(">HH", 1, 0xE000 | PMT_PID)), section(2, 1, body)


def pes(stream_id: int, pts: int, payload: bytes) -> bytes:
    stamp = (pts >> 30 & 7) << 33 | (pts >> 15 & 0x7FFF) << 17 | (pts & 0x7FFF) << 1 | 0x2100010001
    head = b"\x84\x80\x05" + stamp.to_bytes(5, "big")
    return b"\x00\x00\x01" + struct.pack(">BH", stream_id, len(head) + len(payload)) + head + payload


def ts_packets(pid: int, unit: bytes, counters: dict[int, int]) -> Iterator[bytes]:
    """A PES packet or a section cut into TS packets, the last one filled up by an adaptation field."""
    for at in range(0, len(unit), 184):
        part = unit[at : at + 184]
        fill = 184 - len(part)
        field = b"" if not fill else bytes([fill - 1]) + (b"\x00" + b"\xff" * (fill - 2) if fill > 1 else b"")
        control = (0x30 if fill else 0x10) | counters.get(pid, 0)
        counters[pid] = (counters.get(pid, 0) + 1) % 16
        yield struct.pack(">BHB", 0x47, (0x4000 if at == 0 else 0) | pid, control) + field + part


def units(packets: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    pat, pmt = tables()
    for number, data in enumerate(packets):
        yield 0, pat
        yield PMT_PID, pmt
        yield ASYNC_PID, pes(0xBD, 90000 * number, data)
        cell = struct.pack(">BBBH", 0, number, 0xDF, len(data))
        yield SYNC_PID, pes(0xFC, 90000 * number, cell + data)


def transport(packets: Sequence[bytes], stride: int) -> bytes:
    """The packets on both PIDs; TS packets of 188 bytes, 192 (a time stamp before), 204 (parity behind)."""
    counters: dict[int, int] = {}
    before, behind = b"\x00" * (4 if stride == 192 else 0), b"\x00" * (16 if stride == 204 else 0)
    whole = (ts for pid, unit in units(packets) for ts in ts_packets(pid, unit, counters))
    return b"".join(before + ts + behind for ts in whole)
