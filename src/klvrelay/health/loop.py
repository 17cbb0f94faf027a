"""A heartbeat of the event loop: how late the loop is, and what must be checked all the time."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from klvrelay.errors import KlvrelayError
from klvrelay.health.wall_clock import WallClock

LOG = logging.getLogger("klvrelay.health")

BEAT = 0.05
"""Seconds between two beats."""
MINUTE = 60
FAULTS_MOST = 16
"""Maximum number of different faults of listeners that are logged."""

Contain = Callable[[Callable[[], object], str], KlvrelayError | None]
"""Runs a step whose failure must not end its caller, with a name for the log. Returns the fault."""


class LoopHealth:
    """The heartbeat of one event loop, from `start` to `stop`. `contain` runs the listeners.

    lag_s      seconds by which the last beat was late
    lag_max_s  the longest lag since the start
    beats      number of beats
    on_beat    functions that are called at every beat, and must return at once; a failure of one hurts no other, and is
               logged once
    wall       steps of the system clock, checked at every beat
    """

    def __init__(self, contain: Contain, wall: WallClock | None = None) -> None:
        self.lag_s = self.lag_max_s = 0.0
        self.beats = 0
        self.on_beat: list[Callable[[], object]] = []
        self.wall = WallClock() if wall is None else wall
        self._longest: deque[tuple[int, float]] = deque()  # the longest lag of each second, of a minute
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._contain = contain
        self._faults: set[str] = set()

    @property
    def lag_longest_s(self) -> float:
        """The longest lag of the last minute, in seconds; also that of a beat which is late at this moment."""
        if self._loop is None:
            return 0.0
        now = self._loop.time()
        late = 0.0 if self._timer is None else now - self._timer.when()
        return max([late, 0.0, *(lag for second, lag in self._longest if second > now - MINUTE)])

    def start(self) -> None:
        """Begin, on the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(BEAT, self._beat)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self.wall.log_rest()

    def _beat(self) -> None:
        loop, timer = self._loop, self._timer
        if loop is None or timer is None:
            return
        now = loop.time()
        self._note(now, max(0.0, now - timer.when()))
        self._timer = loop.call_at(now + BEAT, self._beat)
        if (step := self.wall.check()) is not None:
            for listener in self.wall.listeners:
                self._call(lambda listener=listener: listener(step))  # type: ignore[misc]
        for call in self.on_beat:
            self._call(call)

    def _note(self, now: float, lag: float) -> None:
        self.beats += 1
        self.lag_s = lag
        self.lag_max_s = max(self.lag_max_s, lag)
        second = int(now)
        longest = self._longest
        if not longest or longest[-1][0] != second:
            longest.append((second, lag))
            while longest[0][0] <= second - MINUTE:
                longest.popleft()
        elif lag > longest[-1][1]:
            longest[-1] = second, lag

    def _call(self, call: Callable[[], object]) -> None:
        fault = self._contain(call, "heartbeat")
        if fault is not None and (line := str(fault)) not in self._faults and len(self._faults) < FAULTS_MOST:
            self._faults.add(line)
            LOG.error("heartbeat: %s", line)
