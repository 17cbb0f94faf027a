"""Reads the cells of a table as values of items."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

from klvrelay.importing.item_names import item_at, unit_of
from klvrelay.importing.mapping import MappedColumn
from klvrelay.importing.telemetry import MEASURES
from klvrelay.importing.units import convert

Reader = Callable[[str], Any]

_TEXTS = ("utf8", "utf16", "ascii", "bytes", "uuid")
_COMMA = re.compile(r"[-+]?\d{1,3}(?:\.\d{3})+,\d*|[-+]?\d+,\d*(?:[eE][-+]?\d+)?")
_ESCAPE = re.compile(r"\\(?:\\|u([0-9a-f]{4}))")
_FORMULA = "=+-@\t\r\N{MINUS SIGN}"
_EMPTY = frozenset(("", "nan", "null", "none", "n/a", "na", "-"))
"""Cells without a value."""


def is_empty(cell: str) -> bool:
    return cell.strip().lower() in _EMPTY


def reader_of(column: MappedColumn, *, comma: bool, escaped: bool) -> Reader:
    """The function that reads the cells of a column; it raises ValueError with the reason.

    comma    numbers may have a decimal comma
    escaped  texts are written as by `klvrelay decode --format csv`
    """
    item, wanted = item_at(column.path), unit_of(column.path)
    if column.path in MEASURES or (item is not None and item.mapping != "" and item.kind in ("uint", "int", "imapb")):
        return lambda cell: _in_unit(read_number(cell, comma=comma), column.unit, wanted)
    text_of = unescape if escaped else str.strip
    if item is not None and item.kind.startswith(_TEXTS):
        return text_of
    return lambda cell: _any_value(text_of(cell), comma=comma)


def read_number(cell: str, *, comma: bool) -> int | float:
    """A number; whole ones stay whole. Raises ValueError."""
    text = cell.strip()
    if comma and _COMMA.fullmatch(text):
        text = text.replace(".", "").replace(",", ".")
    if len(text) > 40:
        raise ValueError(f"{text[:20]}... is not a number")
    try:
        number = int(text) if text.lstrip("+-").isdecimal() else float(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a number") from None
    if not math.isfinite(number):
        raise ValueError(f"{text} is not a number")
    return number


def _in_unit(number: float, given: str, wanted: str) -> float:
    converted = number if given == wanted else convert(number, given, wanted)
    if not math.isfinite(converted):
        raise ValueError(f"{number:g} {given} is too large")
    return converted


def _any_value(text: str, *, comma: bool) -> Any:
    """JSON of lists and mappings, a number, or text."""
    if text[:1] in ("[", "{"):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise ValueError(f"{text[:20]!r}... is not JSON") from None
    if text in ("true", "false"):
        return text == "true"
    try:
        return read_number(text, comma=comma)
    except ValueError:
        return text


def unescape(cell: str) -> str:
    """The text of a cell that `klvrelay decode --format csv` wrote."""
    if cell.startswith("'") and cell.lstrip("'")[:1] in _FORMULA:
        cell = cell[1:]
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else "\\", cell)
