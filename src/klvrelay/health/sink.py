"""A sink's health: up or down, how often it was lost, and for how long in all; next door, `outlet.py` tells it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from klvrelay.names import printable

LOG = logging.getLogger("klvrelay")


@dataclass(slots=True)
class SinkHealth:
    """One sink: up or down, how often it was lost, and for how long in all; `suspended()`: topics that it refuses."""

    name: str
    up: bool = False
    ever_up: bool = False
    outages: int = 0
    away: float = 0.0
    too_large: int = 0
    suspended: Callable[[], Sequence[str]] = tuple
    _since: float = field(default_factory=time.monotonic)
    _fault: str = ""

    def connected(self, detail: str = "") -> None:
        lost = time.monotonic() - self._since
        if self.ever_up:
            self.away += lost
            LOG.info("%s: connected again after %.1f s%s", self.name, lost, detail)
        else:
            LOG.info("%s: connected%s", self.name, detail)
        self.up = self.ever_up = True
        self._fault = ""

    def down(self, fault: str) -> None:
        """It is gone, or not there yet. Said once an outage."""
        if self.up:
            self.outages += 1
            self._since = time.monotonic()
        self.up = False
        if fault != self._fault:
            LOG.warning("%s; trying again, records wait", printable(fault))
        self._fault = fault

    def left_out(self, fault: Exception) -> None:
        """A message that it never takes; said of the first, counted for the rest."""
        self.too_large += 1
        if self.too_large == 1:
            LOG.warning("%s; it is left out, and so will be others of that size", printable(str(fault)))
