"""The probe's rules on drift, repeated times and frames: their limits, from both sides.

`test_probe_limits.py` has those of the other rules.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from test_probe_limits import found, median, plain, with_times

from klvrelay.probe import Report
from klvrelay.probe.report import Against, Frames, Paired
from klvrelay.probe.rules import judged


def drift(clock: str, ppm: float, *, over: float = 100.0, error: float = 0.0, count: int = 60) -> set[str]:
    """The finding for a clock that differs from the records' time by this rate."""
    offset = replace(median(0.0), count=count)
    references = (Against(clock, offset, 0.0, ppm, error, over),)
    return found(with_times(references=references)) & {"time_drift", "not_real_time"}


@pytest.mark.parametrize(("ppm", "said"), [(99.0, False), (101.0, True), (-99.0, False), (-101.0, True)])
def test_a_drift_from_the_pts_is_reported_from_100_ppm_on(ppm: float, said: bool):
    """On either side: 0.36 s an hour."""
    assert (drift("PTS", ppm) == {"time_drift"}) is said


@pytest.mark.parametrize("clock", ["wall clock", "PCR"])
@pytest.mark.parametrize(("ppm", "said"), [(19_900.0, False), (20_100.0, True), (-19_900.0, False), (-20_100.0, True)])
def test_another_speed_is_reported_from_two_percent_on(clock: str, ppm: float, said: bool):
    """Against any clock except the PTS, which is that of the same encoder."""
    assert (drift(clock, ppm) == {"not_real_time"}) is said


@pytest.mark.parametrize(("over", "said"), [(4.9, False), (5.0, True)])
def test_a_drift_is_measured_over_five_seconds_at_least(over: float, said: bool):
    """A shorter time measures the jitter."""
    assert (drift("PTS", 10_000.0, over=over) == {"time_drift"}) is said


@pytest.mark.parametrize(("count", "said"), [(10, False), (11, True)])
def test_a_drift_is_measured_by_eleven_records_at_least(count: int, said: bool):
    """A line fits any few points."""
    assert (drift("PTS", 10_000.0, count=count) == {"time_drift"}) is said


@pytest.mark.parametrize(("error", "said"), [(333.0, True), (334.0, False)])
def test_a_drift_is_three_times_as_large_as_its_error(error: float, said: bool):
    """Otherwise there may be none."""
    assert (drift("PTS", 1000.0, error=error) == {"time_drift"}) is said


@pytest.mark.parametrize(
    ("clock", "ppm", "over", "said"),
    [
        ("PTS", 150.0, 6.6, False), ("PTS", 150.0, 6.7, True),
        ("PCR", 50_000.0, 9.9, False), ("PCR", 50_000.0, 10.1, True),
    ],
)  # fmt: skip
def test_clocks_must_part_company_for_a_drift(clock: str, ppm: float, over: float, said: bool):
    """By a millisecond from the PTS, which is exact; by half a second from arrivals and PCRs, which are not."""
    assert bool(drift(clock, ppm, over=over)) is said


@pytest.mark.parametrize(
    ("stamped", "repeated", "severity"),
    [(60, 30, "note"), (60, 31, "warning"), (4, 3, "note"), (5, 3, "warning"), (5, 2, "note")],
)
def test_repeated_times_are_a_warning_where_they_are_the_majority(stamped: int, repeated: int, severity: str):
    """More than half of five at least: the encoder sends faster than its sensor measures."""
    report = with_times(stamped=stamped, repeated=repeated)

    assert [each.severity for each in judged(report) if each.id == "time_repeated"] == [severity]


def with_frames(*, rate: float | None = 25.0, stamped: int = 100, **pair: Any) -> Report:
    """A video with frames beside the records of one stream."""
    known: dict[str, Any] = {"compared": 60, "matched": 60, "against": median(0.0), **pair}
    beside = Paired(257, "ST0601", **known)
    frames = Frames(256, "H.264", True, 100, rate, stamped, None, 0, 60, 60, median(0.0), (beside,))
    return replace(plain(), frames=(frames,))


@pytest.mark.parametrize(
    ("compared", "matched", "said"), [(10, 0, False), (11, 0, True), (60, 0, True), (60, 1, False)]
)
def test_records_without_the_time_of_a_frame_are_reported_from_eleven_on(compared: int, matched: int, said: bool):
    """One that has it is enough: the encoder supports it."""
    assert ("frames_unmatched" in found(with_frames(compared=compared, matched=matched))) is said


@pytest.mark.parametrize(("apart", "said"), [(0.039, False), (0.041, True), (-0.039, False), (-0.041, True)])
def test_times_of_one_pts_may_be_a_frame_apart(apart: float, said: bool):
    """At 25 frames a second 40 ms, on either side."""
    assert ("frames_apart" in found(with_frames(against=median(apart)))) is said


def test_frames_of_an_unknown_rate_are_not_judged_by_it():
    """Nor are frames without a time."""
    assert "frames_apart" not in found(with_frames(rate=None, against=median(5.0)))
    assert "frames_apart" not in found(with_frames(stamped=0, against=median(5.0)))
