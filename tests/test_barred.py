"""Which records are left out untried after others of their stream broke connections, and for how long."""

from __future__ import annotations

from records import record
from timekeeping import Clock

from klvrelay.record import Record
from klvrelay.relay.barred import HOLD, Barred


def sized(size: int, stream: str = "uav1") -> Record:
    return record(0, stream, raw=bytes(size))


def test_two_records_of_a_stream_bar_those_that_are_as_large():
    """From the smaller of both, of that stream only, until another is tried."""
    clock = Clock()
    barred = Barred(clock)
    assert barred.set_aside(sized(100)) is None
    assert not barred.bars(sized(100))
    barred.answered([sized(99), sized(500, "uav2")])
    assert barred.set_aside(sized(200)) == 100
    assert [barred.bars(sized(size)) for size in (99, 100, 101)] == [False, True, True]
    assert not barred.bars(sized(200, "uav2"))
    clock.now += HOLD - 0.01
    assert barred.bars(sized(100))
    clock.now += 0.01
    assert not barred.bars(sized(100))
    assert not barred


def test_a_record_as_large_that_was_answered_proves_that_size_is_not_the_cause():
    """The next that is set aside is the first again."""
    barred = Barred(Clock())
    barred.set_aside(sized(100))
    barred.answered([sized(100)])
    assert not barred
    assert barred.set_aside(sized(100)) is None


def test_connections_over_which_nothing_is_answered_bar_nothing():
    """It is not the records that break them."""
    barred = Barred(Clock())
    assert [barred.set_aside(sized(100)) for _ in range(5)] == [None] * 5
    barred.answered([sized(50, "uav2")])
    assert barred.set_aside(sized(100)) == 100
