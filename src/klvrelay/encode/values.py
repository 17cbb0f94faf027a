"""Encodes single values: mapped numbers here, all others through `integers` and `texts`.

If the table leaves the width open, that of the earlier value (`Template`) is used. Without one: IMAPB 4 bytes, or as
many as permitted; integers the fewest bytes; floats 4 bytes if exact, else 8.
"""

from __future__ import annotations

from collections.abc import Callable

from klvrelay.encode import numbers
from klvrelay.encode.ber import Template
from klvrelay.encode.integers import Scalar, fits, write_bits, write_enum, write_integer, write_oid
from klvrelay.encode.numbers import exact
from klvrelay.encode.place import ItemPath
from klvrelay.encode.specials import (
    ieee_meaning,
    ieee_special,
    imapb_meaning,
    imapb_special,
    no_such_special,
    special_name,
    still_special,
)
from klvrelay.encode.texts import write_bytes, write_date_time, write_identifier, write_text, write_utf16
from klvrelay.standards.spec import Item

Writer = Callable[[Scalar, object, Template, ItemPath], bytes]

_IMAPB_BYTES = 4
_NARROW = 2.0**-900  # steps of a narrower range are below the smallest float


def write_scalar(scalar: Scalar, value: object, template: Template, place: ItemPath) -> bytes:
    """Encode one value; `null` only if a special code represents it."""
    mapping = scalar.old if place.old and scalar.old else scalar.mapping
    for name in (mapping, scalar.kind):
        if name in WRITERS:
            return WRITERS[name](scalar, value, template, place)
    raise place.invalid(value, "expected bytes")


# ---- mapped numbers ---------------------------------------------------------------------------------------


def _bounds(scalar: Scalar, place: ItemPath) -> tuple[float, float, str]:
    """The ends of the range, and the range as text."""
    if scalar.min is None or scalar.max is None:
        raise place.invalid(None, "its range is unknown; expected bytes")
    units = scalar.units if isinstance(scalar, Item) else ""
    return scalar.min, scalar.max, f"the range is {scalar.min:g} to {scalar.max:g} {units}".rstrip()


def _linear(scalar: Scalar, value: object, template: Template, place: ItemPath) -> bytes:
    """Encode `linear_uint` and `linear_int`; in a width other than the item's the code is right-aligned."""
    old = bool(place.old and scalar.old)
    signed = (scalar.old if old else scalar.mapping) == "linear_int"
    own = 3 if old and signed else scalar.len_min
    name = still_special(scalar, value, template.data, place)
    if name is None:
        low, high, span = _bounds(scalar, place)
        code = numbers.linear(exact(value, place), low, high, own, signed=signed)
        if code is None:
            raise place.invalid(value, span)
    elif name in (meanings := ("error",) if old and signed else tuple(scalar.special.values())):
        code = -1 << 8 * own - 1  # the only code of these mappings that is no number
    else:
        raise no_such_special(name, meanings, place)
    width = len(template) if fits(code, len(template), signed) else own
    return code.to_bytes(width, "big", signed=signed)


def _imapb(scalar: Scalar, value: object, template: Template, place: ItemPath) -> bytes:
    width = len(template) if 1 <= len(template) <= 8 else max(scalar.len_min, min(_IMAPB_BYTES, scalar.len_max or 8))
    if not place.versioned and scalar.old == "linear_int":
        width = max(width, scalar.len_min)
    name = still_special(scalar, value, template.data, place)
    if name is not None:
        return imapb_special(name, width, template.data, place)
    low, high, span = _bounds(scalar, place)
    code = _imapb_code(value, low, high, width, place)
    if code is None:
        raise place.invalid(value, span)
    return code.to_bytes(width, "big")


def write_imapb(value: object, low: float, high: float, earlier: Template, width: int, place: ItemPath) -> bytes:
    """Encode a number in IMAPB (ST 1201) between any two bounds, or a special code."""
    name = special_name(value, imapb_meaning(earlier.data), place)
    if name is not None:
        return imapb_special(name, width, earlier.data, place)
    code = _imapb_code(value, low, high, width, place)
    if code is None:
        raise place.invalid(value, f"the range is {low:g} to {high:g}")
    return code.to_bytes(width, "big")


def _imapb_code(value: object, low: float, high: float, width: int, place: ItemPath) -> int | None:
    """The IMAPB code of a number: rounded down as ST 1201 requires, or the original code of a decoded number.

    A number slightly out of range gives the first or last code, because decoding may produce it.
    """
    number = exact(value, place)
    if not place.nearest and low <= number <= high and high - low > _NARROW:
        return numbers.imapb(float(number), low, high, width)
    code = numbers.nearest_imapb(number, low, high, width)
    if code is None or place.received or high - low <= _NARROW:
        return code
    return code if code <= numbers.imapb(high, low, high, width) else None


def _float(scalar: Scalar, value: object, template: Template, place: ItemPath) -> bytes:
    span = scalar.len_min or 2, scalar.len_max or 8
    return write_float(value, len(template), span, template, place)


def write_float(value: object, width: int, span: tuple[int, int], earlier: Template, place: ItemPath) -> bytes:
    """Encode a number in IEEE 754: in `width` bytes if such a form exists, else in the fewest that hold it exactly."""
    name = special_name(value, ieee_meaning(earlier.data), place)
    if width not in numbers.FLOATS:
        fit = [size for size in (4, 8) if span[0] <= size <= span[1]] or [4]
        enough = numbers.is_printed_as if place.nearest else numbers.represents
        width = next((size for size in fit if name or enough(exact(value, place), size)), fit[-1])
    if name is not None:
        return ieee_special(name, width, earlier.data, place)
    exact(value, place)
    try:
        codes = (numbers.ieee(float(value), size) for size in sorted({width, max(width, span[1])}))  # type: ignore[arg-type]
        code = next((code for code in codes if code is not None), None)
    except OverflowError:
        code = None
    if code is None:
        raise place.invalid(value, f"it does not fit into a float of {width} bytes")
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
