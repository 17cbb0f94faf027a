"""Where log events are written: standard error, a file, or the journal."""

from __future__ import annotations

import errno
import logging
import sys
import time
from contextlib import suppress
from typing import Literal, Protocol

from klvrelay.logs import formats, journal
from klvrelay.logs.log_event import LogEvent
from klvrelay.logs.log_file import LogFile
from klvrelay.logs.queued import QueuedFile
from klvrelay.text import printable

LogFormat = Literal["text", "json", "journal"]


class LogChoice(Protocol):
    """What the user chose: the format, and a file with its limits, or None for standard error."""

    @property
    def format(self) -> LogFormat: ...
    @property
    def file(self) -> str | None: ...
    @property
    def size(self) -> int: ...
    @property
    def count(self) -> int: ...


class LogOutput(Protocol):
    """Writes events; never raises because of the far side.

    shows_errors  is it standard error, in a format for programs? Then errors are events too, not lines of text
    is_durable    is it another place than standard error?
    """

    shows_errors: bool
    is_durable: bool

    def write(self, event: LogEvent) -> None: ...
    def flush(self) -> None: ...
    def reopen(self) -> None: ...
    def close(self) -> None: ...


class StandardError:
    """Lines on standard error. A line that cannot be written is lost."""

    is_durable = False

    def __init__(self, line: formats.Line, *, shows_errors: bool = False) -> None:
        self._line, self.shows_errors = line, shows_errors
        self._stream = sys.stderr

    def write(self, event: LogEvent) -> None:
        with suppress(OSError, ValueError):  # ValueError: closed
            self._stream.write(f"{self._line(event)}\n")
            self._stream.flush()

    def flush(self) -> None:
        """Nothing waits."""

    def reopen(self) -> None:
        """It has no path."""

    def close(self) -> None:
        """It belongs to the process."""


class JournalSocket:
    """Entries for journald. While it is absent, lines with a priority on standard error."""

    shows_errors = True
    is_durable = False

    def __init__(self, path: str) -> None:
        self._journal, self._other = journal.Journal(path), StandardError(formats.prefixed)
        self._lost = 0

    def write(self, event: LogEvent) -> None:
        try:
            if self._lost:
                self._journal.send(journal.entry(_note(f"log lines lost: count={self._lost}")))
                self._lost = 0
            self._journal.send(journal.entry(event))
        except OSError as fault:
            if fault.errno == errno.EAGAIN:  # busy; standard error may be connected to it too, and would block
                self._lost += 1
            else:
                self._other.write(event)

    def flush(self) -> None:
        """Nothing waits."""

    def reopen(self) -> None:
        """Each entry is sent to its path."""

    def close(self) -> None:
        self._journal.close()


class RotatedFile:
    """Lines in a file, which is rotated."""

    shows_errors = False
    is_durable = True

    def __init__(self, file: LogFile, line: formats.Line) -> None:
        self._line, self._queued = line, QueuedFile(file, lambda text: self._bytes(_note(text)), _report)

    def write(self, event: LogEvent) -> None:
        self._queued.put(self._bytes(event))

    def _bytes(self, event: LogEvent) -> bytes:
        return f"{self._line(event)}\n".encode("utf-8", "backslashreplace")

    def flush(self) -> None:
        self._queued.flush()

    def reopen(self) -> None:
        self._queued.reopen()

    def close(self) -> None:
        self._queued.close()


def _note(text: str) -> LogEvent:
    """A message about the log itself."""
    return LogEvent(time.time(), logging.WARNING, "klvrelay.log", text)


def _report(text: str) -> None:
    with suppress(OSError, ValueError):
        print(f"klvrelay: {printable(text)}", file=sys.stderr, flush=True)


def default_output() -> LogOutput:
    """Text on standard error, without a time stamp if that is connected to the journal, which adds one."""
    return StandardError(formats.bare_text if journal.is_stderr() else formats.short_text)


def open_output(choice: LogChoice) -> LogOutput:
    """The output that was chosen. Raises OSError if the file cannot be opened."""
    if choice.file is not None:
        file = LogFile(choice.file, choice.size, choice.count)
        file.open()
        return RotatedFile(file, formats.json_line if choice.format == "json" else formats.long_text)
    if choice.format == "json":
        return StandardError(formats.json_line, shows_errors=True)
    if choice.format == "journal":
        has_socket = journal.is_present(journal.SOCKET)
        return JournalSocket(journal.SOCKET) if has_socket else StandardError(formats.prefixed)
    return default_output()
