"""The folder of a recorder: writes, completes, names and removes segments.

Called on a thread, because a disk may be slow. Only files whose name matches the stream and the recorder's pattern are
touched.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import math
import os
import time
from collections import deque
from contextlib import suppress
from typing import NamedTuple

from klvrelay.errors import ConfigError
from klvrelay.record import Carriage
from klvrelay.recordings.limits import RecordingLimits
from klvrelay.recordings.segment_names import RecordedSegment, segments
from klvrelay.text import printable

LOG = logging.getLogger("klvrelay.recording")

KEPT_WHEN_FULL = 4
"""The newest segments, which are kept when the disk is full: they are needed to find the cause of a fault."""
MOST_AT_ONCE = 4 << 20
"""Maximum bytes per write call."""
FILE_MODE, FOLDER_MODE = 0o640, 0o750
"""Permissions before the umask: a recording shows where people were, and is not for all users of a machine."""
AHEAD = 60_000_000
"""Microseconds by which the newest segment's name may be ahead of the clock before this is logged."""


class ReceivedBytes(NamedTuple):
    """Received bytes, their arrival time (microseconds since 1970 UTC), and their carriage."""

    data: bytes | memoryview
    received_us: int
    kind: Carriage


class SegmentStore:
    """The segments of one stream in one folder.

    begun     segments begun by this run; `vanished` of them no longer exist: removed, or never written to
    removed   segments removed, including those of earlier runs
    """

    def __init__(self, folder: str, stream: str, limits: RecordingLimits) -> None:
        self.folder = folder
        self.stream = stream
        self.begun = 0
        self.vanished = 0
        self.removed = 0
        self._limits = limits
        self._fd = -1
        self._segment: RecordedSegment | None = None
        self._last_us = 0
        self._clock_begin = time.time() - time.monotonic()
        self._made: dict[int, float] = {}  # when this run began each, by the monotonic clock
        self._total = 0  # bytes of the complete ones, and the first of them
        self._oldest: RecordedSegment | None = None
        self._full_logged = False

    def open(self) -> int:
        """Create the folder, complete segments left open by an earlier run, and count these. Raises ConfigError."""
        try:
            _make_folder(os.path.abspath(self.folder))
            found = segments(self.folder, self.stream)
            if not os.access(self.folder, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            left = [segment for segment in found if segment.part]
            for segment in left:
                self._adopt(segment)
        except OSError as fault:
            raise ConfigError(f"{printable(self.folder)}: cannot record there: {fault.strerror}") from fault
        self._last_us = max(self._last_us, found[-1].time_us if found else 0)
        self._oldest = found[0] if found else None
        self._total = sum(self._size(segment._replace(part=False)) for segment in found)
        if self._last_us > time.time_ns() // 1000 + AHEAD:
            LOG.warning("the clock is behind the newest segment; new segments are named after it")
        return len(left)

    def write(self, waiting: deque[ReceivedBytes | None]) -> None:
        """Write pieces in order; None completes a segment. Pieces that are written are removed from `waiting`.

        Raises OSError with the remaining pieces in `waiting`; the part written becomes a segment, and a new one begins.
        A segment that was removed while it is written is an OSError, too: call `open` before the next try.
        """
        try:
            self._check_segment()
            while waiting:
                if waiting[0] is None:
                    waiting.popleft()
                    self.complete()
                else:
                    self._write(_join_pieces(waiting), waiting)
        except OSError:
            self.complete()
            raise

    def complete(self) -> None:
        """Complete the open segment: flush it to disk, and give it its final name."""
        if self._segment is None:
            return
        fd, segment, self._fd, self._segment = self._fd, self._segment, -1, None
        try:
            self._finish(fd, segment)
        except OSError as fault:
            LOG.warning("segment not completed: name=%s reason=%r", printable(segment.name), fault.strerror)

    def remove_old(self) -> None:
        """Remove the oldest segments beyond the limits, so that there is space for another one."""
        over = self._total + self._limits.size - self._limits.keep_size
        if over <= 0 and not self._is_old(self._oldest):
            return
        found = deque((segment, self._size(segment)) for segment in self._complete_segments())
        self._total = sum(size for _, size in found)  # others may have removed some
        over = self._total + self._limits.size - self._limits.keep_size
        while found and (over > 0 or self._is_old(found[0][0])):
            segment, size = found.popleft()
            self._remove(segment)
            over -= size
            self._total -= size
        self._oldest = found[0][0] if found else None

    def _is_old(self, segment: RecordedSegment | None) -> bool:
        if segment is None:
            return False
        # When the clock is set forward, the segments of earlier runs must not count as old.
        age = min(time.time(), self._clock_begin + time.monotonic()) - segment.time_us / 1e6
        # When the clock is corrected, a segment recorded a minute ago must not count as old.
        age = min(age, time.monotonic() - self._made.get(segment.time_us, -math.inf))
        return age > self._limits.keep_age

    # ---- writing ----

    def _check_segment(self) -> None:
        """Raise FileNotFoundError if the open segment, or its folder, was removed: what follows would be lost."""
        if self._segment is not None and not os.path.lexists(self._path(self._segment)):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))

    def _write(self, piece: ReceivedBytes, waiting: deque[ReceivedBytes | None]) -> None:
        data = memoryview(piece.data)
        try:
            if self._segment is not None and self._segment.kind != piece.kind:
                self.complete()
            if self._segment is None:
                self._begin(piece)
            while data:
                data = data[self._put(data) :]
        except OSError:
            waiting.appendleft(piece._replace(data=data))
            raise

    def _put(self, data: memoryview) -> int:
        while True:
            try:
                return os.write(self._fd, data)
            except OSError as fault:
                self._free_space(fault)

    def _begin(self, piece: ReceivedBytes) -> None:
        self.remove_old()
        time_us = max(piece.received_us, self._last_us + 1)
        segment = RecordedSegment(self.stream, time_us, piece.kind, part=True)
        while self._fd < 0:
            try:
                self._fd = os.open(self._path(segment), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
            except OSError as fault:
                self._free_space(fault)
        with suppress(OSError):  # a file system without locks
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._segment, self._last_us = segment, time_us
        self._made[time_us] = time.monotonic()
        self.begun += 1

    def _finish(self, fd: int, segment: RecordedSegment) -> None:
        try:
            self._name(fd, segment)
        finally:
            os.close(fd)
        folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _name(self, fd: int, segment: RecordedSegment) -> None:
        """Flush a segment, and give it its final name, or remove it if it is empty."""
        size = os.fstat(fd).st_size
        try:
            os.fsync(fd)
        finally:
            if not size:
                os.unlink(self._path(segment))
                self._forget(segment)
            else:
                os.rename(self._path(segment), self._path(segment._replace(part=False)))
                self._total += size
                self._oldest = self._oldest or segment

    def _adopt(self, segment: RecordedSegment) -> None:
        """Complete a segment left by a killed recorder; a running recorder holds a lock on its segment."""
        fd = os.open(self._path(segment), os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            raise ConfigError(
                f"{printable(self.folder)}: another recorder is writing {self.stream} there: choose another --stream"
            ) from None
        except OSError:
            pass  # a file system without locks
        self._finish(fd, segment)

    # ---- removing ----

    def _free_space(self, fault: OSError) -> None:
        """The disk is full: remove the oldest segment, or raise the fault if no more may be removed."""
        if fault.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise fault
        spare = self._complete_segments()[:-KEPT_WHEN_FULL]
        if not spare:
            raise fault
        if not self._full_logged:
            self._full_logged = True
            LOG.warning("disk full, removing the oldest segments: stream=%s", printable(self.stream))
        self._remove(spare[0])

    def _complete_segments(self) -> list[RecordedSegment]:
        return [segment for segment in segments(self.folder, self.stream) if not segment.part]

    def _remove(self, segment: RecordedSegment) -> None:
        self._forget(segment)
        with suppress(FileNotFoundError):  # already removed by another process
            os.unlink(self._path(segment))
            self.removed += 1

    def _forget(self, segment: RecordedSegment) -> None:
        self.vanished += self._made.pop(segment.time_us, None) is not None

    def _size(self, segment: RecordedSegment) -> int:
        try:
            return os.stat(self._path(segment)).st_size
        except FileNotFoundError:
            return 0

    def _path(self, segment: RecordedSegment) -> str:
        return os.path.join(self.folder, segment.name)


def _make_folder(path: str) -> None:
    """Create a folder and its missing parents; raises OSError."""
    if not os.path.isdir(path):
        _make_folder(os.path.dirname(path))
        with suppress(FileExistsError):  # created by another process; a file of this name is detected when it is listed
            os.mkdir(path, FOLDER_MODE)


def _join_pieces(waiting: deque[ReceivedBytes | None]) -> ReceivedBytes:
    """The first pieces joined, up to a cut or another carriage."""
    first = waiting.popleft()
    assert first is not None
    parts, size = [first.data], len(first.data)
    while waiting and (piece := waiting[0]) is not None and piece.kind == first.kind and size < MOST_AT_ONCE:
        parts.append(piece.data)
        size += len(piece.data)
        waiting.popleft()
    return first if len(parts) == 1 else first._replace(data=b"".join(parts))
