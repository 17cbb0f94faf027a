"""A log message as its parts, all bounded, on one line and without secrets.

The members come from the constant text of the message: `topic=%s` and its argument. A value cannot add another member.
"""

from __future__ import annotations

import logging
import math
import re
import traceback
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from klvrelay.text import printable

MESSAGE_MOST = 4000
"""Maximum characters of a message, and of a traceback, of which the end is kept."""
MEMBER_MOST = 500
MEMBERS_MOST = 12
SUBJECT_MOST = 200
"""Maximum characters of a stream name or of a URL."""

Value = str | int | float
Redact = Callable[[str], str]

_FORMAT = re.compile(r"(?:(?<![\w=])([a-z][a-z0-9_]{0,31})=)?%(?:\.\d+)?([srdgfxi%]|02x)")
_CONSTANT = re.compile(r"(?<![\w=])([a-z][a-z0-9_]{0,31})=('[^']*'|[^\s'%]+)")
_PREFIX = re.compile(r"%s:? ")

_SUBJECTS: Mapping[tuple[str, str], str] = {
    ("klvrelay.health", "stream"): "stream", ("klvrelay.health", "clocks"): "stream",
    ("klvrelay.health", "sink"): "sink",
    ("klvrelay.relay", "source_recording"): "stream", ("klvrelay.relay", "oversize"): "stream",
    ("klvrelay.relay", "stream"): "stream", ("klvrelay.relay", "delivery"): "sink",
    ("klvrelay.sinks", "conversion"): "stream", ("klvrelay.sinks", "compression"): "stream",
    ("klvrelay.sinks", ""): "sink", ("klvrelay.sources", ""): "source", ("klvrelay.transports", ""): "source",
}  # fmt: skip
"""What the first argument of `%s: ...` is, by logger and module; "": any other module of the logger."""


class LogEvent(NamedTuple):
    """One message.

    time       seconds since 1970
    level      as in `logging`
    logger     its name
    message    the whole text
    members    its key=value parts, and `stream`, `sink` or `source` if it is about one
    traceback  of an exception, on one line; "" without
    file, line, function  the place in the code
    """

    time: float
    level: int
    logger: str
    message: str
    members: Mapping[str, Value] = {}
    traceback: str = ""
    file: str = ""
    line: int = 0
    function: str = ""


def event_of(record: logging.LogRecord, redacted: Redact) -> LogEvent:
    """The parts of a log record. Never raises, whatever its arguments are."""

    def shown(text: str, most: int) -> str:
        return cut(printable(redacted(text)), most)

    found = dict(_members(record))
    members = {key: shown(value, MEMBER_MOST) if isinstance(value, str) else value for key, value in found.items()}
    return LogEvent(
        record.created, record.levelno, record.name, shown(message_of(record), MESSAGE_MOST), members,
        _end(printable(redacted(_traceback(record)))), record.pathname, record.lineno, record.funcName or "",
    )  # fmt: skip


def cut(text: str, most: int) -> str:
    """The beginning of a text that is too long, marked as such."""
    return text if len(text) <= most else f"{text[: most - 4]} ..."


def _end(text: str) -> str:
    return text if len(text) <= MESSAGE_MOST else f"... {text[4 - MESSAGE_MOST :]}"


def message_of(record: logging.LogRecord) -> str:
    """The text with its arguments, also if they do not fit it."""
    try:
        return record.getMessage()
    except Exception as fault:  # noqa: BLE001 (arguments of a library that do not fit its text)
        return f"{record.msg} (arguments do not fit: {type(fault).__name__})"


def _traceback(record: logging.LogRecord) -> str:
    if not record.exc_info or record.exc_info[1] is None:
        return ""
    return "".join(traceback.format_exception(record.exc_info[1])).strip()


def _members(record: logging.LogRecord) -> Iterator[tuple[str, Value]]:
    """The members of a record, the subject first, without a limit on their texts."""
    subject = _subject(record)
    yield from subject.items()
    count = len(subject)
    for key, value in _pairs(record):
        if count < MEMBERS_MOST and key not in subject:
            count += 1
            yield key, value


def _pairs(record: logging.LogRecord) -> Iterator[tuple[str, Value]]:
    template, arguments = str(record.msg), record.args
    if not arguments or isinstance(arguments, Mapping):
        yield from ((found[1], found[2].strip("'")) for found in _CONSTANT.finditer(cut(template, MESSAGE_MOST)))
        return
    values = iter(arguments)
    for found in _FORMAT.finditer(template):
        if found[2] != "%":
            value = next(values, None)
            if found[1]:
                yield found[1], _typed(value)


def _typed(value: object) -> Value:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and -(1 << 63) <= value < 1 << 63:
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return round(float(value), 6)
    return text_of(value)


def text_of(value: object) -> str:
    """`str(value)`; the kind of the fault if that raises."""
    try:
        return str(value)
    except Exception as fault:  # noqa: BLE001 (a log message must not stop what it reports)
        return type(fault).__name__


def _subject(record: logging.LogRecord) -> dict[str, str]:
    """What the message is about: of `extra={"stream": NAME}` or `{"sink": NAME}`, else of its first argument."""
    given = {key: text_of(getattr(record, key)) for key in ("stream", "sink") if getattr(record, key, None) is not None}
    if given:
        return given
    kind = _SUBJECTS.get((record.name, record.module)) or _SUBJECTS.get((record.name, ""))
    if kind is None or not isinstance(record.args, tuple) or not record.args or not _PREFIX.match(str(record.msg)):
        return {}
    return {kind: cut(text_of(record.args[0]), SUBJECT_MOST)}
