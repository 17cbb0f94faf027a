"""Logging of the command: set up at the first message, changed when the settings are known.

Without settings, messages are text on standard error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging

    from klvrelay.logs.handler import EventHandler
    from klvrelay.logs.outputs import LogChoice

_requested: list[tuple[Callable[[str], str], bool]] = []
"""The requested configuration, until logging is set up."""


def log_later(redacted: Callable[[str], str], *, quiet: bool) -> None:
    """Set up logging at the first call of `logger`, so that a command that logs nothing does not load `logging`.

    redacted   removes the secrets from a message
    quiet      log warnings and errors only
    """
    _requested[:] = [(redacted, quiet)]


def logger() -> logging.Logger:
    """The package's logger."""
    import logging

    log = logging.getLogger("klvrelay")
    if _requested:
        _set_up(log, *_requested.pop())
    return log


def _set_up(log: logging.Logger, redacted: Callable[[str], str], quiet: bool) -> None:
    import logging

    from klvrelay.logs.handler import EventHandler

    handler = EventHandler(redacted)
    log.handlers[:] = [handler]
    log.setLevel(logging.WARNING if quiet else logging.INFO)
    log.propagate = False
    root = logging.getLogger()  # warnings and errors of libraries
    root.handlers[:] = [handler, *(one for one in root.handlers if not isinstance(one, EventHandler))]


def change_log(choice: LogChoice) -> None:
    """Log to this output from now on. Raises OSError if its file cannot be opened."""
    handler = _handler(logger())
    if handler is not None:
        handler.change(choice)
        _log_crashes(handler)


def _log_crashes(handler: EventHandler) -> None:
    import sys
    import threading

    def of_thread(crash: threading.ExceptHookArgs) -> None:
        if crash.exc_value is not None:
            handler.log_crash(crash.exc_type, crash.exc_value, crash.exc_traceback)

    sys.excepthook, threading.excepthook = handler.log_crash, of_thread


def log_error(text: str) -> bool:
    """Log the error that ends the command, if the log is for programs or in a file. False: print it too."""
    handler = _current()
    return handler is not None and handler.write_error(text)


def reopen_log() -> bool:
    """Open the log file again if it was moved away. Returns whether there is one."""
    handler = _current()
    return handler is not None and handler.reopen()


def flush_log() -> None:
    """Wait for the last lines, for a short time."""
    handler = _current()
    if handler is not None:
        handler.flush()


def _current() -> EventHandler | None:
    """The handler, if logging is set up."""
    import sys

    return _handler(logger()) if "klvrelay.logs.handler" in sys.modules and not _requested else None


def _handler(log: logging.Logger) -> EventHandler | None:
    from klvrelay.logs.handler import EventHandler

    return next((one for one in log.handlers if isinstance(one, EventHandler)), None)
