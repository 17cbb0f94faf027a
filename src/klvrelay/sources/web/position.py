"""The position in a playlist, kept across connections of its source.

A process that reads a playlist passes it on, for the next process:

    JSON     next, vary (as in `Position`); names, heads: lists of [number, digest], the oldest first
"""

from __future__ import annotations

import hashlib
import urllib.parse
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from klvrelay.sources.web.playlist import MediaSegment

REMEMBERED = 512
"""Number of segments that are recognised; a playlist seldom lists more than a few dozen."""
HEADS = 4
"""Number of segments whose first bytes are remembered."""
NUMBER_MOST = 1 << 62
DIGEST = 16
"""Hexadecimal digits of a digest."""


class Position:
    """The next segment's number, and the names of earlier ones: a playlist that restarts at 0 has different names.

    next       number of the next segment; None before the first
    on_change  called on the reading thread after each change
    """

    def __init__(self) -> None:
        self.next: int | None = None
        self.on_change: Callable[[], None] = lambda: None
        self._names: OrderedDict[int, str] = OrderedDict()
        self._heads: OrderedDict[int, str] = OrderedDict()
        self._names_vary = False

    @classmethod
    def unpack(cls, data: bytes) -> Position:
        """Parse the output of `pack`. Anything else gives a new position: an attacker may control the process."""
        place = cls()
        try:
            match orjson.loads(data):
                case {"next": next_, "vary": bool(vary), "names": list(names), "heads": list(heads)}:
                    known = _unpack(names, REMEMBERED), _unpack(heads, HEADS)
                    place.next = None if next_ is None else _number(next_)
                    place._names, place._heads = known
                    place._names_vary = vary
        except ValueError:
            return cls()
        return place

    def pack(self) -> bytes:
        """The position in less than 32 KiB."""
        names, heads = list(self._names.items()), list(self._heads.items())
        return orjson.dumps({"next": self.next, "vary": self._names_vary, "names": names, "heads": heads})

    def advance(self, segment: MediaSegment) -> None:
        """The segment was passed on, or is lost."""
        if self.next == segment.number + 1:
            return  # already noted when its first bytes arrived
        self.next = segment.number + 1
        self._names[segment.number] = _name(segment)
        if len(self._names) > REMEMBERED:
            self._names.popitem(last=False)
        self.on_change()

    def note_head(self, segment: MediaSegment, head: bytes) -> None:
        """Note the first bytes of a segment that is being passed on."""
        self._heads[segment.number] = _digest(head)
        if len(self._heads) > HEADS:
            self._heads.popitem(last=False)
        self.on_change()

    def is_other(self, segment: MediaSegment, head: bytes) -> bool:
        """Does a segment with a known number and name begin with different bytes?"""
        known = self._heads.get(segment.number)
        return known is not None and known != _digest(head)

    def reset(self) -> None:
        """The playlist restarted: discard what was known of it."""
        self.next = None
        self._names.clear()
        self._heads.clear()

    def known_segment(self, segments: Sequence[MediaSegment]) -> MediaSegment | None:
        """The newest of these segments whose first bytes are known, to compare when the names have changed."""
        return next((segment for segment in reversed(segments) if segment.number in self._heads), None)

    def ignore_names(self) -> None:
        """The same segments have new names (with a changed token): ignore names from now on."""
        self._names_vary = True

    def continues(self, segments: Sequence[MediaSegment]) -> bool:
        """Is this a later (or cached, earlier) state of the same playlist? Otherwise its encoder restarted."""
        known = [] if self._names_vary else [segment for segment in segments if segment.number in self._names]
        if known:
            return all(self._names[segment.number] == _name(segment) for segment in known)
        if self._names_vary and any(segment.number in self._names for segment in segments):
            return True
        return self.next is None or segments[0].number >= self.next


def _name(segment: MediaSegment) -> str:
    """A digest of its name: without the query, in which a token may change, unless only the queries differ."""
    parts = urllib.parse.urlsplit(segment.part.url)
    last = parts.path.rpartition("/")[2]
    query = f"?{parts.query}" if not any(c.isdigit() for c in last) else ""
    return _digest(f"{parts.path}{query} {segment.part.start}".encode("utf-8", "surrogatepass"))


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=DIGEST // 2).hexdigest()


def _unpack(pairs: list[Any], most: int) -> OrderedDict[int, str]:
    """Digests by number; raises ValueError for invalid data."""
    if len(pairs) > most:
        raise ValueError("too many")
    found: OrderedDict[int, str] = OrderedDict()
    for pair in pairs:
        match pair:
            case [int(number), str(digest)] if len(digest) == DIGEST:
                found[_number(number)] = digest
            case _:
                raise ValueError("not a number with a digest")
    return found


def _number(value: object) -> int:
    if type(value) is not int or not 0 <= value < NUMBER_MOST:
        raise ValueError("not a segment number")
    return value
