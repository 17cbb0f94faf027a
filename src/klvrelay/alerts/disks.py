"""Free space of the disks that the relay writes to, measured in a thread: a network file system may block."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from klvrelay import threads

EVERY = 10.0
"""Seconds between two measurements."""
PLENTY = 1 << 30
"""Free bytes that are sufficient, whatever their share."""


class FreeSpace(NamedTuple):
    """Of the disk of a path: free and total bytes for this user."""

    path: str
    free: int
    total: int

    @property
    def percent(self) -> float:
        """The free share; 100 while PLENTY is free."""
        return 100.0 if self.free >= PLENTY or not self.total else 100.0 * self.free / self.total


def measure(paths: Iterable[Path]) -> FreeSpace | None:
    """The disk with the smallest free share; None if none can be measured. A path that is not there yet: its folder."""
    found = [one for path in paths if (one := _space(path)) is not None]
    return min(found, key=lambda one: one.percent, default=None)


def _space(path: Path) -> FreeSpace | None:
    for there in (path, *path.parents):
        try:
            facts = os.statvfs(there)
        except FileNotFoundError:
            continue
        except OSError:
            return None
        return FreeSpace(str(path), facts.f_bavail * facts.f_frsize, facts.f_blocks * facts.f_frsize)
    return None


class DiskWatch:
    """Measures at intervals, one measurement at a time: a disk that hangs costs one thread.

    latest   the fullest disk
    paths    files and folders to watch
    """

    def __init__(self, paths: Iterable[Path], clock: Callable[[], float] = time.monotonic) -> None:
        self.paths = tuple(paths)
        self.latest: FreeSpace | None = None
        self._clock, self._next = clock, 0.0
        self._measuring: asyncio.Task[None] | None = None

    def check(self) -> None:
        """Begin a measurement if it is due. Call it once a second, on the event loop."""
        now = self._clock()
        if not self.paths or now < self._next or (self._measuring is not None and not self._measuring.done()):
            return
        self._next = now + EVERY
        self._measuring = asyncio.create_task(self._measure(), name="disk space")

    async def _measure(self) -> None:
        self.latest = await threads.run(partial(measure, self.paths), "klvrelay-disk-space")

    def stop(self) -> None:
        if self._measuring is not None:
            self._measuring.cancel()
