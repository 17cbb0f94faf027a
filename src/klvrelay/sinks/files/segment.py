"""One file that is being written."""

from __future__ import annotations

import errno
import os
import time
from contextlib import suppress

from klvrelay.sinks.files.disk import sync_folder

FILE_MODE = 0o640
"""Permissions before the umask: a flight shows where people were, and is not for all users of a machine."""


class OpenSegment:
    """A file that is being written, as `.part` or as a journal. Called on one thread.

    path    of what is written
    final   of the complete file
    size    bytes, with those that wait in memory
    begun   when it was created, seconds of the monotonic clock
    """

    def __init__(self, path: str, final: str) -> None:
        """Create the file. Raises OSError."""
        self.path, self.final = path, final
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, FILE_MODE)
        self.begun = time.monotonic()
        self.size = self._written = 0
        self._waiting: list[bytes] = []
        self._is_dirty, self._is_new = False, True

    def add(self, data: bytes) -> None:
        """Add what must not be separated: a line, a packet or a frame. It waits in memory until `write`."""
        self._waiting.append(data)
        self.size += len(data)

    def write(self) -> int:
        """Write what waits in memory, and return its size. Raises OSError; then nothing of it is in the file."""
        if not self._waiting:
            return 0
        data = memoryview(b"".join(self._waiting))
        self._is_dirty = True
        try:
            rest = data
            while rest:
                rest = rest[os.write(self._fd, rest) :]
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._fd, self._written)
                os.lseek(self._fd, self._written, os.SEEK_SET)
            raise
        self._waiting = []
        self._written += len(data)
        return len(data)

    def discard(self) -> None:
        """Discard what waits in memory."""
        self._waiting = []
        self.size = self._written

    def sync(self) -> None:
        """Force what was written to disk. Raises OSError, also if the file is no longer in its folder."""
        if not self._is_dirty:
            return
        os.fdatasync(self._fd)
        if self._is_new:
            sync_folder(os.path.dirname(self.path))
        if not os.path.samestat(os.stat(self.path), os.fstat(self._fd)):  # what is written there now is lost
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        self._is_dirty = self._is_new = False

    def close(self) -> bool:
        """Force all to disk, and close the file; remove it if it is empty. Returns whether it is there.

        Raises OSError; the file is closed.
        """
        try:
            self.write()
            os.ftruncate(self._fd, self._written)
            self.sync()
            if not self._written:
                os.unlink(self.path)
            return self._written > 0
        finally:
            os.close(self._fd)
