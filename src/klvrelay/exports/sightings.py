"""Reads the positions of records for one file, and decides when a footprint is due."""

from __future__ import annotations

from klvrelay.exports.positions import Sighting, sighting_of
from klvrelay.record import Record


class Sightings:
    """The positions of one stream, in order.

    needs_time   records without a time are skipped too
    skipped      records skipped so far
    """

    def __init__(self, *, footprint_every: float = 0.0, needs_time: bool = False) -> None:
        self._needs_time = needs_time
        self._footprints = Thinner(footprint_every)
        self.skipped = 0

    def read(self, record: Record) -> Sighting | None:
        """The position of a record, or None if it has none. Its footprint is None unless one is due."""
        found = sighting_of(record)
        if found is None or (self._needs_time and found.time_us is None):
            self.skipped += 1
            return None
        if found.footprint is not None and not self._footprints.is_due(found.time_us):
            return found._replace(footprint=None)
        return found


class Thinner:
    """Selects at most one moment per interval. A clock that steps back begins a new interval.

    every   seconds; 0 selects all
    """

    def __init__(self, every: float) -> None:
        self._every_us = round(every * 1e6)
        self._last_us: int | None = None

    def is_due(self, time_us: int | None) -> bool:
        """Is this moment selected? A moment without time always is."""
        if time_us is None:
            return True
        if self._last_us is not None and 0 <= time_us - self._last_us < self._every_us:
            return False
        self._last_us = time_us
        return True
