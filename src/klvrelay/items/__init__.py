"""Looks up items by tag, key, name or 16-byte key, and describes them.

    entry.py         an item of a set and its origin
    search.py        finds entries for a query
    numbers.py       range, resolution, length
    forms.py         encoding and record format as text
    item_details.py  the complete description as a document
"""

from klvrelay.items.entry import SETS, ItemEntry, entries
from klvrelay.items.item_details import item_details, set_details
from klvrelay.items.search import NotFound, find, find_set, look_up, split_queries

__all__ = [
    "SETS",
    "ItemEntry",
    "NotFound",
    "entries",
    "find",
    "find_set",
    "item_details",
    "look_up",
    "set_details",
    "split_queries",
]
