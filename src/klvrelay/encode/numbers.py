"""Converts numbers to codes: IMAPB (MISB ST 1201), the linear mappings of ST 0601, IEEE 754."""

from __future__ import annotations

import math
import re
import struct
from decimal import Decimal
from fractions import Fraction
from numbers import Integral, Real

from klvrelay.encode.place import ItemPath

_HALF = Fraction(1, 2)
_LARGEST = 400  # maximum decimal digits before or after the point


def is_number(value: object) -> bool:
    """Whether this is a number of any type but bool."""
    return isinstance(value, Real | Decimal) and not isinstance(value, bool)


def is_value(value: object, known: int | str | None) -> bool:
    """Whether the value equals this number or text."""
    return known is not None and (is_number(value) or isinstance(value, str)) and bool(value == known)


def exact(value: object, place: ItemPath) -> Fraction:
    """A number without loss of precision."""
    if not is_number(value):
        raise place.invalid(value, "expected a number")
    if isinstance(value, Decimal) and value and abs(value.adjusted()) > _LARGEST:
        raise place.invalid(value, "no code represents a number of this size")
    try:
        if isinstance(value, Integral):
            return Fraction(int(value))
        if isinstance(value, float | Decimal | Fraction):
            return Fraction(value)
        return Fraction(float(value))  # type: ignore[arg-type]
    except (OverflowError, ValueError, TypeError) as fault:
        raise place.invalid(value, "expected a number") from fault


_DIGITS = re.compile(r"-?[0-9]{16,20}")


def unquote(value: object) -> object:
    """The integer in a string as written by `numbers = "safe"`; any other value unchanged."""
    return int(value) if isinstance(value, str) and _DIGITS.fullmatch(value) else value


def whole(value: object, place: ItemPath) -> int:
    """An integral number of any type; large ones may be strings of digits."""
    number = exact(unquote(value), place)
    if number.denominator != 1:
        raise place.invalid(value, "expected an integer")
    return number.numerator


def nearest(number: Fraction) -> int:
    """The nearest integer."""
    return math.floor(number + _HALF)


def linear(number: Fraction, low: float, high: float, width: int, *, signed: bool) -> int | None:
    """The nearest code of a linear mapping over `width` bytes; None if out of range."""
    bits = 8 * width
    if signed:
        code, most = nearest(number * ((1 << bits - 1) - 1) / Fraction(high)), (1 << bits - 1) - 1
        return code if -most <= code <= most else None
    span = Fraction(high) - Fraction(low)
    code = nearest((number - Fraction(low)) * ((1 << bits) - 1) / span)
    return code if 0 <= code < 1 << bits else None


def power_above(span: float) -> int:
    """ceil(log2(span)), exactly."""
    mantissa, power = math.frexp(span)
    return power - (mantissa == 0.5)


def imapb(value: float, low: float, high: float, width: int) -> int:
    """The IMAPB code of a number, rounded down as ST 1201 requires, in double precision as encoders do."""
    scale = 2.0 ** (8 * width - 1 - power_above(high - low))
    offset = scale * low % 1.0 if low < 0 < high else 0.0
    return int(scale * (value - low) + offset)


def nearest_imapb(number: Fraction, low: float, high: float, width: int) -> int | None:
    """The IMAPB code nearest to a decoded number; None if out of range."""
    scale = Fraction(2) ** (8 * width - 1 - power_above(high - low))
    start = scale * Fraction(low)
    offset = start - math.floor(start) if low < 0 < high else 0
    code, top = nearest(scale * number - start + offset), 1 << 8 * width - 1
    within = min(max(code, 0), top)
    # The decimal text of the first or last code of a wide number may be slightly out of range.
    value = (within + start - offset) / scale
    return within if within == code or abs(number - value) <= abs(value) / (1 << 52) else None


FLOATS = {2: (">e", 10), 4: (">f", 23), 8: (">d", 52)}  # width: struct code, bits of the fraction


def ieee(number: float, width: int) -> bytes | None:
    """A number in IEEE 754 of 2, 4 or 8 bytes; None if it is too large."""
    try:
        return struct.pack(FLOATS[width][0], number)
    except OverflowError:
        return None


def represents(number: Fraction, width: int) -> bool:
    """Whether IEEE 754 of this width represents the number exactly."""
    try:
        code = ieee(float(number), width)
    except OverflowError:
        return False
    return code is not None and Fraction(*unpack(code).as_integer_ratio()) == number


def is_printed_as(number: Fraction, width: int) -> bool:
    """Whether a record shows a float of this width as this number: the fewest digits that give the same code."""
    if width != 4:
        return represents(number, width)
    try:
        code = ieee(float(number), width)
    except OverflowError:
        return False
    shown = (float(f"{unpack(code):.{digits}g}") for digits in range(6, 10)) if code else ()
    return Fraction(next((text for text in shown if ieee(text, width) == code), 0.0)) == Fraction(float(number))


def unpack(code: bytes) -> float:
    """The number of an IEEE 754 code."""
    number: float = struct.unpack(FLOATS[len(code)][0], code)[0]
    return number
