"""A minimal multiplexer and KLV encoder for deliberately hostile streams."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from itertools import count

from klvrelay.core import crc32
from klvrelay.encode.wire import ber_length, ber_oid
from klvrelay.standards.spec import UNIVERSAL_KEYS

TS = 188
KLVA = b"\x05\x04KLVA"
ASYNC, SYNC, VIDEO = 0x06, 0x15, 0x1B
KLV_PID, VIDEO_PID, PMT_PID = 0x101, 0x100, 0x1000
START_US = 1_780_306_200_000_000

Maker = Callable[[int], bytes]
"""A stream of about so many bytes, the same each time."""


class Mux:
    """TS packets with correct continuity counters."""

    def __init__(self) -> None:
        self._counters: dict[int, int] = {}

    def packet(self, pid: int, payload: bytes, *, start: bool = False, field: bytes = b"") -> bytes:
        """One packet with at most 184 bytes of adaptation field (its flags first) and payload."""
        counter = self._counters[pid] = self._counters.get(pid, -1) + 1 & 15
        room = 184 - len(payload)
        if room or field:
            field = bytes([room - 1]) + (field or b"\0" * (room > 1)).ljust(room - 1, b"\xff")
        return struct.pack(">BHB", 0x47, start << 14 | pid, (0x30 if field else 0x10) | counter) + field + payload

    def carry(self, pid: int, data: bytes) -> bytes:
        """A payload that begins here, in as many packets as it needs."""
        return b"".join(self.packet(pid, data[at : at + 184], start=at == 0) for at in range(0, len(data), 184))

    def section(self, pid: int, table: int, number: int, version: int, body: bytes) -> bytes:
        head = struct.pack(">HBBB", number, 0xC1 | (version & 31) << 1, 0, 0)
        section = bytes([table]) + (0xB000 | len(head) + len(body) + 4).to_bytes(2) + head + body
        return self.carry(pid, b"\0" + section + crc32(section).to_bytes(4))

    def pat(self, programs: Iterable[tuple[int, int]], version: int = 0) -> bytes:
        return self.section(0, 0, 1, version, b"".join(struct.pack(">HH", n, 0xE000 | pid) for n, pid in programs))

    def pmt(
        self, streams: Iterable[tuple[int, int, bytes]], *, number: int = 1, pid: int = PMT_PID, version: int = 0,
        pcr: int = VIDEO_PID,
    ) -> bytes:  # fmt: skip
        body = struct.pack(">HH", 0xE000 | pcr, 0xF000)
        for kind, of, said in streams:
            body += struct.pack(">BHH", kind, 0xE000 | of, 0xF000 | len(said)) + said
        return self.section(pid, 2, number, version, body)

    def pes(self, payload: bytes, pid: int = KLV_PID, *, pts: int | None = None, sid: int = 0xBD) -> bytes:
        stamp = b"" if pts is None else _stamp(pts)
        head = bytes([0x84, 0x80 if stamp else 0, len(stamp)]) + stamp
        size = len(head) + len(payload)
        return self.carry(pid, b"\0\0\1" + bytes([sid]) + (size if size < 65_536 else 0).to_bytes(2) + head + payload)

    def pcr(self, ticks: int, pid: int = VIDEO_PID) -> bytes:
        """A packet with a PCR and no payload."""
        stamp = b"\x10" + struct.pack(">IH", ticks >> 1 & 0xFFFFFFFF, (ticks & 1) << 15 | 0x7E00)
        return struct.pack(">BHBB", 0x47, pid, 0x20 | self._counters.get(pid, 0), 183) + stamp.ljust(183, b"\xff")

    def listed(self, *others: tuple[int, int, bytes]) -> bytes:
        """Tables of one program with video and KLV."""
        streams = [(VIDEO, VIDEO_PID, b""), (ASYNC, KLV_PID, KLVA), *others]
        return self.pat([(1, PMT_PID)]) + self.pmt(streams)


def _stamp(pts: int) -> bytes:
    pts &= (1 << 33) - 1
    return struct.pack(">BHH", 0x21 | pts >> 29 & 14, pts >> 14 & 0xFFFE | 1, pts << 1 & 0xFFFE | 1)


def item(tag: int, value: bytes) -> bytes:
    return ber_oid(tag) + ber_length(len(value)) + value


def klv(items: bytes, number: int = 0, *, step_us: int = 33_333, name: str = "ST0601") -> bytes:
    """A KLV packet of these items between a time stamp and a correct checksum."""
    time_us = START_US + number * step_us & (1 << 64) - 1
    value = item(2, time_us.to_bytes(8)) + items + item(65, b"\x13") + b"\x01\x02"
    raw = UNIVERSAL_KEYS[name] + ber_length(len(value) + 2) + value
    return raw + checksum(raw)


def checksum(raw: bytes) -> bytes:
    return ((sum(raw[::2]) << 8) + sum(raw[1::2]) & 0xFFFF).to_bytes(2)


def filled(parts: Iterable[bytes], size: int) -> bytes:
    """Parts up to the wanted size."""
    out = bytearray()
    for part in parts:
        out += part
        if len(out) >= size:
            break
    return bytes(out)


def program_of(make: Callable[[Mux, int], bytes], *others: tuple[int, int, bytes], every: int = 0) -> Maker:
    """One program, then the output of `make` for each number."""

    def stream(size: int) -> bytes:
        mux = Mux()
        return filled(parts(mux), size)

    def parts(mux: Mux) -> Iterator[bytes]:
        for number in count():
            if number == 0 or (every and number % every == 0):
                yield mux.listed(*others)
            yield make(mux, number)

    return stream


def bare(make: Callable[[int], bytes]) -> Maker:
    """Bare KLV."""
    return lambda size: filled(map(make, count()), size)
