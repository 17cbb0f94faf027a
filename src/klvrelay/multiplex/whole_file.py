"""A file that appears under its name when it is complete."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO

from klvrelay.errors import ConfigError, KlvrelayError

_NO_SUCH_PLACE = (
    errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG, errno.ELOOP,
    errno.EINVAL,
)  # fmt: skip
"""Errors in the file name rather than of the disk."""


def part_of(target: Path) -> Path:
    """The temporary file that this process writes until the recording is complete."""
    return target.with_name(f".{target.name}.{os.getpid()}.part")


@contextmanager
def whole_file(target: Path, mode: int = 0o666) -> Iterator[BinaryIO]:
    """A temporary file that is renamed to `target` at the end, when it is on disk, or removed after an exception.

    mode   of the file, less the umask

    Raises ConfigError for an invalid file name, KlvrelayError if the disk is full or fails; both name the target.
    """
    try:
        with _part(target, mode) as out:
            yield out
    except OSError as fault:
        text = f"{target}: can't be written ({fault.strerror or fault})"
        raise (ConfigError if fault.errno in _NO_SUCH_PLACE else KlvrelayError)(text) from fault


@contextmanager
def _part(target: Path, mode: int) -> Iterator[BinaryIO]:
    if target.exists() and not target.is_file():
        raise ConfigError(f"{target}: not a file; specify a file name")
    part = part_of(target)
    try:
        with open(part, "wb", opener=partial(os.open, mode=mode)) as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
