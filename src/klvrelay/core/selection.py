"""Selects the items that a record's JSON contains, by key."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from itertools import chain
from typing import Any

from klvrelay import core
from klvrelay.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Selection:
    """Selected items, prepared for `Record.json`. Created by `select`."""

    keys: frozenset[str]
    chosen: Any = field(repr=False, compare=False)


@lru_cache(maxsize=64)
def select(*keys: str) -> Selection:
    """Select the items with these keys, in records of any set; "unknown" selects items without a definition.

    An item that is a set is selected as a whole, by its key. Raises ConfigError for an unknown key.
    """
    chosen = core.new_selection()
    for key in keys:
        if not core.select(chosen, key):
            raise ConfigError(_refusal(key))
    return Selection(frozenset(keys), chosen)


def _refusal(key: str) -> str:
    outer, dot, _ = key.partition(".")
    if dot and core.select(core.new_selection(), outer):
        return f"can't select part of an item ({key!r}); select all of it: {outer!r}"
    close = get_close_matches(key, _keys(), n=3, cutoff=0.6)
    return f"no item has the key {key!r}" + (f"; did you mean {', '.join(close)}?" if close else "")


def _keys() -> list[str]:
    from klvrelay.standards.spec import KEYED, SETS, UNIVERSAL_KEYS  # here, since only an error needs the tables

    items = chain(KEYED.values(), *(SETS[name].values() for name in UNIVERSAL_KEYS if name in SETS))
    return sorted({item.key for item in items})
