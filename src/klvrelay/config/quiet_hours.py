"""Quiet hours: a range of local times, such as 22:00-06:00, that may include midnight.

Local times are those of the clock on the wall: where daylight saving time begins or ends, the hours are one hour
shorter or longer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from klvrelay.config.kinds import Kind, did_you_mean, text, toml_text
from klvrelay.errors import ConfigError

_FORM = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\s*-\s*([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `begin` (included) to `end` (excluded)."""

    begin: time
    end: time

    def contain(self, seconds: float, zone: str | None) -> bool:
        """Is the instant, in seconds since 1970 UTC, in these hours of a time zone (None: that of the machine)?"""
        local = datetime.fromtimestamp(seconds, None if zone is None else ZoneInfo(zone)).time()
        if self.begin < self.end:
            return self.begin <= local < self.end
        return local >= self.begin or local < self.end

    def __str__(self) -> str:
        return f"{self.begin:%H:%M}-{self.end:%H:%M}"


def _read(value: Any) -> QuietHours:
    found = _FORM.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ConfigError('must be a range of local times, such as "22:00-06:00"')
    hours = QuietHours(time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4])))
    if hours.begin == hours.end:
        raise ConfigError("begin and end are the same; leave it out for no quiet hours")
    return hours


def _check_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        known = available_timezones()
        if not known:
            raise ConfigError("this machine has no time zones: install tzdata") from None
        hint = did_you_mean(name, known)
        raise ConfigError(f"unknown time zone{hint}; give a name such as Europe/Berlin or UTC") from None


QUIET = Kind(
    _read,
    'local times, "22:00-06:00"',
    {"type": "string", "pattern": r"^([01]\d|2[0-3]):[0-5]\d *- *([01]\d|2[0-3]):[0-5]\d$"},
    shown=lambda hours: toml_text(str(hours)),
)
ZONE = text(_check_zone, "the name of a time zone", wanted="a time zone such as Europe/Berlin")
