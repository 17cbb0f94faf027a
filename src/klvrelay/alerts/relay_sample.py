"""What the rules measure of the relay itself, taken once a second. Times are monotonic seconds."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from klvrelay.alerts.disks import DiskWatch, FreeSpace
from klvrelay.alerts.downtime import Downtime
from klvrelay.alerts.window import RecentAmounts
from klvrelay.health.board import Board
from klvrelay.health.relay import process_figures

MEMORY_EVERY = 10.0
"""Seconds between two measurements of memory."""
RESTART_SHOWN = 300.0
"""Seconds after the start in which the downtime before it is reported."""
SLEWED = 0.1
"""Seconds by which the system clock may be adjusted within one check, without a step."""


class RelaySample:
    """The latest values of the relay. `None`: not known, or of no meaning for it.

    free_percent   free share of the fullest disk; `disk`, which
    spool_s        seconds for which the spool cannot be written
    wall_step      largest step of the system clock in the last minute, seconds
    lag_s          longest delay of the event loop in the last minute, seconds
    down_s         seconds for which it did not run before this start, in the first minutes; then 0
    memory_share   resident memory as a share of what there is
    """

    name, ended = "relay", False

    def __init__(
        self, board: Board, disks: DiskWatch, now: float, wall: Callable[[], float] = time.time,
        downtime: Downtime | None = None,
    ) -> None:  # fmt: skip
        self.board, self.now = board, now
        self._disks, self._wall = disks, wall
        self.first, self.downtime = now, downtime
        self.down_s: float | None = None
        self.free_percent: float | None = None
        self.spool_s: float | None = None
        self.wall_step = self.lag_s = 0.0
        self.memory_share: float | None = None
        self.disk: FreeSpace | None = None
        self._spool_since: float | None = None
        self._steps, self._lags = RecentAmounts(), RecentAmounts()
        self._ahead = wall() - now
        self._memory_at, self._memory_most = 0.0, memory_most()

    def take(self, now: float, late: float) -> None:
        """Take the present values. `late`: seconds by which this check is late."""
        self.now = now
        self._disks.check()
        self.disk = self._disks.latest
        self.free_percent = None if self.disk is None else self.disk.percent
        self._take_spool(now)
        self._take_wall(now)
        if self.downtime is not None:
            self.down_s = self.downtime.seconds if now - self.first < RESTART_SHOWN else 0.0
        self._lags.add(late, now)
        heartbeat = getattr(self.board, "loop", None)
        self.lag_s = max(self._lags.largest(now), 0.0 if heartbeat is None else heartbeat.lag_longest_s)
        if now >= self._memory_at:
            self._memory_at = now + MEMORY_EVERY
            resident = process_figures()["memory"]
            self.memory_share = resident / self._memory_most if resident and self._memory_most else None

    def _take_spool(self, now: float) -> None:
        if not self.board.has_spool or self.board.spool.fault is None:
            self.spool_s, self._spool_since = (0.0 if self.board.has_spool else None), None
            return
        if self._spool_since is None:
            self._spool_since = now
        self.spool_s = now - self._spool_since

    def _take_wall(self, now: float) -> None:
        ahead = self._wall() - now
        step, self._ahead = ahead - self._ahead, ahead
        self.is_wall_stepped = abs(step) > SLEWED
        if self.is_wall_stepped:
            self._steps.add(step, now)
        self.wall_step = self._steps.largest(now)

    is_wall_stepped = False


def memory_most() -> int:
    """Bytes of memory that this process can have: of its cgroup, or of the machine; 0 if unknown."""
    try:
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return 0
    return min(machine, _cgroup_memory() or machine)


def _cgroup_memory() -> int | None:
    """The limit of the process's own cgroup (version 2); None without one."""
    try:
        with open("/proc/self/cgroup") as file:
            place = next((line.split("::", 1)[1].strip() for line in file if line.startswith("0::")), None)
        if place is None:
            return None
        with open(f"/sys/fs/cgroup{place}/memory.max") as file:
            text = file.read().strip()
    except (OSError, UnicodeDecodeError):
        return None
    return int(text) if text.isdecimal() else None
