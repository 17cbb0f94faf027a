"""Time since the arrival of a record, whose time stamp is of the system clock, although that clock may be set."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

LONGEST_US = 30 * 86_400_000_000
"""Longest time since an arrival, microseconds: a longer one is that of a system clock that was not set."""
STEP_US = 20_000
"""Change of the system clock against the monotonic clock, between two looks, that counts as a step; microseconds."""
STEPS_MOST = 8
"""Maximum number of steps of the system clock that are remembered. The age of an arrival before others is unknown."""
SETTLE = 10.0
"""Seconds after a step in which the age of a record is unknown if it may have arrived before the step or after it."""


@dataclass(frozen=True, slots=True)
class _Step:
    """The system clock was set by `by_us` microseconds, between two looks: seconds of the monotonic clock."""

    before: float
    found: float
    by_us: int


class ArrivalAge:
    """Both clocks at the last look, and the steps of the system clock.

    now       seconds of the monotonic clock
    now_us    the system clock, microseconds since 1970
    sure_us   an arrival less than this time before `now_us` has the difference as its age; for others see `age_us`
    """

    def __init__(
        self, monotonic: Callable[[], float] = time.monotonic, wall_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self._monotonic, self._wall_ns = monotonic, wall_ns
        self._steps: deque[_Step] = deque()
        self._forgotten = -math.inf  # the last look before the latest step that is no longer remembered
        self.now = monotonic()
        self.now_us = wall_ns() // 1000
        self.sure_us: float = LONGEST_US
        self._offset = self.now_us - int(self.now * 1e6)

    def look(self) -> None:
        """Read both clocks. Call it a few times per second too, so that the time of a step is known."""
        now, now_us = self._monotonic(), self._wall_ns() // 1000
        offset = now_us - int(now * 1e6)
        if not -STEP_US < offset - self._offset < STEP_US:
            offset = self._note_step()
        self.now, self.now_us, self._offset = now, now_us, offset
        if self._steps:
            since = now - self._steps[-1].found
            self.sure_us = min(since * 1e6, LONGEST_US) if since > SETTLE else 0

    def _note_step(self) -> int:
        """Note a step since the last look. Both clocks are read again, since the process may have been stopped between
        the two readings. Returns the difference of the clocks.
        """
        offset = self._wall_ns() // 1000 - int((found := self._monotonic()) * 1e6)
        by_us = offset - self._offset
        if not -STEP_US < by_us < STEP_US:
            self._steps.append(_Step(self.now, found, by_us))
            if len(self._steps) > STEPS_MOST:
                self._forgotten = self._steps.popleft().before
        return offset

    def age_us(self, arrived_us: int) -> int | None:
        """Microseconds from an arrival to the last look.

        None if it is unknown: the arrival is in the future or longer ago than LONGEST_US, or at a time that the system
        clock has passed twice, and the last step is less than SETTLE ago. Later, it is taken to be after the step.
        """
        ages: list[int] = []
        age, least = self.now_us - arrived_us, 0.0
        for step in reversed(self._steps):
            if least <= age <= (self.now - step.before) * 1e6:
                ages.append(age)
            age -= step.by_us
            least = (self.now - step.found) * 1e6
        if least <= age <= min((self.now - self._forgotten) * 1e6, LONGEST_US):
            ages.append(age)
        is_settled = not self._steps or self.now - self._steps[-1].found > SETTLE
        return ages[0] if ages and (is_settled or len(ages) == 1) else None
