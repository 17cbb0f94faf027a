"""Inserts frame time stamps (ST 0604): an SEI message of user data before the slices."""

from __future__ import annotations

from typing import Literal

Codec = Literal["h264", "h265"]

LOCKED = 0x1F  # time status: locked to an absolute reference, no jump; reserved bits are ones (ST 0603)

_IDENTIFIER = {"h264": b"MISPmicrosectime", "h265": bytes.fromhex("a8687dd4d7593758a5cef0338b6545f1")}
_HEADER = {"h264": b"\x06", "h265": b"\x4e\x01"}  # SEI; prefix SEI
_USER_DATA_UNREGISTERED = 5


def time_unit(codec: Codec, time_us: int, status: int = LOCKED) -> bytes:
    """The NAL unit, with its start code, that carries the frame time in microseconds (ST 0604, clause 7).

    Three bytes 0xFF between the bytes of the time prevent the emulation of start codes.
    """
    time = time_us.to_bytes(8, "big")
    guarded = b"\xff".join(time[at : at + 2] for at in range(0, 8, 2))
    payload = _IDENTIFIER[codec] + bytes([status]) + guarded
    return b"\0\0\0\1" + _HEADER[codec] + bytes([_USER_DATA_UNREGISTERED, len(payload)]) + payload + b"\x80"


def stamp(codec: Codec, access_unit: bytes, time_us: int) -> bytes:
    """The access unit (Annex B) with its time stamp before the first slice."""
    at = _first_slice(codec, access_unit)
    return access_unit[:at] + time_unit(codec, time_us) + access_unit[at:]


def _first_slice(codec: Codec, access_unit: bytes) -> int:
    """Offset of the start code of the first slice; the end if there is none."""
    at = access_unit.find(b"\0\0\1")
    while at >= 0:
        header = access_unit[at + 3]
        if 1 <= header & 0x1F <= 5 if codec == "h264" else header >> 1 & 0x3F < 32:
            return at - 1 if at and access_unit[at - 1] == 0 else at
        at = access_unit.find(b"\0\0\1", at + 3)
    return len(access_unit)
