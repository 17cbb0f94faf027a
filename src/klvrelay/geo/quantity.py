"""Values with their origin: sent by the aircraft, or computed from other items."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

Source = Literal["reported", "derived"]
Items = Mapping[str, Any]
LatLon = tuple[float, float]


class Quantity(NamedTuple):
    """A number and its origin.

    source   "reported": sent by the aircraft; "derived": computed here
    method   of a reported value the key of its item; else how it was computed
    """

    value: float
    source: Source
    method: str


def number(items: Items, key: str, low: float, high: float) -> float | None:
    """A number from `low` to `high` among a record's items; None if the item is absent, unknown or not such.

    The items of `Record.items` are None where the aircraft sent a special value, such as "out of range".
    """
    value = items.get(key)
    if type(value) is not float and type(value) is not int:
        return None
    return float(value) if low <= value <= high else None


def first_number(items: Items, keys: tuple[str, ...], low: float, high: float) -> Quantity | None:
    """The first of several items that has a number within the range."""
    for key in keys:
        value = number(items, key, low, high)
        if value is not None:
            return Quantity(value, "reported", key)
    return None


def lat_lon(items: Items, lat_key: str, lon_key: str) -> LatLon | None:
    """A position; None unless both items are numbers within their range.

    Exactly 0, 0 also counts as unknown: it is what senders without a position fix write.
    """
    lat, lon = number(items, lat_key, -90, 90), number(items, lon_key, -180, 180)
    return None if lat is None or lon is None or lat == lon == 0 else (lat, lon)
