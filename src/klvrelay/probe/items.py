"""The items of one stream of records: which came, how often, what they last said; next door, `telemetry.py`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from klvrelay.names import printable
from klvrelay.probe import report
from klvrelay.probe.clocks import iso
from klvrelay.probe.series import Counts
from klvrelay.spec import KEYED, SETS

MOST = 512
"""Items that are told apart; remarks too."""
TEXT = 80
"""Characters of a last value."""
NESTED_DEPTH = 2

_LIFTED = {"checksum", "crc32", "precision_time_stamp", "version", "vmti_ls_version", "uas_datalink_ls_version_number"}
_INDEX = re.compile(r"\[\d+\]")
_KEYED = {item.key: item for item in reversed(KEYED.values())}


class _Tally:
    """One item."""

    __slots__ = ("count", "counts", "last", "longest", "value")

    def __init__(self, at: float) -> None:
        self.count = 0
        self.longest = 0.0
        self.last = at
        self.value: Any = None
        self.counts = Counts()

    def add(self, at: float, value: Any) -> None:
        self.count += 1
        if at - self.last > self.longest:
            self.longest = at - self.last
        self.last = at
        self.value = value
        self.counts.add(at)


class ItemTable:
    """Counts the items of records of one set."""

    def __init__(self, set_name: str) -> None:
        self._set = set_name
        self._tallies: dict[str, _Tally] = {}
        self._unknown: dict[str, _Tally] = {}
        self._special: Counter[str] = Counter()

    def add(self, at: float, items: dict[str, Any], special: dict[str, str]) -> None:
        for path, value in _flat(items):
            tally = self._tallies.get(path)
            if tally is None:
                if len(self._tallies) >= MOST:
                    continue
                tally = self._tallies[path] = _Tally(at)
            tally.add(at, value)
        for tag, value in items.get("unknown", {}).items():
            if tag in self._unknown or len(self._unknown) < MOST:
                self._unknown.setdefault(tag, _Tally(at)).add(at, value)
        for path in special:
            if path in self._special or len(self._special) < MOST:
                self._special[path] += 1

    def frozen(self, records: int, rate: float | None) -> tuple[report.Item, ...]:
        """In the order of their tags, those inside a set behind it; `rate` is that of the records."""
        rows = [self._item(path, tally, records, rate) for path, tally in self._tallies.items()]
        return tuple(sorted(rows, key=lambda item: _order(item.path, self._set)))

    def _item(self, path: str, tally: _Tally, records: int, rate: float | None) -> report.Item:
        found = item_at(path, self._set)
        tag, name, units = (found.tag, found.name, found.units) if found else (None, path.rpartition(".")[2], "")
        share = tally.count / max(1, records)
        return report.Item(
            path, tag, name, units, tally.count, None if rate is None else rate * share, share,
            tally.longest, _last(tally.value, found), self._special[path],
        )  # fmt: skip

    def unknown(self) -> tuple[str, ...]:
        """Tags (or keys, in universal sets) that no table knows."""
        return tuple(sorted(self._unknown, key=lambda tag: (len(tag), tag)))

    def strips(self, width: float) -> tuple[report.Strip, ...]:
        """When each item came, of those of the set itself, in bins of this width."""
        paths = sorted((path for path in self._tallies if "." not in path), key=lambda path: _order(path, self._set))
        named = [(self._title(path), self._tallies[path]) for path in paths]
        named += [(f"unknown {tag}", self._unknown[tag]) for tag in self.unknown()[:16]]
        return tuple(tally.counts.strip(name, width) for name, tally in named)

    def _title(self, path: str) -> str:
        found = item_at(path, self._set)
        return f"{found.tag} {found.name}" if found else path


def _flat(items: dict[str, Any], prefix: str = "", depth: int = 1) -> Iterator[tuple[str, Any]]:
    for key, value in items.items():
        if key == "unknown" and isinstance(value, dict):
            continue
        yield prefix + key, value
        if depth < NESTED_DEPTH and isinstance(value, dict) and key.endswith("_set"):
            yield from _flat(value, f"{prefix}{key}.", depth + 1)


def item_at(path: str, set_name: str) -> Any:
    """The item that a path leads to, in the tables."""
    parent, _, key = path.rpartition(".")
    if parent:
        above = item_at(parent, set_name)
        set_name = above.kind.removeprefix("local_set:") if above else ""
    by_key = {item.key: item for item in SETS.get(set_name, {}).values()}
    return by_key.get(key) or (None if parent else _KEYED.get(key))


def _order(path: str, set_name: str) -> tuple[tuple[int, str], ...]:
    keys, at = [], ""
    for part in path.split("."):
        at = f"{at}.{part}" if at else part
        found = item_at(at, set_name)
        keys.append((found.tag if found else 1 << 20, part))
    return tuple(keys)


def _last(value: Any, found: Any) -> str:
    """The last value: of a set how much is in it, since its items have rows of their own."""
    if found is not None and found.kind == "timestamp" and isinstance(value, int):
        return iso(value) or brief(value)
    if found is not None and found.kind.startswith("local_set:") and isinstance(value, dict):
        return f"{len(value)} items"
    return brief(value)


def tags_of(path: str, set_name: str) -> str:
    """The tags that lead to an item: `48.1`; empty where no table has it."""
    parts = path.split(".")
    found = [item_at(".".join(parts[: n + 1]), set_name) for n in range(len(parts))]
    return ".".join(str(item.tag) for item in found) if all(found) else ""


def brief(value: Any) -> str:
    """A value on one short line, nothing in it that could steer a terminal."""
    match value:
        case None:
            return "unknown"
        case bool():
            return "yes" if value else "no"
        case list():
            return brief(value[0]) if len(value) == 1 and not isinstance(value[0], dict) else f"{len(value)} of them"
        case dict():
            said = [f"{key} {brief(inner)}" for key, inner in value.items() if not isinstance(inner, dict | list)]
            text = ", ".join(said) or f"{len(value)} parts"
        case _:
            text = str(value)
    text = printable(text)
    return text if len(text) <= TEXT else text[: TEXT - 3] + "..."


def plain(text: str) -> str:
    """A remark of the decoder without the places in arrays, so that alike ones are one."""
    return _INDEX.sub("[]", text)
