"""Encodes the MIIS core identifier (MISB ST 1204) from its parts or from its text form."""

from __future__ import annotations

import re
from collections.abc import Mapping

from klvrelay.encode.numbers import whole
from klvrelay.encode.place import ItemPath
from klvrelay.encode.texts import write_uuid

# Bits of the usage octet -> the identifier that is present if any of them is set.
_PARTS = {"sensor_id": 0x60, "platform_id": 0x18, "window_id": 0x04, "minor_id": 0x02}
_KNOWN_BITS = 0x7E
_FORM = re.compile(r"([0-9A-F]{4})((?::[0-9A-F]{4}(?:[-/][0-9A-F]{4})*)?):([0-9A-F]{2})")


def write_miis(value: object, place: ItemPath) -> bytes:
    """Encode a mapping of version, usage and identifiers (`text` alone is sufficient), or the text form itself."""
    if isinstance(value, str):
        return _from_text(value, place)
    if not isinstance(value, Mapping):
        raise place.invalid(value, "expected a mapping or the text form")
    for key in value:
        if key not in ("version", "usage", "text", *_PARTS):
            raise place.unknown_key(key, ["version", "usage", "text", *_PARTS])
    if value.keys() == {"text"}:
        return _from_text(value["text"], place.child("text"))
    code = _from_parts(value, place)
    text = value.get("text")
    if text is not None and _from_text(text, place.child("text")) != code:
        raise place.child("text").invalid(text, "it contradicts version, usage and identifiers")
    return code


def _from_parts(value: Mapping[str, object], place: ItemPath) -> bytes:
    version = _octet(value.get("version", 1), 0x7F, place.child("version"))
    usage = _octet(value.get("usage"), 0xFF, place.child("usage"))
    if usage & ~_KNOWN_BITS and not place.received:
        raise place.child("usage").invalid(usage, "its first and last bit must be 0")
    code = bytes([version, usage])
    for key, bits in _PARTS.items():
        if bool(usage & bits) != (value.get(key) is not None):
            requirement = "is required" if usage & bits else "must be absent"
            raise place.invalid(value, f"with usage {usage}, {key} {requirement}")
        if usage & bits:
            code += write_uuid(value[key], place.child(key))
    return code


def _octet(value: object, most: int, place: ItemPath) -> int:
    number = whole(value, place)
    if not 0 <= number <= most:
        raise place.invalid(value, f"the range is 0 to {most}")
    return number


def _from_text(value: object, place: ItemPath) -> bytes:
    """Encode `0150:08CE-252E-...-20DC/EAF1-8A27-...-7BFA:DA`; both check digits must be correct."""
    found = _FORM.fullmatch(value.upper()) if isinstance(value, str) else None
    digits = re.sub("[:/-]", "", found[1] + found[2]) if found else ""
    if found is None or (len(digits) - 4) % 32:
        raise place.invalid(value, "expected version, usage, identifiers and check digits of ST 1204")
    if check_digits(digits) != found[3]:
        raise place.invalid(value, f"its check digits must be {check_digits(digits)}")
    code = bytes.fromhex(digits)
    if 16 * sum(bool(code[1] & bits) for bits in _PARTS.values()) != len(code) - 2 or code[0] > 0x7F:
        raise place.invalid(value, "usage does not match the identifiers")
    return code


def check_digits(digits: str) -> str:
    """The check digits: digit i times x^i in the first and x^-i in the second, in GF(16) with x^4 + x^3 + 1."""
    first = second = 0
    for at, digit in enumerate(digits, 1):
        first ^= _times_power(int(digit, 16), at)
        second ^= _times_power(int(digit, 16), -at)
    return f"{first:X}{second:X}"


def _times_power(digit: int, power: int) -> int:
    for _ in range(power % 15):
        digit = (digit << 1 ^ 0x19 if digit & 8 else digit << 1) & 0xF
    return digit
