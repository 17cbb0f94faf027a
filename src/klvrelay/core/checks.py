"""Lengths, checksums and IMAPB values, computed by the C core."""

from __future__ import annotations

from klvrelay.core._core import ffi, lib
from klvrelay.errors import DecodeError

# ---- primitives, for tests and tools ----


def ber_length(data: bytes) -> tuple[int, int]:
    """(length, octets used) of a BER length (SMPTE ST 336)."""
    value, used = ffi.new("uint64_t *"), ffi.new("size_t *")
    if lib.klv_ber_length(data, len(data), value, used) != lib.KLV_OK:
        raise DecodeError("not a BER length of at most 8 octets")
    return int(value[0]), int(used[0])


def ber_oid(data: bytes) -> tuple[int, int]:
    """(value, octets used) of a BER-OID number of at most 9 octets."""
    value, used = ffi.new("uint64_t *"), ffi.new("size_t *")
    if lib.klv_ber_oid(data, len(data), 9, value, used) != lib.KLV_OK:
        raise DecodeError("not a BER-OID number of at most 9 octets")
    return int(value[0]), int(used[0])


def checksum16(data: bytes) -> int:
    """The 16-bit running sum of ST 0601 item 1."""
    return int(lib.klv_sum16(data, len(data)))


def crc16(data: bytes) -> int:
    """CRC-16-CCITT as ST 1002, ST 1107 and ST 1108 use it."""
    return int(lib.klv_crc16(data, len(data)))


def crc32(data: bytes) -> int:
    """CRC-32/MPEG-2 (ISO/IEC 13818-1, ST 0806)."""
    return int(lib.klv_crc32(data, len(data)))


def imapb(data: bytes, minimum: float, maximum: float) -> float | str:
    """The value of an IMAPB code (ST 1201), or the name of its special meaning."""
    value = ffi.new("double *")
    name = lib.klv_imapb(data, len(data), minimum, maximum, value)
    return ffi.string(name).decode().strip('"') if name else float(value[0])
