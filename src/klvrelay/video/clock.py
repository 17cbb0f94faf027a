"""The time of a picture: its time stamp (ST 0604), else from the presentation times of pictures and KLV."""

from __future__ import annotations

from collections import deque

PTS_RANGE = 1 << 33
MOST_AHEAD = 4096
"""Records that may be noted before the pictures beside them."""
NEAR_PTS = 90_000
"""Difference beyond which a jump of the presentation times is looked for."""
LONGEST_PTS = 60 * 90_000
"""Maximum difference of presentation times over which the KLV gives the time of a picture."""
MOST_APART_US = 60_000_000
"""A time stamp that differs more from the KLV is of a clock that is not set."""


class PictureClock:
    """Relates presentation times (90 kHz, 33 bits) to the time of one stream of KLV (microseconds since 1970).

    Records and pictures are each given in order; records may be ahead.
    """

    def __init__(self) -> None:
        self._known: deque[tuple[int, int]] = deque(maxlen=MOST_AHEAD)

    @property
    def is_set(self) -> bool:
        """A record has been noted."""
        return bool(self._known)

    def note(self, pts: int, time_us: int) -> None:
        """A record, in order."""
        self._known.append((pts, time_us))

    def time_us(self, pts: int | None, stamp_us: int | None) -> int | None:
        """The time of a picture; None if neither its time stamp nor the KLV gives it."""
        by_klv = None if pts is None else self._by_klv(pts)
        if stamp_us is not None and (by_klv is None or abs(stamp_us - by_klv) <= MOST_APART_US):
            return stamp_us
        return by_klv

    def _by_klv(self, pts: int) -> int | None:
        if not self._known:
            return None
        self._forget(pts)
        known, time_us = self._known[0]
        apart = apart_pts(pts, known)
        return time_us + apart * 100 // 9 if abs(apart) <= LONGEST_PTS else None

    def _forget(self, pts: int) -> None:
        """Forget the records before the one that is nearest."""
        known = self._known
        while len(known) > 1 and _distance(known[1][0], pts) <= _distance(known[0][0], pts):
            known.popleft()
        if len(known) > 1 and _distance(known[0][0], pts) > NEAR_PTS:
            nearest = min(range(len(known)), key=lambda number: _distance(known[number][0], pts))
            for _ in range(nearest):
                known.popleft()


def _distance(one: int, other: int) -> int:
    return abs(apart_pts(one, other))


def apart_pts(later: int, earlier: int) -> int:
    """The difference of two presentation times, which begin again at 0 after 26.5 hours."""
    return (later - earlier + PTS_RANGE // 2) % PTS_RANGE - PTS_RANGE // 2
