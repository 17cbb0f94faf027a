"""The files of a spool: the few calls that it makes, so that tests can replace the file system.

All raise OSError. A write is durable once `sync` of its file has returned; a file that was created, renamed or
removed, once `sync` of the folder has.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from pathlib import Path
from typing import Protocol


class File(Protocol):
    """An open file."""

    def size(self) -> int: ...

    def read(self, size: int, at: int) -> bytes:
        """The bytes at this position, fewer at the end of the file."""

    def write(self, data: bytes, at: int) -> None:
        """Write all of the data at this position."""

    def reserve(self, size: int) -> None:
        """Allocate space on the disk for this many bytes, if the file system can: without room, nothing is written."""

    def sync(self) -> None:
        """Return once all writes are durable."""

    def close(self) -> None: ...


class Folder(Protocol):
    """An existing folder for the files of one spool."""

    def names(self) -> list[str]:
        """The names of its files."""

    def open(self, name: str, *, create: bool = False) -> File:
        """An existing file, or a new empty one."""

    def rename(self, old: str, new: str) -> None:
        """Rename a file, in place of one that has the new name."""

    def remove(self, name: str) -> None: ...

    def sync(self) -> None:
        """Return once all created, renamed and removed files are durable."""

    def is_removed(self) -> bool:
        """Was the folder itself deleted, with all of its files?"""

    def close(self) -> None: ...


class OsFile:
    """A file of the operating system. `folder`: descriptor of the folder to which the path is relative."""

    def __init__(self, path: Path | str, *, create: bool, folder: int | None = None) -> None:
        flags = os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT | os.O_TRUNC if create else 0)
        self._fd = os.open(path, flags, 0o640, dir_fd=folder)

    def size(self) -> int:
        return os.fstat(self._fd).st_size

    def read(self, size: int, at: int) -> bytes:
        parts: list[bytes] = []
        while size and (part := os.pread(self._fd, size, at)):
            parts.append(part)
            size -= len(part)
            at += len(part)
        return b"".join(parts)

    def write(self, data: bytes, at: int) -> None:
        rest = memoryview(data)
        while rest:
            count = os.pwrite(self._fd, rest, at)
            if not count:
                raise OSError(errno.EIO, "nothing was written")
            rest, at = rest[count:], at + count

    def reserve(self, size: int) -> None:
        try:
            os.posix_fallocate(self._fd, 0, size)
        except OSError as fault:
            if fault.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
                raise

    def sync(self) -> None:
        os.fdatasync(self._fd)

    def close(self) -> None:
        os.close(self._fd)


def why_refused(fault: OSError) -> str:
    """Why a folder cannot be used as a spool, and what to do."""
    if fault.errno in (errno.EEXIST, errno.ENOTDIR):
        return "not a folder: choose another path for the spool"
    if fault.errno in (errno.EACCES, errno.EPERM):
        return "no permission to use it as a spool: make it writable for the user of the relay, or choose another"
    return f"cannot be used as a spool: {fault.strerror}: choose another folder, or make this one usable"


def _reserve(fd: int) -> None:
    """Lock the folder. A reader that looks whether it is in use holds the lock for a moment."""
    for pause in (0.01, 0.1, None):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if pause is None:
                raise
            time.sleep(pause)


class OsFolder:
    """A folder of the operating system, reserved for this process. Raises BlockingIOError if another process has it.

    It stays the same folder if its disk is unmounted meanwhile: nothing is written to what is below the mount point.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            _reserve(self._fd)
        except OSError:
            os.close(self._fd)
            raise

    def names(self) -> list[str]:
        return os.listdir(self._fd)

    def open(self, name: str, *, create: bool = False) -> File:
        try:
            return OsFile(name, create=create, folder=self._fd)
        except OSError as fault:
            fault.filename = str(self._path / name)
            raise

    def rename(self, old: str, new: str) -> None:
        os.replace(old, new, src_dir_fd=self._fd, dst_dir_fd=self._fd)

    def remove(self, name: str) -> None:
        os.unlink(name, dir_fd=self._fd)

    def sync(self) -> None:
        os.fsync(self._fd)

    def is_removed(self) -> bool:
        return os.fstat(self._fd).st_nlink == 0

    def close(self) -> None:
        os.close(self._fd)
