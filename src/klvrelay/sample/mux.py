"""Writes an MPEG transport stream with one video and one KLV stream (ISO/IEC 13818-1, MISB ST 1402).

Synchronous carriage uses stream type 0x15 with metadata AU cells and a PTS, asynchronous carriage 0x06 with neither.
FFmpeg's muxer supports only the latter.
"""

from __future__ import annotations

from typing import Literal, Protocol

from klvrelay.sample.sei import Codec

Carriage = Literal["sync", "async"]

PMT_PID, VIDEO_PID, KLV_PID = 0x1000, 0x100, 0x101
PTS_WRAP = 1 << 33
DELAY = 18000  # 90 kHz ticks between the arrival of a frame and its presentation

_PSI_EVERY = 9000
_STREAM_TYPE = {"h264": 0x1B, "h265": 0x24, "sync": 0x15, "async": 0x06}
_STREAM_ID = {"sync": 0xFC, "async": 0xBD}
_VIDEO_ID = 0xE0


class ByteOutput(Protocol):
    """Receives the bytes of a recording."""

    def write(self, data: bytes, /) -> object: ...


class Mux:
    """Multiplexes frames and KLV packets, given in order of time, into 188-byte packets."""

    def __init__(self, out: ByteOutput, codec: Codec, carriage: Carriage, frame_ticks: int, klv_pid: int = KLV_PID,
                 program: int = 1) -> None:  # fmt: skip
        self._out = out
        self._carriage: Carriage = carriage
        self._frame_ticks = frame_ticks
        self._klv_pid = klv_pid
        self._counters = dict.fromkeys((0, PMT_PID, VIDEO_PID, klv_pid), 0)
        self._tables = {0: _association(program), PMT_PID: _map(codec, carriage, klv_pid, program)}
        self._tables_age = _PSI_EVERY
        self._cell = 0
        self.size = 0

    def frame(self, pts: int, access_unit: bytes, key: bool, klv: bytes | None) -> None:
        """Write one frame and its KLV packet; `pts` in 90 kHz ticks, wrapped here."""
        parts = self._psi(key)
        clock = (pts - DELAY) % PTS_WRAP
        pes = _pes(_VIDEO_ID, access_unit, pts % PTS_WRAP)
        parts += self._packets(VIDEO_PID, pes, bytes([0x50 if key else 0x10]) + _pcr(clock))
        if klv is not None:
            parts += self._packets(self._klv_pid, self._klv(klv, pts % PTS_WRAP))
        data = b"".join(parts)
        self._out.write(data)
        self.size += len(data)

    def _psi(self, key: bool) -> list[bytes]:
        """The tables, before each key frame and if they would otherwise be more than 100 ms old."""
        self._tables_age += self._frame_ticks
        if not key and self._tables_age <= _PSI_EVERY:
            return []
        self._tables_age = self._frame_ticks
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


def _slices(length: int, first: int) -> list[slice]:
    """Slices of 184 bytes; the first may be shorter."""
    ends = [*range(first, length, 184), length]
    return [slice(0 if number == 0 else ends[number - 1], end) for number, end in enumerate(ends)]


def _adaptation(fields: bytes, size: int) -> bytes:
    """An adaptation field of `size` bytes, including its length byte."""
    if size == 0:
        return b""
    if size == 1:
        return b"\0"
    body = fields or b"\0"
    return bytes([size - 1]) + body + b"\xff" * (size - 1 - len(body))


def _pcr(ticks: int) -> bytes:
    return (ticks << 15 | 0x3F << 9).to_bytes(6, "big")


def _pes(stream_id: int, payload: bytes, pts: int | None) -> bytes:
    """A PES packet, data aligned; with its length if that fits into 16 bits, else 0."""
    stamp = b"" if pts is None else _stamp(pts)
    header = bytes([0x84, 0x80 if stamp else 0, len(stamp)]) + stamp
    length = len(header) + len(payload)
    size = (length if length < 0x10000 else 0).to_bytes(2, "big")
    return b"\0\0\1" + bytes([stream_id]) + size + header + payload


def _stamp(pts: int) -> bytes:
    """A PTS: 33 bits with marker bits."""
    high, middle, low = pts >> 30 & 7, pts >> 15 & 0x7FFF, pts & 0x7FFF
    return (0x21_0001_0001 | high << 33 | middle << 17 | low << 1).to_bytes(5, "big")


# ---- tables -----------------------------------------------------------------------------------------------


def _association(program: int) -> bytes:
    """The PAT: one program in transport stream 1."""
    return _section(0, 1, program.to_bytes(2, "big") + (0xE000 | PMT_PID).to_bytes(2, "big"))


def _map(codec: Codec, carriage: Carriage, klv_pid: int, program: int) -> bytes:
    """The PMT: the video, which carries the PCR, and the KLV with the descriptors of its carriage."""
    registration = _descriptor(0x05, b"HEVC") if codec == "h265" else b""
    video = _stream(_STREAM_TYPE[codec], VIDEO_PID, registration)
    klv = _stream(_STREAM_TYPE[carriage], klv_pid, _klv_descriptors(carriage))
    return _section(2, program, (0xE000 | VIDEO_PID).to_bytes(2, "big") + b"\xf0\x00" + video + klv)


def _klv_descriptors(carriage: Carriage) -> bytes:
    if carriage == "async":
        return _descriptor(0x05, b"KLVA")
    # General metadata in the format KLVA, service 0, no decoder configuration (ISO/IEC 13818-1, 2.6.60).
    metadata = _descriptor(0x26, b"\x01\x00\xff" + b"KLVA" + b"\x00\x0f")
    # 400 kbit/s into a buffer of 4 KiB, removed from it at once (2.6.62).
    std = _descriptor(0x27, b"".join((0xC00000 | number).to_bytes(3, "big") for number in (1000, 4, 0)))
    return metadata + std


def _stream(kind: int, pid: int, descriptors: bytes) -> bytes:
    size = (0xF000 | len(descriptors)).to_bytes(2, "big")
    return bytes([kind]) + (0xE000 | pid).to_bytes(2, "big") + size + descriptors


def _descriptor(tag: int, body: bytes) -> bytes:
    return bytes([tag, len(body)]) + body


def _section(table: int, number: int, body: bytes) -> bytes:
    """A section with pointer field and CRC, padded to a whole packet."""
    length = 5 + len(body) + 4
    head = bytes([table]) + (0xB000 | length).to_bytes(2, "big") + number.to_bytes(2, "big") + b"\xc1\x00\x00"
    section = head + body
    return (b"\0" + section + crc32(section).to_bytes(4, "big")).ljust(184, b"\xff")


def crc32(data: bytes) -> int:
    """CRC-32/MPEG-2."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc & 0x80000000 else 0)) & 0xFFFFFFFF
    return crc
