"""Writes an MPEG transport stream with one video and one KLV stream (ISO/IEC 13818-1, MISB ST 1402).

Synchronous carriage uses stream type 0x15 with metadata AU cells and a PTS, asynchronous carriage 0x06 with neither.
FFmpeg's muxer supports only the latter.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from klvrelay.multiplex.frame_stamp import Codec
from klvrelay.multiplex.tables import KLV_PID, PMT_PID, VIDEO_PID, Carriage, association, program_map

PTS_WRAP = 1 << 33
DELAY = 18000  # 90 kHz ticks between the arrival of a frame and its decoding
CELL_MOST = 0xFFFF - 16
"""Maximum bytes of a KLV packet, which has to fit into one AU cell and one PES packet with a length."""

_PSI_EVERY = 9000
_PCR_EVERY = 9000  # maximum ticks between two PCRs (ISO/IEC 13818-1, 2.7.2)
_STREAM_ID = {"sync": 0xFC, "async": 0xBD}
_VIDEO_ID = 0xE0


class ByteOutput(Protocol):
    """Receives the bytes of a recording."""

    def write(self, data: bytes, /) -> object: ...


class Mux:
    """Multiplexes frames and KLV packets, given in order of time, into 188-byte packets.

    Times are in 90 kHz ticks, and are wrapped here. Each frame carries a PCR. Where frames are further apart than
    100 ms, packets with a PCR alone are inserted.
    """

    def __init__(self, out: ByteOutput, codec: Codec, carriage: Carriage, frame_ticks: int, klv_pid: int = KLV_PID,
                 program: int = 1) -> None:  # fmt: skip
        self._out = out
        self._carriage: Carriage = carriage
        self._frame_ticks = frame_ticks
        self._klv_pid = klv_pid
        self._counters = dict.fromkeys((0, PMT_PID, VIDEO_PID, klv_pid), 0)
        self._tables = {0: association(program), PMT_PID: program_map(codec, carriage, klv_pid, program)}
        self._tables_at: int | None = None
        self._clock: int | None = None
        self._cell = 0
        self.size = 0

    def frame(self, pts: int, access_unit: bytes, key: bool, klv: bytes | None) -> None:
        """Write one frame and its KLV packet."""
        self.video(pts, pts, access_unit, key)
        if klv is not None:
            self.metadata(pts, klv)

    def video(self, pts: int, dts: int, access_unit: bytes, key: bool) -> None:
        """Write one frame (Annex B); `dts` increases from frame to frame and is at most `pts`."""
        parts = self._fill(dts) + self._psi(dts, key)
        pes = _pes(_VIDEO_ID, access_unit, pts, None if dts == pts else dts)
        fields = bytes([0x50 if key else 0x10]) + _pcr(dts - DELAY)
        self._clock = dts
        self._write(parts + self._packets(VIDEO_PID, pes, fields))

    def metadata(self, pts: int, klv: bytes) -> None:
        """Write one KLV packet of at most CELL_MOST bytes."""
        self._write(self._packets(self._klv_pid, self._klv(klv, pts)))

    def _write(self, parts: list[bytes]) -> None:
        data = b"".join(parts)
        self._out.write(data)
        self.size += len(data)

    def _fill(self, dts: int) -> list[bytes]:
        """Packets with a PCR alone, and tables, until the last PCR is at most 100 ms old."""
        parts = []
        while self._clock is not None and dts - self._clock > _PCR_EVERY:
            self._clock += _PCR_EVERY
            parts += [*self._psi(self._clock, False), self._clock_packet(self._clock)]
        return parts

    def _clock_packet(self, dts: int) -> bytes:
        """A packet without payload, whose counter is that of the packet before it."""
        control = 0x20 | (self._counters[VIDEO_PID] - 1) % 16
        head = bytes([0x47, VIDEO_PID >> 8, VIDEO_PID & 0xFF, control])
        return head + _adaptation(b"\x10" + _pcr(dts - DELAY), 184)

    def _psi(self, dts: int, key: bool) -> list[bytes]:
        """The tables, before each key frame and if they would otherwise be more than 100 ms old."""
        if not key and self._tables_at is not None and dts - self._tables_at + self._frame_ticks <= _PSI_EVERY:
            return []
        self._tables_at = dts
        return [packet for pid, table in self._tables.items() for packet in self._packets(pid, table)]

    def _klv(self, klv: bytes, pts: int) -> bytes:
        """The PES packet of a KLV packet."""
        if self._carriage == "async":
            return _pes(_STREAM_ID["async"], klv, None)
        # Service 0, a complete cell, no decoder configuration, a random access point, reserved bits.
        cell = bytes([0, self._cell, 0b11_0_1_1111]) + len(klv).to_bytes(2, "big") + klv
        self._cell = (self._cell + 1) % 256
        return _pes(_STREAM_ID["sync"], cell, pts)

    def _packets(self, pid: int, data: bytes, fields: bytes = b"") -> list[bytes]:
        """Divide a PES packet or section into transport packets, the first with an adaptation field."""
        packets = []
        for at in _slices(len(data), 183 - len(fields) if fields else 184):
            chunk = data[at]
            adaptation = _adaptation(fields, 184 - len(chunk))
            counter = self._counters[pid]
            self._counters[pid] = (counter + 1) % 16
            control = (0x30 if adaptation else 0x10) | counter
            start = 0x40 if at.start == 0 else 0
            packets.append(bytes([0x47, start | pid >> 8, pid & 0xFF, control]) + adaptation + chunk)
            fields = b""
        return packets


def _slices(length: int, first: int) -> Iterator[slice]:
    """Slices of 184 bytes; the first may be shorter."""
    start, end = 0, min(first, length)
    while start < length:
        yield slice(start, end)
        start, end = end, min(end + 184, length)


def _adaptation(fields: bytes, size: int) -> bytes:
    """An adaptation field of `size` bytes, including its length byte."""
    if size == 0:
        return b""
    if size == 1:
        return b"\0"
    body = fields or b"\0"
    return bytes([size - 1]) + body + b"\xff" * (size - 1 - len(body))


def _pcr(ticks: int) -> bytes:
    return (ticks % PTS_WRAP << 15 | 0x3F << 9).to_bytes(6, "big")


def _pes(stream_id: int, payload: bytes, pts: int | None, dts: int | None = None) -> bytes:
    """A PES packet, data aligned; with its length if that fits into 16 bits, else 0."""
    stamps = b"" if pts is None else _stamp(2 if dts is None else 3, pts)
    stamps += b"" if dts is None else _stamp(1, dts)
    header = bytes([0x84, (0, 0x80, 0xC0)[len(stamps) // 5], len(stamps)]) + stamps
    length = len(header) + len(payload)
    size = (length if length < 0x10000 else 0).to_bytes(2, "big")
    return b"\0\0\1" + bytes([stream_id]) + size + header + payload


def _stamp(mark: int, ticks: int) -> bytes:
    """A PTS or DTS: four bits that say which, then 33 bits with marker bits."""
    ticks %= PTS_WRAP
    high, middle, low = ticks >> 30 & 7, ticks >> 15 & 0x7FFF, ticks & 0x7FFF
    return (mark << 36 | 0x01_0001_0001 | high << 33 | middle << 17 | low << 1).to_bytes(5, "big")
