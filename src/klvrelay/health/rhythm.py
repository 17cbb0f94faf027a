"""Measures the rate of KLV records and the gaps between them."""

from __future__ import annotations

from collections import deque

WINDOW = 5.0
"""Seconds over which the rate is measured."""
GAP_LEAST = 0.5
GAP_TIMES = 3.0
"""A pause counts as a gap if it is this many times the usual interval, and at least GAP_LEAST seconds."""
_SMOOTH = 1 / 16
_KEPT = 4096


class Rhythm:
    """Rate and gaps by arrival times (monotonic seconds).

    gaps      number of pauses longer than usual for this stream
    longest   longest pause between two records, seconds
    usual     smoothed interval between two records, seconds; None until there were two
    """

    def __init__(self) -> None:
        self.gaps = 0
        self.longest = 0.0
        self.usual: float | None = None
        self._arrivals: deque[float] = deque(maxlen=_KEPT)
        self._last: float | None = None
        self._first = 0.0

    def add(self, now: float) -> None:
        """A record arrived."""
        if self._last is None:
            self._first = now
        else:
            self._pause(now - self._last)
        self._last = now
        self._arrivals.append(now)

    def _pause(self, seconds: float) -> None:
        self.longest = max(self.longest, seconds)
        usual = self.usual
        if usual is None:
            self.usual = seconds
        elif seconds > max(GAP_LEAST, GAP_TIMES * usual):
            self.gaps += 1
            self.usual = usual + (min(seconds, 2 * GAP_TIMES * usual) - usual) * _SMOOTH
        else:
            self.usual = usual + (seconds - usual) * _SMOOTH

    def rate(self, now: float) -> float:
        """Records per second over the last few seconds."""
        arrivals = self._arrivals
        while arrivals and arrivals[0] < now - WINDOW:
            arrivals.popleft()
        if not arrivals:
            return 0.0
        span = WINDOW if now - self._first > WINDOW else max(now - self._first, 1.0)
        if len(arrivals) == _KEPT:
            span = max(now - arrivals[0], 1e-3)
        return len(arrivals) / span
