"""The harness's corpus: every vector as a KLV packet, the packets inside transport streams, stamped frames."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from packet_wrapping import decoded, keyed_set, packet, universal_key, wrapped
from packet_wrapping import item as tagged
from random_values import plain

from native.spec import facts

PMT_PID, ASYNC_PID, SYNC_PID = 0x1000, 0x101, 0x102
STAMP = bytes.fromhex("02080004cfd6bd0f6b40")


@dataclass(frozen=True, slots=True)
class Corpus:
    """Bare KLV (with video frames in it), transport streams, and the number of packets in the latter."""

    bare: list[bytes]
    transport: list[bytes]
    packets_in_transport: int

    def save(self, path: Path) -> None:
        """Save in the harness's format."""
        with path.open("wb") as file:
            for kind, inputs in enumerate((self.bare, self.transport)):
                for data in inputs:
                    file.write(struct.pack("<BI", kind, len(data)) + data)


def sound(name: str, value: bytes) -> bytes:
    """A packet of a set, its time stamp first and its checksum last where it has them."""
    stamped = facts.TIME.get(name) == 2 and name not in facts.UNIVERSAL
    return packet(name, STAMP + value if stamped else value, checksum=True)


def nested(name: str, value: bytes) -> Iterator[bytes]:
    """Packets of ST 0601 that hold a set, or of the nearest set that can hold it."""
    hosts = [item for item in facts.items("ST0601") if item.kind == f"local_set:{name}"]
    for item in hosts:
        yield sound("ST0601", tagged(item.tag, value))
    if not hosts and universal_key(name) is None:
        yield wrapped(name, value)[0]


def as_packets(vector: dict[str, object]) -> Iterator[bytes]:
    """The packets that carry a vector: plain, in its own set, nested in another, and as bare bytes."""
    raw, kind, name = bytes.fromhex(str(vector["hex"])), vector.get("type", "item"), str(vector.get("set"))
    if kind == "packet":
        yield raw
        return
    if name in facts.ALONE:
        yield packet(name, raw)
    elif name in facts.DECODED:
        value = tagged(int(str(vector["tag"])), raw) if kind == "item" else raw
        if universal_key(name):
            yield sound(name, value)
        yield from nested(name, value)
    yield raw


def dozens() -> Iterator[bytes]:
    """Every item of every set, a dozen at a time, in packets of the set or of a set that holds it."""
    rng = Random(336)
    for name in facts.DECODED:
        if name in facts.UNIVERSAL or not facts.items(name):
            continue
        values = [tagged(item.tag, plain(rng, item)) for item in facts.items(name) if item.tag > 2]
        for at in range(0, len(values), 12):
            value = b"".join(values[at : at + 12])
            yield sound(name, value) if universal_key(name) else wrapped(name, value)[0]


def on_their_own() -> Iterator[bytes]:
    """Every item with a 16-byte key: as a packet, and a dozen at a time as universal sets."""
    rng = Random(1607)
    values = [(key, plain(rng, item)) for key, item in facts.keyed() if not decoded(item.kind)]
    yield from (keyed_set([one]) for one in values)
    for name in facts.UNIVERSAL:
        yield from (packet(name, keyed_set(values[at : at + 12])) for at in range(0, len(values), 12))


def corpus_of(vectors: Path) -> Corpus:
    """Every vector of a JSON Lines file, and three streams of valid packets."""
    read = [json.loads(line) for line in vectors.read_text(encoding="utf-8").splitlines()]
    bare = [data for vector in read for data in as_packets(vector)]
    right = [
        data
        for vector in read
        if vector["type"] == "item" and vector["set"] in ("ST0601", "ST0102")
        for data in as_packets(vector)
        if data.startswith(bytes.fromhex("060e2b34"))
    ]
    seeds = (vectors.parent / "seeds.jsonl").read_text(encoding="utf-8").splitlines()
    bare += [data for line in seeds for data in as_packets(json.loads(line))]
    bare += [*dozens(), *on_their_own()]
    bare.append(b"".join(right[:12]))
    bare.append(b"\x06\x0e\x2b" + right[0] + b"junk\x06\x0e" + right[1] + right[2][:-9] + right[3])
    stamps = (vectors.parent / "stamps.jsonl").read_text(encoding="utf-8").splitlines()
    bare += [bytes.fromhex(json.loads(line)["hex"]) for line in stamps]
    chosen = [max(right, key=len), *right[:2]]
    streams = [transport(chosen, stride) for stride in (188, 192, 204)]
    return Corpus(bare, streams, packets_in_transport=2 * len(chosen) * len(streams))


