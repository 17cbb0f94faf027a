"""The rhythm of a stream: what counts as a gap, from both sides of each threshold, and the rate at its limits."""

from __future__ import annotations

import pytest

from klvrelay.health.rhythm import Rhythm


def beaten(*intervals: float) -> Rhythm:
    """A rhythm of records with these intervals."""
    rhythm, now = Rhythm(), 0.0
    rhythm.beat(now)
    for interval in intervals:
        now += interval
        rhythm.beat(now)
    return rhythm


@pytest.mark.parametrize(
    ("usual", "pause", "gaps"), [(1 / 32, 0.49, 0), (1 / 32, 0.51, 1), (1.0, 2.9, 0), (1.0, 3.1, 1)]
)
def test_a_gap_is_half_a_second_and_three_usual_intervals_at_least(usual: float, pause: float, gaps: int):
    """A fast stream may pause for half a second, a slow one for three intervals."""
    assert beaten(*[usual] * 20, pause).gaps == gaps


def test_a_long_pause_does_not_hide_the_gaps_after_it():
    """An hour's pause counts as six intervals: five seconds are a gap again at once."""
    rhythm = beaten(*[1.0] * 20, 3600.0, 5.0)

    assert (rhythm.gaps, rhythm.longest) == (2, 3600.0)


def test_a_lasting_longer_interval_becomes_the_usual_one():
    """A sensor changed from one record a second to one in ten has a few gaps, and then none."""
    changed = beaten(*[1.0] * 20, *[10.0] * 10)
    later = beaten(*[1.0] * 20, *[10.0] * 100)

    assert 0 < changed.gaps < 10
    assert later.gaps == changed.gaps


def test_the_rate_of_the_first_seconds_is_taken_over_these_seconds():
    """After two seconds the rate is correct, though the window is longer."""
    assert beaten(*[1 / 32] * 64).rate(2.0) == pytest.approx(32, abs=1)


def test_the_rate_within_the_first_second_is_no_extrapolation():
    """Two records at once are two a second, not thousands."""
    assert beaten(0.001).rate(0.001) == 2.0


def test_a_rate_beyond_the_stored_records_is_correct():
    """Of 2,000 records a second the last 4,096 are stored, which is less than the window."""
    assert beaten(*[1 / 2048] * 30_000).rate(30_000 / 2048) == pytest.approx(2048, rel=0.01)
