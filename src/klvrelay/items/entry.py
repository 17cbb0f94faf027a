"""An item of a set, with its origin and address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from klvrelay.standards import clauses, spec

SETS = tuple(name for name in clauses.STANDARDS if name in spec.SETS or name in clauses.UNIVERSAL)
"""The sets with known items, in the order of `klvrelay items --sets`."""
HEAD = "ST0601"
"""The set of a tag without a set name."""
NESTED = ("local_set", "series")


@dataclass(frozen=True, slots=True)
class ItemEntry:
    """One item: its set and table row; `universal_key` is its 16-byte key in universal form."""

    set: str
    item: spec.Item
    universal_key: bytes | None = None

    @property
    def address(self) -> str:
        """The query that finds the item: `0601:13`, `VTarget:10`, or its 16-byte key in hex."""
        if self.universal_key is not None:
            return self.universal_key.hex()
        return f"{self.set.removeprefix('ST')}:{self.item.tag}"

    @property
    def clause(self) -> str:
        """`MISB ST 0601.19, item 13`; for a nested set `MISB ST 0903.6, VTarget Pack, item 10`."""
        home = clauses.STANDARDS[self.set]
        title = "" if self.set in spec.UNIVERSAL_KEYS else f", {home.title}"
        if self.universal_key is None:
            return f"{home.document}{title}, item {self.item.tag}"
        return f"{home.document}{title}, {self.item.name}"

    @property
    def holds(self) -> str | None:
        """The set inside the item, or inside each element of a series."""
        return inner_set(self.item.kind)

    @property
    def repeats(self) -> bool:
        """Whether the item may repeat; never in universal form."""
        return self.item.repeats and self.universal_key is None


def inner_set(kind: str) -> str | None:
    """The set name in `local_set:ST0102`, `series:local_set:VChip` or `series:VTargetPack`."""
    head, _, rest = kind.partition(":")
    if head not in NESTED:
        return None
    name = rest.removeprefix("local_set:")
    name = clauses.SAME_TAGS.get(name, name)
    elements = spec.PACKS.get(name, ())
    if elements and elements[-1].kind.startswith("local_set:"):
        name = elements[-1].kind.partition(":")[2]
    return name if name in spec.SETS else None


def entries(name: str) -> tuple[ItemEntry, ...]:
    """The items of one set, by tag; those of a universal set in table order."""
    if name in spec.SETS:
        return tuple(ItemEntry(name, item) for item in spec.SETS[name].values())
    return tuple(entry for entry in keyed_items() if entry.set == name)


@cache
def keyed_items() -> tuple[ItemEntry, ...]:
    """The items in universal form, each with a 16-byte key."""
    return tuple(ItemEntry(clauses.ORIGINS[key], item, key) for key, item in spec.KEYED.items())


def every() -> Iterator[ItemEntry]:
    """All items: those with tags, then those in universal form."""
    for name in spec.SETS:
        yield from entries(name)
    yield from keyed_items()


def same_key(one: bytes, other: bytes) -> bool:
    """Compare keys without octet 8, the registry version."""
    return one[:7] + one[8:] == other[:7] + other[8:]


def by_key(key: bytes) -> ItemEntry | None:
    """The item with this 16-byte key in a packet or universal set; None if unknown."""
    return next((entry for entry in keyed_items() if entry.universal_key and same_key(entry.universal_key, key)), None)


def packet_set(key: bytes) -> str | None:
    """The set or pack whose packets start with this 16-byte key; None if unknown."""
    return next((name for name, its in spec.UNIVERSAL_KEYS.items() if same_key(its, key)), None)


def pack_alone(name: str) -> ItemEntry | None:
    """The item of a packet that is a pack rather than a set (ST 1010, ST 1204, ST 1303); else None."""
    key = spec.UNIVERSAL_KEYS.get(name)
    return by_key(key) if key is not None and name not in SETS else None


def notes(text: str) -> str:
    """Notes of a table without references to other tables."""
    parts = (re.sub(r",? see (README|packs\.csv)", "", f" {part}").strip() for part in text.split(";"))
    return "; ".join(part for part in parts if part)
