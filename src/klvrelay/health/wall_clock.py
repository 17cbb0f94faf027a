"""Steps of the system clock: the difference between it and the monotonic clock changes only when it is set.

All durations are measured on the monotonic clock, so that a step changes none of them.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

LOG = logging.getLogger("klvrelay.health")

STEP = 0.5
"""Minimum change in seconds that counts as a step. A clock that is slewed (NTP) makes none: the monotonic clock is
slewed with it."""
LOG_EVERY = 1.0
"""Minimum seconds between two log lines, so that a clock that is set all the time does not fill the log."""


@dataclass(frozen=True, slots=True)
class ClockStep:
    """A step of the system clock.

    seconds   the time after it minus the time before it
    at        when it was noticed, seconds of the monotonic clock
    at_us     the same by the system clock, microseconds since 1970
    """

    seconds: float
    at: float
    at_us: int


class WallClock:
    """Compares the system clock with the monotonic clock.

    steps       number of steps so far
    last_step   the latest; None before the first
    listeners   are called with each step; the caller of `check` contains their errors
    """

    def __init__(self, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.steps = 0
        self.last_step: ClockStep | None = None
        self.listeners: list[Callable[[ClockStep], object]] = []
        self._wall, self._monotonic = wall, monotonic
        self._offset = wall() - monotonic()
        self._logged, self._unlogged, self._sum = -math.inf, 0, 0.0

    def check(self) -> ClockStep | None:
        """Compare the clocks. Returns the step, if there was one; the listeners are not called yet."""
        if self._unlogged and self._monotonic() - self._logged >= LOG_EVERY:
            self.log_rest()
        if abs(self._wall() - self._monotonic() - self._offset) < STEP:
            return None
        # Again: the process may have been stopped between reading the two clocks.
        wall, now = self._wall(), self._monotonic()
        seconds = wall - now - self._offset
        if abs(seconds) < STEP:
            return None
        self._offset += seconds
        self.steps += 1
        self.last_step = ClockStep(seconds, now, int(wall * 1e6))
        self._unlogged += 1
        self._sum += seconds
        if now - self._logged >= LOG_EVERY:
            self.log_rest()
        return self.last_step

    def log_rest(self) -> None:
        """Log the steps that are not logged yet, as one."""
        if self._unlogged:
            LOG.warning("system clock stepped: seconds=%+.3f count=%d", self._sum, self._unlogged)
        self._logged, self._unlogged, self._sum = self._monotonic(), 0, 0.0
