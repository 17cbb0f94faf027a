"""JSON as klvrelay writes it: characters that show nothing but steer what shows them are escaped, as in the core.

A terminal, a page or a spreadsheet would take them for commands, or show a text's letters in another order; what reads
the JSON has them as they were. `native/string.c` does the same for records.
"""

from __future__ import annotations

import re
from typing import Any

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
