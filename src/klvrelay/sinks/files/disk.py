"""Faults of a disk, each as one line with a remedy."""

from __future__ import annotations

import errno
import os

from klvrelay.errors import SinkDown, SinkError, SinkRefused
from klvrelay.text import printable

FULL = (errno.ENOSPC, errno.EDQUOT)
_REFUSALS = {
    errno.EACCES: "permission denied: let the user of the relay write there",
    errno.EPERM: "permission denied: let the user of the relay write there",
    errno.EROFS: "the file system is read-only: mount it for writing",
    errno.ENOTDIR: "it is not a folder: give the path of a folder",
    errno.EEXIST: "it is not a folder: give the path of a folder",
    errno.ENAMETOOLONG: "the path is too long: give a shorter one",
}
_LOSSES = {
    errno.ENOSPC: "the disk is full: free space, or lower total",
    errno.EDQUOT: "the disk quota is used up: raise it, or lower total",
    errno.ENOENT: "a folder or file was removed while it was written: it is created again",
    errno.EIO: "the disk reports an error: check the disk",
    errno.EFBIG: "a file is larger than its limit (ulimit -f): raise it, or lower segment_size",
}


def open_fault(path: str, fault: OSError) -> SinkError:
    """Why the folder cannot be used."""
    if (text := _REFUSALS.get(fault.errno or 0)) is not None:
        return SinkRefused(f"{printable(path)}: {text}")
    return write_fault(path, fault)


def write_fault(path: str, fault: OSError) -> SinkDown:
    """Why records cannot be written. None of them is the cause."""
    number = fault.errno or 0
    text = _LOSSES.get(number) or _REFUSALS.get(number) or f"can't be written: {os.strerror(number).lower()}"
    return SinkDown(f"{printable(path)}: {text}", traced=True)


def free_bytes(path: str) -> int:
    """Bytes that this user may still write to the file system of a path. Raises OSError."""
    found = os.statvfs(path)
    return found.f_bavail * found.f_frsize


def sync_folder(path: str) -> None:
    """Force the names in a folder to disk. Raises OSError."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
