"""Writes JSON documents other than records, optionally with integers beyond 2^53 - 1 as strings.

Readers that use doubles for all numbers, such as JavaScript, would round these integers.
"""

from __future__ import annotations

import re
from typing import Any, Literal

Numbers = Literal["exact", "safe"]
"""Format of integers: "exact" as numbers, "safe" as strings if beyond 2^53 - 1."""

MOST = (1 << 53) - 1
"""The largest integer that remains a number."""


def added(one: int, two: int) -> int:
    """The sum of two counts, limited to `MOST`, so that every JSON reader can represent it."""
    return min(one + two, MOST)


def safe(value: Any) -> Any:
    """The value with all integers beyond `MOST` as strings."""
    if isinstance(value, dict):
        return {key: safe(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [safe(inner) for inner in value]
    return str(value) if isinstance(value, int) and abs(value) > MOST else value


def rewrite_integers(document: bytes, numbers: Numbers) -> bytes:
    """A JSON document with integers in this format."""
    if numbers == "exact":
        return document
    import orjson

    return dumps(safe(orjson.loads(document)))


_BEYOND_ASCII = (
    "\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f"
    "\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001"
    "\U000e0020-\U000e007f"
)
STEERING = f"\x00-\x1f\x7f-\x9f{_BEYOND_ASCII}"
"""Regular expression character set: general categories Cc, Cf, Zl and Zp of Unicode 16.0."""

_LEFT = re.compile(f"[\x7f-\x9f{_BEYOND_ASCII}]")  # not escaped by orjson, which escapes those below U+0020


def dumps(content: Any, *, indented: bool = False) -> bytes:
    """A JSON document, UTF-8. `indented`: readable, with a trailing line end."""
    import orjson  # here, since it loads many modules, and the core writes the records

    option = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE if indented else None
    try:
        document = orjson.dumps(content, option=option)
    except orjson.JSONEncodeError:  # it may contain a name that is not UTF-8
        document = orjson.dumps(_valid_utf8(content), option=option)
    if document.isascii() and b"\x7f" not in document:
        return document
    return _LEFT.sub(lambda found: escaped(found[0]), document.decode()).encode()


def _valid_utf8(content: Any) -> Any:
    """The value with invalid UTF-8 escaped, as in messages."""
    if isinstance(content, str):
        return content.encode("utf-8", "backslashreplace").decode()
    if isinstance(content, dict):
        return {_valid_utf8(key): _valid_utf8(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_valid_utf8(value) for value in content]
    return content


def escaped(character: str) -> str:
    """A character as a JSON escape; beyond U+FFFF as two surrogates."""
    units = character.encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
