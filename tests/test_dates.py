"""Dates as text (EG 0104, "20050331075051"): each valid one is microseconds, anything else is kept unchanged."""

from __future__ import annotations

import calendar
import json
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from cases import each_case, each_of
from core_and_reference import core_json, disagreement
from packet_wrapping import keyed_set, packet

from native.spec import facts

KEY = next(key for key, item in facts.keyed() if item.kind == "date_time")
WHOLE = "20050331075051"
SECOND = datetime(2005, 3, 31, 7, 50, 51, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def dated(text: str) -> bytes:
    return packet("ST0104", keyed_set([(KEY, text.encode())]))


def microseconds(text: str) -> int:
    """The date in a record."""
    value = json.loads(core_json(dated(text)))["items"]["event_start_time"]
    assert type(value) is int
    return value


def kept(text: str) -> bool:
    """Is it in the record as hex, with a warning, and nowhere else?"""
    record = json.loads(core_json(dated(text)))
    as_hex = record["items"] == {"unknown": {KEY.hex(): text.encode().hex()}}
    return as_hex and record["quality"]["warnings"] == [f"item {KEY.hex()}: malformed"]


def since_1970(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


@each_case("fraction", ["", ".0", ".5", ".25", ".125", ".0625", ".03125", ".015625", ".000001"])
@each_case("end", ["", "Z"])
@each_case("middle", ["", "T"])
def test_a_date_may_have_a_t_a_fraction_and_a_z(middle: str, end: str, fraction: str) -> None:
    """With or without each of them it is the same second, and the fraction counts to the microsecond."""
    text = f"{WHOLE[:8]}{middle}{WHOLE[8:]}{fraction}{end}"

    assert microseconds(text) == since_1970(SECOND) + round(float(fraction or 0) * 1_000_000)
    assert disagreement(dated(text)) == []


@each_case("year", [1970, 1971, 1972, 1999, 2000, 2023, 2024, 2100, 2400, 9999])
def test_every_month_has_its_number_of_days(year: int) -> None:
    """The first and the last day of each month are dates, the days before and after them are not."""
    for month in range(1, 13):
        days = calendar.monthrange(year, month)[1]
        for day in (1, days):
            there = datetime(year, month, day, 23, 59, 59, tzinfo=UTC)
            assert microseconds(f"{year}{month:02}{day:02}235959") == since_1970(there)
        for day in (0, days + 1):
            assert kept(f"{year}{month:02}{day:02}235959")


@pytest.mark.parametrize("year", [1972, 1996, 2000, 2004, 2096, 2400])
def test_a_leap_year_has_a_29th_of_february(year: int) -> None:
    """Every fourth year; not 1900, 2100, 2200, but 2000 and 2400."""
    assert microseconds(f"{year}0229000000") == since_1970(datetime(year, 2, 29, tzinfo=UTC))


@pytest.mark.parametrize("year", [1970, 2001, 2002, 2003, 2100, 2200, 2300])
def test_no_other_year_has_one(year: int) -> None:
    """An invalid date stays hex."""
    assert kept(f"{year}0229000000")


@each_case("size", range(1, 14))
def test_a_date_that_is_cut_off_is_kept(size: int) -> None:
    """It must be complete to the second."""
    assert kept(WHOLE[:size])
    assert disagreement(dated(WHOLE[:size])) == []


@each_of(list(product("/:T -", range(14))))
def test_a_sign_among_the_digits_is_no_date(found: tuple[str, int]) -> None:
    """In place of a digit, at every place; including the ASCII neighbours of the digits."""
    sign, place = found
    text = WHOLE[:place] + sign + WHOLE[place + 1 :]

    assert kept(text)
    assert disagreement(dated(text)) == []


@pytest.mark.parametrize(
    "text",
    ["20051331075051", "20050031075051", "20050331245051", "20050331076051", "20050331075060", "19691231235959"],
)
def test_an_invalid_month_hour_minute_or_second_is_kept(text: str) -> None:
    """Month 0 and 13, hour 24, minute 60, second 60, and times before 1970."""
    assert kept(text)
    assert disagreement(dated(text)) == []


@each_case(
    "behind",
    [".", "..5", ".Z", ".x5", ".1234567", ".5x", "ZZ", "Z.5", "z", "x", " ", "\0", "T", "+00", ".5 Z", "./", ".:"],
)
def test_anything_else_after_a_date_makes_it_invalid(behind: str) -> None:
    """A point without digits, more than six of them, a second Z, a zone, a space."""
    assert kept(WHOLE + behind)
    assert disagreement(dated(WHOLE + behind)) == []


@pytest.mark.parametrize("text", ["T" + WHOLE, WHOLE[:8] + "TT" + WHOLE[8:], WHOLE[:4] + "T" + WHOLE[4:]])
def test_a_t_is_between_day_and_hour_only(text: str) -> None:
    """Once, and nowhere else."""
    assert kept(text)
    assert disagreement(dated(text)) == []


def test_a_date_of_no_bytes_is_null() -> None:
    """Length 0 means unknown, without a warning."""
    record = json.loads(core_json(dated("")))

    assert record["items"] == {"event_start_time": None}
    assert "warnings" not in record["quality"]
