"""Reference decoder, MISB ST 1204: the core identifier and its text form."""

from __future__ import annotations

from functools import reduce
from typing import Any

from reference_scalars import identifier
from reference_wire import Unreadable

IDENTIFIERS = {"sensor_id": 0x60, "platform_id": 0x18, "window_id": 4, "minor_id": 2}


def read_core_identifier(data: bytes) -> dict[str, Any]:
    """The usage byte says which identifiers follow."""
    if len(data) < 2 or data[0] > 0x7F:
        raise Unreadable
    version, usage = data[:2]
    names = [name for name, mask in IDENTIFIERS.items() if usage & mask]
    if len(data) != 2 + 16 * len(names):
        raise Unreadable
    parts = [data[at : at + 16] for at in range(2, len(data), 16)]
    found = {name: identifier(part) for name, part in zip(names, parts, strict=True)}
    return {"version": version, "usage": usage, **found, "text": text_form(data[:2], parts)}


def text_form(head: bytes, parts: list[bytes]) -> str:
    ids = "/".join(part.hex("-", 2) for part in parts)
    return ":".join(filter(None, [head.hex(), ids, check_digits(head + b"".join(parts))])).upper()


def check_digits(data: bytes) -> str:
    """Digit i, from 1, is weighted x^i in the first check digit and x^-i in the second."""
    digits = list(enumerate((int(digit, 16) for digit in data.hex()), 1))
    first = reduce(int.__xor__, (times_x(digit, at % 15) for at, digit in digits))
    second = reduce(int.__xor__, (times_x(digit, -at % 15) for at, digit in digits))
    return f"{first:x}{second:x}"


def times_x(digit: int, power: int) -> int:
    """In GF(16), modulo x^4 + x^3 + 1."""
    for _ in range(power):
        digit = digit << 1 ^ (0b11001 if digit & 8 else 0)
    return digit
