"""Which records are left out untried after others of their stream broke connections, and for how long."""

from __future__ import annotations

from manual_clock import Clock
from records import record

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
    barred.answered([sized(89), sized(500, "uav2")])
    assert barred.set_aside(sized(200)) == 90
    assert [barred.bars(sized(size)) for size in (89, 90, 200)] == [False, True, True]
    assert not barred.bars(sized(200, "uav2"))
    clock.now += HOLD - 0.01
    assert barred.bars(sized(100))
    clock.now += 0.01
    assert not barred.bars(sized(100))
    assert not barred


def test_records_that_are_a_little_smaller_are_barred_too():
    """The sizes of a stream vary: each size would cost several connections. A smaller one that fails lowers that."""
    barred = Barred(Clock())
    barred.set_aside(sized(1000))
    barred.answered([sized(300, "uav2")])
    assert barred.set_aside(sized(1001)) == 875
    assert [barred.bars(sized(size)) for size in (874, 875)] == [False, True]
    assert barred.set_aside(sized(800)) == 700
    assert barred.bars(sized(700))


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
    assert barred.set_aside(sized(100)) == 88
