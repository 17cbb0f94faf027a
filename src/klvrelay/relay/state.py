"""The state of a stream: the latest value of every item, merged over its good records into one document.

Next door: `channel.py` keeps one a stream, and `relay.py` has its document told at most once a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from klvrelay.json_output import dumps

if TYPE_CHECKING:
    from klvrelay.record import Record

# Sets that tell of the platform itself: their items stand at the root, under the same keys.
_PLATFORM = ("ST0601", "ST0104")
# Items on their own do too.
_ROOT = (*_PLATFORM, "unknown", "ST1204")
# Sets that also come nested in ST 0601 share the key that they have there.
_NESTED = {
    "ST0102": "security_local_set",
    "ST0102-US": "security_local_set",
    "ST0806": "rvt_local_set",
    "ST0903": "vmti_local_set",
    "ST1002": "range_image_local_set",
    "ST1206": "sar_motion_imagery_local_set",
    "ST1601": "geo_registration_local_set",
    "ST1602": "composite_imaging_local_set",
}
_NESTED_KEYS = frozenset(_NESTED.values())
TOGETHER = 8
"""Records that are looked at together: where many streams take turns, each finds the processor's caches full of the
others' data."""
PENDING_MOST = 64
"""Records with different items that wait for the next document; beyond, the oldest is merged at once."""
UNKNOWN_MOST = 64
"""Unknown items that one set keeps: those seen last."""
UNKNOWN_BYTES = 64 << 10
"""Characters of these items."""
MOST = 256 << 10
"""Bytes of a document."""
WARNINGS_MOST = 64
"""Of the last record's warnings."""
WARNING = 1 << 10
"""Bytes that the warning has beside the keys that it names."""
GROWTH = 1 << 20
"""Bytes of records that are merged between two documents before the size is looked at."""
_TIMES = ("time", "time_us", "pts", "version")
_SPECIAL, _WARNINGS, _UNKNOWN = "special", "warnings", "unknown"


