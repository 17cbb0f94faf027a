"""Detect what is new in a file that another program writes, and where the file restarts.

A writer may do more than append:

    truncated, then written from its beginning     restart
    truncated, then written at the old offset (a   continue; restart if bytes of the writer are missing
    hole of zeros before it, as with copytruncate)
    rewritten between two polls                    detected by the last bytes that were read: restart
    replaced by another file of the same name      the old file is read to its end, then restart with the new one
    preallocated, then filled from the start       zeros (and FF bytes) at the end are not read until others follow
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import stat
import time
from contextlib import suppress

from klvrelay.core.carriage import HOLE, blank_before, blank_behind
from klvrelay.errors import NotMedia
from klvrelay.sources.files.file import PIPE_PIECE
from klvrelay.text import printable

LOG = logging.getLogger("klvrelay.sources")

PollResult = bytes | None
"""New bytes; empty for nothing new; None if the file restarts here."""

PIECE = 1 << 20
PROBE = 64 << 10
"""Bytes that are read first: most of a preallocated file is zeros."""
REST = 20
"""After scanning a long run of zeros, wait this many times as long before scanning again."""
TAIL = 204
"""Zeros at the end that may belong to a packet."""
MARK = 64
"""Bytes before the read offset that identify the file's content."""
SETTLED = 1_000_000_000
"""Nanoseconds after which an unchanged time stamp proves that the file has not changed."""


