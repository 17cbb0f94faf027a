"""Encodes text, bytes, identifiers and dates."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

from klvrelay.encode.ber import Template
from klvrelay.encode.integers import Scalar
from klvrelay.encode.numbers import whole
from klvrelay.encode.place import ItemPath


def write_text(scalar: Scalar, value: object, template: Template, place: ItemPath) -> bytes:
    """Encode UTF-8, which includes ASCII; empty text is a single zero byte (ST 0601 receiver rule 9)."""
    if not isinstance(value, str):
        raise place.invalid(value, "expected text")
    checked_end(value, place)
    if scalar.kind == "ascii" and not value.isascii() and not place.received:
        raise place.invalid(value, "expected ASCII")
    return pad(utf8(value, place), template)


def checked_end(value: str, place: ItemPath) -> str:
    """The text; raises EncodeError if its end would be read as padding."""
    if value == "\0":
        raise place.invalid(value, "a single zero byte means empty text")
    if value.endswith("\0"):
        raise place.invalid(value, "a decoder discards zero bytes at the end of a text as padding")
    return value


def pad(code: bytes, template: Template, unit: int = 1) -> bytes:
    """Pad a text with zeros to the length of the earlier one, if that was padded."""
    filled = len(template) > 1 and template.data.endswith(bytes(unit))
    return code + bytes(len(template) - len(code)) if filled and len(template) > len(code) else code


def utf8(value: str, place: ItemPath) -> bytes:
    """UTF-8 as a decoder reads it; empty text is a zero byte."""
    try:
        return value.encode() or b"\0"
    except UnicodeEncodeError as fault:
        raise place.invalid(value, "a lone surrogate is not text") from fault


def write_utf16(scalar: Scalar, value: object, template: Template, place: ItemPath) -> bytes:
    """Encode UTF-16; UTF-8 if the earlier text was, or if UTF-16 would contain no zero byte that identifies it."""
    plain = write_text(scalar, value, template, place)
    wide = pad(str(value).encode("utf-16-be") or b"\0", template, 2)
    narrow = bool(template) and not _is_utf16(template.data) and not _is_utf16(plain)
    return wide if _is_utf16(wide) and not narrow else plain


_PADDED_ASCII = re.compile(rb"[A-Za-z0-9 ,./;_-]{2,}\0+")


def _is_utf16(code: bytes) -> bool:
    """Whether a decoder reads this as UTF-16. ASCII text has no zero bytes except padding."""
    return len(code) % 2 == 0 and 0 in code and not _PADDED_ASCII.fullmatch(code)


def octets(value: object, place: ItemPath) -> bytes:
    """Bytes unchanged, or from hex."""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if isinstance(value, str):
        try:
            return bytes.fromhex(value)
        except ValueError as fault:
            raise place.invalid(value, "expected bytes or hex") from fault
    raise place.invalid(value, "expected bytes or hex")


def write_bytes(scalar: Scalar, value: object, template: Template, place: ItemPath) -> bytes:
    return octets(value, place)


def write_uuid(value: object, place: ItemPath) -> bytes:
    """Encode a UUID or its text form."""
    if isinstance(value, UUID):
        return value.bytes
    try:
        return UUID(value).bytes  # type: ignore[arg-type]
    except (ValueError, AttributeError, TypeError) as fault:
        raise place.invalid(value, "expected a UUID") from fault


def write_identifier(scalar: Scalar, value: object, template: Template, place: ItemPath) -> bytes:
    return write_uuid(value, place)


def write_date_time(scalar: Scalar, value: object, template: Template, place: ItemPath) -> bytes:
    """Encode microseconds since 1970 as text (EG 0104): "20050331075051"; T, fraction and Z as in the earlier one."""
    form = template.data.decode("ascii", "replace")
    micros = whole(value, place)
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
    except OverflowError as fault:
        raise place.invalid(value, "no such date") from fault
    fraction = len(form.rstrip("Z").partition(".")[2])
    needed = len(f"{moment.microsecond:06}".rstrip("0"))
    digits = f"{moment.microsecond:06}"[: max(fraction, needed)]
    text = f"{moment.year:04}{moment:%m%d}{'T' * ('T' in form)}{moment:%H%M%S}"
    return f"{text}{'.' * bool(digits)}{digits}{'Z' * form.endswith('Z')}".encode()
