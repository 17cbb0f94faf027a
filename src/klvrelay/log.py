"""The log of the command, on standard error."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from klvrelay.text import printable

if TYPE_CHECKING:
    import logging

_wanted: list[tuple[Callable[[str], str], bool]] = []
"""How the log was asked for and is not set up yet."""


def log_to_stderr(redacted: Callable[[str], str], *, quiet: bool) -> None:
    """From here on the log goes there, without what `redacted` takes out; quiet: warnings and errors only."""
    log_later(redacted, quiet=quiet)
    logger()


def log_later(redacted: Callable[[str], str], *, quiet: bool) -> None:
    """The same from the first call of `logger` on: a command that logs nothing does not load `logging`."""
    _wanted[:] = [(redacted, quiet)]


def logger() -> logging.Logger:
    """The logger of the package."""
    import logging

    log = logging.getLogger("klvrelay")
    if _wanted:
        _set_up(log, *_wanted.pop())
    return log


def _set_up(log: logging.Logger, redacted: Callable[[str], str], quiet: bool) -> None:
    import logging

    class OneLine(logging.Formatter):
        """Whatever a message quotes stays on its line, and shows no password of the command line."""

        def formatMessage(self, record: logging.LogRecord) -> str:
            record.message = printable(redacted(record.message))
            return super().formatMessage(record)

    redacted("")  # so that it is loaded: a message may be about there being no descriptor left
    handler = logging.StreamHandler()
    handler.setFormatter(OneLine("%(asctime)s %(message)s", "%H:%M:%S"))
    log.handlers[:] = [handler]
    log.setLevel(logging.WARNING if quiet else logging.INFO)
    log.propagate = False
