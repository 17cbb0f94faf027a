"""The log of the command, on standard error."""

from __future__ import annotations

import logging

from klvrelay.redaction import Redaction
from klvrelay.shown import printable

LOG = logging.getLogger("klvrelay")


class _OneLine(logging.Formatter):
    """Whatever a message quotes stays on its line, and shows no password of the command line."""

    def __init__(self, redacted: Redaction) -> None:
        super().__init__("%(asctime)s %(message)s", "%H:%M:%S")
        self._redacted = redacted

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = printable(self._redacted(record.message))
        return super().formatMessage(record)


def log_to_stderr(redacted: Redaction, *, quiet: bool) -> None:
    """From here on the log goes there; quiet: warnings and errors only."""
    handler = logging.StreamHandler()
    handler.setFormatter(_OneLine(redacted))
    LOG.handlers[:] = [handler]
    LOG.setLevel(logging.WARNING if quiet else logging.INFO)
    LOG.propagate = False
