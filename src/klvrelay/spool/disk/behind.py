"""The streams of one sink that are behind: their next records are in the log only, and are to be loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from klvrelay.gap import Gap, Item
from klvrelay.record import Record
from klvrelay.spool.disk.missing import Missing, PlacedGap, PlacedItem


@dataclass(slots=True)
class _Unloaded:
    """The records of a stream that are to be loaded: the position of the first, their number, and the next one."""

    first: int
    boot: str | None
    seq: int
    count: int = 0


class Behind:
    """Streams that are behind, and how many of their records of this run are to be loaded."""

    def __init__(self) -> None:
        self._streams: dict[str, _Unloaded] = {}

    def __contains__(self, stream: str) -> bool:
        return stream in self._streams

    def count(self, stream: str) -> int:
        """Number of records to be loaded."""
        return self._streams[stream].count

    def add(self, position: int, record: Record) -> None:
        """This record is to be loaded, after the earlier ones of its stream."""
        self._streams.setdefault(record.stream, _Unloaded(position, record.boot, record.seq)).count += 1

    def reduce(self, stream: str) -> None:
        """One record of a stream is no longer to be loaded."""
        found = self._streams[stream]
        found.count -= 1
        if not found.count:
            del self._streams[stream]

    def wants(self, position: int, stream: str) -> bool:
        """Is the record at this position to be loaded?"""
        found = self._streams.get(stream)
        return found is not None and position >= found.first

    def pass_item(self, position: int, item: Item, last: int, missing: Missing) -> list[PlacedGap]:
        """The loader reached an item with the numbers up to `last`. Returns gaps for lost records before it.

        If records of its stream before it are neither loaded nor in a gap, they are damaged on disk.
        """
        found = self._streams.get(item.stream)
        if found is None or found.boot != item.boot:
            return []
        gaps: list[PlacedGap] = []
        if found.seq < item.seq:
            for placed in missing.between(found.boot, found.seq, PlacedItem(position, item)):
                if placed.gap.count <= found.count:
                    found.count -= placed.gap.count
                    gaps.append(placed)
        found.seq = max(found.seq, last + 1)
        return gaps

    def write_off(self, loaded: Mapping[str, int]) -> list[Gap]:
        """The end of the log is reached: all beyond what is loaded, by stream, is lost. Returns the gaps."""
        gaps: list[Gap] = []
        for stream, found in list(self._streams.items()):
            there = loaded.get(stream, 0)
            if lost := found.count - there:
                gaps.append(Gap(stream, found.boot, found.seq, found.seq + lost - 1, "damaged", None))
            found.count = there
            if not there:
                del self._streams[stream]
        return gaps
