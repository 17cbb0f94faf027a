"""Integers in JSON that a reader with doubles alone, such as JavaScript, does not keep: those beyond 2^53 - 1.

Next door: the C core writes records so (`wire.py`); what Python writes goes through here.
"""

from __future__ import annotations

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

    from klvrelay.documents import dumps

    return dumps(safe(orjson.loads(document)))
