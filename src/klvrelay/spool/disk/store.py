"""All files of one spool. One thread uses it, so that a slow disk delays no live record."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from klvrelay.outcome import Reason
from klvrelay.record import Record
from klvrelay.spool.age import NEVER_AGED
from klvrelay.spool.disk.cursor_file import Ranges
from klvrelay.spool.disk.files import Folder
from klvrelay.spool.disk.format import Codec, pack_record, unpack_record
from klvrelay.spool.disk.identity import identify
from klvrelay.spool.disk.missing import PlacedGap
from klvrelay.spool.disk.segment_files import SHORTAGES
from klvrelay.spool.disk.segments import Segments, StoredEntry
from klvrelay.spool.disk.sink_files import FULL, SinkFiles, is_needed
from klvrelay.text import printable

LOG = logging.getLogger("klvrelay.spool")

LOAD_SIZE = 2 << 20
"""Bytes of records that are loaded at a time."""
SEGMENT_SIZE = 8 << 20
"""Default size of a segment; a small spool has smaller ones."""
SEGMENTS = 16
"""Least number of segments within the limit: shedding discards one."""
LEAST_SEGMENT = 64 << 10


class Placed(NamedTuple):
    """A record that was read from its position in the log. `skipped`: see `StoredEntry`."""

    position: int
    skipped: int
    record: Record


class Loaded(NamedTuple):
    """Records that were read, and the position from which to continue. `reason`: why they were discarded, if so."""

    records: Sequence[Placed]
    end: int
    reason: Reason = "size"


@dataclass(slots=True)
class Committed:
    """The result of a commit.

    end     entries below this position are durable
    sheds   for each segment that was discarded: the position after it, and its records
    fault   what failed; the entries from `end` on must be written again
    """

    end: int = 0
    sheds: list[Loaded] = field(default_factory=list)
    fault: OSError | None = None


class Store:
    """The segments and cursor files in a folder.

    relay     name of the relay that owns the spool
    limit     maximum bytes of the segments
    name      for messages
    others    further names of this relay, under which an earlier run may have made the spool

    Opening raises ConfigError if the spool has another version or belongs to another relay, and OSError if the folder
    cannot be read.
    """

    def __init__(self, folder: Folder, relay: str, limit: int, name: str = "spool", others: Sequence[str] = ()) -> None:
        self._folder, self.name = folder, name
        identity = identify(folder, relay, others)
        self.id, self.owner = identity.id, identity.relay or relay
        size = max(LEAST_SEGMENT, min(SEGMENT_SIZE, limit // SEGMENTS))
        self.segments = Segments(folder, Codec(self.id), size=size, limit=limit)
        self._sinks = SinkFiles(folder, self.id)
        self._readers: dict[str, tuple[int, Iterator[StoredEntry]]] = {}
        self.fault: OSError | None = None
        """Why nothing could be read at the last attempt."""
        for ranges in self.saved.values():
            self.segments.skip_to(max((start for start, _ in ranges or ()), default=0))

    @property
    def saved(self) -> dict[str, Ranges | None]:
        """The ranges of each cursor that were stored at the start; None if they are damaged."""
        return self._sinks.saved

    @property
    def gaps(self) -> dict[str, list[PlacedGap]]:
        """The stored gaps of each cursor."""
        return self._sinks.gaps

    def remove_cursor(self, name: str) -> None:
        """Close and delete the files of a cursor, if they exist. Raises OSError."""
        for reader in [key for key in self._readers if key.rpartition("#")[0] == name]:
            del self._readers[reader]
        self._sinks.remove(name)

    def commit(
        self, records: Mapping[int, Record], unanswered: Mapping[str, Ranges], *, hurry: bool, probe: bool = False,
        gaps: Mapping[str, Sequence[PlacedGap]] | None = None, before_us: int = NEVER_AGED,
    ) -> Committed:  # fmt: skip
        """Write records by position, and the unanswered ranges of each cursor; return once the records are durable.

        hurry      memory is full: if the disk is, too, discard the oldest segment
        probe      the disk failed: report that it still does, even if there is room for these records
        gaps       the gaps to store, by cursor
        before_us  discard segments whose records all arrived before this time
        """
        result = Committed()
        steps = (
            partial(self._sinks.begin, unanswered),
            partial(self._sinks.save_gaps, gaps or {}),
            partial(self._save, unanswered, always=probe),
            partial(self._write, records, result, hurry=hurry, before_us=before_us),
            partial(self._save, unanswered),
            partial(self._check, result, probe=probe),
        )
        for step in steps:  # a disk without room for records has room for cursors and gaps
            try:
                step()
            except OSError as fault:
                result.fault = result.fault or fault
        result.end = self.segments.durable
        return result

    def _payloads(self, records: Mapping[int, Record]) -> dict[int, bytes]:
        """The records by position, without those that the spool cannot hold: they do not survive a crash."""
        payloads: dict[int, bytes] = {}
        for position, record in records.items():
            try:
                payloads[position] = pack_record(record)
            except ValueError as fault:
                LOG.error("spool: %s: stream=%s seq=%d", fault, printable(record.stream[:80]), record.seq)
        return payloads

    def _write(self, records: Mapping[int, Record], result: Committed, *, hurry: bool, before_us: int) -> None:
        """Write records, and make them durable. Without room for all of them, shed the oldest segment: the others are
        written by the next commit, once the gaps are stored.
        """
        while self.segments.are_aged(before_us):
            result.sheds.append(self._shed("age"))
        payloads = self._payloads(records)
        self._write_payloads(payloads, hurry=hurry)
        is_whole = not payloads or self.segments.next > max(payloads)
        if is_whole:
            self.segments.skip_to(max(records, default=-1) + 1)  # past a last record that has no payload
        self.segments.sync()
        if not is_whole:
            result.sheds.append(self._shed())

    def _write_payloads(self, payloads: Mapping[int, bytes], *, hurry: bool) -> None:
        try:
            self.segments.write(payloads)
        except OSError as fault:
            if not (hurry and fault.errno in FULL and self.segments.bounds()):
                raise

    def _check(self, result: Committed, *, probe: bool) -> None:
        if probe and result.fault is None:
            self.segments.check_room()

    def _shed(self, reason: Reason = "size") -> Loaded:
        _, end = self.segments.bounds()[0]
        return Loaded([*_records(self.segments.shed())], end, reason)

    def _save(self, unanswered: Mapping[str, Ranges], *, always: bool = False) -> None:
        """Store the ranges that changed, or `always`, and release what no cursor needs."""
        self._sinks.save(unanswered, self.segments.next, always=always)
        floor = min((ranges[0][0] for ranges in unanswered.values()), default=self.segments.next)
        needs = is_needed(unanswered)
        held = [bounds for bounds in self.segments.held() if self._sinks.has_gaps and not needs(*bounds)]
        releasable = held or self.segments.can_release(floor)
        self._sinks.sync(if_due=not (releasable or always))
        if releasable:
            self.segments.release(floor)
            self.segments.release_held(lambda first, end: (first, end) not in held)

    def read(self, name: str, start: int, most: int) -> Loaded | None:
        """The next records for a cursor from this position on: at most `most`, or LOAD_SIZE bytes; none at the end.

        A segment that cannot be read is passed over, unless the whole disk fails. None: try again later. A folder that
        was deleted does not come back.
        """
        self.fault = None
        at, items = self._readers.pop(name, (-1, iter(())))
        found, more = _some(items, most) if at == start else ([], False)
        if not found:
            items = self.segments.read(start)
            try:
                found, more = _some(items, most)
            except OSError as fault:
                if fault.errno in SHORTAGES or (not self._folder.is_removed() and self._is_failing()):
                    return None
                self.segments.note_unreadable(fault.filename, fault)
                return Loaded((), self.segments.end_of(fault.filename))
        end = found[-1].position + 1 if found else start
        if more:  # otherwise the bytes of the segment would stay in memory
            self._readers[name] = end, items
        return Loaded([*_records(found)], end)

    def _is_failing(self) -> bool:
        """Does the disk fail as a whole, as one that is disconnected? A full one can be read."""
        self.fault = None
        try:
            self.segments.check_room()
            self._sinks.touch()
        except OSError as fault:
            if fault.errno not in FULL:
                self.fault = fault
        return self.fault is not None

    def forget(self, name: str) -> None:
        """A cursor reads no further: free the bytes of its segment."""
        self._readers.pop(name, None)

    def close(self) -> None:
        """Make cursors durable, and close the files."""
        try:
            self.segments.sync()
            self._sinks.sync()
        finally:
            self.segments.close()
            self._sinks.close()
            self._folder.close()


def _some(items: Iterator[StoredEntry], most: int) -> tuple[list[StoredEntry], bool]:
    """The next items, at most `most`, or LOAD_SIZE bytes; and whether there may be more."""
    found: list[StoredEntry] = []
    size = 0
    for item in items:
        found.append(item)
        size += len(item.payload)
        if len(found) == most or size >= LOAD_SIZE:
            return found, True
    return found, False


def _records(items: Sequence[StoredEntry]) -> Iterator[Placed]:
    return (Placed(position, skipped, unpack_record(payload)) for position, skipped, payload in items)
