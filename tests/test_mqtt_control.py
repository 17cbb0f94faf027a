"""Connections without a suspected message, and what they prove."""

from __future__ import annotations

from manual_clock import Clock

from klvrelay.sinks.mqtt.protocol.connection import Message
from klvrelay.sinks.mqtt.refused.control import ANSWERS, CONTROL, CONTROL_MOST, DOUBTS_MOST, LONGEST, SILENT, Control

STATUS = Message("kr/status", b"{}", retain=True)
STATE, OTHER_STATE = (Message(f"kr/{stream}/state", b"{}", retain=True) for stream in ("uav1", "uav2"))
FIRST, SECOND = (Message("kr/uav1/telemetry", payload) for payload in (b"1", b"2"))
RAW, OTHER = Message("kr/uav1/raw", b"r"), Message("kr/uav2/telemetry", b"1")
ENOUGH = 3


def control() -> tuple[Control, Clock]:
    clock = Clock()
    made = Control(clock)
    made.begin()
    return made, clock


def suspicious(*suspects: Message) -> tuple[Control, Clock]:
    """These messages ended a connection each, and the next one has begun."""
    made, clock = control()
    for suspect in suspects:
        assert not made.lost(suspect, ENOUGH)
        made.begin()
    return made, clock


def last(made: Control, clock: Clock, seconds: float = CONTROL_MOST) -> None:
    """The connection lasts, with messages answered."""
    clock.now += seconds
    for _ in range(ANSWERS):
        made.accept(STATUS)


def test_the_stream_of_a_suspect_waits_and_others_do_not():
    """Later records of the stream are on other topics too. Its latest values are in no order with them."""
    made, _ = suspicious(FIRST)
    assert [made.withholds(each) for each in (FIRST, SECOND, RAW, OTHER, STATE, STATUS)] == [True] * 3 + [False] * 3


def test_a_suspect_is_sent_once_the_control_has_lasted_with_answers():
    """Neither is enough alone."""
    made, clock = suspicious(FIRST)
    clock.now += CONTROL
    assert made.withholds(FIRST)
    made.accept(STATUS)
    assert not made.withholds(FIRST)
    assert not made.withholds(SECOND)


def test_a_message_is_the_cause_only_after_controls():
    """The first strike had none before it."""
    made, clock = suspicious(FIRST)
    for strikes in range(2, ENOUGH + 1):
        last(made, clock)
        assert made.lost(FIRST, ENOUGH) is (strikes == ENOUGH)
        made.begin()
    assert not made.is_running


def test_connections_that_end_without_the_suspect_clear_it():
    """And each time it needs one strike more."""
    for doubts in range(1, DOUBTS_MOST + 3):
        made, clock = control()
        for _ in range(doubts):
            assert not made.lost(FIRST, ENOUGH)
            made.begin()
            made.acquit()
        needed = ENOUGH + min(doubts, DOUBTS_MOST)
        results = []
        for _ in range(needed):
            last(made, clock)
            results.append(made.lost(FIRST, ENOUGH))
            made.begin()
        assert results == [False] * (needed - 1) + [True]


def test_a_control_that_ends_at_another_message_is_followed_by_one_with_accepted_messages_only():
    """There may be two causes: the second control has only what the broker accepted since the first suspicion."""
    made, clock = control()
    assert not made.lost(FIRST, ENOUGH)
    made.begin()
    made.accept(STATUS)
    assert not made.lost(OTHER_STATE, ENOUGH)
    made.begin()
    assert [made.withholds(each) for each in (FIRST, OTHER_STATE, STATE, OTHER, STATUS)] == [True] * 4 + [False]
    last(made, clock)
    assert [made.withholds(each) for each in (FIRST, OTHER_STATE)] == [False, True]
    made.accept(FIRST)
    assert not made.withholds(OTHER_STATE)


def test_a_second_control_that_ends_proves_that_no_message_is_the_cause():
    """Connections end whatever is sent."""
    made, _ = suspicious(FIRST, OTHER)
    made.lost(STATUS, ENOUGH)
    assert not made.is_running


def test_a_control_outlasts_the_connections_that_the_suspect_ended():
    """In seconds and answers: otherwise connections that end after a constant time or number would end at it each time.
    """
    made, clock = suspicious(FIRST)
    last(made, clock, 3.0)
    assert not made.lost(FIRST, ENOUGH)
    made.begin()
    last(made, clock, 4.4)
    assert made.withholds(FIRST)
    clock.now += 0.2
    assert not made.withholds(FIRST)
    made.begin()
    clock.now += 5.0
    for _ in range(ANSWERS - 1):
        made.accept(STATUS)
        assert made.lacks_answers
    made.accept(STATUS)
    assert not made.lacks_answers


def test_without_other_messages_a_long_silence_is_the_control_of_one_suspect():
    """Two of them may be all that can be sent: then none is the cause."""
    made, clock = suspicious(FIRST)
    clock.now += SILENT
    assert not made.withholds(FIRST)
    assert made.lost(FIRST, 2)
    made, clock = suspicious(FIRST, OTHER)
    clock.now += SILENT
    assert not made.withholds(OTHER)
    assert not made.is_running


def test_a_suspect_that_does_not_come_again_delays_no_other():
    """It may have been shed."""
    made, clock = suspicious(FIRST, OTHER)
    last(made, clock)
    assert made.withholds(OTHER)
    clock.now += LONGEST
    assert not made.withholds(OTHER)
