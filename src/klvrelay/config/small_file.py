"""A file that settings name, read whole: within a bound of bytes and of time, whatever stands under its name."""

from __future__ import annotations

import os
import select
import stat
import time
from typing import NamedTuple

from klvrelay.config.mistyped import file_name
from klvrelay.errors import ConfigError

PATIENCE = 10.0
"""Seconds that a pipe may take to give all of it: `-c <(decrypt relay.toml.age)`."""
WRITER_WAIT = 2.0
"""Seconds that the writer of a named pipe gets to open it: until then a read finds its end."""
PEM_MOST = 4 << 20
"""Bytes that a file of certificates or keys may have: those of all public authorities take 0.2 MiB."""


class SmallFile(NamedTuple):
    data: bytes
    mode: int


def read_small(path: str, key: str, most: int) -> SmallFile:
    """The bytes of a file or a pipe, and its mode; raises ConfigError, naming `key`, for more than `most` bytes, for
    what can't be read, for a device, a folder or a socket, and for a pipe that nobody writes to.

    The message does not quote `path`: where a file is wanted, somebody may give the password itself.
    """
    file_name(path, key)
    try:
        _check_kind(os.stat(path).st_mode, key)  # before it is opened: that alone may set a device going
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        try:
            mode = os.fstat(number).st_mode
            _check_kind(mode, key)
            if stat.S_ISFIFO(mode):
                _await_writer(number)
            data = _all_of(number, key, most)
            if not data and stat.S_ISFIFO(mode):
                raise ConfigError(f"{key}: can't be read: nothing is written to the pipe")
        finally:
            os.close(number)
    except (OSError, ValueError) as fault:  # ValueError: a NUL in the name
        reason = os.strerror(fault.errno) if isinstance(fault, OSError) and fault.errno else "no such name is possible"
        raise ConfigError(f"{key}: can't be read: {reason}") from None
    return SmallFile(data, mode)


def check_regular(path: str, key: str, most: int) -> None:
    """Raise ConfigError, naming `key`, where a library that opens files by name would get no file, or more than `most`
    bytes. What is not there, or not readable, it says itself.
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
    """Return once there is something to read, the writer closed the pipe, or none came."""
    poll = select.poll()
    poll.register(number, select.POLLIN)
    poll.poll(WRITER_WAIT * 1000)


def _all_of(number: int, key: str, most: int) -> bytes:
    data, deadline = bytearray(), time.monotonic() + PATIENCE
    poll = select.poll()
    poll.register(number, select.POLLIN)
    while len(data) <= most:
        try:
            piece = os.read(number, most + 1 - len(data))
        except BlockingIOError:
            left = deadline - time.monotonic()
            if left <= 0 or not poll.poll(left * 1000):
                raise ConfigError(f"{key}: the pipe did not end within {PATIENCE:g} s") from None
            continue
        if not piece:
            return bytes(data)
        data += piece
        if time.monotonic() > deadline:
            raise ConfigError(f"{key}: the pipe did not end within {PATIENCE:g} s")
    raise ConfigError(f"{key}: has more than {most:,} bytes")
