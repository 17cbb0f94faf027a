"""Quiet hours: time zones, midnight, and the days on which daylight saving time begins and ends."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cases import each_case

from klvrelay.config.quiet_hours import QUIET, ZONE, QuietHours
from klvrelay.errors import ConfigError

NIGHT: QuietHours = QUIET.read("22:00-06:00")
NOON: QuietHours = QUIET.read("12:00 - 13:30")


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


CASES = [
    (NIGHT, "UTC", "2026-07-01T21:59:59", False),
    (NIGHT, "UTC", "2026-07-01T22:00:00", True),
    (NIGHT, "UTC", "2026-07-02T00:00:00", True),
    (NIGHT, "UTC", "2026-07-02T05:59:59", True),
    (NIGHT, "UTC", "2026-07-02T06:00:00", False),
    (NOON, "UTC", "2026-07-02T11:59:59", False),
    (NOON, "UTC", "2026-07-02T12:00:00", True),
    (NOON, "UTC", "2026-07-02T13:30:00", False),
    # Berlin: UTC+2 in summer, UTC+1 in winter
    (NIGHT, "Europe/Berlin", "2026-07-01T19:59:59", False),
    (NIGHT, "Europe/Berlin", "2026-07-01T20:00:00", True),
    (NIGHT, "Europe/Berlin", "2026-12-01T20:30:00", False),
    (NIGHT, "Europe/Berlin", "2026-12-01T21:00:00", True),
    # the night of 29 March 2026 has 7 hours, that of 25 October 9
    (NIGHT, "Europe/Berlin", "2026-03-29T03:59:59", True),
    (NIGHT, "Europe/Berlin", "2026-03-29T04:00:00", False),
    (NIGHT, "Europe/Berlin", "2026-10-25T04:59:59", True),
    (NIGHT, "Europe/Berlin", "2026-10-25T05:00:00", False),
    (NIGHT, "Asia/Kathmandu", "2026-07-01T16:14:59", False),
    (NIGHT, "Asia/Kathmandu", "2026-07-01T16:15:00", True),
]


@each_case(("hours", "zone", "instant", "expected"), CASES)
def test_the_hours_are_those_of_the_time_zone(hours: QuietHours, zone: str, instant: str, expected: bool):
    """From the beginning (included) to the end (excluded), by the clock on the wall."""
    assert hours.contain(at(instant), zone) is expected


@each_case("value", ["22-06", "24:00-06:00", "22:00-22:00", "22:60-23:00", "", 22, None, "22:00-06:00 UTC"])
def test_other_texts_are_refused(value: object):
    """With what is valid."""
    with pytest.raises(ConfigError, match=r"22:00-06:00|same"):
        QUIET.read(value)


def test_an_unknown_time_zone_is_refused_with_the_nearest():
    """As other settings are."""
    with pytest.raises(ConfigError, match="did you mean Europe/Berlin"):
        ZONE.read("Europe/Berlim")
    assert ZONE.read("UTC") == "UTC"


def test_the_text_is_that_of_the_settings():
    """What --print-config shows is valid."""
    assert QUIET.shown(NIGHT) == '"22:00-06:00"'
    assert QUIET.read("22:00-06:00") == NIGHT