# ---- MPEG-TS (ISO/IEC 13818-1), the part that carries KLV ---------------------------------------------


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


def pat(programmes: Sequence[tuple[int, int]]) -> bytes:
    """Number and PMT PID of each."""
    return section(0, 1, b"".join(struct.pack(">HH", number, 0xE000 | pid) for number, pid in programmes))


def pmt(streams: Sequence[tuple[int, int, bytes]]) -> bytes:
    """Type, PID and descriptors of each."""
    body = struct.pack(">HH", 0xE000 | ASYNC_PID, 0xF000)
    for kind, pid, descriptors in streams:
        body += struct.pack(">BHH", kind, 0xE000 | pid, 0xF000 | len(descriptors)) + descriptors
    return section(2, 1, body)


ASYNCHRONOUS = (0x06, ASYNC_PID, b"\x05\x04KLVA")
SYNCHRONOUS = (0x15, SYNC_PID, b"\x26\x09\x01\x00\xffKLVA\x00\x0f")


def pes(stream_id: int, pts: int, payload: bytes) -> bytes:
    stamp = (pts >> 30 & 7) << 33 | (pts >> 15 & 0x7FFF) << 17 | (pts & 0x7FFF) << 1 | 0x2100010001
    head = b"\x84\x80\x05" + stamp.to_bytes(5, "big")
    return b"\x00\x00\x01" + struct.pack(">BH", stream_id, len(head) + len(payload)) + head + payload


def ts_packets(pid: int, unit: bytes, counters: dict[int, int]) -> Iterator[bytes]:
    """A PES packet or a section cut into TS packets; an adaptation field fills the last one."""
    for at in range(0, len(unit), 184):
        part = unit[at : at + 184]
        fill = 184 - len(part)
        field = b"" if not fill else bytes([fill - 1]) + (b"\x00" + b"\xff" * (fill - 2) if fill > 1 else b"")
        control = (0x30 if fill else 0x10) | counters.get(pid, 0)
        counters[pid] = (counters.get(pid, 0) + 1) % 16
        yield struct.pack(">BHB", 0x47, (0x4000 if at == 0 else 0) | pid, control) + field + part


def cell(number: int, data: bytes) -> bytes:
    """A metadata AU cell (ST 1402)."""
    return struct.pack(">BBBH", 0, number, 0xDF, len(data)) + data


def units(packets: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """One program with asynchronous (0x06) and synchronous (0x15) KLV."""
    for number, data in enumerate(packets):
        yield 0, pat([(1, PMT_PID)])
        yield PMT_PID, pmt([ASYNCHRONOUS, SYNCHRONOUS])
        yield ASYNC_PID, pes(0xBD, 90000 * number, data)
        yield SYNC_PID, pes(0xFC, 90000 * number, cell(number, data))


def transport(packets: Sequence[bytes], stride: int) -> bytes:
    """The packets on both PIDs."""
    return muxed(units(packets), stride)


def muxed(found: Iterable[tuple[int, bytes]], stride: int) -> bytes:
    """TS packets of 188 bytes, 192 (a time stamp before) or 204 (parity after), of units by PID."""
    counters: dict[int, int] = {}
    before, behind = b"\x00" * (4 if stride == 192 else 0), b"\x00" * (16 if stride == 204 else 0)
    whole = (ts for pid, unit in found for ts in ts_packets(pid, unit, counters))
    return b"".join(before + ts + behind for ts in whole)
