"""The handler of all log messages of the process: limits floods, hides secrets, and writes to the output."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from contextlib import suppress
from types import TracebackType

from klvrelay.logs.floods import FloodLimit
from klvrelay.logs.log_event import Redact, event_of
from klvrelay.logs.outputs import LogChoice, LogOutput, default_output, open_output


class EventHandler(logging.Handler):
    """Writes each record as one event to an output, which may be changed.

    redacted  removes the secrets from a text
    """

    def __init__(self, redacted: Redact) -> None:
        super().__init__()
        redacted("")  # loads its modules now: a later message may be about a lack of descriptors
        self._redacted = redacted
        self._output: LogOutput = default_output()
        self._choice: LogChoice | None = None
        self._limit = FloodLimit(self._summarise)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            if self._limit.allows(record):
                self._output.write(event_of(record, self._redacted))
        except Exception:  # noqa: BLE001 (a log message must not stop what it reports)
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """One line without the arguments, which may be secret."""
        sys.stderr.write(f"klvrelay: message not logged: logger={record.name} line={record.lineno}\n")

    def write_error(self, text: str) -> bool:
        """Log the error that ends the command, unless the output is text on standard error.

        Returns whether standard error has it now.
        """
        if not (self._output.is_durable or self._output.shows_errors):
            return False
        self._write(logging.ERROR, "; ".join(text.split("\n")))
        return self._output.shows_errors

    def change(self, choice: LogChoice) -> None:
        """Change the output. Raises OSError if the file cannot be opened; the earlier output stays in use then."""
        if self._choice is None or _parts(choice) != _parts(self._choice):
            self._change(choice)
        self._choice = choice

    def _change(self, choice: LogChoice) -> None:
        is_same_file = self._choice is not None and choice.file is not None and choice.file == self._choice.file
        with self.lock or threading.RLock():
            if is_same_file:
                self._output.close()  # it is locked
            try:
                new = open_output(choice)
            except OSError:
                if is_same_file and self._choice is not None:
                    self._output, self._choice = default_output(), None
                raise
            old, self._output = self._output, new
        if not is_same_file:
            old.close()

    def reopen(self) -> bool:
        """If a file was moved away, open its path again. Returns whether there is a file."""
        self._output.reopen()
        return self._output.is_durable

    def flush(self) -> None:
        self._output.flush()

    def close(self) -> None:
        """Write the last lines. `logging` calls it when the process exits."""
        self._summarise()
        self._output.close()
        super().close()

    def log_crash(self, kind: type[BaseException], fault: BaseException, trace: TracebackType | None) -> None:
        """Log an exception that ends the process or a thread, and print it without secrets."""
        if not issubclass(kind, KeyboardInterrupt) and (self._output.is_durable or self._output.shows_errors):
            self._write(logging.CRITICAL, f"internal error: {kind.__name__}", fault)
            self.flush()
        if not self._output.shows_errors:
            text = "".join(traceback.format_exception(kind, fault, trace))
            with suppress(OSError, ValueError):
                sys.stderr.write(self._redacted(text))

    def _write(self, level: int, text: str, fault: BaseException | None = None) -> None:
        """Log a message that no limit applies to."""
        trace = None if fault is None else (type(fault), fault, fault.__traceback__)
        record = logging.LogRecord("klvrelay", level, "", 0, text, None, trace)
        with self.lock or threading.RLock():
            self._output.write(event_of(record, self._redacted))

    def _summarise(self) -> None:
        with self.lock or threading.RLock():
            omitted = self._limit.take_omitted()
        if omitted.messages:
            self._write(
                logging.WARNING, f"repeated messages left out: count={omitted.messages} first_logger={omitted.logger}"
            )


def _parts(choice: LogChoice) -> tuple[str, str | None, int, int]:
    return choice.format, choice.file, choice.size, choice.count
