"""A file that has its name only when it is complete."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from klvrelay.errors import ConfigError
from klvrelay.text import printable

PART = ".part"


@contextmanager
def complete_file(path: Path, *, force: bool) -> Iterator[BinaryIO]:
    """Yield a file to write; afterwards it has the name `path`, on disk. After an exception there is no file.

    It is written under another name that ends with PART, in the same folder.
    force   replace an existing file; otherwise ConfigError is raised, before and after
    """
    check_absent(path, force=force)
    part = path.with_name(f".{path.name}.{os.getpid()}{PART}")
    try:
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        check_absent(path, force=force)
        part.replace(path)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()


def check_absent(path: Path, *, force: bool) -> None:
    """Raise ConfigError if the file exists, unless `force`; in any case if it is not a regular file."""
    if not os.path.lexists(path):
        return
    if not path.is_file():
        raise ConfigError(f"{printable(str(path))} exists, and is not a file: give another name")
    if not force:
        raise ConfigError(f"{printable(str(path))} exists: give another name, or --force to replace it")
