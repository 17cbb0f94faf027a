"""Reads small files named in settings, bounded in size and time whatever the name refers to."""

from __future__ import annotations

import os
import select
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from klvrelay.config.mistyped import file_name
from klvrelay.errors import ConfigError

PIPE_SECONDS = 10.0
"""Maximum seconds to read a pipe to its end: `-c <(decrypt relay.toml.age)`."""
WRITER_WAIT = 2.0
"""Seconds to wait for the writer of a named pipe: before it opens the pipe, a read returns end of file."""
PEM_MOST = 4 << 20
"""Maximum bytes of a file of certificates or keys. The public CA bundle takes 0.2 MiB."""


Stamp = tuple[int, ...]
"""What changes when a file is written or replaced: time of modification, inode, device, size."""

_stamps: ContextVar[dict[str, Stamp | None] | None] = ContextVar("stamps", default=None)


@contextmanager
def noting_stamps() -> Iterator[dict[str, Stamp | None]]:
    """Yields a dict with the path and the stamp of each regular file that `read_small` reads inside."""
    stamps: dict[str, Stamp | None] = {}
    token = _stamps.set(stamps)
    try:
        yield stamps
    finally:
        _stamps.reset(token)


def stamp_of(path: str) -> Stamp | None:
    """The stamp of a file; None if it is missing."""
    try:
        return _stamp(os.stat(path))
    except (OSError, ValueError):
        return None


def _stamp(found: os.stat_result) -> Stamp:
    return found.st_mtime_ns, found.st_ino, found.st_dev, found.st_size


class SmallFile(NamedTuple):
    data: bytes
    mode: int


def read_small(path: str, key: str, most: int) -> SmallFile:
    """The bytes of a file or pipe, and its mode.

    Raises ConfigError, naming `key`, for more than `most` bytes, for a file that can't be read, for a device, folder or
    socket, and for a pipe without a writer. The message does not quote `path`: it may be the password, given by mistake
    instead of a file.
    """
    file_name(path, key)
    try:
        _check_kind(os.stat(path).st_mode, key)  # before opening it: opening alone may start a device
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        try:
            found = os.fstat(number)
            mode = found.st_mode
            _check_kind(mode, key)
            if (stamps := _stamps.get()) is not None and stat.S_ISREG(mode):
                stamps[path] = _stamp(found)
            if stat.S_ISFIFO(mode):
                _await_writer(number)
            data = _all_of(number, key, most)
            if not data and stat.S_ISFIFO(mode):
                raise ConfigError(f"{key}: can't be read: the pipe has no writer")
        finally:
            os.close(number)
    except (OSError, ValueError) as fault:  # ValueError: a NUL in the name
        reason = os.strerror(fault.errno) if isinstance(fault, OSError) and fault.errno else "invalid name"
        raise ConfigError(f"{key}: can't be read: {reason}") from None
    return SmallFile(data, mode)


def check_regular(path: str, key: str, most: int) -> None:
    """Raise ConfigError, naming `key`, if the path is not a regular file or has more than `most` bytes.

    For libraries that open files by name, and report missing or unreadable files themselves.
    """
    try:
        found = os.stat(file_name(path, key))
    except (OSError, ValueError):
        return
    if not stat.S_ISREG(found.st_mode):
        raise ConfigError(f"{key}: is {_kind(found.st_mode)}, not a file")
    if found.st_size > most:
        raise ConfigError(f"{key}: has more than {most:,} bytes")


def _check_kind(mode: int, key: str) -> None:
    if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
        raise ConfigError(f"{key}: can't be read: is {_kind(mode)}, not a file")


def _kind(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a folder"
    if stat.S_ISFIFO(mode):
        return "a pipe"
    return "a socket" if stat.S_ISSOCK(mode) else "a device"


def _await_writer(number: int) -> None:
    """Return once data is available, the writer has closed the pipe, or no writer has opened it in time."""
    poll = select.poll()
    poll.register(number, select.POLLIN)
    poll.poll(WRITER_WAIT * 1000)


def _all_of(number: int, key: str, most: int) -> bytes:
    data, deadline = bytearray(), time.monotonic() + PIPE_SECONDS
    poll = select.poll()
    poll.register(number, select.POLLIN)
    while len(data) <= most:
        try:
            piece = os.read(number, most + 1 - len(data))
        except BlockingIOError:
            left = deadline - time.monotonic()
            if left <= 0 or not poll.poll(left * 1000):
                raise ConfigError(f"{key}: the pipe did not end within {PIPE_SECONDS:g} s") from None
            continue
        if not piece:
            return bytes(data)
        data += piece
        if time.monotonic() > deadline:
            raise ConfigError(f"{key}: the pipe did not end within {PIPE_SECONDS:g} s")
    raise ConfigError(f"{key}: has more than {most:,} bytes")
