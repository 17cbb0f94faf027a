"""How often to retry, and how often to log repeated faults.

The back-off has jitter, so that many relays do not reconnect simultaneously. The log of an intermittent connection is
not flooded.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable

STEADY = 10.0
"""Seconds that a connection must last before its back-off is reset."""
PACE = 1.0
"""Minimum seconds between two log lines."""
SLOWEST = 64.0
"""The limit to which this interval grows while the connection is intermittent."""
TEXTS_MOST = 32
"""Maximum number of distinct faults remembered."""


class Backoff:
    """Delays that double from `first` to `cap` seconds. Call `reset()` after a success."""

    def __init__(self, *, first: float = 0.5, cap: float = 30.0, chance: random.Random | None = None) -> None:
        self._first = first
        self._cap = cap
        self._chance = chance or random.Random()
        self._tries = 0

    @property
    def tries(self) -> int:
        return self._tries

    def next(self) -> float:
        """The seconds to wait before the next retry: 50 to 100 % of the current delay."""
        full = min(self._cap, self._first * 2.0 ** min(self._tries, 16))
        self._tries += 1
        return full * self._chance.uniform(0.5, 1.0)

    def reset(self) -> None:
        self._tries = 0


class Repeats:
    """Decides which faults of one stream or sink are logged.

    A fault is logged once until it is over. After each line the minimum interval doubles, until the connection has been
    up for `steady` seconds. A line includes the number of faults suppressed before it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, steady: float = STEADY) -> None:
        self._clock = clock
        self._steady = steady
        self._texts: set[str] = set()
        self._back: float | None = None
        self._held, self._pace, self._next = 0, PACE, -math.inf

    @property
    def logged(self) -> bool:
        """Has a current fault been logged?"""
        return bool(self._texts)

    def add(self, fault: str) -> str | None:
        """Count a fault. Returns the text to log now, or None."""
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
        return fault if count == 1 else f"{fault} ({count} faults)"

    def over(self) -> None:
        """The connection is back: the next fault may be logged."""
        if self.logged:  # otherwise its faults were suppressed, and the next line counts them
            self._held = 0
        self._texts.clear()
        if self._back is None:
            self._back = self._clock()

    def reset(self) -> None:
        """Log the next fault at once, regardless of earlier ones."""
        self._texts.clear()
        self._held, self._pace, self._next = 0, PACE, -math.inf
