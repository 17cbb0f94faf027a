"""Health of the relay itself: its state, and what it uses of the machine."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from klvrelay.health.changes import Change, log_change

RelayState = Literal["starting", "running", "stopping"]

_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(slots=True)
class RelayHealth:
    """The state of the relay. Times are monotonic seconds.

    boot     id of this run
    details  adds members to its document
    """

    boot: str
    clock: Callable[[], float] = time.monotonic
    publish: Callable[[Change], None] = log_change
    state: RelayState = "starting"
    began: float = field(init=False)
    began_us: int = field(init=False)
    since: float = field(init=False)
    since_us: int = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.since = self.clock()
        self.began_us = self.since_us = time.time_ns() // 1000

    def enter(self, state: RelayState) -> None:
        """The relay starts, runs or stops."""
        if state == self.state:
            return
        before, now, now_us = self.state, self.clock(), time.time_ns() // 1000
        self.state, self.since, self.since_us = state, now, now_us
        self.publish(Change("relay", "relay", state, before, True, state, None, now, now, now_us))


def process_figures() -> dict[str, Any]:
    """What this process uses: processor time, resident memory, open files, threads."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "cpu_s": round(usage.ru_utime + usage.ru_stime, 3),
        "memory": _resident(),
        "open_files": _entries("/proc/self/fd"),
        "threads": _entries("/proc/self/task"),
    }


def _resident() -> int | None:
    """Bytes of resident memory; None if /proc is not there."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * _PAGE
    except OSError:
        return None


def _entries(folder: str) -> int | None:
    try:
        return len(os.listdir(folder))
    except OSError:
        return None
