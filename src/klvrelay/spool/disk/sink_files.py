"""The files of the sinks: for each, the position of its cursor and its gaps."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from klvrelay.spool.disk.cursor_file import OPEN_END, SUFFIX, CursorFile, Ranges
from klvrelay.spool.disk.files import Folder
from klvrelay.spool.disk.gap_file import SUFFIX as GAPS
from klvrelay.spool.disk.gap_file import GapFile, read_gaps
from klvrelay.spool.disk.missing import PlacedGap

FULL = {errno.ENOSPC, errno.EDQUOT}
CURSOR_SYNC = 1.0
"""Seconds from one sync of the cursor files to the next: a power loss repeats what was answered since."""


class SinkFiles:
    """Cursor and gaps by name of the sink. All methods raise OSError.

    saved   the ranges that were stored at the start; None if they are damaged
    gaps    the stored gaps
    """

    def __init__(self, folder: Folder, spool: bytes) -> None:
        self._folder, self._spool = folder, spool
        self._cursors: dict[str, CursorFile] = {}
        self._gap_files: dict[str, GapFile] = {}
        self._synced = time.monotonic()
        self.saved: dict[str, Ranges | None] = {name: self._stored(name) for name in self._names(SUFFIX)}
        self.gaps: dict[str, list[PlacedGap]] = {name: read_gaps(folder, name) for name in self._names(GAPS)}
        self.has_gaps = True
        """Are all gaps of the last call of `save_gaps` stored?"""

    def _names(self, suffix: str) -> Iterator[str]:
        return (file.removesuffix(suffix) for file in self._folder.names() if file.endswith(suffix))

    def _stored(self, name: str) -> Ranges | None:
        """The stored ranges of a cursor; None also if its file is incomplete and the disk is full."""
        try:
            return self._cursor(name).ranges
        except OSError as fault:
            if fault.errno not in FULL:
                raise
            return None

    def _cursor(self, name: str) -> CursorFile:
        if name not in self._cursors:
            self._cursors[name] = CursorFile(self._folder, name, self._spool)
        return self._cursors[name]

    def _gap_file(self, name: str) -> GapFile:
        if name not in self._gap_files:
            self._gap_files[name] = GapFile(self._folder, name)
        return self._gap_files[name]

    def begin(self, unanswered: Mapping[str, Ranges]) -> None:
        """Create the files of new sinks, before a record of theirs is on disk: the next run begins with it."""
        for name in [name for name in unanswered if name not in self._cursors]:
            cursor = self._cursor(name)
            cursor.save(unanswered[name])
            cursor.sync()
        for name in unanswered:
            self._gap_file(name)

    def remove(self, name: str) -> None:
        """Close and delete the files of a sink, if they exist."""
        if (cursor := self._cursors.pop(name, None)) is not None:
            cursor.close()
        if (gaps := self._gap_files.pop(name, None)) is not None:
            gaps.close()
        for file in {name + SUFFIX, name + GAPS}.intersection(self._folder.names()):
            self._folder.remove(file)

    def save(self, unanswered: Mapping[str, Ranges], end: int, *, always: bool) -> None:
        """Store the ranges that changed, where entries on disk are concerned: those below `end`; or `always`."""
        for name, ranges in unanswered.items():
            cursor = self._cursor(name)
            concerned = cursor.ranges is None or cursor.ranges[0][0] < end
            if always or (concerned and ranges != cursor.ranges):
                cursor.save(ranges)

    def save_gaps(self, gaps: Mapping[str, Sequence[PlacedGap]]) -> None:
        """Store the gaps that changed, durably."""
        self.has_gaps = False
        for name, placed in gaps.items():
            if placed != self.gaps.get(name, []):
                self._gap_file(name).save(placed)
                self.gaps[name] = list(placed)
        self.has_gaps = True

    def sync(self, *, if_due: bool = False) -> None:
        """Make the cursors durable. `if_due`: only if CURSOR_SYNC has passed."""
        if if_due and time.monotonic() - self._synced < CURSOR_SYNC:
            return
        for cursor in self._cursors.values():
            cursor.sync()
        self._synced = time.monotonic()

    def touch(self) -> None:
        """Write the cursors as they are: an OSError says that the disk fails."""
        for cursor in self._cursors.values():
            cursor.save(cursor.ranges or [(0, OPEN_END)])
            cursor.sync()

    def close(self) -> None:
        for cursor in self._cursors.values():
            cursor.close()
        for gaps in self._gap_files.values():
            gaps.close()


def is_needed(unanswered: Mapping[str, Ranges]) -> Callable[[int, int], bool]:
    """Says of a first position and an end whether a sink has a record between them that it has not answered for."""
    return lambda first, end: any(low < end and first < high for some in unanswered.values() for low, high in some)
