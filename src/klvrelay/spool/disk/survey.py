"""What a spool contains: records by stream, what each sink has yet to deliver, and damage."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import NamedTuple

from klvrelay.spool.disk.cursor_file import Ranges
from klvrelay.spool.disk.format import ENTRY_SIZE, Entry, RecordHead, read_head
from klvrelay.spool.disk.reader import Damage, SegmentContent, SpoolReader

Key = tuple[bytes, bytes | None]
"""Stream and boot."""


@dataclass(slots=True)
class StreamPart:
    """The records of one stream and one run of the relay, in order.

    waiting     number that a sink has yet to deliver
    size        bytes of their packets and names
    first_us    time of arrival of the first and last record that has one, microseconds since 1970
    """

    stream: str
    boot: str | None
    first_seq: int
    last_seq: int
    records: int = 0
    waiting: int = 0
    size: int = 0
    first_us: int | None = None
    last_us: int | None = None

    def add(self, head: RecordHead, size: int, *, waiting: bool) -> None:
        self.records += 1
        self.waiting += waiting
        self.size += size
        self.last_seq = head.seq
        if head.received_us is not None:
            self.first_us = head.received_us if self.first_us is None else self.first_us
            self.last_us = head.received_us


@dataclass(slots=True)
class SinkPart:
    """What one sink has yet to deliver: number of records, bytes, and time of arrival of the oldest."""

    name: str
    records: int = 0
    size: int = 0
    oldest_us: int | None = None


class SegmentPart(NamedTuple):
    """A segment: bytes of its file, number of records, and of those that a sink has yet to deliver; its creation."""

    file: str
    size: int
    records: int
    waiting: int
    created_us: int | None


@dataclass(slots=True)
class SpoolSurvey:
    """All of them. `changed`: number of segments that the relay removed or used again meanwhile."""

    streams: dict[Key, StreamPart] = field(default_factory=dict)
    sinks: dict[str, SinkPart] = field(default_factory=dict)
    segments: list[SegmentPart] = field(default_factory=list)
    damage: list[Damage] = field(default_factory=list)
    changed: int = 0

    @property
    def records(self) -> int:
        return sum(part.records for part in self.segments)

    @property
    def size(self) -> int:
        """Bytes of all segments."""
        return sum(part.size for part in self.segments)


class Surveyor:
    """Adds one segment after another to a survey."""

    def __init__(self, reader: SpoolReader) -> None:
        self._cursors = reader.cursors
        self._any = [bounds for ranges in reader.cursors.values() for bounds in ranges]
        self.survey = SpoolSurvey(sinks={name: SinkPart(name) for name in reader.cursors}, damage=list(reader.damage))

    def add(self, content: SegmentContent | None) -> None:
        """Add a segment; None for one that the relay has removed."""
        if content is None:
            self.survey.changed += 1
            return
        self.survey.damage += content.damage
        entries = content.entries
        waiting = owed(entries, self._any)
        self._add_streams(content, waiting)
        self._add_sinks(content)
        part = SegmentPart(content.file, content.size, len(entries), sum(waiting), content.created_us)
        self.survey.segments.append(part)

    def _add_streams(self, content: SegmentContent, waiting: Sequence[int]) -> None:
        streams, data = self.survey.streams, content.data
        for entry, is_owed in zip(content.entries, waiting, strict=True):
            start = entry.start + ENTRY_SIZE
            head = read_head(data, start)
            key = head.stream, head.boot
            part = streams.get(key)
            if part is None:
                boot = None if head.boot is None else head.boot.decode("utf-8", "replace")
                part = streams[key] = StreamPart(head.stream.decode("utf-8", "replace"), boot, head.seq, head.seq)
            part.add(head, entry.end - start, waiting=bool(is_owed))

    def _add_sinks(self, content: SegmentContent) -> None:
        entries = content.entries
        sizes = [0, *accumulate(entry.end - entry.start - ENTRY_SIZE for entry in entries)]
        for name, ranges in self._cursors.items():
            sink = self.survey.sinks[name]
            for first, end in slices(entries, ranges):
                if not sink.records:
                    sink.oldest_us = read_head(content.data, entries[first].start + ENTRY_SIZE).received_us
                sink.records += end - first
                sink.size += sizes[end] - sizes[first]


def slices(entries: Sequence[Entry], ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The slices of the entries whose positions are in these ranges; empty ones are left out."""
    found = [
        (bisect_left(entries, low, key=_position), bisect_left(entries, high, key=_position)) for low, high in ranges
    ]
    return [(first, end) for first, end in found if first < end]


def owed(entries: Sequence[Entry], ranges: Ranges) -> bytearray:
    """For each entry 1 if its position is in one of the ranges, else 0."""
    flags = bytearray(len(entries))
    for first, end in slices(entries, ranges):
        flags[first:end] = b"\1" * (end - first)
    return flags


def _position(entry: Entry) -> int:
    return entry.position
