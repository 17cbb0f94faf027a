"""Reads times: epochs in several units, ISO 8601, offsets from UTC."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from klvrelay.errors import ConfigError
from klvrelay.text import printable

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = 253_402_300_799_999_999
"""The last microsecond of the year 9999."""
YEAR_1973 = 1e8
"""Seconds since 1970 from which a number is a date; below, it is relative to the start of the video."""

_SCALE = {"s": 1_000_000.0, "ms": 1000.0, "us": 1.0, "ns": 1e-3}
_OFFSET = re.compile(r"([+-])(\d{1,2})(?::?(\d{2}))?")
_DAY = re.compile(r"(\d{4})[./](\d{1,2})[./](\d{1,2})")


class RowTime(NamedTuple):
    """Microseconds; `relative`: since the first frame, otherwise since 1970; `is_local`: without a zone."""

    us: int
    relative: bool = False
    is_local: bool = False


def recognise_unit(text: str) -> str:
    """The unit of a time, by its size: numbers are in s, ms, us or ns since 1970, or in relative seconds."""
    try:
        size = abs(float(text))
    except ValueError:
        return "iso"
    return next((unit for unit, least in (("ns", 1e17), ("us", 1e14), ("ms", 1e11)) if size >= least), "s")


def read_time(text: str, unit: str) -> RowTime:
    """A time in a unit of `mapping.TIME_UNITS`. Raises ValueError with the reason."""
    if unit == "iso":
        return read_date(text)
    if text.isascii() and text.removeprefix("-").isdecimal() and unit != "ns":
        us = int(text[:25]) * int(_SCALE[unit])
    else:
        number = float(text)
        if not math.isfinite(number):
            raise ValueError(f"time {text} is not a number")
        us = round(number * _SCALE[unit])
    if abs(us) > LATEST:
        raise ValueError(f"time {text} is past the year 9999; is its unit {unit}?")
    return RowTime(us, relative=abs(us) < YEAR_1973 * 1e6)


def read_date(text: str) -> RowTime:
    """An ISO 8601 date and time, also with other usual separators. Raises ValueError."""
    text = _DAY.sub(lambda day: f"{day[1]}-{int(day[2]):02}-{int(day[3]):02}", text.strip()[:60], count=1)
    date, comma, part = text.partition(",")
    if comma and part[:1].isdecimal():
        text = f"{date}.{part.replace(',', '')}"
    try:
        when = datetime.fromisoformat(text.replace(" UTC", "Z"))
    except ValueError:
        raise ValueError(f"time {text!r} is neither ISO 8601 nor a number") from None
    is_local = when.tzinfo is None
    when = when.replace(tzinfo=UTC) if is_local else when
    us = (when - EPOCH) // timedelta(microseconds=1)
    if us < 0:
        raise ValueError(f"time {text!r} is before 1970")
    return RowTime(us, is_local=is_local)


def start_time(text: str) -> int:
    """The value of `--start` in microseconds since 1970. Raises ConfigError."""
    try:
        moment = read_time(text, recognise_unit(text))
        if moment.relative:
            raise ValueError("a number below 1e8 is no date")
    except ValueError as fault:
        hint = "give a time such as 2026-06-01T09:30:00Z, or seconds since 1970"
        raise ConfigError(f"--start {printable(text)}: {fault}; {hint}") from None
    return moment.us


def utc_offset(text: str) -> int:
    """The value of `--utc-offset` in microseconds: `+02:00`, `-0330`, `+1`, `Z`. Raises ConfigError."""
    if text in ("Z", "UTC", "0"):
        return 0
    found = _OFFSET.fullmatch(text.strip())
    if found is None or int(found[2]) > 14 or int(found[3] or 0) > 59:
        raise ConfigError(f"--utc-offset {printable(text)}: give an offset such as +02:00, or Z")
    minutes = int(found[2]) * 60 + int(found[3] or 0)
    return (-1 if found[1] == "-" else 1) * minutes * 60_000_000


def offset_text(us: int) -> str:
    """`+02:00`."""
    minutes = abs(us) // 60_000_000
    return f"{'-' if us < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"


def date_text(us: int) -> str:
    """`2026-06-01T09:30:00.000Z`."""
    try:
        return (EPOCH + timedelta(microseconds=us)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except OverflowError:
        return f"{us} µs"
