"""Encodes the user data of a remote video terminal (ST 0806), whose type another item defines."""

from __future__ import annotations

from collections.abc import Mapping

from klvrelay.encode.integers import bit_number, least_octets
from klvrelay.encode.numbers import whole
from klvrelay.encode.place import ItemPath
from klvrelay.encode.texts import checked_end, octets, utf8
from klvrelay.standards.spec import BITS

_TEXT, _SIGNED, _UNSIGNED = range(3)
_TYPE_SHIFT = 6


def resolve_user_value(items: Mapping[str, object], place: ItemPath) -> dict[str, object]:
    """Replace `user_value` by `user_data`. Both may be given if they agree, as in a decoded record."""
    resolved = {key: value for key, value in items.items() if key != "user_value"}
    if "user_value" not in items or (place.received and "user_data" in items):
        return resolved
    value, inside = items["user_value"], place.child("user_value")
    kind = bit_number(BITS["RvtUserDefined", 1, ""], items.get("numeric_id", 0), place.child("numeric_id"))
    if "user_data" not in items:
        return resolved | {"user_data": _data(kind >> _TYPE_SHIFT, value, inside)}
    decoded = _value(kind >> _TYPE_SHIFT, octets(items["user_data"], place.child("user_data")))
    if decoded != value:
        raise inside.invalid(value, f"user_data contains {decoded!r}")
    return resolved


def _data(kind: int, value: object, place: ItemPath) -> bytes:
    if kind == _TEXT and isinstance(value, str):
        return utf8(checked_end(value, place), place)
    if kind not in (_SIGNED, _UNSIGNED):
        raise place.invalid(value, "expected text" if kind == _TEXT else "data of this type requires user_data")
    number, signed = whole(value, place), kind == _SIGNED
    width = least_octets(number, signed=signed)
    if width > 8 or (number < 0 and not signed):
        raise place.invalid(value, "it does not fit into 8 bytes" if width > 8 else "expected 0 or more")
    return number.to_bytes(width, "big", signed=signed)


def _value(kind: int, data: bytes) -> object:
    """The value that a decoder reads; None if it reads none."""
    if kind == _TEXT:
        return data.rstrip(b"\0").decode(errors="replace")
    if kind in (_SIGNED, _UNSIGNED) and 1 <= len(data) <= 8:
        return int.from_bytes(data, "big", signed=kind == _SIGNED)
    return None
