"""A time by the clocks of the machine, comparable over restarts of the relay and after steps of the wall clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Moment:
    """A time by two clocks.

    us        microseconds since 1970 UTC, as the wall clock was then
    boottime  seconds since the machine started (CLOCK_BOOTTIME, which no one can set, and which runs during a suspend)
    boot_id   the id of that start; "": not known
    """

    us: int
    boottime: float
    boot_id: str

    def seconds_since(self, earlier: Moment) -> float:
        """Seconds from `earlier`, at least 0: by CLOCK_BOOTTIME if both are of one start of the machine, else by the
        wall clock.
        """
        if self.boot_id and self.boot_id == earlier.boot_id:
            return max(0.0, self.boottime - earlier.boottime)
        return max(0.0, (self.us - earlier.us) / 1e6)


def _boottime() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _wall_us() -> int:
    return time.time_ns() // 1000


@lru_cache(maxsize=1)
def boot_id() -> str:
    """The id of the start of this machine; "" if the system does not have one."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read(64).strip()
    except (OSError, ValueError):
        return ""


@dataclass(frozen=True, slots=True)
class MachineClock:
    """The clocks of the machine: seconds, but `wall_us` microseconds since 1970 UTC."""

    monotonic: Callable[[], float] = time.monotonic
    boottime: Callable[[], float] = _boottime
    wall_us: Callable[[], int] = _wall_us
    boot_id: Callable[[], str] = boot_id

    def now(self) -> Moment:
        return Moment(self.wall_us(), self.boottime(), self.boot_id())

    def moment(self, monotonic: float, us: int) -> Moment:
        """The moment of a time of the monotonic clock, which was `us` by the wall clock."""
        return Moment(us, self.boottime() - (self.monotonic() - monotonic), self.boot_id())
