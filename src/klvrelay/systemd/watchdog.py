"""Feeds the watchdog of systemd while every part of the relay makes progress."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence

from klvrelay.relay.stuck import Stuck
from klvrelay.text import printable

LOG = logging.getLogger("klvrelay.systemd")

SHARE = 3
"""Signs of life per time limit of the watchdog."""
CHECK = 1.0
"""Maximum seconds between two checks of the parts."""


class Watchdog:
    """When a sign of life is due. It runs on the event loop, so a blocked loop gives none.

    limit   seconds without one after which the service is killed
    stuck   the parts without progress at the last call of `is_due`
    """

    def __init__(
        self, limit: float, parts: Callable[[], Sequence[Stuck]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.every = limit / SHARE
        self.stuck: Sequence[Stuck] = ()
        self._parts, self._clock = parts, clock
        self._last = self._checked = -math.inf
        self._logged: dict[tuple[str, str, str], float] = {}

    def is_due(self) -> bool:
        """Must one be sent now? Log parts that make no progress, and those that do again."""
        now = self._clock()
        if now - self._checked >= min(CHECK, self.every / 4):
            self._checked = now
            self.stuck = self._parts()
            self._log(now)
        if self.stuck or now - self._last < self.every:
            return False
        self._last = now
        return True

    def _log(self, now: float) -> None:
        stuck: dict[tuple[str, str, str], float] = {(one.kind, one.name, one.reason): one.since for one in self.stuck}
        for key in stuck.keys() - self._logged.keys():
            kind, name, reason = key
            LOG.error("watchdog not fed: %s=%s reason=%r", kind, printable(name), reason)
            self._logged[key] = stuck[key]
        for key in self._logged.keys() - stuck.keys():
            kind, name, _ = key
            LOG.warning("watchdog fed again: %s=%s seconds=%.1f", kind, printable(name), now - self._logged.pop(key))
