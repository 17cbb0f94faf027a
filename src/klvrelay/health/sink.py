"""A sink's health: up or down, how often it was lost, and for how long in all; next door, `outlet.py` tells it."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field

from klvrelay.names import printable
from klvrelay.repeats import Repeats

LOG = logging.getLogger("klvrelay")


@dataclass(slots=True)
class SinkHealth:
    """One sink: up or down, how often it was lost, and for how long in all."""

    name: str
    up: bool = False
    ever_up: bool = False
    outages: int = 0
    away: float = 0.0
    too_large: int = 0
    _since: float = field(default_factory=time.monotonic)
    _repeats: Repeats = field(default_factory=Repeats)

    def connected(self, detail: str = "") -> None:
        lost = time.monotonic() - self._since
        if not self.ever_up:
            LOG.info("%s: connected%s", self.name, detail)
        elif self._repeats.said:  # an outage that was not logged ends without a line too
            LOG.info("%s: connected again after %.1f s%s", self.name, lost, detail)
        self.away += lost if self.ever_up else 0.0
        self.up = self.ever_up = True
        self._repeats.over()

    def down(self, fault: str) -> None:
        """It is gone, or not there yet. Said once an outage, and seldom where it comes and goes."""
        if self.up:
            self.outages += 1
            self._since = time.monotonic()
        self.up = False
        if (said := self._repeats.add(fault)) is not None:
            LOG.warning("%s; trying again, records wait", printable(said))

    def left_out(self, fault: Exception) -> None:
        """A message that it never takes; said of the first, counted for the rest."""
        self.too_large += 1
        if self.too_large == 1:
            LOG.warning("%s; it is left out, and so will be others of that size", printable(str(fault)))
