"""The segments of a spool: fixed-size files that are filled in order, and used again once all cursors have passed.

A segment is identified by the position of its first entry, not by the name of its file: reuse needs no rename.
Only the newest one stays open, since a spool of many gibibytes has more segments than a process may open files.
Not safe for use by several threads.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import NamedTuple

from klvrelay.spool.disk.files import File, Folder
from klvrelay.spool.disk.format import ENTRY_SIZE, HEADER_SIZE, Codec
from klvrelay.spool.disk.segment_files import SHORTAGES, Segment, SegmentFiles

LOG = logging.getLogger("klvrelay.spool")

BEYOND = 1 << 32
"""Positions that a segment that cannot be read now may contain, and that must not be used twice."""
SPARE = 2
"""Maximum number of unused segments that are kept for further use; others are removed."""


class StoredEntry(NamedTuple):
    """An entry that was read.

    position  in the log
    skipped   number of positions directly before it that were never written
    """

    position: int
    skipped: int
    payload: bytes


class Segments:
    """The segments of one spool, oldest first. All methods raise OSError; that of a read names the segment.

    size          bytes of a segment; an entry that is larger gets a segment with its size
    limit         maximum bytes of all segments, at least two segments
    """

    def __init__(self, folder: Folder, codec: Codec, *, size: int, limit: int) -> None:
        self._files, self._codec = SegmentFiles(folder, codec), codec
        self.size, self.limit = size, max(limit, 2 * size)
        self._used: list[Segment] = []
        self._held: list[tuple[Segment, int]] = []  # shed, and not released: with the position after the last entry
        self._spare: list[Segment] = []
        self._end = 0  # where the next entry of the newest segment begins
        self._written_us = _now_us()  # or opened
        self.next = 0
        """Position after the last entry."""
        self.unreadable = 0
        """Number of attempts to read a segment that failed."""
        self._recover()
        self._synced = self.next, self._end

    @property
    def first(self) -> int:
        """Position of the oldest entry that may be present."""
        return self._used[0].first if self._used else self.next

    @property
    def durable(self) -> int:
        """Entries below this position are durable."""
        return self._synced[0]

    @property
    def allocated(self) -> int:
        """Bytes of all files, without those that are released next."""
        return sum(segment.size for segment in (*self._used, *self._spare))

    def end_of(self, name: str) -> int:
        """The position after the last entry of a segment in use; `next` if there is none of this name."""
        ends = (end for segment, (_, end) in zip(self._used, self.bounds(), strict=True) if segment.name == name)
        return next(ends, self.next)

    def bounds(self) -> list[tuple[int, int]]:
        """First position and end of each segment in use, oldest first."""
        firsts = [segment.first for segment in self._used]
        return list(pairwise([*firsts, self.next]))

    def fill_from(self, position: int) -> float:
        """The share of `limit` that the segments take from a position on; also while another thread writes."""
        used, end = list(self._used), self._end
        later = [segment.first for segment in used[1:]]
        sizes = (segment.size for segment, after in zip(used, later, strict=False) if after > position)
        return (sum(sizes) + end) / self.limit if used else 0.0

    def _recover(self) -> None:
        for name in self._files.names():
            try:
                segment = self._files.find(name)
                (self._spare if segment.first < 0 else self._used).append(segment)
            except OSError as fault:
                if fault.errno in SHORTAGES:
                    raise
                self.note_unreadable(name, fault)
        self._used.sort(key=lambda segment: segment.first)
        if self._used:
            file = self._files.reopen(self._used[-1])
            self._find_end(file, self._used[-1])
            with suppress(OSError):  # a killed process leaves entries that are written and not durable
                file.sync()
        if self.unreadable:
            self.next += BEYOND

    def note_unreadable(self, name: str, fault: OSError) -> None:
        """Count and log a segment that cannot be read."""
        self.unreadable += 1
        LOG.error("spool: cannot read a segment, its records are lost: file=%s error=%r", name, fault.strerror)

    @property
    def _newest(self) -> File:
        """The open file of the newest segment."""
        file = self._used[-1].file
        assert file is not None
        return file

    def _find_end(self, file: File, newest: Segment) -> None:
        self._end, self.next = HEADER_SIZE, newest.first
        entry = self._codec.last(file.read(newest.size, 0), HEADER_SIZE, newest.first)
        if entry is not None:
            self._end, self.next = entry.end, entry.position + 1

    def skip_to(self, position: int) -> None:
        """Continue with this position, if it is higher than the next one."""
        self.next = max(self.next, position)

    def write(self, payloads: Mapping[int, bytes]) -> None:
        """Append payloads by position, ascending from `next` on; `next` says how many were written.

        They are fewer than all after an OSError, or if the limit is reached: see `shed`. They are durable after `sync`.
        """
        rest = list(payloads.items())
        while rest:
            fitting, data = self._fitting(rest)
            if fitting:
                self._newest.write(data, self._end)
                self._written_us = _now_us()
                self._end += len(data)
                self.next = rest[fitting - 1][0] + 1
                del rest[:fitting]
            elif not self._begin(HEADER_SIZE + ENTRY_SIZE + len(rest[0][1])):
                break

    def _fitting(self, payloads: Sequence[tuple[int, bytes]]) -> tuple[int, bytes]:
        """The leading entries that fit in the newest segment: their number and bytes."""
        room = self._used[-1].size - self._end if self._used else 0
        entries: list[bytes] = []
        last = self.next
        for position, payload in payloads:
            room -= ENTRY_SIZE + len(payload)
            if room < 0:
                break
            entries.append(self._codec.pack(position, payload, position - last))
            last = position + 1
        return len(entries), b"".join(entries)

    def _begin(self, least: int) -> bool:
        """Begin a segment of at least this size; False if the limit is reached."""
        self.sync()
        segment = self._blank(max(self.size, least))
        if segment is None:
            return False
        try:
            self._files.begin(segment, self.next, _now_us())
        except OSError:
            self._spare.insert(0, segment)  # the next attempt uses it again: no other segment gets this header
            raise
        if self._used:
            self._used[-1].close()
        self._used.append(segment)
        self._end = HEADER_SIZE
        self._synced = self.next, self._end
        return True

    def check_room(self) -> None:
        """Write to an unused segment, created if the limit permits: an OSError says that the disk still fails."""
        if not self._spare and self.allocated + self.size <= self.limit:
            self._spare.append(self._files.create(self.size))
        for segment in self._spare[:1]:
            self._files.touch(segment)

    def _blank(self, size: int) -> Segment | None:
        """An unused segment, or a new one if the limit permits."""
        for at, segment in enumerate(self._spare):
            if segment.size == size:
                return self._spare.pop(at)
        while self._spare and self.allocated + size > self.limit:
            self._files.remove(self._spare.pop())
        if self._used and self.allocated + size > self.limit:
            return None
        return self._files.create(size)

    def sync(self) -> None:
        """Make all written entries durable. After an OSError, `next` is as it was after the last sync.

        Entries are then written again: the kernel may have discarded what it failed to write.
        """
        if self._used and self.next != self._synced[0]:
            try:
                self._newest.sync()
            except OSError:
                self.next, self._end = self._synced
                raise
        self._synced = self.next, self._end

    def can_release(self, position: int) -> bool:
        """Is there a segment with entries below this position only?"""
        return len(self._used) > 1 and self._used[1].first <= position

    def release(self, position: int) -> None:
        """Entries below this position are needed no more: reuse or remove segments that hold no others."""
        while self.can_release(position):
            self._retire(self._used.pop(0))

    def held(self) -> list[tuple[int, int]]:
        """First position and end of each segment that was shed and not released."""
        return [(segment.first, end) for segment, end in self._held]

    def release_held(self, is_needed: Callable[[int, int], bool]) -> None:
        """Reuse or remove the segments that were shed, except those that are needed: first position and end."""
        held, self._held = self._held, []
        for segment, end in held:
            if is_needed(segment.first, end):
                self._held.append((segment, end))
            else:
                self._retire(segment)

    def are_aged(self, before_us: int) -> bool:
        """Was the last entry of the oldest segment written before this time?

        At the latest when the next segment was created. False if the time is unknown.
        """
        if not self._used:
            return False
        return 0 < (self._used[1].created_us if len(self._used) > 1 else self._written_us) < before_us

    def shed(self) -> list[StoredEntry]:
        """Give up the oldest segment, and return its entries. They stay on disk until `release`."""
        (_, end), segment = self.bounds()[0], self._used.pop(0)
        self._held.append((segment, end))
        return list(self._entries(segment, segment.first))

    def _retire(self, segment: Segment) -> None:
        segment.close()
        if segment.size == self.size and len(self._spare) < SPARE:
            self._spare.append(segment)
        else:
            self._files.remove(segment)

    def read(self, position: int) -> Iterator[StoredEntry]:
        """The entries of one segment from this position on: of the one that holds it, or of the next that holds any."""
        for segment, (_, end) in zip(list(self._used), self.bounds(), strict=True):
            if end > position:
                any_found = False
                for found in self._entries(segment, position):
                    any_found = True
                    yield found
                if any_found:
                    return

    def _entries(self, segment: Segment, position: int) -> Iterator[StoredEntry]:
        data = self._files.read(segment)
        for entry in self._codec.scan(data, HEADER_SIZE, segment.first):
            if entry.position >= position:
                yield StoredEntry(entry.position, entry.skipped, data[entry.start + ENTRY_SIZE : entry.end])

    def close(self) -> None:
        for segment in (*self._used, *(segment for segment, _ in self._held)):
            segment.close()


def _now_us() -> int:
    return time.time_ns() // 1000
