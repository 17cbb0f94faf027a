"""CSV cells of untrusted text, safe for terminals and spreadsheets.

    text                  control characters escaped as in JSON (\\u001b); backslashes doubled, to keep both distinct;
                          ' before text that a spreadsheet would run as a formula
    lists                 JSON
    true and false        as in JSON
    numbers               unchanged
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from klvrelay.json_output import STEERING, dumps, escaped

_ESCAPED = re.compile(rf"[\\{STEERING}]")
_FORMULA = frozenset("=+-@\t\r\N{MINUS SIGN}")
_PLAIN = re.compile(r"[A-Za-z0-9][ -\[\]-~]*")  # ASCII without a backslash: almost all text
_INVISIBLE = ("C", "M", "Z")  # general categories
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # letters and symbols without a visible glyph


def line_of(cells: Iterable[Any]) -> bytes:
    """A CSV row (RFC 4180), UTF-8."""
    text = io.StringIO(newline="")
    csv.writer(text).writerow([cell(value) for value in cells])
    return text.getvalue().encode()


def cell(value: Any) -> Any:
    """A value as a cell. Numbers remain numbers."""
    if isinstance(value, str):
        if _PLAIN.fullmatch(value):
            return value
        text = _ESCAPED.sub(_escape, value)
        return f"'{text}" if is_formula(value.lstrip("'")) else text
    if isinstance(value, bool):
        return "true" if value else "false"
    return dumps(value).decode() if isinstance(value, (list, dict)) else value


def is_formula(text: str) -> bool:
    """Would a spreadsheet run it? Decided by the first visible character, normalized (NFKC, e.g. a full-width =)."""
    for character in text:
        for plain in unicodedata.normalize("NFKC", character):
            if plain in _FORMULA:
                return True
            if unicodedata.category(plain)[0] not in _INVISIBLE and plain not in _FILLERS:
                return False
    return False


def _escape(found: re.Match[str]) -> str:
    return "\\\\" if found[0] == "\\" else escaped(found[0])
