"""Text, bytes, identifiers and dates to bytes.

Room: encode. Next door: `values.py` calls these for the items that are such.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

from klvrelay.encode.integers import Scalar
from klvrelay.encode.numbers import whole
from klvrelay.encode.place import ItemPath
from klvrelay.encode.wire import Trace


def write_text(scalar: Scalar, value: object, trace: Trace, place: ItemPath) -> bytes:
    """UTF-8, of which ASCII is a part; a zero byte alone is the empty text (ST 0601 receiver rule 9)."""
    if not isinstance(value, str):
        raise place.misfit(value, "text is wanted")
    checked_end(value, place)
    if scalar.kind == "ascii" and not value.isascii() and not place.received:
        raise place.misfit(value, "ASCII is wanted")
    return padded(utf8(value, place), trace)


def checked_end(value: str, place: ItemPath) -> str:
    """The text, if it does not end like one that is filled up."""
    if value == "\0":
        raise place.misfit(value, "a zero byte alone means empty text")
    if value.endswith("\0"):
        raise place.misfit(value, "a zero byte at the end of a text is padding, and not read")
    return value


def padded(code: bytes, trace: Trace, unit: int = 1) -> bytes:
    """A text filled up with zeros to the length of the earlier one, where that was filled up."""
    filled = len(trace) > 1 and trace.data.endswith(bytes(unit))
    return code + bytes(len(trace) - len(code)) if filled and len(trace) > len(code) else code


def utf8(value: str, place: ItemPath) -> bytes:
    """Text as a decoder reads it back; the empty one is a zero byte."""
    try:
        return value.encode() or b"\0"
    except UnicodeEncodeError as fault:
        raise place.misfit(value, "a surrogate alone is no text") from fault


def write_utf16(scalar: Scalar, value: object, trace: Trace, place: ItemPath) -> bytes:
    """UTF-16; but UTF-8 where the earlier text was, and where UTF-16 would have no zero byte to be told by."""
    plain = write_text(scalar, value, trace, place)
    wide = padded(str(value).encode("utf-16-be") or b"\0", trace, 2)
    narrow = bool(trace) and not _is_utf16(trace.data) and not _is_utf16(plain)
    return wide if _is_utf16(wide) and not narrow else plain


_PADDED_ASCII = re.compile(rb"[A-Za-z0-9 ,./;_-]{2,}\0+")


def _is_utf16(code: bytes) -> bool:
    """Does a decoder read this as UTF-16? ASCII in its place has no zero bytes, but for those that fill it up."""
    return len(code) % 2 == 0 and 0 in code and not _PADDED_ASCII.fullmatch(code)


def octets(value: object, place: ItemPath) -> bytes:
    """Bytes as they are, or from hex."""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if isinstance(value, str):
        try:
            return bytes.fromhex(value)
        except ValueError as fault:
            raise place.misfit(value, "bytes or hex are wanted") from fault
    raise place.misfit(value, "bytes or hex are wanted")


def write_bytes(scalar: Scalar, value: object, trace: Trace, place: ItemPath) -> bytes:
    return octets(value, place)


def write_uuid(value: object, place: ItemPath) -> bytes:
    """A UUID, or the text of one."""
    if isinstance(value, UUID):
        return value.bytes
    try:
        return UUID(value).bytes  # type: ignore[arg-type]
    except (ValueError, AttributeError, TypeError) as fault:
        raise place.misfit(value, "a UUID is wanted") from fault


def write_identifier(scalar: Scalar, value: object, trace: Trace, place: ItemPath) -> bytes:
    return write_uuid(value, place)


def write_date_time(scalar: Scalar, value: object, trace: Trace, place: ItemPath) -> bytes:
    """Microseconds since 1970 as text (EG 0104): "20050331075051", with T, fraction and Z as the earlier one had."""
    form = trace.data.decode("ascii", "replace")
    micros = whole(value, place)
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
    except OverflowError as fault:
        raise place.misfit(value, "no such date") from fault
    fraction = len(form.rstrip("Z").partition(".")[2])
    needed = len(f"{moment.microsecond:06}".rstrip("0"))
    digits = f"{moment.microsecond:06}"[: max(fraction, needed)]
    text = f"{moment.year:04}{moment:%m%d}{'T' * ('T' in form)}{moment:%H%M%S}"
    return f"{text}{'.' * bool(digits)}{digits}{'Z' * form.endswith('Z')}".encode()