class WrittenFile:
    """A file, or a named pipe whose writers come and go; `poll` and `close` are called on one thread."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._fd = -1
        self._pipe = False
        self._ended = False  # a pipe: its last writer has closed it
        self._held = b""  # a pipe: data of the next writer
        self._offset = 0
        self._truncated_at = 0  # the offset before truncation, until it is clear how the file continues
        self._mark = 0, b""
        self._seen = -1, -1  # size and time stamp at the last poll
        self._next_scan = 0.0
        self._blank_size = -1  # the size, if the file ends with unwritten space

    def poll(self) -> PollResult:
        """What is new; raises OSError, and NotMedia for a device."""
        if self._fd < 0:
            self._open()
        if self._pipe and (found := self._poll_pipe()) != b"":
            return found
        if not self._pipe and (found := self._poll_file()) != b"":
            return found
        if not self._is_replaced():
            return b""
        if found := self._poll_pipe() if self._pipe else self._poll_file():
            return found  # written to the old file before it was replaced
        self._open()
        self._log("replaced by another file, reading from its beginning")
        return None

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _open(self) -> None:
        fd = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        self.close()
        self._fd, self._ended, self._blank_size = fd, False, -1
        self._begin(0)
        mode = os.fstat(fd).st_mode
        self._pipe = stat.S_ISFIFO(mode)
        if stat.S_ISDIR(mode):
            raise IsADirectoryError
        if not (self._pipe or stat.S_ISREG(mode)):  # a device has no end to wait at, and /dev/zero never ends
            raise NotMedia(f"{printable(self._path)} is a device, which cannot be followed: omit --follow")
        if self._pipe:
            with suppress(OSError):  # more than the user's limit
                fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, PIPE_PIECE)

    def _begin(self, at: int) -> None:
        self._offset, self._truncated_at, self._mark, self._seen = at, 0, (0, b""), (-1, -1)

    def _log(self, what: str) -> None:
        LOG.info("%s: %s", printable(self._path), what)

    def _is_replaced(self) -> bool:
        mine = os.fstat(self._fd)
        try:
            there = os.stat(self._path)
        except FileNotFoundError:
            return False  # moved or removed: its writer may still write to it
        return (there.st_dev, there.st_ino) != (mine.st_dev, mine.st_ino)

    # ---- named pipes ----

    def _poll_pipe(self) -> PollResult:
        data = self._held or self._read_pipe()
        if not data:
            return b""
        again, self._ended, self._held = self._ended, False, b""
        if not again:
            return data
        self._held = data  # data of another writer: the stream restarts
        return None

    def _read_pipe(self) -> bytes:
        try:
            data = os.read(self._fd, PIECE)
        except BlockingIOError:  # the writer has no data
            return b""
        self._offset += len(data)
        if not data:
            self._ended = self._offset > 0
        return data

    # ---- files ----

    def _poll_file(self) -> PollResult:
        there = os.fstat(self._fd)
        now = there.st_size, there.st_mtime_ns
        if now != self._seen and self._offset:
            if there.st_size < self._offset:
                self._truncated_at, self._offset = max(self._truncated_at, self._offset), 0
            elif self._is_rewritten():
                self._log("rewritten, reading from its beginning")
                self._begin(0)
                return None
        if now == self._seen and self._is_settled(now[1]) and not self._has_more(now[0]):
            return b""
        self._seen = now
        return self._after_truncation() if self._truncated_at else self._next_bytes(*now)

    def _is_rewritten(self) -> bool:
        """Have the bytes read last changed? Zeros do not count: then the file was truncated, and continues here."""
        at, mark = self._mark
        there = os.pread(self._fd, len(mark), at)
        if there != mark and blank_before(there) == len(there):
            self._log("truncated, continuing at the previous position")
            self._mark = 0, b""
            return False
        return there != mark

    def _after_truncation(self) -> PollResult:
        """The file was truncated: how does it continue?"""
        begin = self._data_from(0)
        if begin is None:
            return b""
        truncated_at = self._truncated_at
        if 0 <= begin - truncated_at <= TAIL:
            self._log("truncated, continuing at the previous position")
            self._begin(truncated_at)
            return self._next_bytes(*self._seen)
        self._log("truncated, reading from its beginning")
        self._begin(begin)
        return None

    def _next_bytes(self, size: int, changed: int) -> bytes:
        """The next bytes, without trailing zeros that nothing follows yet."""
        data = os.pread(self._fd, PROBE, self._offset)
        behind = blank_behind(data)
        if len(data) == PROBE and behind <= TAIL:
            data += os.pread(self._fd, PIECE - PROBE, self._offset + PROBE)
            behind = blank_behind(data)
        if behind > TAIL:
            self._blank_size = size
        if behind > TAIL or (behind and self._blank_size == size and not self._is_settled(changed)):
            data = data[: len(data) - behind] or self._skip_hole(self._offset + behind)
        return self._advance(data)

    def _skip_hole(self, end: int) -> bytes:
        """All zeros up to `end`: skip to the next data, with a few zeros before it, or return nothing."""
        if (now := time.monotonic()) < self._next_scan:
            return b""
        begin = self._data_from(end)
        self._next_scan = time.monotonic() + REST * (time.monotonic() - now)
        if begin is None:
            return b""
        self._offset = begin - HOLE
        return bytes(HOLE)

    def _advance(self, data: bytes) -> bytes:
        solid = len(data) - blank_behind(data)
        if solid:
            mark = data[max(0, solid - MARK) : solid]
            self._mark = self._offset + solid - len(mark), mark
        self._offset += len(data)
        return data

    def _has_more(self, size: int) -> bool:
        """Does anything but zeros follow, or only the last few bytes of the file?"""
        data = os.pread(self._fd, HOLE, self._offset)
        return blank_before(data) < len(data) or 0 < size - self._offset <= TAIL

    def _data_from(self, at: int) -> int | None:
        """The offset of the first non-zero byte from `at` on."""
        while True:
            with suppress(OSError):  # a file system that does not report holes
                at = max(at, self._end_of_hole(at))
            data = os.pread(self._fd, PIECE, at)
            if not data:
                return None
            if (blank := blank_before(data)) < len(data):
                return at + blank
            at += len(data)

    def _end_of_hole(self, at: int) -> int:
        try:
            return os.lseek(self._fd, at, os.SEEK_DATA)
        except OSError as fault:
            if fault.errno != errno.ENXIO:
                raise
            return os.fstat(self._fd).st_size

    def _is_settled(self, changed: int) -> bool:
        return abs(time.time_ns() - changed) > SETTLED
