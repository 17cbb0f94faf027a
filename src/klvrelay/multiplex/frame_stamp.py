"""Inserts into frames: time stamps (ST 0604), an SEI message of user data before the slices; access unit delimiters."""

from __future__ import annotations

from typing import Literal

Codec = Literal["h264", "h265"]

LOCKED = 0x1F  # time status: locked to an absolute reference, no jump; reserved bits are ones (ST 0603)

_IDENTIFIER = {"h264": b"MISPmicrosectime", "h265": bytes.fromhex("a8687dd4d7593758a5cef0338b6545f1")}
_HEADER = {"h264": b"\x06", "h265": b"\x4e\x01"}  # SEI; prefix SEI
_DELIMITER = {"h264": b"\0\0\0\1\x09\xf0", "h265": b"\0\0\0\1\x46\x01\x50"}  # slices of any type may follow
_USER_DATA_UNREGISTERED = 5


def time_unit(codec: Codec, time_us: int, status: int = LOCKED) -> bytes:
    """The NAL unit, with its start code, that carries the frame time in microseconds (ST 0604, clause 7).

    Three bytes 0xFF between the bytes of the time prevent the emulation of start codes.
    """
    time = time_us.to_bytes(8, "big")
    guarded = b"\xff".join(time[at : at + 2] for at in range(0, 8, 2))
    payload = _IDENTIFIER[codec] + bytes([status]) + guarded
    return b"\0\0\0\1" + _HEADER[codec] + bytes([_USER_DATA_UNREGISTERED, len(payload)]) + payload + b"\x80"


def stamp(codec: Codec, access_unit: bytes, time_us: int, status: int = LOCKED) -> bytes:
    """The access unit (Annex B) with its time stamp before the first slice."""
    at = _first_slice(codec, access_unit)
    return access_unit[:at] + time_unit(codec, time_us, status) + access_unit[at:]


def delimited(codec: Codec, access_unit: bytes) -> bytes:
    """The access unit (Annex B) with a delimiter before it, if it has none (ISO/IEC 13818-1, 2.14.1 and 2.17.1)."""
    at = access_unit.find(b"\0\0\1") + 3
    kind = access_unit[at : at + 1]
    has_one = kind != b"" and (kind[0] & 0x1F == 9 if codec == "h264" else kind[0] >> 1 & 0x3F == 35)
    return access_unit if has_one else _DELIMITER[codec] + access_unit


def _first_slice(codec: Codec, access_unit: bytes) -> int:
    """Offset of the start code of the first slice; the end if there is none."""
    at = access_unit.find(b"\0\0\1")
    while at >= 0:
        header = access_unit[at + 3]
        if 1 <= header & 0x1F <= 5 if codec == "h264" else header >> 1 & 0x3F < 32:
            return at - 1 if at and access_unit[at - 1] == 0 else at
        at = access_unit.find(b"\0\0\1", at + 3)
    return len(access_unit)
