"""Leaves out the items that the decoder warned about, such as those of wrong length: their values are doubtful."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from klvrelay.geo.quantity import Items

_ITEM = re.compile(r"item (\d+): ")


def without_warned(items: Items, warnings: Sequence[str]) -> Items:
    """The items of ST 0601 without those named in the decoder's warnings (`quality.warnings` of a record)."""
    doubtful = {int(found[1]) for text in warnings if (found := _ITEM.match(text))} - {2}  # its unit is converted
    keys = {_keys().get(tag) for tag in doubtful}
    return {key: value for key, value in items.items() if key not in keys} if doubtful else items


@cache
def _keys() -> dict[int, str]:
    from klvrelay.standards.spec import SETS  # here, since only a warning needs the tables

    items: dict[int, Any] = SETS["ST0601"]
    return {tag: item.key for tag, item in items.items()}
