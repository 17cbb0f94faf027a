"""How far a playlist was read, over all openings of its source; next door, `follow.py` asks where to go on."""

from __future__ import annotations

import hashlib
import urllib.parse
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from klvrelay.sources.web.playlist import Segment

REMEMBERED = 512
"""Segments that are known again: a playlist seldom shows more than a few dozen."""


class Place:
    """The next segment's number, and the names of those before: one that begins again at 0 has others.

    next   number of the segment that is due; None before the first
    """

    def __init__(self) -> None:
        self.next: int | None = None
        self._names: OrderedDict[int, str] = OrderedDict()
        self._heads: OrderedDict[int, bytes] = OrderedDict()
        self._names_vary = False

    def took(self, segment: Segment) -> None:
        """It was handed on, or is lost."""
        self.next = segment.number + 1
        self._names[segment.number] = _name(segment)
        if len(self._names) > REMEMBERED:
            self._names.popitem(last=False)

    def begins(self, segment: Segment, head: bytes) -> None:
        """How a segment began that was handed on."""
        self._heads[segment.number] = _digest(head)
        if len(self._heads) > 4:
            self._heads.popitem(last=False)

    def is_other(self, segment: Segment, head: bytes) -> bool:
        """Does a segment that bears a number and a name that we know begin with other bytes?"""
        known = self._heads.get(segment.number)
        return known is not None and known != _digest(head)

    def again(self) -> None:
        """The playlist begins again: what was known of it says nothing of what comes."""
        self.next = None
        self._names.clear()
        self._heads.clear()

    def witness(self, segments: Sequence[Segment]) -> Segment | None:
        """The newest of these segments whose beginning is known, to look at where the names have changed."""
        return next((segment for segment in reversed(segments) if segment.number in self._heads), None)

    def vary(self) -> None:
        """The same segments came under other names (a token in them): from now on the names say nothing."""
        self._names_vary = True

    def goes_on(self, segments: Sequence[Segment]) -> bool:
        """Is this the same playlist, only later (or, out of a cache, earlier)? Else its encoder began again."""
        met = [] if self._names_vary else [segment for segment in segments if segment.number in self._names]
        if met:
            return all(self._names[segment.number] == _name(segment) for segment in met)
        if self._names_vary and any(segment.number in self._names for segment in segments):
            return True
        return self.next is None or segments[0].number >= self.next


def _name(segment: Segment) -> str:
    """Without the query, in which there may be a token that changes, unless the query is all that differs."""
    parts = urllib.parse.urlsplit(segment.part.url)
    last = parts.path.rpartition("/")[2]
    query = f"?{parts.query}" if not any(c.isdigit() for c in last) else ""
    return f"{parts.path}{query} {segment.part.start}"


def _digest(head: bytes) -> bytes:
    return hashlib.blake2b(head, digest_size=16).digest()
