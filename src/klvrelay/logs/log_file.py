"""A log file that is rotated by size: `file`, then `file.1` ... `file.N`, the oldest last.

All of them together have at most `size` x (`count` + 1) bytes. Each line is written by one call, and a line that a full
disk cuts is removed, so that the file has whole lines only. The open file is locked: a second process is refused.
"""

from __future__ import annotations

import fcntl
import os
import stat
import time
from contextlib import suppress

MODE = 0o640
SIZE_LEAST = 128 << 10
"""Least bytes of a file: every line fits into it."""
_CHECK = 1.0
"""Seconds between two checks whether the path still is the open file."""
_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY


class LogFile:
    """The file at `path`. All methods may block, and raise OSError; a later call tries again."""

    def __init__(self, path: str, size: int, count: int) -> None:
        self.path = os.path.abspath(path)
        self._limit, self._count = size, count
        self._file = -1
        self._size = 0
        self._checked = 0.0

    def open(self) -> None:
        """Open and lock the file. A last line without an end, of a process that was killed, gets one."""
        self.close()
        file = _locked(self.path)
        try:
            size = os.fstat(file).st_size
            if size and os.pread(file, 1, size - 1) != b"\n":
                size += os.write(file, b"\n")
        except OSError:
            os.close(file)
            raise
        self._file, self._size, self._checked = file, size, time.monotonic()

    def reopen(self) -> None:
        """Open the path again if it is another file now, or none: logrotate moved the file away."""
        if self._file >= 0 and not _is_at(self._file, self.path):
            self.open()

    def write(self, line: bytes) -> None:
        """Append a line, which ends with a newline."""
        if self._file < 0:
            self.open()
        elif time.monotonic() - self._checked >= _CHECK:
            self.reopen()
            self._checked = time.monotonic()
        if self._size and self._size + len(line) > self._limit:
            self._rotate()
        self._append(line)

    def close(self) -> None:
        if self._file >= 0:
            with suppress(OSError):
                os.close(self._file)
            self._file = -1

    def _append(self, line: bytes) -> None:
        written = 0
        try:
            while written < len(line):
                written += os.write(self._file, line[written:])
        except OSError:
            if written:
                os.ftruncate(self._file, self._size)
            raise
        self._size += written

    def _rotate(self) -> None:
        if not _is_at(self._file, self.path):  # do not rename a file of others
            self.open()
            return
        for name in self._beyond():
            os.unlink(name)
        for number in range(self._count, 0, -1):
            older = self.path if number == 1 else f"{self.path}.{number - 1}"
            with suppress(FileNotFoundError):
                os.rename(older, f"{self.path}.{number}")
        if not self._count:
            os.unlink(self.path)
        self.open()

    def _beyond(self) -> list[str]:
        """Files that an earlier, larger `count` left."""
        folder, name = os.path.split(self.path)
        found = []
        for one in os.listdir(folder):
            number = one.removeprefix(f"{name}.")
            if number != one and number.isascii() and number.isdecimal() and int(number[:9]) > max(self._count, 0):
                found.append(os.path.join(folder, one))
        return found


def _locked(path: str) -> int:
    """The locked file at a path, which is created if it is missing."""
    while True:
        file = os.open(path, _FLAGS, MODE)
        try:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise OSError("not a regular file")
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            raise OSError("another process writes to it") from None
        except OSError:
            os.close(file)
            raise
        if _is_at(file, path):
            return file
        os.close(file)  # renamed between the two calls


def _is_at(file: int, path: str) -> bool:
    try:
        one, other = os.fstat(file), os.stat(path)
    except FileNotFoundError:
        return False
    return (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)


def reason_of(fault: OSError) -> str:
    """What went wrong, without the path."""
    return os.strerror(fault.errno) if fault.errno else str(fault)
