"""Counts the items of one record stream and keeps their latest values.

Most streams have a few kinds of record, each with a fixed list of items. Counting per layout keeps the cost of a
record low, whatever its size.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Any

from klvrelay.probe import charts, report
from klvrelay.probe.metadata.clocks import iso
from klvrelay.probe.metadata.series import BEYOND, Counts
from klvrelay.standards.spec import KEYED, SETS
from klvrelay.text import printable

MOST = 512
"""Maximum number of distinct items listed; the same limit applies to versions."""
LAYOUTS = 256
TEXT = 80
"""Maximum length of a latest value in characters."""
STRIPS = 160
UNKNOWN = "unknown"

_PLACE = re.compile(r"\[\d+\]")
_KEYED = {item.key: item for item in reversed(KEYED.values())}


class _Layout:
    """Counts records that hold the same items."""

    __slots__ = ("counts", "longest", "records", "tallies")

    def __init__(self, tallies: list[_Tally]) -> None:
        self.tallies = tallies
        self.counts = Counts()
        self.records = 0
        self.longest = 0.0

    def fold(self) -> None:
        """Move the counts to the items and reset them."""
        for tally in self.tallies:
            tally.count += self.records
            tally.longest = max(tally.longest, self.longest)
            tally.counts.merge(self.counts)
        self.records, self.longest, self.counts = 0, 0.0, Counts()


class _Tally:
    """Counts and latest value of one item."""

    __slots__ = ("count", "counts", "found", "last", "longest", "path", "value")

    def __init__(self, path: str, set_name: str, at: float) -> None:
        self.path = path
        self.found = item_at(path, set_name)
        self.count = 0
        self.longest = 0.0
        self.last = at
        self.value: Any = None
        self.counts = Counts()

    def store(self, items: dict[str, Any], at: float) -> None:
        """Store the value that this record holds."""
        value: Any = items
        for key in self.path.split("."):
            value = value.get(key)
        self.last = at
        self.value = value if isinstance(value, int | float) else _short_value(value, self.found)


class ItemTable:
    """Counts the items of the records of one set."""

    def __init__(self, set_name: str) -> None:
        self._set = set_name
        self._tallies: dict[str, _Tally] = {}
        self._layouts: dict[Any, _Layout] = {}
        self._now: _Layout | None = None
        self._items: dict[str, Any] = {}
        self._at = 0.0
        self._special: Counter[str] = Counter()
        self._beyond: set[str] = set()

    def add(self, at: float, items: dict[str, Any], special: dict[str, str]) -> int:
        """Count the items of a record; return how many were counted individually."""
        alone = 0
        layout = self._layouts.get(key := _layout_key(items))
        if layout is None and len(self._layouts) < LAYOUTS:
            layout = self._layouts[key] = _Layout(self._tallies_of(items, at))
        if layout is None:
            alone = self._count_individually(at, items)
        else:
            if layout is self._now:
                layout.longest = max(layout.longest, at - self._at)
            else:
                self._switch_to(layout, at)
            layout.records += 1
            layout.counts.add(at)
            self._items, self._at = items, at
        for path in special:
            if path in self._special or len(self._special) < MOST:
                self._special[path] += 1
        return alone

    def _tallies_of(self, items: dict[str, Any], at: float) -> list[_Tally]:
        """The listed items of a record."""
        tallies = []
        for path in _paths(items):
            tally = self._tallies.get(path)
            if tally is None and len(self._tallies) < MOST:
                tally = self._tallies[path] = _Tally(path, self._set, at)
            if tally is not None:
                tallies.append(tally)
            elif len(self._beyond) < BEYOND:
                self._beyond.add(path)
        return tallies

    @property
    def left_out(self) -> int:
        """Lower bound of the number of distinct items not listed."""
        return len(self._beyond)

    def _count_individually(self, at: float, items: dict[str, Any]) -> int:
        """Count the items of a record individually, because there are too many layouts."""
        self._store_values()
        self._now = None
        tallies = self._tallies_of(items, at)
        for tally in tallies:
            tally.count += 1
            tally.counts.add(at)
            tally.longest = max(tally.longest, at - tally.last)
            tally.store(items, at)
        return len(tallies)

    def _switch_to(self, layout: _Layout, at: float) -> None:
        """Switch to another layout than the previous record's, and measure the gap of each item."""
        self._store_values()
        for tally in layout.tallies:
            tally.longest = max(tally.longest, at - tally.last)
        self._now = layout

    def _store_values(self) -> None:
        if self._now is not None:
            for tally in self._now.tallies:
                tally.store(self._items, self._at)

    def _fold(self) -> None:
        self._store_values()
        for layout in self._layouts.values():
            layout.fold()

    def freeze(self, records: int, rate: float | None) -> tuple[report.ItemReport, ...]:
        """Item reports in tag order, nested items after their set; `rate` is the record rate."""
        self._fold()
        rows = [self._item(tally, records, rate) for tally in self._tallies.values()]
        return tuple(sorted(rows, key=lambda item: _order(item.path, self._set)))

    def _item(self, tally: _Tally, records: int, rate: float | None) -> report.ItemReport:
        tag, name, units = _describe(tally.path, self._set)
        share = tally.count / max(1, records)
        text = tally.value if isinstance(tally.value, str) else _short_value(tally.value, tally.found)
        return report.ItemReport(
            tally.path, tag, name, units, tally.count, None if rate is None else rate * share, share,
            tally.longest, text, self._special[tally.path],
        )  # fmt: skip

    def strips(self, width: float) -> tuple[charts.ChartStrip, ...]:
        """When each top-level item was present, in bins of `width` seconds."""
        self._fold()
        own = [path for path in self._tallies if "." not in path or path.startswith(UNKNOWN)]
        own.sort(key=lambda path: _order(path, self._set))
        return tuple(self._tallies[path].counts.strip(self._title(path), width) for path in own[:STRIPS])

    def _title(self, path: str) -> str:
        tag, name, _ = _describe(path, self._set)
        return f"{'' if tag is None else tag} {name}".strip()


