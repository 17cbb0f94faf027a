"""The age at which waiting records are shed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from klvrelay.record import Record

CHECK = 1.0
"""Maximum seconds between two checks."""
LEAST_CHECK = 0.05
NEVER_AGED = -(1 << 63)
"""A time before that of every record."""


class AgeLimit:
    """Calls `shed` at intervals with the time, in microseconds since 1970, before which records are too old.

    The age of a record is the time since its arrival, by the system clock.
    """

    def __init__(self, seconds: float | None, shed: Callable[[int], None]) -> None:
        self._seconds, self._shed = seconds, shed
        self._timer: asyncio.TimerHandle | None = None

    @property
    def before_us(self) -> int:
        """Records that arrived before this time are too old."""
        if self._seconds is None:
            return NEVER_AGED
        return time.time_ns() // 1000 - int(self._seconds * 1e6)

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
