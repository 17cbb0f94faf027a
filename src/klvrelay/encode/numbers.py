"""Numbers to codes: IMAPB (MISB ST 1201), the linear maps of ST 0601, IEEE 754, and the codes that are no number.

Room: encode. Next door: `values.py` knows the items that the numbers are of.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from numbers import Real

from klvrelay.encode.place import Place

# What stands in place of a number, and the first byte of its IMAPB code; zeros follow.
UNREAL = {
    "plus_infinity": 0xC8,
    "minus_infinity": 0xE8,
    "quiet_nan": 0xD0,
    "signalling_nan": 0xD8,
    "below_min": 0xE0,
    "above_max": 0xE1,
    "user": 0xC0,
    "reserved": 0x81,
}
_HALF = Fraction(1, 2)
_LARGEST = 400  # decimal digits before or behind the point that are worth a thought


def is_number(value: object) -> bool:
    """A number of any kind, and not a truth value."""
    return isinstance(value, Real | Decimal) and not isinstance(value, bool)


def special_of(value: object, place: Place) -> str | None:
    """What a value means that is no number: a null by the document, `{"special": name}`, an infinity or NaN."""
    if value is None:
        return place.special.get(place.path)
    if isinstance(value, Mapping) and value.keys() == {"special"}:
        return str(value["special"])
    if isinstance(value, float | Decimal):
        if math.isinf(value):
            return "plus_infinity" if value > 0 else "minus_infinity"
        if value != value:
            return "quiet_nan"
    return None


def exact(value: object, place: Place) -> Fraction:
    """A number without any loss."""
    if not is_number(value):
        raise place.misfit(value, "a number is wanted")
    if isinstance(value, Decimal) and value and abs(value.adjusted()) > _LARGEST:
        raise place.misfit(value, "a number of that size has no code")
    if isinstance(value, int | float | Decimal | Fraction):
        return Fraction(value)
    try:
        return Fraction(float(value))  # type: ignore[arg-type]
    except (OverflowError, ValueError, TypeError) as fault:
        raise place.misfit(value, "a number is wanted") from fault


def whole(value: object, place: Place) -> int:
    """A number that is an integer, whatever its type."""
    number = exact(value, place)
    if number.denominator != 1:
        raise place.misfit(value, "an integer is wanted")
    return number.numerator


def nearest(number: Fraction) -> int:
    """The integer next to a number."""
    return math.floor(number + _HALF)


def linear(number: Fraction, low: float, high: float, width: int, *, signed: bool) -> int | None:
    """The code of a linear map over `width` bytes that is next to a number; None where there is none."""
    bits = 8 * width
    if signed:
        code, most = nearest(number * ((1 << bits - 1) - 1) / Fraction(high)), (1 << bits - 1) - 1
        return code if -most <= code <= most else None
    span = Fraction(high) - Fraction(low)
    code = nearest((number - Fraction(low)) * ((1 << bits) - 1) / span)
    return code if 0 <= code < 1 << bits else None


def imapb(value: float, low: float, high: float, width: int) -> int:
    """The IMAPB code of a number, rounded down as ST 1201 has it, in double precision as all encoders reckon."""
    scale = 2.0 ** (8 * width - 1 - math.ceil(math.log2(high - low)))
    offset = scale * low % 1.0 if low < 0 < high else 0.0
    return int(scale * (value - low) + offset)


def nearest_imapb(number: Fraction, low: float, high: float, width: int) -> int | None:
    """The IMAPB code that is next to a number which was decoded, wherever that lies; None where there is none."""
    scale = Fraction(2) ** (8 * width - 1 - math.ceil(math.log2(high - low)))
    start = scale * Fraction(low)
    offset = start - math.floor(start) if low < 0 < high else 0
    code = nearest(scale * number - start + offset)
    return code if 0 <= code <= 1 << 8 * width - 1 else None


def imapb_special(name: str, width: int) -> bytes | None:
    """The IMAPB code of what is no number; None for a name that ST 1201 does not have."""
    first = UNREAL.get(name)
    return None if first is None else bytes([first]) + bytes(width - 1)


_FLOATS = {2: (">e", 10), 4: (">f", 23), 8: (">d", 52)}  # width: struct code, bits of the fraction


def ieee(number: float, width: int) -> bytes | None:
    """A number by IEEE 754 in 2, 4 or 8 bytes; None where it is too large for them."""
    try:
        return struct.pack(_FLOATS[width][0], number)
    except OverflowError:
        return None


def holds(number: Fraction, width: int) -> bool:
    """Is the number one that IEEE 754 of this width has exactly?"""
    try:
        code = ieee(float(number), width)
    except OverflowError:
        return False
    return code is not None and Fraction(*unpacked(code).as_integer_ratio()) == number


def unpacked(code: bytes) -> float:
    """The number of an IEEE 754 code."""
    number: float = struct.unpack(_FLOATS[len(code)][0], code)[0]
    return number


def ieee_special(name: str, width: int) -> bytes | None:
    """The IEEE 754 code of what is no number; None for a name that IEEE 754 does not have."""
    fraction = _FLOATS[width][1]
    ones = (1 << 8 * width - 1) - (1 << fraction)
    codes = {
        "plus_infinity": ones,
        "minus_infinity": ones | 1 << 8 * width - 1,
        "quiet_nan": ones | 1 << fraction - 1,
        "signalling_nan": ones | 1,
    }
    code = codes.get(name)
    return None if code is None else code.to_bytes(width, "big")
