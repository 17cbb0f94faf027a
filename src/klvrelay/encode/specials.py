"""Encodes special codes, which replace a number: infinities, NaN, "out of range", "off earth" and others.

Several codes may have the same meaning, because IMAPB and IEEE 754 leave bits open: the earlier value's code is used,
else the first. A record names the meaning of a limited number of nulls only: an unnamed null means what the earlier
code means, or NaN if length 0 can't represent it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from decimal import Decimal

from klvrelay.encode.numbers import FLOATS, unpack
from klvrelay.encode.place import ItemPath
from klvrelay.errors import EncodeError
from klvrelay.standards.spec import Element, Item

# The first byte of the IMAPB code, followed by zeros (ST 1201).
IMAPB = {
    "plus_infinity": 0xC8,
    "minus_infinity": 0xE8,
    "quiet_nan": 0xD0,
    "signalling_nan": 0xD8,
    "below_min": 0xE0,
    "above_max": 0xE1,
    "user": 0xC0,
    "reserved": 0x81,
}
# Codes by their first five bits; two are identified by the complete first byte.
_FAMILIES = {
    0xC8: "plus_infinity",
    0xE8: "minus_infinity",
    0xD0: "quiet_nan",
    0xF0: "quiet_nan",
    0xD8: "signalling_nan",
    0xF8: "signalling_nan",
    0xC0: "user",
}
_EXACT = {0xE0: "below_min", 0xE1: "above_max"}
_IEEE = ("plus_infinity", "minus_infinity", "quiet_nan", "signalling_nan")


def special_of(value: object, place: ItemPath) -> str | None:
    """Special meaning of a value: a null named in the document, `{"special": name}`, infinity or NaN; else None."""
    if value is None:
        name = place.special.get(place.path)
        return name if isinstance(name, str) else None
    if isinstance(value, Mapping) and value.keys() == {"special"}:
        name = value["special"]
        return name if isinstance(name, str) else type(name).__name__  # a name that no special code has
    if isinstance(value, Decimal) and not value.is_finite():
        value = float("nan") if value.is_nan() else float(value)
    return ieee_name(value) if isinstance(value, float) else None


def ieee_name(number: float) -> str | None:
    """The special meaning of a float; None for a number."""
    if math.isinf(number):
        return "plus_infinity" if number > 0 else "minus_infinity"
    return "quiet_nan" if number != number else None


def still_special(scalar: Item | Element, value: object, earlier: bytes, place: ItemPath) -> str | None:
    """Like `special_of`; an unnamed received null has the meaning of the earlier code."""
    name = special_of(value, place)
    if name is not None or value is not None or not place.received:
        return name
    mapping = scalar.old if place.old and scalar.old else scalar.mapping
    if mapping == "imapb":
        return imapb_meaning(earlier)
    if mapping == "ieee754":
        return ieee_meaning(earlier)
    if mapping == "linear_int" and earlier:
        own = 3 if mapping == scalar.old else scalar.len_min
        meaning = "error" if mapping == scalar.old else next(iter(scalar.special.values()), None)
        return meaning if int.from_bytes(earlier, "big", signed=True) == -1 << 8 * own - 1 else None
    return None


def special_name(value: object, meaning: str | None, place: ItemPath) -> str | None:
    """Like `special_of`; an unnamed received null in an array or pack has the earlier meaning, or is NaN."""
    name = special_of(value, place)
    return meaning or "quiet_nan" if name is None and value is None and place.received else name


def imapb_meaning(code: bytes) -> str | None:
    """The special meaning of an IMAPB code; None for a number."""
    if not code or code[0] < 0x80 or (code[0] == 0x80 and not any(code[1:])):
        return None
    return _EXACT.get(code[0]) or _FAMILIES.get(code[0] & 0xF8, "reserved")


def ieee_meaning(code: bytes) -> str | None:
    """The special meaning of an IEEE 754 code; None for a number."""
    return ieee_name(unpack(code)) if len(code) in FLOATS else None


def imapb_special(name: str, width: int, earlier: bytes, place: ItemPath) -> bytes:
    """The IMAPB code of a special meaning."""
    if name not in IMAPB:
        raise no_such_special(name, IMAPB, place)
    if len(earlier) == width and imapb_meaning(earlier) == name:
        return earlier
    return bytes([IMAPB[name]]) + bytes(width - 1)


def ieee_special(name: str, width: int, earlier: bytes, place: ItemPath) -> bytes:
    """The IEEE 754 code of a special meaning."""
    if name not in _IEEE:
        raise no_such_special(name, _IEEE, place)
    if len(earlier) == width and ieee_meaning(earlier) == name:
        return earlier
    fraction = FLOATS[width][1]
    ones, sign = (1 << 8 * width - 1) - (1 << fraction), 1 << 8 * width - 1
    codes = (ones, ones | sign, ones | 1 << fraction - 1, ones | 1)
    return codes[_IEEE.index(name)].to_bytes(width, "big")


def no_such_special(name: str, known: Iterable[str], place: ItemPath) -> EncodeError:
    """The error for a special name that has no code here."""
    names = ", ".join(known)
    return place.invalid({"special": name}, f"special codes: {names}" if names else "it has no special codes")
