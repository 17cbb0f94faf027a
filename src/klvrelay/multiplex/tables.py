"""PAT and PMT of a program with one video and one KLV stream (ISO/IEC 13818-1, 2.4.4; MISB ST 1402)."""

from __future__ import annotations

from typing import Literal

from klvrelay.multiplex.frame_stamp import Codec

Carriage = Literal["sync", "async"]

PMT_PID, VIDEO_PID, KLV_PID = 0x1000, 0x100, 0x101

_STREAM_TYPE = {"h264": 0x1B, "h265": 0x24, "sync": 0x15, "async": 0x06}


def association(program: int) -> bytes:
    """The PAT: one program in transport stream 1."""
    return _section(0, 1, program.to_bytes(2, "big") + (0xE000 | PMT_PID).to_bytes(2, "big"))


def program_map(codec: Codec, carriage: Carriage, klv_pid: int, program: int) -> bytes:
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
