"""The state of a stream: the latest value of each item, merged from its good records into one document.

It is published at most once per second and stream.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from klvrelay.json_output import dumps

if TYPE_CHECKING:
    from klvrelay.record import Record

PLATFORM = ("ST0601", "ST0104")
"""Sets that describe the platform: their items are at the root of the document."""
ROOT = (*PLATFORM, "unknown", "ST1204")
"""So are items outside a set."""
NESTED = {
    "ST0102": "security_local_set",
    "ST0102-US": "security_local_set",
    "ST0806": "rvt_local_set",
    "ST0903": "vmti_local_set",
    "ST1002": "range_image_local_set",
    "ST1206": "sar_motion_imagery_local_set",
    "ST1601": "geo_registration_local_set",
    "ST1602": "composite_imaging_local_set",
}
"""Sets that ST 0601 can contain: they are merged under the key that they have there."""
_NESTED_KEYS = frozenset(NESTED.values())
TOGETHER = 8
"""Records processed together: with many streams, this saves cache misses."""
PENDING_MOST = 64
"""Maximum records with different items that wait for the next document. Beyond, the oldest is merged at once."""
UNKNOWN_MOST = 64
"""Maximum unknown items of one set: those received last."""
UNKNOWN_BYTES = 64 << 10
"""Maximum characters of these items."""
MOST = 256 << 10
"""Maximum bytes of a document."""
WARNINGS_MOST = 64
"""Maximum warnings of the last record."""
WARNING = 1 << 10
"""Bytes of the warning about omitted items, without their keys."""
GROWTH = 1 << 20
"""Bytes of records merged between two documents after which the size is checked."""
_TIMES = ("time", "time_us", "pts", "version")
_SPECIAL, _WARNINGS, _UNKNOWN = "special", "warnings", "unknown"


class StreamState:
    """Merges the good records of one stream.

    The document has the form of a record (`klvrelay/1`, set ST0601 or ST0104). `seq` and `received` are those of the
    last good record; times and version are those of the last good record of that set, if there is one. A stand-alone
    ST 0102 or ST 0903 set is merged under the key that it has in ST 0601. If ST 0601 contains such a set too, or has no
    key for it, it has its own key (`st0903`): two sets are never merged into one.

    The size is limited for any input: a set keeps the UNKNOWN_MOST unknown items received last, of at most
    UNKNOWN_BYTES. If the document has more than MOST bytes, its largest items are left out until they are received
    again; a warning names them.
    """

    def __init__(self) -> None:
        self._head: dict[str, Any] = {}
        self._items: dict[str, Any] = {}
        self._special: dict[str, dict[str, str]] = {}  # reasons for nulls, by item
        self._platform = False
        self._nested: set[str] = set()  # keys of sets received inside ST 0601
        self._alone: dict[str, str] = {}  # sets received alone, by their keys in ST 0601
        self._new: list[Record] = []
        self._pending: dict[tuple[str, bytes | int], Record] = {}  # by the set of their items, latest last
        self._grown = 0
        self._left_out: set[str] = set()

    def add(self, record: Record) -> None:
        """Add a record. It replaces an earlier one with the same set of items."""
        if record.good:
            self._new.append(record)
            if len(self._new) >= TOGETHER:
                self._settle()

    def _settle(self) -> None:
        """Keep only the last of the new records with the same set of items."""
        pending = self._pending
        for record in self._new:
            key = record.set, record.item_set or record.seq
            pending.pop(key, None)
            pending[key] = record
            if len(pending) > PENDING_MOST:
                self._merge(pending.pop(next(iter(pending))))
        self._new.clear()

    def document(self) -> bytes | None:
        """The state as JSON, or None without a good record since the last call."""
        self._settle()
        if not self._pending:
            return None
        for record in self._pending.values():
            self._merge(record)
        self._pending.clear()
        return self._bounded()

    def _bounded(self) -> bytes:
        """The document, without its largest items if it would be too large."""
        self._left_out -= self._items.keys()
        text = self._text()
        if len(text) > MOST:
            self._leave_out(len(text) - MOST)
            text = self._text()
        self._grown = len(text)
        return text

    def _leave_out(self, excess: int) -> None:
        special = _by_root(self._special)
        sizes = {key: len(dumps({key: value, **special.get(key, {})})) for key, value in self._items.items()}
        excess += WARNING
        for key in sorted(sizes, key=sizes.__getitem__, reverse=True):
            if excess <= 0:
                return
            excess -= sizes[key] - len(key)
            self._left_out.add(key)
            del self._items[key]
            for path in [path for path in self._special if _root(path) == key]:
                del self._special[path]

    def _text(self) -> bytes:
        quality = dict(self._head["quality"])
        if self._special:
            quality[_SPECIAL] = {path: why for reasons in self._special.values() for path, why in reasons.items()}
        if warnings := quality.get(_WARNINGS):
            quality[_WARNINGS] = warnings[:WARNINGS_MOST]
        if self._left_out:
            warning = f"the state has at most {MOST} bytes, left out: {', '.join(sorted(self._left_out))}"
            quality[_WARNINGS] = [*quality.get(_WARNINGS, ()), warning]
        return dumps({**self._head, "quality": quality, "items": self._items})

    def _merge(self, record: Record) -> None:
        text = record.json()
        self._grown += len(text)
        self._take(orjson.loads(text))
        if self._grown > GROWTH:
            self._bounded()

    def _take(self, record: dict[str, Any]) -> None:
        items, name = record.pop("items"), record["set"]
        if name in PLATFORM:
            self._separate(items)
        key = self._key(name)
        self._take_head(record)
        self._take_special(record["quality"].pop(_SPECIAL, {}), items, f"{key}." if key else "")
        _update(_place(self._items, key), items)

    def _key(self, name: str) -> str:
        """The key for the items of a set; "" for the root."""
        nested = NESTED.get(name)
        if name in ROOT:
            return ""
        if nested is None or nested in self._nested:
            return name.lower()
        self._alone[nested] = name
        return nested

    def _separate(self, items: dict[str, Any]) -> None:
        """Move stand-alone sets to their own keys if ST 0601 now contains sets under the same keys."""
        for nested in [key for key in self._alone if key in items]:
            own = self._alone.pop(nested).lower()
            if nested in self._items:
                self._items[own] = self._items.pop(nested)
            for item in [item for item in self._special if item.startswith(f"{nested}.")]:
                self._special[own + item[len(nested) :]] = {
                    own + path[len(nested) :]: reason for path, reason in self._special.pop(item).items()
                }
        self._nested.update(items.keys() & _NESTED_KEYS)

    def _take_head(self, record: dict[str, Any]) -> None:
        platform = record["set"] in PLATFORM
        kept = {key: self._head.get(key) for key in (*_TIMES, "set")} if self._platform and not platform else {}
        self._head = {"set": "ST0601", **record, **kept} if platform or kept else {**record, "set": "ST0601"}
        self._platform = self._platform or platform

    def _take_special(self, special: dict[str, str], items: dict[str, Any], path: str) -> None:
        """Keep the reason for a null until its item is received again."""
        for key in items:
            self._special.pop(path + key, None)
        for key, reason in special.items():
            self._special.setdefault(path + _root(key), {})[path + key] = reason


def _place(items: dict[str, Any], key: str) -> dict[str, Any]:
    """The object for the items of a set: the root, or the one under its key."""
    if not key:
        return items
    if not isinstance(items.get(key), dict):
        items[key] = {}
    place: dict[str, Any] = items[key]
    return place


def _update(into: dict[str, Any], items: dict[str, Any]) -> None:
    unknown = items.pop(_UNKNOWN, None)
    into.update(items)
    if unknown and (kept := merged_unknown(into.get(_UNKNOWN, {}), unknown)):
        into[_UNKNOWN] = kept


def merged_unknown(before: dict[str, str], items: dict[str, str]) -> dict[str, str]:
    """The latest values of unknown items, in order of arrival and within the limits."""
    return _latest({**_without(before, items), **items})


def _without(items: dict[str, str], others: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in items.items() if key not in others}


def _latest(unknown: dict[str, str]) -> dict[str, str]:
    """The unknown items to keep, in order of arrival. An item that is too large alone displaces no other."""
    left = UNKNOWN_BYTES
    kept: dict[str, str] = {}
    for key in reversed(unknown):
        size = len(key) + len(unknown[key])
        if size > UNKNOWN_BYTES:
            continue
        left -= size
        if left < 0 or len(kept) == UNKNOWN_MOST:
            break
        kept[key] = unknown[key]
    return dict(reversed(kept.items()))


def _by_root(special: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """The reasons by the first key of their items."""
    found: dict[str, dict[str, str]] = {}
    for item, reasons in special.items():
        found.setdefault(_root(item), {}).update(reasons)
    return found


def _root(path: str) -> str:
    """The first key of a path such as `vtarget_series[2].target_hae`."""
    return path.partition(".")[0].partition("[")[0]
