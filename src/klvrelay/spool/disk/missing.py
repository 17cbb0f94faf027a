"""Gaps by position: losses on disk that the loader has not reached yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from klvrelay.record import Gap, Reason, Record
from klvrelay.spool.disk.cursor_file import OPEN_END


class PlacedGap(NamedTuple):
    """A gap, and the position in the log before which it belongs."""

    position: int
    gap: Gap


def gaps_of(records: Iterable[tuple[int, Record]], reason: Reason) -> list[PlacedGap]:
    """The gaps that these records leave, from their positions."""
    found: dict[str, list[PlacedGap]] = {}
    for position, record in records:
        _add_last(found.setdefault(record.stream, []), PlacedGap(position, Gap.of(record, reason)))
    return [placed for gaps in found.values() for placed in gaps]


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
                after = PlacedGap(place, replace(gap, first=record.seq + 1))
                self.gaps[at : at + 1] = [each for each in (before, after) if each.gap.count]
                self.gaps.sort(key=_position)
                return

    def others(self, stream: str, boot: str | None, first: int, end: int) -> list[tuple[int, int]]:
        """Ranges of the numbers from `first` to before `end` that no gap of this stream and run contains."""
        found: list[tuple[int, int]] = []
        for gap in sorted(
            (gap for _, gap in self.gaps if (gap.stream, gap.boot) == (stream, boot)), key=lambda gap: gap.first
        ):
            if first < (until := min(gap.first, end)):
                found.append((first, until))
            first = max(first, gap.last + 1)
        return [*found, (first, end)] if first < end else found

    def take_below(self, position: int = OPEN_END) -> Sequence[PlacedGap]:
        """Remove and return the gaps before which the loader has passed all records."""
        count = sum(placed.position < position for placed in self.gaps)
        taken, self.gaps = self.gaps[:count], self.gaps[count:]
        return taken


def _position(placed: PlacedGap) -> int:
    return placed.position
