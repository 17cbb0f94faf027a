"""The folder of a spool, opened for reading only: also while a relay uses it."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from pathlib import Path

from klvrelay.spool.disk.files import File

PIECE = 1 << 20
"""Bytes read at a time."""


class ReadOnlyFile:
    """A regular file. Raises OSError."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # opening a pipe does not block
        if not stat.S_ISREG(os.fstat(self._fd).st_mode):
            os.close(self._fd)
            raise OSError(errno.EINVAL, "not a regular file")

    def size(self) -> int:
        return os.fstat(self._fd).st_size

    def read(self, size: int, at: int) -> bytes:
        """The bytes at this position, fewer at the end of the file."""
        parts: list[bytes] = []
        while size and (part := os.pread(self._fd, min(size, PIECE), at)):
            parts.append(part)
            size -= len(part)
            at += len(part)
        return b"".join(parts)

    def write(self, data: bytes, at: int) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    def reserve(self, size: int) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    def sync(self) -> None:
        """Nothing was written."""

    def close(self) -> None:
        os.close(self._fd)


class ReadOnlyFolder:
    """A folder that another process may have reserved. Nothing in it is changed. Raises OSError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    @property
    def in_use(self) -> bool:
        """Has a relay reserved the folder? No, if the file system has no locks: then no relay can use it."""
        try:
            fcntl.flock(self._fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        fcntl.flock(self._fd, fcntl.LOCK_UN)
        return False

    def names(self) -> list[str]:
        return os.listdir(self._path)

    def open(self, name: str, *, create: bool = False) -> File:
        if create:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return ReadOnlyFile(self._path / name)

    def rename(self, old: str, new: str) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    def remove(self, name: str) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    def sync(self) -> None:
        """Nothing was changed."""

    def is_removed(self) -> bool:
        return os.fstat(self._fd).st_nlink == 0

    def close(self) -> None:
        os.close(self._fd)
