"""How far a playlist was read, over all openings of its source; `follow.py` asks where to go on.

A process that reads a playlist hands it on packed, for the next one:

    JSON     next, vary (as `Place` has them); names, heads: lists of [number, digest], the oldest first
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
"""Segments that are known again: a playlist seldom shows more than a few dozen."""
HEADS = 4
"""Segments whose first bytes are known."""
NUMBER_MOST = 1 << 62
DIGEST = 16
"""Hexadecimal digits of a digest."""


class Position:
    """The next segment's number, and the names of those before: one that begins again at 0 has others.

    next    number of the segment that is due; None before the first
    moved   called, by the thread that reads, when it has changed
    """

    def __init__(self) -> None:
        self.next: int | None = None
        self.moved: Callable[[], None] = lambda: None
        self._names: OrderedDict[int, str] = OrderedDict()
        self._heads: OrderedDict[int, str] = OrderedDict()
        self._names_vary = False

    @classmethod
    def unpacked(cls, data: bytes) -> Position:
        """What `packed` made; a new one where it is anything else: it may come from a process that was taken over."""
        place = cls()
        try:
            match orjson.loads(data):
                case {"next": next_, "vary": bool(vary), "names": list(names), "heads": list(heads)}:
                    known = _unpacked(names, REMEMBERED), _unpacked(heads, HEADS)
                    place.next = None if next_ is None else _number(next_)
                    place._names, place._heads = known
                    place._names_vary = vary
        except ValueError:
            return cls()
        return place

    def packed(self) -> bytes:
        """All of it, in less than 32 KiB."""
        names, heads = list(self._names.items()), list(self._heads.items())
        return orjson.dumps({"next": self.next, "vary": self._names_vary, "names": names, "heads": heads})

    def took(self, segment: MediaSegment) -> None:
        """It was handed on, or is lost."""
        if self.next == segment.number + 1:
            return  # known since its first bytes came
        self.next = segment.number + 1
        self._names[segment.number] = _name(segment)
        if len(self._names) > REMEMBERED:
            self._names.popitem(last=False)
        self.moved()

    def begins(self, segment: MediaSegment, head: bytes) -> None:
        """How a segment began that was handed on."""
        self._heads[segment.number] = _digest(head)
        if len(self._heads) > HEADS:
            self._heads.popitem(last=False)
        self.moved()

    def is_other(self, segment: MediaSegment, head: bytes) -> bool:
        """Does a segment that bears a number and a name that we know begin with other bytes?"""
        known = self._heads.get(segment.number)
        return known is not None and known != _digest(head)

    def again(self) -> None:
        """The playlist begins again: what was known of it says nothing of what comes."""
        self.next = None
        self._names.clear()
        self._heads.clear()

    def witness(self, segments: Sequence[MediaSegment]) -> MediaSegment | None:
        """The newest of these segments whose beginning is known, to look at where the names have changed."""
        return next((segment for segment in reversed(segments) if segment.number in self._heads), None)

    def vary(self) -> None:
        """The same segments came under other names (a token in them): from now on the names say nothing."""
        self._names_vary = True

    def goes_on(self, segments: Sequence[MediaSegment]) -> bool:
        """Is this the same playlist, only later (or, out of a cache, earlier)? Else its encoder began again."""
        met = [] if self._names_vary else [segment for segment in segments if segment.number in self._names]
        if met:
            return all(self._names[segment.number] == _name(segment) for segment in met)
        if self._names_vary and any(segment.number in self._names for segment in segments):
            return True
        return self.next is None or segments[0].number >= self.next


def _name(segment: MediaSegment) -> str:
    """A digest of its name: without the query, in which a token may change, unless the query is all that differs."""
    parts = urllib.parse.urlsplit(segment.part.url)
    last = parts.path.rpartition("/")[2]
    query = f"?{parts.query}" if not any(c.isdigit() for c in last) else ""
    return _digest(f"{parts.path}{query} {segment.part.start}".encode("utf-8", "surrogatepass"))


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=DIGEST // 2).hexdigest()


def _unpacked(pairs: list[Any], most: int) -> OrderedDict[int, str]:
    """Digests by their numbers; raises ValueError for what is none."""
    if len(pairs) > most:
        raise ValueError("too many")
    found: OrderedDict[int, str] = OrderedDict()
    for pair in pairs:
        match pair:
            case [int(number), str(digest)] if len(digest) == DIGEST:
                found[_number(number)] = digest
            case _:
                raise ValueError("no number with a digest")
    return found


def _number(value: object) -> int:
    if type(value) is not int or not 0 <= value < NUMBER_MOST:
        raise ValueError("no number of a segment")
    return value
