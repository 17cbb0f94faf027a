"""Exponential back-off with jitter, so that many relays do not reconnect simultaneously."""

from __future__ import annotations

import random

STEADY = 10.0
"""Seconds that a connection must last before its back-off is reset."""


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
