"""Changes the number in the CBOR of a compact record.

    record   map head | 0 | seq | further pairs
"""

from __future__ import annotations

from klvrelay.errors import DecodeError

UNSIGNED = 0
AFTER = -5
"""Key of the difference to the record that a partial one continues (`compact.py`)."""


def cbor_head(major: int, value: int) -> bytes:
    """The head of a data item (RFC 8949, 3)."""
    first = major << 5
    if value < 24:
        return bytes([first | value])
    size = next(size for size in (1, 2, 4, 8) if value >> 8 * size == 0)
    return bytes([first | (23 + size.bit_length())]) + value.to_bytes(size, "big")


def _head(data: bytes, at: int) -> tuple[int, int]:
    """The value of the head at a place, and where it ends."""
    low = data[at] & 31
    if low < 24:
        return low, at + 1
    end = at + 1 + (1 << low - 24)
    return int.from_bytes(data[at + 1 : end], "big"), end


def with_seq(record: bytes, seq: int) -> bytes:
    """The record with another number."""
    _, at = _head(record, 0)
    if record[at] != 0:
        raise DecodeError("not a compact record: it does not begin with its number")
    _, end = _head(record, at + 1)
    return record[: at + 1] + cbor_head(UNSIGNED, seq) + record[end:]
