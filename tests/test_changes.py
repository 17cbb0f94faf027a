"""Each change of state is one event: when it began, its cause, and who receives it."""

from __future__ import annotations

import errno
import socket
import ssl

import pytest
from cases import each_case
from manual_clock import Clock
from records import record

from klvrelay.core import Counters
from klvrelay.errors import InternalError, Shortage, SinkDown, SourceDown
from klvrelay.health import SinkHealth, SpoolHealth, StreamHealth
from klvrelay.health.causes import cause_of
from klvrelay.health.changes import Change, Changes
from klvrelay.health.sink import PATIENCE_MOST, UNANSWERED
from klvrelay.health.stream import SUDDEN_LEAST
from klvrelay.link_stats import LinkStats
from klvrelay.relay.supervise import contain


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def heard() -> list[Change]:
    return []


def stream(clock: Clock, heard: list[Change]) -> StreamHealth:
    return StreamHealth("uav1", "udp://:5000", 5.0, clock, heard.append)


def sink(clock: Clock, heard: list[Change]) -> SinkHealth:
    return SinkHealth("mqtt://broker:1883", clock=clock, key="mqtt", publish=heard.append)


def fly(health: StreamHealth, clock: Clock, count: int, every: float) -> None:
    for number in range(count):
        clock.now += every
        health.add_record(record(number))


def test_a_silence_begins_with_its_last_record(clock: Clock, heard: list[Change]):
    """It is found by a time-out, but the outage is as old as the silence."""
    health = stream(clock, heard)
    fly(health, clock, 10, 0.1)
    last = clock.now
    while health.state == "live":
        clock.now += 0.25
        health.check()
    change = heard[-1]
    assert (change.state, change.before, change.ok, change.cause) == ("stale", "live", False, "source")
    assert change.since == last
    assert change.at == clock.now == last + 5.0
    assert change.at_us - change.since_us == 5_000_000


@pytest.mark.parametrize("every", [0.033, 1.0])
def test_a_lost_connection_begins_an_outage_at_once(clock: Clock, heard: list[Change], every: float):
    """Up to two usual intervals after the last record, the connection was still good."""
    health = stream(clock, heard)
    fly(health, clock, 10, every)
    clock.now += max(SUDDEN_LEAST, 2 * every) - 0.01
    health.mark_down("closed")
    assert heard[-1].since == heard[-1].at == clock.now


@pytest.mark.parametrize("every", [0.033, 1.0])
def test_a_fault_after_a_silence_ends_the_silence(clock: Clock, heard: list[Change], every: float):
    """The fault is then a time-out of the source."""
    health = stream(clock, heard)
    fly(health, clock, 10, every)
    last = clock.now
    clock.now += max(SUDDEN_LEAST, 2 * every) + 0.01
    health.mark_down("sent nothing", "network")
    assert (heard[-1].since, heard[-1].cause) == (last, "network")


@pytest.mark.parametrize(("damaged", "cause"), [(0, "klv"), (49, "klv"), (50, "transport")])
def test_the_cause_of_missing_klv_is_in_the_transport_if_that_is_damaged(
    clock: Clock, heard: list[Change], damaged: int, cause: str
):
    """From one damaged packet in twenty on."""
    health = stream(clock, heard)
    health.set_size(1000)
    fly(health, clock, 10, 0.1)
    health.note_link(LinkStats(lane=Counters(ts_packets=500, continuity_errors=400)))
    clock.now += 4.5
    health.note_link(LinkStats(lane=Counters(ts_packets=1500, continuity_errors=400 + damaged)))
    health.set_size(2000)
    clock.now += 0.5
    health.check()
    assert (heard[-1].state, heard[-1].cause) == ("stale", cause)


def test_a_stream_that_nobody_expects_makes_no_event_before_its_first_record(clock: Clock, heard: list[Change]):
    """Its absence is no outage."""
    health = stream(clock, heard)
    health.expected = False
    health.set_size(1000)
    health.mark_down("closed")
    assert heard == []
    health.add_record(record(0))
    assert [change.state for change in heard] == ["live"]