def _layout_key(items: dict[str, Any]) -> tuple[Any, ...]:
    """A key that is equal for all records with the same items."""
    inner = [(key, *value) for key, value in items.items() if type(value) is dict and _is_set(key)]
    return (*items, *inner)


def _is_set(key: str) -> bool:
    return key.endswith("_set") or key == UNKNOWN


def _paths(items: dict[str, Any]) -> Iterator[str]:
    for key, value in items.items():
        inside = isinstance(value, dict) and _is_set(key)
        if key != UNKNOWN or not inside:
            yield key
        if inside:
            yield from (f"{key}.{inner}" for inner in value if "." not in inner)


@lru_cache(maxsize=4096)
def item_at(path: str, set_name: str) -> Any:
    """The table entry of an item path; None if unknown."""
    parent, _, key = path.rpartition(".")
    if parent:
        above = item_at(parent, set_name)
        set_name = above.kind.removeprefix("local_set:") if above else ""
    by_key = {item.key: item for item in SETS.get(set_name, {}).values()}
    return by_key.get(key) or (None if parent else _KEYED.get(key))


def _describe(path: str, set_name: str) -> tuple[int | None, str, str]:
    """Tag, name and units of an item path."""
    found = item_at(path, set_name)
    if found is not None:
        return found.tag, found.name, found.units
    parent, _, key = path.rpartition(".")
    if parent != UNKNOWN or not _is_tag(key):
        return None, key, ""
    known = SETS.get(set_name, {}).get(int(key))
    return int(key), f"{known.name} (not readable)" if known else "in no table", ""


def _is_tag(key: str) -> bool:
    """Whether a key is a tag rather than the 32 digits of a universal key."""
    return key.isdigit() and len(key) < 32


def _order(path: str, set_name: str) -> tuple[tuple[int, str], ...]:
    if path.startswith(f"{UNKNOWN}."):
        return ((_describe(path, set_name)[0] or 1 << 20, path),)
    keys, at = [], ""
    for part in path.split("."):
        at = f"{at}.{part}" if at else part
        found = item_at(at, set_name)
        keys.append((found.tag if found else 1 << 20, part))
    return tuple(keys)


def tags_of(path: str, set_name: str) -> str:
    """Tags that lead to an item, such as `48.1`; empty if it is in no table."""
    parent, _, key = path.rpartition(".")
    if parent == UNKNOWN:
        return key if _is_tag(key) else ""
    ends = [place for place, letter in enumerate(path) if letter == "."]
    tags = [item_at(path[:end], set_name) for end in (*ends, len(path))]
    return ".".join(str(item.tag) for item in tags) if all(tags) else ""


def _short_value(value: Any, found: Any) -> str:
    """A short form of a value; a set is shown as its item count, because its items have their own rows."""
    if found is not None and found.kind == "timestamp" and isinstance(value, int):
        return iso(value) or brief(value)
    if found is not None and found.kind.startswith("local_set:") and isinstance(value, dict):
        return f"{len(value)} items"
    return brief(value)


def brief(value: Any) -> str:
    """A value on one short line without terminal control characters."""
    match value:
        case None:
            return "unknown"
        case bool():
            return "yes" if value else "no"
        case list():
            return brief(value[0]) if len(value) == 1 and not isinstance(value[0], dict) else f"{len(value)} of them"
        case dict():
            inner = islice(((k, v) for k, v in value.items() if not isinstance(v, dict | list)), TEXT)
            text = ", ".join(f"{key} {brief(each)}" for key, each in inner) or f"{len(value)} parts"
        case _:
            text = str(value)[: TEXT + 1]
    text = printable(text)
    return text if len(text) <= TEXT else text[: TEXT - 3] + "..."


def plain(text: str) -> str:
    """A decoder remark without array indices, so that equal remarks can be merged."""
    return _PLACE.sub("[]", text) if "[" in text else text
