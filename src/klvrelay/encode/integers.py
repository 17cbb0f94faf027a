"""Encodes integers and values that are stored as integers: labels, bit fields, BER-OID numbers."""

from __future__ import annotations

from collections.abc import Mapping

from klvrelay.encode.ber import Template, ber_oid, read_oid
from klvrelay.encode.numbers import is_number, unquote, whole
from klvrelay.encode.place import ItemPath
from klvrelay.standards.spec import Bits, Element, Item

Scalar = Item | Element

LARGEST = (1 << 64) - 1
LARGEST_OID = (1 << 63) - 1
"""Largest number in nine octets, the maximum that a decoder reads."""

_MOST_BITS = 4096  # limit of the decoder for a list of bits


def fits(code: int, width: int, signed: bool) -> bool:
    """Whether an integer fits into `width` bytes (1 to 8)."""
    return 1 <= width <= 8 and least_octets(code, signed=signed) <= width


def least_octets(code: int, *, signed: bool) -> int:
    """The fewest bytes that hold an integer, at least 1."""
    return max(1, ((code if code >= 0 else ~code).bit_length() + signed + 7) // 8)


def write_integer(scalar: Scalar, value: object, template: Template, place: ItemPath) -> bytes:
    """Encode `int`, `uint` and `timestamp`; the item's range is enforced unless the value was received."""
    number = whole(value, place)
    if not place.received and scalar.min is not None and scalar.max is not None and number not in _span(scalar):
        raise place.invalid(value, f"the range is {scalar.min:.20g} to {scalar.max:.20g}")
    return _plain(scalar, number, template, place)


def _span(scalar: Scalar) -> range:
    return range(int(scalar.min or 0), int(scalar.max or 0) + 1)


def _plain(scalar: Scalar, number: int, template: Template, place: ItemPath) -> bytes:
    """Encode an integer in the width of the earlier value, or in the fewest bytes that the item permits."""
    signed = scalar.kind == "int"
    most = min(scalar.len_max or 8, 8)
    if number < 0 and not signed:
        raise place.invalid(number, "expected 0 or more")
    if fits(number, len(template), signed):
        return number.to_bytes(len(template), "big", signed=signed)
    least = least_octets(number, signed=signed)
    if least > max(most, scalar.len_min):
        raise place.invalid(number, f"it does not fit into {most} byte{'s' * (most > 1)}")
    return number.to_bytes(max(scalar.len_min, least), "big", signed=signed)


def write_oid(scalar: Scalar, value: object, template: Template, place: ItemPath) -> bytes:
    if scalar.bits:
        number = bit_number(scalar.bits, value, place)
    elif scalar.codes:
        number = code_number(scalar.codes, value, template, place)
    else:
        number = whole(value, place)
    earlier = read_oid(template.data)
    if template and (earlier is None or earlier[1] != len(template)) and fits(number, len(template), False):
        return number.to_bytes(len(template), "big")  # some senders use a plain integer, which decoders accept
    return checked_oid(number, template, place)


def checked_oid(number: int, template: Template, place: ItemPath) -> bytes:
    """Encode a BER-OID number within the limits of a decoder."""
    if not 0 <= number <= LARGEST_OID:
        raise place.invalid(number, f"the range is 0 to {LARGEST_OID}")
    return ber_oid(number, template.oid())


def write_enum(scalar: Scalar, value: object, template: Template, place: ItemPath) -> bytes:
    return _plain(scalar, code_number(scalar.codes, value, template, place), template, place)


def code_number(codes: Mapping[int, str], value: object, template: Template, place: ItemPath) -> int:
    """The code of a label, or a given code. If several codes share the label: the earlier value's, else the first."""
    if not isinstance(unquote(value), str):
        return whole(value, place)
    found = [code for code, label in codes.items() if label == value]
    if not found:
        raise place.invalid(value, f"expected one of {', '.join(dict.fromkeys(codes.values()))}, or a code")
    earlier = int.from_bytes(template.data, "big") if len(found) > 1 else -1
    return earlier if earlier in found else found[0]


def write_bits(scalar: Scalar, value: object, template: Template, place: ItemPath) -> bytes:
    if isinstance(scalar, Item) and scalar.key == "active_payloads":
        return _bit_list(value, template, place)
    return _plain(scalar, bit_number(scalar.bits, value, place), template, place)


def bit_number(fields: tuple[Bits, ...], value: object, place: ItemPath) -> int:
    """The number of a bit field, given as a number or as a mapping by key; missing keys are 0."""
    if not isinstance(value, Mapping):
        return whole(value, place)
    known = {field.key: field for field in fields}
    number = 0
    for key, part in value.items():
        if key not in known:
            raise place.unknown_key(key, known)
        number |= _bit_part(known[key], part, place.child(key)) << known[key].shift
    return number


def _bit_part(field: Bits, value: object, place: ItemPath) -> int:
    if isinstance(value, bool):
        number = int(value)
    elif isinstance(value, str):
        number = code_number(field.codes, value, Template(), place)
    else:
        number = whole(value, place)
    if not 0 <= number < 1 << field.width:
        raise place.invalid(value, f"it does not fit into {field.width} bit{'s' * (field.width > 1)}")
    return number


def _bit_list(value: object, template: Template, place: ItemPath) -> bytes:
    """Encode ST 0601 item 139 from the numbers of the set bits, or from one integer."""
    number = 0
    if is_number(value):
        number = whole(value, place)
    elif isinstance(value, list | tuple | set | frozenset):
        for bit in value:
            at = whole(bit, place)
            if not 0 <= at < _MOST_BITS:
                raise place.invalid(bit, f"the range is 0 to {_MOST_BITS - 1}")
            number |= 1 << at
    else:
        raise place.invalid(value, "expected a list of bit numbers")
    if not 0 <= number < 1 << _MOST_BITS:
        raise place.invalid(value, f"expected at most {_MOST_BITS} bits")
    return number.to_bytes(max(1, len(template), (number.bit_length() + 7) // 8), "big")
