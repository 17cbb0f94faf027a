"""Single values to bytes: the mapped numbers, and who writes the others.

Room: encode. Next door: `numbers.py` has the maps, `integers.py` and `texts.py` write what is not mapped; `packs.py`
and `sets.py` put values together.

A width that the table leaves open is that of the earlier value (`Trace`) or else: IMAPB 4 bytes or as many as
are allowed; integers the fewest that hold them; floats 4 bytes where that is exact, else 8.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from klvrelay.encode import numbers
from klvrelay.encode.integers import fits, write_bits, write_enum, write_integer, write_oid
from klvrelay.encode.numbers import UNREAL, exact, special_of
from klvrelay.encode.place import Place
from klvrelay.encode.texts import write_bytes, write_date_time, write_identifier, write_text, write_utf16
from klvrelay.encode.wire import Trace
from klvrelay.errors import EncodeError
from klvrelay.spec import Element, Item

Scalar = Item | Element
Writer = Callable[[Scalar, object, Trace, Place], bytes]

_IMAPB_BYTES = 4


def write_scalar(scalar: Scalar, value: object, trace: Trace, place: Place) -> bytes:
    """The bytes of one value; `null` only where a special code stands for it."""
    mapping = scalar.old if place.old and scalar.old else scalar.mapping
    for name in (mapping, scalar.kind):
        if name in WRITERS:
            return WRITERS[name](scalar, value, trace, place)
    raise place.misfit(value, "bytes are wanted")


# ---- mapped numbers ---------------------------------------------------------------------------------------


def _bounds(scalar: Scalar, place: Place) -> tuple[float, float, str]:
    """The ends of the range, and the range in words."""
    if scalar.min is None or scalar.max is None:
        raise place.misfit(None, "no range is known, bytes are wanted")
    units = scalar.units if isinstance(scalar, Item) else ""
    return scalar.min, scalar.max, f"{scalar.min:g} to {scalar.max:g} {units} is the range".replace("  ", " ")


def _no_such_special(name: str, known: Collection[str], place: Place) -> EncodeError:
    return place.misfit(name, f"one of {', '.join(known)} is wanted" if known else "it has no codes but numbers")


def _linear(scalar: Scalar, value: object, trace: Trace, place: Place) -> bytes:
    """`linear_uint` and `linear_int`; in another width than the item's own the code is right-aligned."""
    old = bool(place.old and scalar.old)
    signed = (scalar.old if old else scalar.mapping) == "linear_int"
    own = 3 if old and signed else scalar.len_min
    name = special_of(value, place)
    if name is not None:
        meanings = ("error",) if old and signed else scalar.special.values()
        if name not in meanings:
            raise _no_such_special(name, meanings, place)
        code: int | None = -1 << 8 * own - 1  # the one code of these maps that is no number
    else:
        low, high, span = _bounds(scalar, place)
        code = numbers.linear(exact(value, place), low, high, own, signed=signed)
        if code is None:
            raise place.misfit(value, span)
    width = len(trace) if fits(code, len(trace), signed) else own
    return code.to_bytes(width, "big", signed=signed)


def _imapb(scalar: Scalar, value: object, trace: Trace, place: Place) -> bytes:
    width = len(trace) if 1 <= len(trace) <= 8 else max(scalar.len_min, min(_IMAPB_BYTES, scalar.len_max or 8))
    name = special_of(value, place)
    if name is not None:
        code = numbers.imapb_special(name, width)
        if code is None:
            raise _no_such_special(name, UNREAL, place)
        return code
    low, high, span = _bounds(scalar, place)
    number = imapb_code(value, low, high, width, place)
    if number is None:
        raise place.misfit(value, span)
    return number.to_bytes(width, "big")


def imapb_code(value: object, low: float, high: float, width: int, place: Place) -> int | None:
    """A number by IMAPB: rounded down as ST 1201 has it; one that was decoded, to the code it came from.

    A number just outside the range is the first or last code of it: decoding may have given that.
    """
    number = exact(value, place)
    if not place.received and low <= number <= high:
        return numbers.imapb(float(number), low, high, width)
    code = numbers.nearest_imapb(number, low, high, width)
    if code is not None and not place.received and code > numbers.imapb(high, low, high, width):
        return None
    return code


def _float(scalar: Scalar, value: object, trace: Trace, place: Place) -> bytes:
    return write_float(value, len(trace), (scalar.len_min or 2, scalar.len_max or 8), place)


def write_float(value: object, width: int, span: tuple[int, int], place: Place) -> bytes:
    """A number by IEEE 754, in `width` bytes if there is such a form, else in the fewest that hold it exactly."""
    name = special_of(value, place)
    number = None if name is not None else exact(value, place)
    if width not in (2, 4, 8):
        fits = [size for size in (4, 8) if span[0] <= size <= span[1]] or [4]
        width = next((size for size in fits if number is None or numbers.holds(number, size)), fits[-1])
    if name is not None:
        code = numbers.ieee_special(name, width)
        if code is None:
            raise _no_such_special(name, ("plus_infinity", "minus_infinity", "quiet_nan", "signalling_nan"), place)
        return code
    try:
        code = numbers.ieee(float(value), width)  # type: ignore[arg-type]
    except OverflowError:
        code = None
    if code is None:
        raise place.misfit(value, f"a float of {width} bytes can't hold it")
    return code


WRITERS: dict[str, Writer] = {
    "linear_uint": _linear,
    "linear_int": _linear,
    "imapb": _imapb,
    "ieee754": _float,
    "ber_oid": write_oid,
    "uint": write_integer,
    "int": write_integer,
    "timestamp": write_integer,
    "enum": write_enum,
    "bitfield": write_bits,
    "utf8": write_text,
    "ascii": write_text,
    "utf16": write_utf16,
    "bytes": write_bytes,
    "uuid": write_identifier,
    "date_time": write_date_time,
}
