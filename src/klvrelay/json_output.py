"""Integers in JSON that a reader with doubles alone, such as JavaScript, does not keep: those beyond 2^53 - 1.

Next door: the C core writes records so (`wire.py`); what Python writes goes through here.
"""

from __future__ import annotations

import re
from typing import Any, Literal

Numbers = Literal["exact", "safe"]
"""How integers are written: as they are, or those beyond 2^53 - 1 as strings of their digits."""

MOST = (1 << 53) - 1
"""The largest integer that stays one."""


def added(one: int, two: int) -> int:
    """The sum of two counts, or `MOST`: no sequence of counts is larger than what JSON keeps."""
    return min(one + two, MOST)


def safe(value: Any) -> Any:
    """The value with each integer beyond `MOST` as a string."""
    if isinstance(value, dict):
        return {key: safe(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [safe(inner) for inner in value]
    return str(value) if isinstance(value, int) and abs(value) > MOST else value


def written(document: bytes, numbers: Numbers) -> bytes:
    """A JSON document with its integers as wanted."""
    if numbers == "exact":
        return document
    import orjson

    from klvrelay.json_output import dumps

    return dumps(safe(orjson.loads(document)))


_BEYOND_ASCII = (
    "\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f"
    "\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001"
    "\U000e0020-\U000e007f"
)
STEERING = f"\x00-\x1f\x7f-\x9f{_BEYOND_ASCII}"
"""Inside the brackets of a regular expression: general categories Cc, Cf, Zl and Zp of Unicode 16.0."""

_LEFT = re.compile(f"[\x7f-\x9f{_BEYOND_ASCII}]")  # by orjson, which escapes those below U+0020


def dumps(content: Any, *, indented: bool = False) -> bytes:
    """One JSON document, UTF-8; `indented`: for people too, with a line end."""
    import orjson  # here, since it loads many modules, and records are written by the core

    option = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE if indented else None
    try:
        document = orjson.dumps(content, option=option)
    except orjson.JSONEncodeError:  # a name with bytes that are not UTF-8 may be in it
        document = orjson.dumps(_legible(content), option=option)
    if document.isascii() and b"\x7f" not in document:
        return document
    return _LEFT.sub(lambda found: escaped(found[0]), document.decode()).encode()


def _legible(content: Any) -> Any:
    """The same with what is not UTF-8 as escapes, as messages show it."""
    if isinstance(content, str):
        return content.encode("utf-8", "backslashreplace").decode()
    if isinstance(content, dict):
        return {_legible(key): _legible(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_legible(value) for value in content]
    return content


def escaped(character: str) -> str:
    """A character as JSON escapes it; beyond U+FFFF that are two surrogates."""
    units = character.encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
