"""Events and counts of the last seconds, in bounded memory. Times are monotonic seconds."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence


class RecentAmounts:
    """Amounts of the last `span` seconds, at a resolution of a second."""

    __slots__ = ("_kept", "_span")

    def __init__(self, span: float = 60.0) -> None:
        self._span = span
        self._kept: deque[tuple[float, float]] = deque(maxlen=int(span) + 2)

    def add(self, amount: float, now: float) -> None:
        """Note an amount, which may be negative: of a step, for example."""
        kept = self._kept
        if kept and now - kept[-1][0] < 1.0:
            kept[-1] = kept[-1][0], max((kept[-1][1], amount), key=abs)
        else:
            kept.append((now, amount))

    def count(self, amount: float, now: float) -> None:
        """Add to the amount of this second."""
        kept = self._kept
        if kept and now - kept[-1][0] < 1.0:
            kept[-1] = kept[-1][0], kept[-1][1] + amount
        else:
            kept.append((now, amount))

    def total(self, now: float) -> float:
        """The sum."""
        return sum(amount for _, amount in self._current(now))

    def largest(self, now: float) -> float:
        """The amount with the largest magnitude; 0 without one."""
        return max((amount for _, amount in self._current(now)), key=abs, default=0.0)

    def _current(self, now: float) -> deque[tuple[float, float]]:
        kept = self._kept
        while kept and now - kept[0][0] > self._span:
            kept.popleft()
        return kept


class Counted:
    """Successive readings of counters, and their increase over the last `span` seconds."""

    __slots__ = ("_kept", "_span")

    def __init__(self, span: float) -> None:
        self._span = span
        self._kept: deque[tuple[float, Sequence[int]]] = deque(maxlen=int(span) + 3)

    def add(self, now: float, *counts: int) -> None:
        """Add a reading. One that is less than an earlier one (of a new source) begins again."""
        kept = self._kept
        if kept:
            for new, old in zip(counts, kept[-1][1], strict=True):
                if new < old:
                    kept.clear()
                    break
        kept.append((now, counts))
        while len(kept) > 2 and now - kept[1][0] >= self._span:
            kept.popleft()

    @property
    def seconds(self) -> float:
        """Between the first and the last reading."""
        return self._kept[-1][0] - self._kept[0][0] if self._kept else 0.0

    def increase(self, place: int = 0) -> int:
        """Of one of the counters, between the first and the last reading."""
        return self._kept[-1][1][place] - self._kept[0][1][place] if self._kept else 0

    def clear(self) -> None:
        self._kept.clear()
