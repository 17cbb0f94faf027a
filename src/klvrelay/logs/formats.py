"""The formats of a log line: text, and JSON with the field names of the Elastic Common Schema (ECS)."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime
from time import localtime, strftime

from klvrelay.json_output import dumps
from klvrelay.logs.log_event import LogEvent

ECS = "8.11.0"
"""Version of the Elastic Common Schema whose field names the JSON lines have."""

Line = Callable[[LogEvent], str]


def utc(seconds: float) -> str:
    """A time as ISO 8601 in UTC, with milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def bare_text(event: LogEvent) -> str:
    """The message alone: the journal adds the time."""
    return f"{event.message} traceback={event.traceback}" if event.traceback else event.message


def short_text(event: LogEvent) -> str:
    """The local time of day and the message, for a terminal."""
    return f"{strftime('%H:%M:%S', localtime(event.time))} {bare_text(event)}"


def long_text(event: LogEvent) -> str:
    """The time in UTC, the level and the message, for a file."""
    return f"{utc(event.time)} {logging.getLevelName(event.level)} {bare_text(event)}"


def json_line(event: LogEvent) -> str:
    """One JSON object. The parts of the message are in `klvrelay`, so that they hide no field of ECS."""
    fields: dict[str, object] = {
        "@timestamp": utc(event.time),
        "log.level": logging.getLevelName(event.level).lower(),
        "message": event.message,
        "ecs.version": ECS,
        "log.logger": event.logger,
        "service.name": "klvrelay",
        "process.pid": os.getpid(),
    }
    if event.members:
        fields["klvrelay"] = dict(event.members)
    if event.traceback:
        fields["error.stack_trace"] = event.traceback
    return dumps(fields).decode()


def prefixed(event: LogEvent) -> str:
    """The message behind the priority `<N>` of syslog, which systemd reads from standard error."""
    return f"<{priority(event.level)}>{bare_text(event)}"


def priority(level: int) -> int:
    """The priority of syslog: 3 error, 4 warning, 6 information, 7 debug."""
    steps = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
    return next((number for least, number in steps if level >= least), 7)
