"""One relay per folder: a lock that ends with the process."""

from __future__ import annotations

import errno
import fcntl
import os

from klvrelay.errors import SinkDown, SinkRefused
from klvrelay.text import printable

NAME = ".klvrelay.lock"
PID_MOST = 32
"""Bytes of the lock file that are read."""


class FolderLock:
    """The lock of a folder. A file system without locks has none."""

    def __init__(self, path: str) -> None:
        """Raises SinkRefused if another process has the lock, SinkDown if this one has it, OSError."""
        self._path = os.path.join(path, NAME)
        self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o640)
        try:
            self._lock(path)
        except BaseException:
            os.close(self._fd)
            raise

    def _lock(self, path: str) -> None:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(self._fd, PID_MOST, 0).decode("ascii", "replace").strip()
            if owner == str(os.getpid()):
                raise SinkDown(f"{printable(path)}: its last files are still being completed") from None
            raise SinkRefused(
                f"{printable(path)}: another relay writes there (process {printable(owner)}): give each its own folder"
            ) from None
        except OSError:
            return
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)

    def check(self) -> None:
        """Raise OSError if the folder was removed, moved, or replaced."""
        if not os.path.samestat(os.stat(self._path), os.fstat(self._fd)):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))

    def release(self) -> None:
        """Let another relay use the folder. The file stays: to remove it would let two relays lock two files."""
        os.close(self._fd)
