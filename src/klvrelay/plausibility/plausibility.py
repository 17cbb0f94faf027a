"""All checks of one stream."""

from __future__ import annotations

from typing import Any

import orjson

from klvrelay.core.selection import select
from klvrelay.geo.quantity import Items
from klvrelay.plausibility import heights, moments, outline, places, sight, speeds, steps, stillness
from klvrelay.plausibility.implausibility import Implausibility
from klvrelay.plausibility.warned import without_warned
from klvrelay.record import Record

SETS = frozenset(("ST0601", "ST0104"))
"""Sets that describe platform and picture; ST0104 has the keys of ST 0601."""
_READERS = places, speeds, sight, heights, outline, stillness
_JUDGED = select(*sorted({key for reader in _READERS for key in reader.ITEMS}))


class Plausibility:
    """The checks of successive records of one stream, in the order of their arrival. Memory: about 10 kB."""

    __slots__ = ("_clock", "_steps", "_values")

    def __init__(self) -> None:
        self._clock = stillness.StandingClock()
        self._values = stillness.StandingValues()
        self._steps = steps.PositionSteps()

    def check(self, record: Record, arrival_s: float | None = None) -> list[Implausibility]:
        """What is implausible in the record, and since the one before; at most one finding of each id, usually none.

        arrival_s   when it arrived, in seconds on a monotonic clock with any origin, or the position in a recording;
                    None if unknown: then a time that stands still is not noticed

        Records need not be consecutive: once a second is sufficient. Records that are damaged or have a bad checksum,
        and those of other sets, are passed over, as are items that are special or that the decoder warns about.
        """
        if not is_judged(record):
            return []
        return self.check_document(record, orjson.loads(record.json(items=_JUDGED)), arrival_s)

    def check_document(
        self, record: Record, document: dict[str, Any], arrival_s: float | None = None
    ) -> list[Implausibility]:
        """The same, for a caller that has the record's JSON already, decoded."""
        if not is_judged(record):
            return []
        items: Items = document["items"]
        if warnings := document["quality"].get("warnings"):
            items = without_warned(items, warnings)
        clock_us = record.clock_us
        now = steps.RecordMoment(None if clock_us is None else clock_us / 1e6, arrival_s)
        sensor, centre = places.sensor_place(items), places.centre_place(items)
        found = (
            self._clock.check(clock_us, arrival_s) or self._values.check(items, sensor, now),
            sight.check_frame_centre(items, sensor, centre),
            self._steps.check(items, sensor, now),
            outline.check_corners(items, centre),
            heights.check_heights(items, sensor, centre),
            moments.check_time(clock_us, record.received_us),
            places.check_zero(items),
        )
        return [each for each in found if each is not None]


def is_judged(record: Record) -> bool:
    """Whether the record can be judged: intact, and of a set that describes platform and picture."""
    return record.good and record.set in SETS
