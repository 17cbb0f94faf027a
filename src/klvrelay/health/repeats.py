"""Sums up faults that repeat, so that a far end which comes and goes does not flood the log."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from klvrelay.backoff import STEADY

PACE = 1.0
"""Seconds between two lines at least."""
SLOWEST = 64.0
"""Seconds that this grows to while the far end comes and goes."""
TEXTS_MOST = 32
"""Different faults that are remembered."""


class Repeats:
    """Decides which faults of one stream or sink are logged.

    A fault is logged once until it is over. After each line the next one may come twice as late, until the far end has
    been back for `steady` seconds; a line counts the faults that were held back before it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, steady: float = STEADY) -> None:
        self._clock = clock
        self._steady = steady
        self._texts: set[str] = set()
        self._back: float | None = None
        self._held, self._pace, self._next = 0, PACE, -math.inf

    @property
    def said(self) -> bool:
        """Has a fault been logged that is not over?"""
        return bool(self._texts)

    def add(self, fault: str) -> str | None:
        """Count a fault; the text to log now, or None."""
        now = self._clock()
        if self._back is not None and now - self._back >= self._steady:
            self.reset()
        self._back = None
        self._held += 1
        if fault in self._texts or now < self._next:
            return None
        count, self._held = self._held, 0
        if len(self._texts) >= TEXTS_MOST:
            self._texts.clear()
        self._texts.add(fault)
        self._next, self._pace = now + self._pace, min(2 * self._pace, SLOWEST)
        return fault if count == 1 else f"{count} faults, last was: {fault}"

    def over(self) -> None:
        """The far end is back: any fault is news again."""
        if self.said:  # else its faults were held back, and are in the next line
            self._held = 0
        self._texts.clear()
        if self._back is None:
            self._back = self._clock()

    def reset(self) -> None:
        """The next fault is logged at once, whatever was before."""
        self._texts.clear()
        self._held, self._pace, self._next = 0, PACE, -math.inf
