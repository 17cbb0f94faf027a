"""What the rules measure of the clock of a stream: KLV time against the system clock.

A recording that is sent again has the time at which it was made. So offset and drift of more than a day, and steps from
and to another time than the present one, have no meaning: None.
"""

from __future__ import annotations

from klvrelay.alerts.window import RecentAmounts
from klvrelay.health.stream import StreamHealth

DAY = 86_400.0
PRESENT = 60.0
"""Seconds of offset within which KLV time is the present time; a step begins or ends there."""
PLAYLIST = 60.0
"""Seconds of delay that are normal for a live playlist."""
DRIFT_AFTER, DRIFT_EVERY = 150.0, 30.0
"""Seconds of KLV without a step from which the drift is known, and seconds between two measurements: each costs as much
as all other values of a stream.
"""


class ClockSample:
    """Seconds by which KLV time is behind the system clock (`offset`), its drift in ppm, and the largest step in the
    last minute, seconds.
    """

    def __init__(self, health: StreamHealth) -> None:
        self._health = health
        path = health.url.partition("?")[0]
        self._allowed = PLAYLIST if path.endswith((".m3u8", ".m3u")) else 0.0
        self.offset: float | None = None
        self.drift: float | None = None
        self.step: float | None = 0.0
        self._steps, self._jumps = RecentAmounts(), 0
        self._before: float | None = None
        self._steady_since: float | None = None
        self._drift_at = 0.0

    def take(self, now: float, *, is_live: bool, is_recording: bool) -> None:
        """Take the offset, and the drift if it is due."""
        if not is_live or is_recording:
            self.offset = self.drift = self._steady_since = None
        else:
            wall = self._health.clocks.against["wall"]
            offset = wall.offset_s
            self._take_step(wall.jumps, offset, now)
            is_present = offset is not None and abs(offset) < DAY
            self.offset = offset if is_present else None
            self._take_drift(now, is_present=is_present)
            if not wall.is_unsettled:
                self._before = offset
        self.step = self._steps.largest(now)

    def note_wall_step(self, now: float) -> None:
        """The system clock was set: the steps against it are its own."""
        self._health.clocks.settle()
        self._own_until = now + PRESENT

    _own_until = -1.0

    def _take_step(self, jumps: int, offset: float | None, now: float) -> None:
        if jumps == self._jumps:
            return
        self._jumps = jumps
        self._steady_since = None
        before = self._before
        if offset is None or before is None or now < self._own_until:
            return
        if min(abs(offset), abs(before)) <= PRESENT:
            self._steps.add(before - offset, now)

    def _take_drift(self, now: float, *, is_present: bool) -> None:
        if not is_present:
            self.drift = self._steady_since = None
            return
        if self._steady_since is None:
            self._steady_since, self.drift = now, None
        if now - self._steady_since >= DRIFT_AFTER and now - self._drift_at >= DRIFT_EVERY:
            self._drift_at = now
            self.drift = self._health.clocks.against["wall"].drift_ppm

    @property
    def distance(self) -> float | None:
        """Seconds between KLV time and the system clock, without the delay that is normal for this source."""
        if self.offset is None:
            return None
        return self.offset if self.offset < 0 else max(0.0, self.offset - self._allowed)
