"""A stream's states and outages at their edges: what is a sign of life, what is an outage, and how long it was."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from records import record
from timekeeping import Clock

from klvrelay.health import StreamHealth


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stream(clock: Clock) -> StreamHealth:
    made = StreamHealth("uav1", "udp://:5000", 5.0, clock)
    made.add_opening()
    return made


def outage(stream: StreamHealth, clock: Clock, seconds: float) -> None:
    """KLV comes, then nothing for so long, then KLV again."""
    stream.add_record(record(0))
    clock.now += seconds
    stream.check()
    stream.add_record(record(1))


def test_a_count_of_bytes_that_stands_still_is_no_sign_of_life(stream: StreamHealth, clock: Clock):
    """It is asked for a few times a second, whatever comes."""
    stream.set_size(1000)
    for _ in range(10):
        clock.now += 0.5
        stream.set_size(1000)
    stream.check()

    assert (stream.state, stream.reason) == ("stale", "nothing received for 5 s")


def test_a_stream_that_fell_silent_before_its_first_klv_stays_stale(stream: StreamHealth, clock: Clock):
    """Until bytes come again."""
    stream.set_size(1000)
    states = []
    for _ in range(4):
        clock.now += 5.0
        stream.check()
        states.append(stream.state)
    stream.set_size(2000)
    stream.check()

    assert (states, stream.state) == (["stale"] * 4, "waiting")


def test_a_stream_that_had_klv_stays_stale_until_klv_comes_again(stream: StreamHealth, clock: Clock):
    """Bytes alone do not bring it back."""
    stream.heard(1000)
    outage(stream, clock, 0.1)
    clock.now += 5.0
    stream.look()
    stream.heard(2000)
    stream.look()
    assert stream.state == "stale"
    stream.decoded(record(2))
    assert stream.state == "live"


@pytest.mark.parametrize(
    ("silent", "reason"),
    [
        (4.1, "nothing received for 5 s"),
        (3.9, "no KLV for 5 s, and nothing at all for 3.9 s"),
        (1.1, "no KLV for 5 s, and nothing at all for 1.1 s"),
        (0.9, "no KLV for 5 s, though bytes are received"),
    ],
)
def test_a_stall_says_whether_bytes_come(silent: float, reason: str, stream: StreamHealth, clock: Clock):
    """The line is looked at now and then: a last byte soon after the last record came with it."""
    stream.add_record(record(0))
    clock.now += 5.0 - silent
    stream.set_size(1000)
    clock.now += silent
    stream.check()

    assert (stream.state, stream.reason) == ("stale", reason)


def test_the_longest_outage_and_the_last_are_told_apart(stream: StreamHealth, clock: Clock):
    """The longest is not always the last."""
    for seconds in (10.0, 30.0, 20.0):
        outage(stream, clock, seconds)

    assert (stream.outages, stream.recovered) == (3, 3)
    assert (stream.away, stream.away_longest, stream.away_last) == (60.0, 30.0, 20.0)


def test_an_outage_that_is_still_on_counts_in_the_time_away(stream: StreamHealth, clock: Clock):
    """From the last record on, not from when it was noticed."""
    outage(stream, clock, 10.0)
    clock.now += 7.0
    before = stream.away_so_far
    stream.check()

    assert (before, stream.away, stream.away_so_far) == (10.0, 10.0, 17.0)


def test_the_end_of_a_live_stream_is_no_outage(stream: StreamHealth, clock: Clock):
    """A file ends, and the relay is stopped."""
    stream.add_record(record(0))
    stream.end(is_logged=False)
    clock.now += 100.0

    assert (stream.state, stream.outages, stream.away_so_far) == ("ended", 0, 0.0)


def test_each_state_has_its_seconds(stream: StreamHealth, clock: Clock):
    """The one that it is in, until now."""
    clock.now += 1.0
    stream.set_size(1000)
    clock.now += 2.0
    outage(stream, clock, 10.0)
    clock.now += 4.0

    assert stream.spent() == {"connecting": 1.0, "waiting": 2.0, "live": 14.0, "stale": 0.0}


def test_a_stream_is_asked_once_why_it_is_silent(stream: StreamHealth, clock: Clock, said: Callable[[], list[str]]):
    """From the stall on, and not before."""
    lines = []
    for seconds in (4.9, 0.1, 5.0, 5.0):
        clock.now += seconds
        stream.check()
        lines.append(len(said()))

    assert lines == [0, 1, 1, 1]
