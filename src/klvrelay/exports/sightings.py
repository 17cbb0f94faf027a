"""Reads the positions of records for one file, and decides when a footprint is due."""

from __future__ import annotations

from klvrelay.exports.positions import Sighting, sighting_of, time_of
from klvrelay.exports.times import iso_time
from klvrelay.geo import GroundModel
from klvrelay.record import Record


class Sightings:
    """The positions of one stream, in order.

    footprint_every   seconds between footprints; 0: one per record; None: none
    elevation         see `sighting_of`
    needs_time        records without a time, and with one beyond the year 9999, are skipped too
    skipped           records skipped so far
    """

    def __init__(self, *, footprint_every: float | None = None, needs_time: bool = False,
                 elevation: GroundModel | None = None) -> None:  # fmt: skip
        self._needs_time, self._elevation = needs_time, elevation
        self._footprints = None if footprint_every is None else Thinner(footprint_every)
        self.skipped = 0

    def read(self, record: Record) -> Sighting | None:
        """The position of a record, or None if it has none. Its footprint is None unless one is due."""
        time_us = time_of(record)
        due = self._footprints is not None and self._footprints.would_select(time_us)
        found = None
        if not self._needs_time or iso_time(time_us) is not None:
            found = sighting_of(record, footprint=due, elevation=self._elevation)
        if found is None:
            self.skipped += 1
        elif found.footprint is not None and self._footprints is not None:
            self._footprints.is_due(time_us)
        return found


class Thinner:
    """Selects at most one moment per interval. A clock that steps back begins a new interval.

    every   seconds; 0 selects all
    """

    def __init__(self, every: float) -> None:
        self._every_us = round(every * 1e6)
        self._last_us: int | None = None

    def would_select(self, time_us: int | None) -> bool:
        """Is this moment to be selected? A moment without time always is."""
        return time_us is None or self._last_us is None or not 0 <= time_us - self._last_us < self._every_us

    def is_due(self, time_us: int | None) -> bool:
        """The same, and if so an interval begins."""
        if not self.would_select(time_us):
            return False
        self._last_us = time_us if time_us is not None else self._last_us
        return True
