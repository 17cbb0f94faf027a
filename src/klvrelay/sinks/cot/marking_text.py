"""The marking of an event: the classification of its record (ST 0102)."""

from __future__ import annotations

from klvrelay.geo import Items
from klvrelay.sinks.cot.identity import clean

_KEYS = {"security_classification": "", "caveats": "", "releasing_instructions": "REL "}


def access_of(items: Items) -> str:
    """The classification, such as "Unclassified"; "" without."""
    return _text(items, "security_classification")


def marking_of(items: Items) -> str:
    """Classification, caveats and releasing instructions, such as "Restricted // FOUO // REL DEU USA"; "" without."""
    found = {key: _text(items, key) for key in _KEYS}
    return " // ".join(f"{_KEYS[key]}{text}" for key, text in found.items() if text)


def _text(items: Items, key: str) -> str:
    inner = items.get("security_local_set")
    value = inner.get(key) if isinstance(inner, dict) else items.get(key)
    return clean(value) if isinstance(value, str) else ""
