"""Logging of the command to standard error."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from klvrelay.text import printable

if TYPE_CHECKING:
    import logging

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

    class OneLine(logging.Formatter):
        """Formats a message on one line, without the secrets of the command line."""

        def formatMessage(self, record: logging.LogRecord) -> str:
            record.message = printable(redacted(record.message))
            return super().formatMessage(record)

    redacted("")  # loads its modules now: a later message may be about a lack of descriptors
    handler = logging.StreamHandler()
    handler.setFormatter(OneLine("%(asctime)s %(message)s", "%H:%M:%S"))
    log.handlers[:] = [handler]
    log.setLevel(logging.WARNING if quiet else logging.INFO)
    log.propagate = False
