"""What earlier openings of a playlist gave; `../web/follow.py` goes on from there, and `../isolated/source.py`, whose
process is another one each time, asks it of each packet.
"""

from __future__ import annotations

import threading
from collections import deque

from klvrelay.sources.web.place import Place

MOST = 8192
"""Pieces that are remembered: half a gigabyte of a playlist's segments."""


class Given:
    """What came lately, by its bytes and its time: whoever starts anew with the same times has other bytes.

    Whoever opens a source again hands it to each opening. One opening's thread may still end while the next begins.

    place   how far its playlist was read
    """

    def __init__(self) -> None:
        self.place = Place()
        self._order: deque[int] = deque()
        self._marks: set[int] = set()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._order)

    def has(self, data: bytes, pts: int | None) -> bool:
        """Did this come lately?"""
        return hash((pts, data)) in self._marks

    def add(self, data: bytes, pts: int | None) -> None:
        """It came, and was handed on."""
        mark = hash((pts, data))
        with self._lock:
            if mark in self._marks:
                return
            self._marks.add(mark)
            self._order.append(mark)
            if len(self._order) > MOST:
                self._marks.remove(self._order.popleft())


class Opening:
    """One opening among those that share a memory.

    again   all that came so far at this one came at an earlier one
    """

    def __init__(self, given: Given) -> None:
        self.again = len(given) > 0
        self._given = given

    def is_new(self, data: bytes, pts: int | None, *, live: bool) -> bool:
        """Has no earlier opening given it? At the first that is new, a live playlist has gone on, or begun anew."""
        if self.again and self._given.has(data, pts):
            return False
        if live:
            self.again = False
            self._given.add(data, pts)
        return True
