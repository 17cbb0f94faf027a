"""Reads the user properties of a received PUBLISH (MQTT 5, 2.2.2)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


def user_properties(data: bytes) -> dict[str, str]:
    """The user properties among the properties of a PUBLISH (MQTT 5, 2.2.2.2), up to the first malformed one.

        id 0x26 | length 2 | name | length 2 | value
    """
    found: dict[str, str] = {}
    with contextlib.suppress(IndexError, UnicodeDecodeError):
        for name, value in _pairs(data):
            found.setdefault(name, value)
    return found


_SIZES = {0x01: 1, 0x02: 4, 0x23: 2}
"""Bytes of Payload Format, Message Expiry and Topic Alias."""
_TEXTS = (0x03, 0x08, 0x09)
_USER, _SUBSCRIPTION = 0x26, 0x0B


def _pairs(data: bytes) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(data):
        kind, at = data[at], at + 1
        if kind in _SIZES:
            at += _SIZES[kind]
        elif kind in _TEXTS:
            _, at = _text(data, at)
        elif kind == _USER:
            name, at = _text(data, at)
            value, at = _text(data, at)
            yield name.decode(), value.decode()
        elif kind == _SUBSCRIPTION:
            while data[at] & 0x80:
                at += 1
            at += 1
        else:
            return


def _text(data: bytes, at: int) -> tuple[bytes, int]:
    begin = at + 2
    end = begin + int.from_bytes(data[at:begin], "big")
    if end > len(data):
        raise IndexError("a property ends too early")
    return data[begin:end], end
