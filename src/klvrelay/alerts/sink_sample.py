"""What the rules measure of a sink: its health, taken once a second. Times are monotonic seconds."""

from __future__ import annotations

from collections import deque

from klvrelay.alerts.stream_sample import STARTUP
from klvrelay.alerts.window import RecentAmounts
from klvrelay.health.sink import SinkHealth

READINGS = 512
"""Maximum number of readings of the record counts. With more, every other one is dropped."""
LAST_STEP = 5
"""The last step of the budget of an uplink: only urgent outputs are sent."""


class SinkSample:
    """The latest values of one sink. `None`: not known, or of no meaning for it.

    down_s         seconds for which it has not been up
    waiting_share  of the room for waiting records: in memory, or in the spool
    oldest_s       age of the oldest waiting record while it is up
    shed, withheld records in the last minute
    refused        topics that the far end refuses
    last_step_s    seconds for which its budget has been at the last step
    """

    def __init__(self, health: SinkHealth, now: float) -> None:
        self.health, self.name = health, health.key or health.name
        self.first = self.now = now
        self.down_s: float | None = None
        self.waiting_share = 0.0
        self.oldest_s: float | None = None
        self.shed = self.withheld = 0.0
        self.refused: list[str] = []
        self.last_step_s: float | None = None
        self.startup = STARTUP
        self._readings: deque[tuple[float, int]] = deque()
        self._shed, self._shed_before = RecentAmounts(), health.sums.shed
        self._withheld, self._withheld_before = RecentAmounts(), _withheld(health)
        self._last_step_since: float | None = None

    @property
    def ended(self) -> bool:
        return self.health.state == "ended"

    def take(self, now: float) -> None:
        """Take the present values of its health."""
        health, self.now = self.health, now
        self.down_s = self._down(now)
        self.waiting_share = health.fill()
        self._readings.append((now, health.sums.numbered))
        self.oldest_s = self._oldest(now) if health.state == "up" else None
        self._take_shed(now)
        self._take_withheld(now)
        self.refused = list(health.suspended())
        self._take_step(now)

    def _down(self, now: float) -> float | None:
        health = self.health
        if health.state == "up":
            return 0.0
        if not health.ever_up:
            return now - self.first if now - self.first > self.startup else None
        return now - health.since

    def _oldest(self, now: float) -> float:
        """The age of the oldest waiting record: the time since the first reading that contains it."""
        readings, answered = self._readings, self.health.sums.numbered - self.health.sums.waiting
        while len(readings) > 1 and readings[0][1] <= answered:
            readings.popleft()
        if len(readings) > READINGS:
            self._readings = deque(list(readings)[::2])
        return now - readings[0][0] if self.health.sums.waiting else 0.0

    def _take_shed(self, now: float) -> None:
        shed = self.health.sums.shed
        if shed > self._shed_before:
            self._shed.count(shed - self._shed_before, now)
        self._shed_before, self.shed = shed, self._shed.total(now)

    def _take_withheld(self, now: float) -> None:
        withheld = _withheld(self.health)
        if withheld > self._withheld_before:
            self._withheld.count(withheld - self._withheld_before, now)
        self._withheld_before, self.withheld = withheld, self._withheld.total(now)

    def _take_step(self, now: float) -> None:
        uplink = self.health.uplink()
        if uplink is None:
            self.last_step_s = self._last_step_since = None
            return
        if uplink["step"] < LAST_STEP:
            self._last_step_since, self.last_step_s = None, 0.0
            return
        if self._last_step_since is None:
            self._last_step_since = now
        self.last_step_s = now - self._last_step_since

    @property
    def withheld_outputs(self) -> list[str]:
        """The outputs that withheld records."""
        return sorted(name or "all" for name, count in self.health.withheld().items() if count)


def _withheld(health: SinkHealth) -> int:
    return max(health.sums.withheld, sum(health.withheld().values()))