def test_a_sink_that_does_not_answer_is_stalled_since_its_last_answer(clock: Clock, heard: list[Change]):
    """With records in flight only; a lost connection continues the outage."""
    health = sink(clock, heard)
    health.mark_connected()
    clock.now += 100
    health.check(0)
    health.note_answer()
    last = clock.now
    clock.now += UNANSWERED - 0.01
    health.check(3)
    assert health.state == "up"
    clock.now += 0.01
    health.check(3)
    assert (health.state, health.up, heard[-1].since, heard[-1].cause) == ("stalled", True, last, "network")
    clock.now += 10
    health.mark_down("no response", "network")
    assert (heard[-1].state, heard[-1].since, health.outages) == ("down", last, 1)


def test_a_slow_sink_is_given_more_time_after_each_late_answer(clock: Clock, heard: list[Change]):
    """So that one that always takes six seconds is stalled once, not at each answer."""
    health = sink(clock, heard)
    health.mark_connected()
    for _ in range(20):
        for _ in range(6):
            clock.now += 1
            health.check(1)
        health.note_answer()
    assert [change.state for change in heard] == ["up", "stalled", "up"]
    for _ in range(int(PATIENCE_MOST) + 1):
        clock.now += 1
        health.check(1)
    assert health.state == "stalled"


def test_the_disk_of_the_spool_makes_an_event_when_it_fails_and_when_it_works_again(heard: list[Change]):
    """However often it is checked meanwhile."""
    health = SpoolHealth(publish=heard.append)
    for fault in (None, "disk full", "disk full", None, None):
        health.check("spool", fault, 0, 0, 0, 0)
    assert [(change.state, change.ok, change.cause) for change in heard] == [
        ("failing", False, "disk"), ("writing", True, None)
    ]  # fmt: skip


def raised(fault: Exception, by: Exception) -> Exception:
    """`fault`, raised while `by` was handled."""
    fault.__context__, fault.__suppress_context__ = by, True
    return fault


EXPIRED = ssl.SSLCertVerificationError("expired")
EXPIRED.verify_code = 10
UNKNOWN_CA = ssl.SSLCertVerificationError("self-signed")
UNKNOWN_CA.verify_code = 18


@each_case(
    ("fault", "cause"),
    [
        (SourceDown("ended"), "source"),
        (raised(SourceDown("x"), ConnectionRefusedError(errno.ECONNREFUSED, "")), "source"),
        (raised(SourceDown("x"), ConnectionResetError(errno.ECONNRESET, "")), "source"),
        (raised(SourceDown("x"), OSError(errno.ENETUNREACH, "")), "network"),
        (raised(SourceDown("x"), OSError(errno.EHOSTUNREACH, "")), "network"),
        (raised(SourceDown("x"), TimeoutError()), "network"),
        (raised(SourceDown("x"), socket.gaierror(-2, "unknown")), "network"),
        (raised(SinkDown("x"), OSError(errno.ENOSPC, "")), "disk"),
        (raised(SinkDown("x"), OSError(errno.EIO, "")), "disk"),
        (raised(SinkDown("x"), EXPIRED), "clock"),
        (raised(SinkDown("x"), UNKNOWN_CA), "source"),
        (Shortage("too many open files"), "relay"),
        (InternalError("internal error"), "relay"),
    ],
)
def test_the_cause_of_an_outage_is_in_the_error_or_in_what_raised_it(fault: Exception, cause: str):
    """An error without a sign of another cause is one of the far end."""
    assert cause_of(fault, "source") == cause


def test_a_listener_that_fails_hurts_no_other_and_is_logged_once(heard: list[Change], caplog: pytest.LogCaptureFixture):
    """The listeners after it receive the change too."""

    def fail(change: Change) -> None:
        raise KeyError("bug")

    changes = Changes(contain)
    changes.listen(fail)
    changes.listen(heard.append)
    health = SpoolHealth(publish=changes.publish)
    for fault in ("disk full", None, "disk full"):
        health.check("spool", fault, 0, 0, 0, 0)
    assert [change.state for change in heard] == ["failing", "writing", "failing"]
    assert caplog.text.count("internal error: KeyError") == 1
