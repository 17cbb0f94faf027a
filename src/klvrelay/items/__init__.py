"""Looks up items by tag, key, name or 16-byte key, and describes them.

    entry.py      an item of a set and its origin
    search.py     finds entries for a query
    numbers.py    range, resolution, length
    forms.py      wire format and record format in words
    account.py    the complete description as a document
"""

from klvrelay.items.account import account, account_of_set
from klvrelay.items.entry import SETS, ItemEntry, entries
from klvrelay.items.search import NotFound, asked, each_of, find, set_called

__all__ = [
    "SETS",
    "ItemEntry",
    "NotFound",
    "account",
    "account_of_set",
    "asked",
    "each_of",
    "entries",
    "find",
    "set_called",
]
