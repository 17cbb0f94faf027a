"""How long to wait before another try: doubling from half a second to a cap, with jitter so that many relays do
not come back in step.
"""

from __future__ import annotations

import random

STEADY = 10.0
"""Seconds that a source must have lasted before the next try comes quickly again."""


class Backoff:
    """`next()` gives the seconds to wait; `reset()` after a success."""

    def __init__(self, *, first: float = 0.5, cap: float = 30.0, chance: random.Random | None = None) -> None:
        self._first = first
        self._cap = cap
        self._chance = chance or random.Random()
        self._tries = 0

    @property
    def tries(self) -> int:
        return self._tries

    def next(self) -> float:
        """Between half of the doubled time and all of it."""
        full = min(self._cap, self._first * 2.0 ** min(self._tries, 16))
        self._tries += 1
        return full * self._chance.uniform(0.5, 1.0)

    def reset(self) -> None:
        self._tries = 0
