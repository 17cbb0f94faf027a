"""When a source without KLV is reopened, and how rarely; the log of packets above the limit."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from records import record

from klvrelay.health import StreamHealth
from klvrelay.relay.oversize import EVERY, Oversize
from klvrelay.relay.patience import HANGS, LONGEST, Patience


class Clock:
    """A monotonic clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def health(clock: Clock, stall: float = 5.0) -> StreamHealth:
    made = StreamHealth("uav1", "rtsp://camera/live", stall, clock)
    made.opened()
    return made


def bytes_come(stream: StreamHealth, clock: Clock, seconds: float) -> None:
    """Bytes for so long, without KLV, each half second."""
    end = clock.now + seconds
    while clock.now < end:
        clock.now += min(0.5, end - clock.now)
        stream.heard(stream.link.size + 1)
        stream.link.size += 1
        stream.look()


def klv_comes(stream: StreamHealth, clock: Clock, seconds: float) -> None:
    stream.decoded(record(0))
    end = clock.now + seconds
    while clock.now < end:
        clock.now += min(0.5, end - clock.now)
        stream.decoded(record(0))


def reopened_after(patience: Patience, stream: StreamHealth, clock: Clock) -> float:
    """Seconds of bytes without KLV until the source is reopened; it is."""
    begin = clock.now
    while not patience.ended(stream):
        bytes_come(stream, clock, 0.5)
        assert clock.now - begin < 1000
    stream.opened()
    return clock.now - begin


@pytest.mark.parametrize(("seconds", "reason"), [(19.9, ""), (20.0, HANGS)])
def test_a_reader_without_a_byte_hangs_after_its_timeouts(seconds: float, reason: str, clock: Clock):
    """Not before: it has timeouts, whose errors say more."""
    stream, patience = health(clock, stall=60.0), Patience(60.0, hung=20.0)
    clock.now += seconds

    assert patience.ended(stream) == reason


def test_reopenings_without_klv_grow_rarer_to_a_minute(clock: Clock):
    """Each costs a session of the camera."""
    stream, patience = health(clock), Patience(5.0, hung=20.0)

    assert [reopened_after(patience, stream, clock) for _ in range(6)] == [5.0, 10.0, 20.0, 40.0, LONGEST, LONGEST]


def test_a_longer_stall_is_the_longest_pause(clock: Clock):
    """Where KLV may pause for two minutes, the source is not reopened after one."""
    stream, patience = health(clock, stall=120.0), Patience(120.0, hung=20.0)

    assert [reopened_after(patience, stream, clock) for _ in range(3)] == [120.0] * 3


@pytest.mark.parametrize(("live", "pause"), [(LONGEST - 5.0, 20.0), (LONGEST, 5.0)])
def test_only_a_minute_of_klv_makes_the_next_pause_short(live: float, pause: float, clock: Clock):
    """A short-lived track does not count; the stall that ends it (5 s) is part of the time."""
    stream, patience = health(clock), Patience(5.0, hung=20.0)
    assert [reopened_after(patience, stream, clock) for _ in range(2)] == [5.0, 10.0]

    klv_comes(stream, clock, live)
    assert not patience.ended(stream)

    assert reopened_after(patience, stream, clock) == pause


def test_klv_that_ended_is_treated_as_missing_klv(clock: Clock):
    """Its track may have been replaced by another."""
    stream, patience = health(clock), Patience(5.0, hung=20.0)
    klv_comes(stream, clock, LONGEST)

    assert reopened_after(patience, stream, clock) == 5.0
    assert stream.state == "stale"


def test_a_silent_source_is_ended_by_its_timeouts(clock: Clock):
    """Reopening it would not help."""
    stream, patience = health(clock), Patience(5.0, hung=20.0)
    clock.now += 19.0

    assert patience.ended(stream) == ""


def test_packets_beyond_the_limit_are_counted_since_the_last_log_line(said: Callable[[], list[str]]):
    """Where there are none since, nothing is logged."""
    oversize = Oversize("uav1", 4096)
    for count in (0, 3, 3, 5):
        oversize.look(count)

    text = "uav1: KLV packets too large: count={} packet_limit=4096; skipped; raise packet_limit"
    assert said() == [text.format(3), text.format(2)]


def test_packets_beyond_the_limit_are_checked_once_a_second():
    """However often records arrive."""
    oversize = Oversize("uav1", 4096)

    due = [oversize.is_due(100 + n * EVERY / 4) for n in range(9)]

    assert due == [True, False, False, False, True, False, False, False, True]
