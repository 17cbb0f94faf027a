"""When this run of the relay was, by the wall clock: one span, and another one after each step of the wall clock."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from klvrelay.incidents.alive import RunEnd
from klvrelay.incidents.moment import MachineClock
from klvrelay.incidents.rows import RelayRun

STEP_US = 500_000
"""Microseconds by which the wall clock must differ from CLOCK_BOOTTIME between two calls of `note`, to be a step."""
ENDED_MOST = 100
"""Maximum number of ended spans that wait to be written: with a disk that fails, the oldest are discarded."""


class RunSpans:
    """The spans of the run with the id `run`, as rows. All but the last have ended, and the ids `run/1`, `run/2`..."""

    def __init__(self, run: str, clock: MachineClock) -> None:
        self._run, self._clock = run, clock
        self._current = RelayRun(run, start := clock.wall_us(), start)
        self._ended: deque[RelayRun] = deque(maxlen=ENDED_MOST)
        self._steps = 0
        self._ahead = self._ahead_us()

    def _ahead_us(self) -> int:
        return self._clock.wall_us() - round(self._clock.boottime() * 1e6)

    def note(self) -> bool:
        """Did the wall clock step? Call it about once a second, since a clock that is adjusted slowly does not step."""
        before, self._ahead = self._ahead, self._ahead_us()
        step = self._ahead - before
        if abs(step) < STEP_US:
            return False
        now = self._clock.wall_us()
        self._steps += 1
        ended = replace(self._current, run=f"{self._run}/{self._steps}", how="ended")
        self._ended.append(replace(ended, seen_us=max(ended.start_us, now - step)))
        self._current = replace(self._current, start_us=now, seen_us=now)
        return True

    def end(self, how: RunEnd) -> None:
        """The run ends."""
        self._current = replace(self._current, how=how)

    def rows(self) -> list[RelayRun]:
        """Those that have not been written since they changed: the last one reaches to now."""
        now = max(self._current.start_us, self._clock.wall_us())
        self._current = replace(self._current, seen_us=now)
        return [*self._ended, self._current]

    def note_written(self, rows: list[RelayRun]) -> None:
        """These were written."""
        for row in rows:
            if row in self._ended:
                self._ended.remove(row)
