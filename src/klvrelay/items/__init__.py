"""The reference of items: what the tables know of each, found by tag, key, name or 16-byte key.

    entry.py      an item of a set, and where it is from
    search.py     what a reader may type -> entries
    numbers.py    range, resolution, bytes on the wire
    forms.py      how a record writes an item, in words
    account.py    all of it as one document

It reads `spec` and `clauses`, which are generated, and nothing else; next door, `verbs/items.py` shows it.
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
