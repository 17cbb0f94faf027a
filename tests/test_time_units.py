"""Item 2 in nanoseconds, milliseconds or seconds: `time` is correct, `time_us` as sent, with a warning."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import pytest
from cases import each_case
from core_and_reference import disagreement
from packet_wrapping import item, packet

import klvrelay
from klvrelay import core
from klvrelay.encode import encode
from klvrelay.health.clocks import Clocks
from klvrelay.record import Record
from klvrelay.recordings.timeline import KlvClock

TIME = 1_340_977_512_123_456
MOMENT = datetime(2012, 6, 29, 13, 45, 12, 123_456, UTC)
UNITS = {
    "nanoseconds": (TIME * 1000 + 789, 123_456),
    "milliseconds": (TIME // 1000, 123_000),
    "seconds": (TIME // 10**6, 0),
}
SECONDS = {"microseconds": 10**6, "nanoseconds": 10**9, "milliseconds": 10**3, "seconds": 1}


def stamped(sent: int, set_: str = "ST0601", tag: int = 2) -> Record:
    """A record with this time stamp; both decoders agree, and encoding reproduces it."""
    (record,) = klvrelay.decode(packet(set_, item(tag, sent.to_bytes(8, "big")), checksum=set_ == "ST0601"))
    assert disagreement(record.raw) == []
    assert encode(record) == record.raw
    return record


def warning(unit: str, tag: int = 2) -> str:
    return f"item {tag}: in {unit}, not microseconds; time is converted, time_us is as sent"


@each_case("unit", UNITS)
@each_case(("set_", "tag"), [("ST0601", 2), ("ST0903", 2), ("ST0806", 2), ("ST1002", 1), ("ST1107", 43)])
def test_a_time_in_another_unit_is_converted_with_a_warning(unit: str, set_: str, tag: int) -> None:
    """In each set that has a time stamp; digits below the unit's resolution are zero."""
    sent, micros = UNITS[unit]
    record = stamped(sent, set_, tag)
    document = json.loads(record.json())

    assert record.time == MOMENT.replace(microsecond=micros)
    assert document["time"] == f"2012-06-29T13:45:12.{micros:06}Z"
    assert document["time_us"] == record.time_us == sent
    assert warning(unit, tag) in document["quality"]["warnings"]


def test_a_time_of_the_older_universal_set_is_converted_too() -> None:
    """EG 0104 has the same time stamp with a 16-byte key."""
    (record,) = klvrelay.decode(encode({"precision_time_stamp": TIME * 1000}, set="ST0104"))

    assert record.time == MOMENT
    assert json.loads(record.json())["quality"]["warnings"] == [warning("nanoseconds")]
    assert disagreement(record.raw) == []


@each_case(
    "sent",
    [0, 1, 33_333, 960_000_000, 2_220_000_000, 86_400_000_000, 7 * 86_400_000_000, 631_152_000_000_000, TIME,
     4_102_444_800_000_000, 253_402_300_800_000_000, 1 << 63, (1 << 64) - 1],
)  # fmt: skip
def test_a_time_that_no_other_unit_explains_is_microseconds(sent: int) -> None:
    """A clock that was never set, one that counts from power-up, and distant times stay unchanged."""
    record = stamped(sent)

    assert record.clock_us == record.time_us == sent
    assert "warnings" not in json.loads(record.json())["quality"]


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_is_recognised_by_plausible_years(unit: str) -> None:
    """1990 to 2099; for seconds 2001 to 2039, since a clock from power-up counts through them: first and last moment.
    """
    rate = SECONDS[unit]
    years = (2001, 2040) if unit == "seconds" else (1990, 2100)
    begin, end = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in years)
    first, last = begin * rate, end * rate - 1

    for sent, said in ((first - 1, False), (first, True), (last, True), (last + 1, False)):
        warnings = json.loads(stamped(sent).json())["quality"].get("warnings", [])
        assert (warning(unit) in warnings) is said


def test_no_time_of_one_unit_is_one_of_another() -> None:
    """The four ranges do not overlap, so the unit is unambiguous."""
    for unit, rate in SECONDS.items():
        for year in range(2001, 2040) if unit == "seconds" else range(1990, 2100):
            sent = int(datetime(year, 7, 1, tzinfo=UTC).timestamp()) * rate
            assert core.micros(sent) == sent * 10**6 // rate, (unit, year)


def test_columns_have_the_time_as_it_was_sent() -> None:
    """They are the raw numbers of the items."""
    sent = TIME // 1000
    found = klvrelay.columns(stamped(sent).raw, ["precision_time_stamp"])

    assert np.array_equal(found["precision_time_stamp"], [sent])


@pytest.mark.parametrize(("unit", "sent"), [(unit, sent) for unit, (sent, _) in UNITS.items()])
def test_the_system_clock_is_compared_with_the_converted_time(unit: str, sent: int) -> None:
    """The offset that `link` reports is seconds, not decades."""
    clocks = Clocks("uav1")
    clocks.add(stamped(sent)._replace(received_us=TIME + 2_000_000), 0.0)

    assert clocks.against["wall"].offset_s == pytest.approx(2.0, abs=1.0)


@pytest.mark.parametrize("unit", SECONDS)
def test_a_recording_is_paced_in_any_unit(unit: str) -> None:
    """Ten packets a second apart are due a second apart."""
    rate = SECONDS[unit]
    raws = [stamped((TIME // 10**6 + at) * rate).raw for at in range(10)]

    assert [due for due, _ in KlvClock().slices(b"".join(raws))] == pytest.approx(range(10))
