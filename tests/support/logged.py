"""A log of this process with an output of choice, and what was written to it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from klvrelay.config.log import LogSettings
from klvrelay.log import change_log, log_later, logger


@contextmanager
def logging_to(settings: LogSettings, hidden: str = "c4n4ry-s3cret") -> Iterator[logging.Logger]:
    """Inside, the process logs as `klvrelay` does with these settings; at the end the last lines are written."""
    log_later(lambda text: text.replace(hidden, "***"), quiet=False)
    log = logger()
    try:
        change_log(settings)
        yield log
    finally:
        log.handlers[0].close()


def lines_of(path: Path) -> list[str]:
    """The lines of a file, which ends with a whole one."""
    *lines, rest = path.read_text().split("\n")
    assert rest == ""
    return lines
