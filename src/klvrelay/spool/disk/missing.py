"""Gaps by position: losses on disk that the loader has not reached yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from klvrelay.gap import Gap, Item
from klvrelay.outcome import Reason
from klvrelay.record import Record
from klvrelay.spool.disk.cursor_file import OPEN_END


class PlacedGap(NamedTuple):
    """A gap, and the position in the log before which it belongs."""

    position: int
    gap: Gap


class PlacedItem(NamedTuple):
    """A record or a gap, and its position in the log."""

    position: int
    item: Item


def gaps_of(records: Iterable[tuple[int, Record]], reason: Reason) -> list[PlacedGap]:
    """The gaps that these records leave, from their positions."""
    found: dict[str, list[PlacedGap]] = {}
    for position, record in records:
        _add_last(found.setdefault(record.stream, []), PlacedGap(position, Gap.of(record, reason)))
    return [placed for gaps in found.values() for placed in gaps]


def gaps_between(items: Sequence[Item], places: Mapping[int, int], lowest: int) -> list[PlacedGap]:
    """The gaps among items, each before the next record of its stream.

    places   position by id of each record
    lowest   position of the records after these
    """
    found: list[PlacedGap] = []
    last = {item.stream: place for item in items if (place := places.get(id(item))) is not None}
    following: dict[str, int] = {}
    for item in reversed(items):
        if isinstance(item, Gap):
            until = following.get(item.stream, max(lowest, last.get(item.stream, -1) + 1))
            found.append(PlacedGap(until, item))
        elif (place := places.get(id(item))) is not None:
            following[item.stream] = place
    return found[::-1]


def _add_last(gaps: list[PlacedGap], placed: PlacedGap) -> None:
    if gaps and (joined := gaps[-1].gap.joined(placed.gap)) is not None:
        gaps[-1] = PlacedGap(gaps[-1].position, joined)
    else:
        gaps.append(placed)


class Missing:
    """Gaps in the order of their positions. Gaps of a stream without a record between them are one."""

    def __init__(self, gaps: Iterable[PlacedGap] = ()) -> None:
        self.gaps: list[PlacedGap] = sorted(gaps, key=_position)

    def add(self, added: PlacedGap) -> None:
        stream = added.gap.stream
        joined: list[PlacedGap] = []
        for placed in sorted([*(one for one in self.gaps if one.gap.stream == stream), added], key=_position):
            _add_last(joined, placed)
        self.gaps = sorted([*(one for one in self.gaps if one.gap.stream != stream), *joined], key=_position)

    def exclude(self, position: int, record: Record) -> None:
        """No gap contains this record, which is in the log after all."""
        for at, (place, gap) in enumerate(self.gaps):
            if (gap.stream, gap.boot) == (record.stream, record.boot) and gap.first <= record.seq <= gap.last:
                before = PlacedGap(min(place, position), replace(gap, last=record.seq - 1))
                after = PlacedGap(max(place, position + 1), replace(gap, first=record.seq + 1))
                self.gaps[at : at + 1] = [each for each in (before, after) if each.gap.count]
                self.gaps.sort(key=_position)
                return

    def between(self, boot: str | None, first: int, item: PlacedItem) -> list[PlacedGap]:
        """Gaps for the numbers from `first` to before those of an item that no gap of its stream and run contains."""
        stream, end = item.item.stream, item.item.seq
        found: list[PlacedGap] = []
        known = [gap for gap in self.gaps if (gap.gap.stream, gap.gap.boot) == (stream, boot) and gap.gap.first < end]
        for position, following in (*sorted(known, key=lambda one: one.gap.first), item):
            if first < following.seq:  # where one of them was, so before the following item
                gap = Gap(stream, boot, first, following.seq - 1, "damaged", None)
                found.append(PlacedGap(position - 1, gap))
            first = max(first, following.last + 1 if isinstance(following, Gap) else 0)
        return found

    def take_below(self, position: int = OPEN_END) -> Sequence[PlacedGap]:
        """Remove and return the gaps before which the loader has passed all records."""
        count = sum(placed.position < position for placed in self.gaps)
        taken, self.gaps = self.gaps[:count], self.gaps[count:]
        return taken


def _position(placed: PlacedGap) -> int:
    return placed.position
