"""Entries for journald, in its native protocol: one datagram per entry, or a sealed memory file for a large one.

    NAME=value\\n                                    a value on one line
    NAME\\n  length (64 bits, little endian)  value\\n   any other value

Names have A-Z, 0-9 and _, at most 64, and begin with a letter.
"""

from __future__ import annotations

import array
import errno
import fcntl
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress

from klvrelay.logs.formats import priority
from klvrelay.logs.log_event import LogEvent

SOCKET = "/run/systemd/journal/socket"
_TOO_LARGE = (errno.EMSGSIZE, errno.ENOBUFS)
_SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


def entry(event: LogEvent) -> bytes:
    """The event as an entry. Its members are fields: STREAM, SINK, SOURCE, and KLVRELAY_TOPIC for topic=..."""
    return b"".join(_field(name, str(value)) for name, value in _fields(event))


def _fields(event: LogEvent) -> Iterator[tuple[str, object]]:
    yield "MESSAGE", event.message
    yield "PRIORITY", priority(event.level)
    yield "SYSLOG_IDENTIFIER", "klvrelay"
    yield "LOGGER", event.logger
    if event.file:
        yield "CODE_FILE", event.file
        yield "CODE_LINE", event.line
        yield "CODE_FUNC", event.function
    for key, value in event.members.items():
        yield key.upper() if key in ("stream", "sink", "source") else f"KLVRELAY_{key.upper()}", value
    if event.traceback:
        yield "TRACEBACK", event.traceback


def _field(name: str, value: str) -> bytes:
    data = value.encode("utf-8", "backslashreplace")
    if b"\n" in data:
        return b"%s\n%s%s\n" % (name.encode(), struct.pack("<Q", len(data)), data)
    return b"%s=%s\n" % (name.encode(), data)


class Journal:
    """Sends entries to journald without waiting. `path`: its socket."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)

    def send(self, data: bytes) -> None:
        """Send an entry. Raises OSError if journald is busy or absent; a later one may succeed."""
        try:
            self._socket.sendto(data, self._path)
        except OSError as fault:
            if fault.errno not in _TOO_LARGE:
                raise
            self._send_file(data)

    def _send_file(self, data: bytes) -> None:
        file = os.memfd_create("klvrelay-log", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(file, rest) :]
            fcntl.fcntl(file, fcntl.F_ADD_SEALS, _SEALS)
            rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [file]).tobytes())
            self._socket.sendmsg([], [rights], 0, self._path)
        finally:
            os.close(file)

    def close(self) -> None:
        with suppress(OSError):
            self._socket.close()


def is_stderr() -> bool:
    """Is standard error connected to the journal? systemd names its device and inode in JOURNAL_STREAM."""
    try:
        found = os.fstat(2)
    except OSError:
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


def is_present(path: str) -> bool:
    """Does journald have its socket here?"""
    return os.path.exists(path)
