"""How the streams of one sink share its limits: each of n has room for 1/n of them, even if others fill the rest."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

Load = tuple[int, int]
"""Number and bytes of the waiting records of a stream."""


class Held(NamedTuple):
    """Records of one sink that are not answered, and their bytes: all, and those in flight."""

    records: int
    size: int
    offered: int
    offered_size: int


class MemoryLimits(NamedTuple):
    """Maximum number of records in memory for one sink, and of their bytes."""

    records: int
    size: int

    def fill(self, held: Held) -> float:
        """The share of the limits that is taken: of records or of bytes, whichever is more."""
        return max(held.records / max(1, self.records), held.size / max(1, self.size))

    def has_room(self, held: Held, load: Load, streams: int) -> bool:
        """Can a stream with this load append a record without shedding? `streams`: their number, with this one."""
        if held.records >= self.records and load[0] >= (self.records - held.offered) // streams:
            return False
        return held.size < self.size or load[1] < (self.size - held.offered_size) // streams

    def to_shed(self, held: Held, loads_of: Callable[[], Mapping[str, Load]], patient: Collection[str]) -> str | None:
        """The stream whose oldest record is to be shed; None if there is room, or only `patient` streams fill it.

        A single record, with no other waiting or in flight, is never shed, whatever its size.
        """
        if held.records <= 1 or (held.records <= self.records and held.size <= self.size):
            return None
        loads = loads_of()
        live = [stream for stream, (count, _) in loads.items() if count and stream not in patient]
        if held.records > self.records and live:
            longest = max(live, key=lambda stream: loads[stream][0])
            if loads[longest][0] > (self.records - held.offered) // len(loads):
                return longest
        if held.size > self.size and live:
            largest = max(live, key=lambda stream: loads[stream][1])
            if loads[largest][1] > (self.size - held.offered_size) // len(loads):
                return largest
        return None
