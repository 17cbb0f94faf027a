"""Applies the rules for segments and amends (MISB ST 1607) to the items of a record.

A record shows items 100 and 101 of ST 0601 as sent; this module derives the items that are valid inside them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

Kind = Literal["segment", "amend"]
Items = Mapping[str, Any]

_KINDS: dict[str, Kind] = {"segment_local_set": "segment", "amend_local_set": "amend"}
_SUBSTREAM = "metadata_substream_id"
_UNKNOWN = "unknown"


class View(NamedTuple):
    """One segment or amend with all items that are valid in it.

    kind        "segment" or "amend"
    substream   its item 143 ({"local_id": ...}); None if absent
    items       record items by key: inherited, added or replaced, without deleted ones
    """

    kind: Kind
    substream: dict[str, Any] | None
    items: dict[str, Any]


def views(items: Items, earlier: Items | None = None) -> list[View]:
    """The segments and amends in the items of a record, each before those nested in it (ST 1607).

    A segment inherits its parent's items and adds or overrides some; an item sent empty is unknown in it (None). An
    amend corrects its parent's items; an item sent empty is deleted. `earlier`: items of previous records that are
    still valid, as in `klvrelay/{stream}/state`; those in `items` take precedence.
    """
    return list(_views({**(earlier or {}), **items}, items))


def _views(parent: Items, own: Items) -> Iterator[View]:
    for key, kind in _KINDS.items():
        for child in own.get(key) or ():
            if child is None:  # empty or not decodable
                continue
            holds = _applied(kind, parent, child)
            yield View(kind, child.get(_SUBSTREAM), holds)
            yield from _views(holds, child)


def _applied(kind: Kind, parent: Items, child: Items) -> dict[str, Any]:
    structure = {*_KINDS, _SUBSTREAM, _UNKNOWN}
    holds = {key: value for key, value in parent.items() if key not in structure}
    holds |= {key: value for key, value in child.items() if key not in structure}
    if kind == "amend":
        deleted = {key for key, value in child.items() if value is None}
        holds = {key: value for key, value in holds.items() if key not in deleted}
    raw = {**parent.get(_UNKNOWN, {}), **child.get(_UNKNOWN, {})}
    return holds | ({_UNKNOWN: raw} if raw else {})
