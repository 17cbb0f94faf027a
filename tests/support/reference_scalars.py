"""Reference decoder, text and scalar items. `reference_values.py` has the number maps."""

from __future__ import annotations

import codecs
import re
import uuid
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from reference_values import Context, Place, Real, ieee, imapb, integer, linear, number
from reference_wire import Unreadable, ber_oid

from native.spec import facts


def _each_byte(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return "\ufffd" * (error.end - error.start), error.end


codecs.register_error("each-byte", _each_byte)


PADDED_ASCII = re.compile(rb"[A-Za-z0-9 ,./;_-]{2,}\0+")


def text(data: bytes, kind: str, place: Place, context: Context) -> str:
    wide = kind == "utf16" and len(data) % 2 == 0 and 0 in data and not PADDED_ASCII.fullmatch(data)
    padded = len(data) > 1 and data.endswith(b"\0\0" if wide else b"\0")
    while data.endswith(b"\0\0" if wide else b"\0"):
        data = data[: -2 if wide else -1]
    if padded:
        context.warn(place, "NUL padding removed")
    coding = "utf-16-be" if wide else "utf-8"
    try:
        return data.decode(coding)
    except UnicodeDecodeError:
        context.warn(place, "text is not valid, replaced in part")
    return data.decode(coding, "replace" if wide else "each-byte")


@cache
def codes() -> list[facts.Code]:
    return facts.codes()


@cache
def labels(set_: str, tag: int, name: str | None = None) -> dict[int, str]:
    return {
        code.code: code.label
        for code in codes()
        if (code.set, code.tag) == (set_, tag) and name in (None, code.field) and code.code_type == "value"
    }


@cache
def fields(set_: str, tag: int, element: str = "") -> list[facts.BitField]:
    return facts.bit_fields(set_, tag, element)


def bits(of: list[facts.BitField], value: int) -> dict[str, Any]:
    """A number or its label for a bit field, true or false for a single bit."""
    found: dict[str, Any] = {}
    for each in of:
        number = value >> each.shift & (1 << each.width) - 1
        if each.codes:
            found[each.key] = {code.code: code.label for code in each.codes}.get(number, number)
        else:
            found[each.key] = bool(number) if each.width == 1 else number
    return found


def read_bits(of: list[facts.BitField], value: int, place: Place, context: Context) -> dict[str, Any]:
    if value & ~sum((1 << each.width) - 1 << each.shift for each in of):
        context.warn(place, "reserved bits are set")
    return bits(of, value)


def mapping_of(item: facts.Item, context: Context) -> str:
    """Before version 4, VMTI had linear maps in place of ST 1201."""
    if not context.old_maps or item.mapping != "imapb" or item.set not in ("ST0903", "VTarget"):
        return item.mapping
    return "linear_int" if item.set == "VTarget" and item.tag != 12 else "linear_uint"


def read_scalar(item: facts.Item, data: bytes, place: Place, context: Context) -> Any:
    mapping = mapping_of(item, context)
    if mapping == "imapb":
        assert item.min is not None
        assert item.max is not None
        return number(imapb(data, item.min, item.max), place, context)
    if mapping.startswith("linear"):
        return read_linear(item, mapping, data, place, context)
    if mapping == "ieee754":
        return read_float(data, place, context)
    if item.kind in ("utf8", "ascii", "utf16"):
        return text(data, item.kind, place, context)
    if item.kind == "date_time":
        return moment(data)
    if item.kind == "bytes":
        return data.hex()
    if item.kind == "uuid":
        return identifier(data)
    return read_integer(item, data, place, context)


def read_float(data: bytes, place: Place, context: Context) -> Real | None:
    if len(data) not in (2, 4, 8):
        raise Unreadable
    return ieee(data, place, context)


def read_integer(item: facts.Item, data: bytes, place: Place, context: Context) -> Any:
    if item.key == "active_payloads":
        whole = int.from_bytes(data, "big")
        return [bit for bit in range(8 * len(data)) if whole >> bit & 1]
    if item.mapping == "ber_oid":
        value = read_whole_oid(data, place, context)
    else:
        value = integer(data, signed=item.kind == "int")
    if item.kind == "bitfield":
        return read_bits(fields(item.set, item.tag), value, place, context)
    return labels(item.set, item.tag).get(value, value) if item.kind == "enum" else value


def read_whole_oid(data: bytes, place: Place, context: Context) -> int:
    """One BER-OID number from all bytes; some senders write a plain integer instead."""
    try:
        value, used = ber_oid(data)
    except Unreadable:
        value, used = 0, 0
    if used == len(data):
        return value
    value = integer(data)
    context.warn(place, "no BER-OID number, read as an integer")
    return value


def read_linear(item: facts.Item, mapping: str, data: bytes, place: Place, context: Context) -> Real | None:
    """In a width other than the item's, a code is right-aligned."""
    assert item.min is not None
    assert item.max is not None
    signed = mapping == "linear_int"
    try:
        own = integer(data, signed).to_bytes(item.len_max, "big", signed=signed)
    except OverflowError:
        raise Unreadable from None
    special = {0x800000: "error"} if signed and mapping != item.mapping else item.special
    known = special.get(int.from_bytes(own, "big"))
    return number(known or linear(mapping, own, item.min, item.max), place, context)


DATE_TIME = re.compile(r"(\d{8})T?(\d{6})(?:\.(\d{1,6}))?Z?", re.ASCII)


def moment(data: bytes) -> int:
    """Text such as 20050331075051 as microseconds since 1970; earlier times have no number."""
    found = DATE_TIME.fullmatch(data.decode("latin-1"))
    if not found:
        raise Unreadable
    date, time = found[1], found[2]
    try:
        whole = datetime(
            int(date[:4]), int(date[4:6]), int(date[6:]), int(time[:2]), int(time[2:4]), int(time[4:])
        )
    except ValueError:
        raise Unreadable from None
    if whole.year < 1970:
        raise Unreadable
    return (whole - datetime(1970, 1, 1)) // timedelta(microseconds=1) + int((found[3] or "").ljust(6, "0"))


def identifier(data: bytes) -> str:
    if len(data) != 16:
        raise Unreadable
    return str(uuid.UUID(bytes=data))
