"""The age at which waiting records are shed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from klvrelay.record import Record

CHECK = 1.0
"""Maximum seconds between two checks."""
LEAST_CHECK = 0.05
SET_US = 500_000
"""Minimum microseconds by which the system clock is set."""
NEVER_AGED = -(1 << 63)
"""A time before that of every record."""


class AgeLimit:
    """Calls `shed` at intervals with the time, in microseconds since 1970, before which records are too old.

    The age of a record is the time since its arrival, by the system clock. Records that wait while that clock is set
    forward do not become old at that moment.
    """

    def __init__(self, seconds: float | None, shed: Callable[[int], None]) -> None:
        self._seconds, self._shed = seconds, shed
        self._timer: asyncio.TimerHandle | None = None
        self._clock_begin_us = time.time_ns() // 1000 - int(time.monotonic() * 1e6)
        self._set_at: float | None = None

    @property
    def before_us(self) -> int:
        """Records that arrived before this time are too old."""
        if self._seconds is None:
            return NEVER_AGED
        return self._now_us(self._seconds) - int(self._seconds * 1e6)

    def _now_us(self, seconds: float) -> int:
        """The time by the system clock. If it was set forward, by that clock as it ran before, for `seconds`: after
        them, all records that waited at that moment are too old.
        """
        wall, now = time.time_ns() // 1000, time.monotonic()
        ran = self._clock_begin_us + int(now * 1e6)
        if wall - ran < SET_US:
            self._clock_begin_us, self._set_at = wall - int(now * 1e6), None
            return wall
        if self._set_at is None:
            self._set_at = now
        if now - self._set_at >= seconds:
            self._clock_begin_us = wall - int(now * 1e6)
        return ran

    def set(self, seconds: float | None) -> None:
        """Change the limit, and check at once."""
        self.stop()
        self._seconds, self._timer = seconds, None
        if seconds is None:
            self._shed(NEVER_AGED)
        self.start()

    def start(self) -> None:
        """Begin to check, at once. Without a limit, or if it is running, do nothing."""
        if self._seconds is not None and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(0, self._check, self._seconds)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _check(self, seconds: float) -> None:
        interval = max(LEAST_CHECK, min(CHECK, seconds / 20))
        self._timer = asyncio.get_running_loop().call_later(interval, self._check, seconds)
        self._shed(self.before_us)


def is_aged(record: Record, before_us: int) -> bool:
    """Did it arrive before this time? A record that was never live does not age."""
    return record.received_us is not None and record.received_us < before_us