class StreamState:
    """Merges the records of one stream; records that are not good change nothing.

    The document has the shape of a record (`klvrelay/1`, set ST0601 or ST0104): `seq` and `received` are those of
    the last good record, the times and the version those of the last good one of that set, where there is one.
    A stand-alone ST 0102 or ST 0903 set is merged under the key it has inside ST 0601; where ST 0601 brings such a set
    too, or has no key for it, under its own name (`st0903`): two sets are never merged into one.

    The document is bounded whatever a sender makes up: a set keeps the UNKNOWN_MOST unknown items that were seen last,
    of at most UNKNOWN_BYTES together, and where the whole has more than MOST bytes, its largest items are left out
    until they come again; a warning names them.
    """

    def __init__(self) -> None:
        self._head: dict[str, Any] = {}
        self._items: dict[str, Any] = {}
        self._special: dict[str, dict[str, str]] = {}  # by the item that they are about
        self._platform = False
        self._inside: set[str] = set()  # keys of sets that came nested
        self._alone: dict[str, str] = {}  # the sets that came alone, by the keys they would have nested
        self._new: list[Record] = []
        self._pending: dict[tuple[str, bytes | int], Record] = {}  # by the items they hold, latest last
        self._grown = 0
        self._left_out: set[str] = set()

    def add(self, record: Record) -> None:
        """Take one record in: it takes the place of the one before it that held the same items."""
        if record.good:
            self._new.append(record)
            if len(self._new) >= TOGETHER:
                self._settle()

    def _settle(self) -> None:
        """Of the new records that hold the same items keep the last one."""
        pending = self._pending
        for record in self._new:
            alike = record.set, record.held or record.seq
            pending.pop(alike, None)
            pending[alike] = record
            if len(pending) > PENDING_MOST:
                self._merge(pending.pop(next(iter(pending))))
        self._new.clear()

    def document(self) -> bytes | None:
        """The state as JSON, or None where no good record came since the last call."""
        self._settle()
        if not self._pending:
            return None
        for record in self._pending.values():
            self._merge(record)
        self._pending.clear()
        return self._bounded()

    def _bounded(self) -> bytes:
        """The document, without the largest items where it would be too large."""
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
            said = f"the state has at most {MOST} bytes, left out: {', '.join(sorted(self._left_out))}"
            quality[_WARNINGS] = [*quality.get(_WARNINGS, ()), said]
        return dumps({**self._head, "quality": quality, "items": self._items})

    def _merge(self, record: Record) -> None:
        text = record.json()
        self._grown += len(text)
        self._take(orjson.loads(text))
        if self._grown > GROWTH:
            self._bounded()

    def _take(self, record: dict[str, Any]) -> None:
        items, name = record.pop("items"), record["set"]
        if name in _PLATFORM:
            self._keep_apart(items)
        key = self._key(name)
        self._take_head(record)
        self._take_special(record["quality"].pop(_SPECIAL, {}), items, f"{key}." if key else "")
        _update(_place(self._items, key), items)

    def _key(self, name: str) -> str:
        """Under which key the items of a set go; "" for the root."""
        nested = _NESTED.get(name)
        if name in _ROOT:
            return ""
        if nested is None or nested in self._inside:
            return name.lower()
        self._alone[nested] = name
        return nested

    def _keep_apart(self, items: dict[str, Any]) -> None:
        """What came alone under a key that a nested set has from now on moves under its own name."""
        for nested in [key for key in self._alone if key in items]:
            own = self._alone.pop(nested).lower()
            if nested in self._items:
                self._items[own] = self._items.pop(nested)
            for item in [item for item in self._special if item.startswith(f"{nested}.")]:
                self._special[own + item[len(nested) :]] = {
                    own + path[len(nested) :]: reason for path, reason in self._special.pop(item).items()
                }
        self._inside.update(items.keys() & _NESTED_KEYS)

    def _take_head(self, record: dict[str, Any]) -> None:
        platform = record["set"] in _PLATFORM
        kept = {key: self._head.get(key) for key in (*_TIMES, "set")} if self._platform and not platform else {}
        self._head = {"set": "ST0601", **record, **kept} if platform or kept else {**record, "set": "ST0601"}
        self._platform = self._platform or platform

    def _take_special(self, special: dict[str, str], items: dict[str, Any], path: str) -> None:
        """A reason for a null lasts until its item comes again."""
        for key in items:
            self._special.pop(path + key, None)
        for key, reason in special.items():
            self._special.setdefault(path + _root(key), {})[path + key] = reason


def _place(items: dict[str, Any], key: str) -> dict[str, Any]:
    """Where the items of a set go: the root, or an object under its key."""
    if not key:
        return items
    if not isinstance(items.get(key), dict):
        items[key] = {}
    place: dict[str, Any] = items[key]
    return place


def _update(into: dict[str, Any], items: dict[str, Any]) -> None:
    unknown = items.pop(_UNKNOWN, None)
    into.update(items)
    if unknown and (kept := _seen_last({**_without(into.get(_UNKNOWN, {}), unknown), **unknown})):
        into[_UNKNOWN] = kept


def _without(items: dict[str, str], others: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in items.items() if key not in others}


def _seen_last(unknown: dict[str, str]) -> dict[str, str]:
    """Of unknown items, the latest last, those that are kept: one that is too large alone takes no other's place."""
    room = UNKNOWN_BYTES
    kept: dict[str, str] = {}
    for key in reversed(unknown):
        size = len(key) + len(unknown[key])
        if size > UNKNOWN_BYTES:
            continue
        room -= size
        if room < 0 or len(kept) == UNKNOWN_MOST:
            break
        kept[key] = unknown[key]
    return dict(reversed(kept.items()))


def _by_root(special: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """The reasons by the key of the document that they are about."""
    found: dict[str, dict[str, str]] = {}
    for item, reasons in special.items():
        found.setdefault(_root(item), {}).update(reasons)
    return found


def _root(path: str) -> str:
    """The first key of a path such as `vtarget_series[2].target_hae`."""
    return path.partition(".")[0].partition("[")[0]
