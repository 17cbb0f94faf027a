"""The edges of a stream's states and outages: what counts as data, what is an outage, and its duration."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from manual_clock import Clock
from records import record

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
    """KLV arrives, then nothing for so long, then KLV again."""
    stream.add_record(record(0))
    clock.now += seconds
    stream.check()
    stream.add_record(record(1))


def test_an_unchanged_byte_count_is_no_data(stream: StreamHealth, clock: Clock):
    """It is read a few times a second, whether data arrives or not."""
    stream.set_size(1000)
    for _ in range(10):
        clock.now += 0.5
        stream.set_size(1000)
    stream.check()

    assert (stream.state, stream.reason) == ("stale", "nothing received for 5 s")


def test_a_stream_that_fell_silent_before_its_first_klv_stays_stale(stream: StreamHealth, clock: Clock):
    """Until bytes arrive again."""
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
    stream.set_size(1000)
    outage(stream, clock, 0.1)
    clock.now += 5.0
    stream.check()
    stream.set_size(2000)
    stream.check()
    assert stream.state == "stale"
    stream.add_record(record(2))
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
def test_a_stall_reports_whether_bytes_arrive(silent: float, reason: str, stream: StreamHealth, clock: Clock):
    """The counter is read periodically: a last byte soon after the last record belongs to that record."""
    stream.add_record(record(0))
    clock.now += 5.0 - silent
    stream.set_size(1000)
    clock.now += silent
    stream.check()

    assert (stream.state, stream.reason) == ("stale", reason)


def test_the_longest_outage_and_the_last_are_separate(stream: StreamHealth, clock: Clock):
    """The longest is not always the last."""
    for seconds in (10.0, 30.0, 20.0):
        outage(stream, clock, seconds)

    assert (stream.outages, stream.recovered) == (3, 3)
    assert (stream.away, stream.away_longest, stream.away_last) == (60.0, 30.0, 20.0)


def test_a_current_outage_counts_in_the_time_away(stream: StreamHealth, clock: Clock):
    """From the last record on, not from its detection."""
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
    """The current state counts until now."""
    clock.now += 1.0
    stream.set_size(1000)
    clock.now += 2.0
    outage(stream, clock, 10.0)
    clock.now += 4.0

    assert stream.spent() == {"connecting": 1.0, "waiting": 2.0, "live": 14.0, "stale": 0.0}


def test_the_cause_of_silence_is_determined_once(stream: StreamHealth, clock: Clock, said: Callable[[], list[str]]):
    """At the stall, and not before."""
    lines = []
    for seconds in (4.9, 0.1, 5.0, 5.0):
        clock.now += seconds
        stream.check()
        lines.append(len(said()))

    assert lines == [0, 1, 1, 1]
