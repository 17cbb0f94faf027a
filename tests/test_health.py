"""What a stream and a sink went through: counted, and said once."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator

import pytest
from records import damaged, record, spoilt

from klvrelay.backoff import Backoff
from klvrelay.health import SinkHealth, StreamHealth
from klvrelay.record import Packet


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], list[str]]]:
    """Gives the lines of the log so far."""
    logger = logging.getLogger("klvrelay")
    before = logger.propagate, logger.level, logger.handlers[:]
    logger.propagate, logger.handlers[:] = True, []
    logger.setLevel(logging.INFO)
    yield lambda: caplog.messages
    logger.propagate, logger.level, logger.handlers[:] = before


Said = Callable[[], list[str]]
PACKET = Packet(b"x" * 100)


def test_a_stream_comes_online_with_its_first_packet_and_says_so_once(said: Said):
    """Its name, its address, and no more with the packets that follow."""
    health = StreamHealth("uav1", "udp://0.0.0.0:5000")
    assert health.saw(PACKET, 1.0)
    assert not health.saw(PACKET, 2.0)
    assert said() == ["uav1: online, udp://0.0.0.0:5000"]
    assert (health.packets, health.size, health.online) == (2, 200, True)


def test_the_same_fault_is_said_once(said: Said):
    """Not at each try; another fault is news, and so is that it is back."""
    health = StreamHealth("uav1", "tcp://h:1")
    for _ in range(20):
        health.down("nobody listens there")
    health.down("the host's name is not known")
    health.saw(PACKET, 1.0)
    assert [m.partition(": ")[2] for m in said()] == [
        "nobody listens there; trying again",
        "the host's name is not known; trying again",
        "back",
    ]


def test_a_fault_is_one_line_whatever_is_in_it(said: Said):
    """Line ends and escapes that came from outside stay text."""
    StreamHealth("uav1", "x").down("a\nb\x1b[31m\r")
    (line,) = said()
    assert line.isprintable()


def test_silence_takes_a_stream_offline_once(said: Said):
    """After the patience, not before; the next packet brings it back."""
    health = StreamHealth("uav1", "udp://:5000")
    health.saw(PACKET, 10.0)
    assert not health.silent(14.9, 5.0)
    assert health.silent(15.0, 5.0)
    assert not health.silent(16.0, 5.0)
    assert not health.online
    assert health.saw(PACKET, 17.0)


def test_a_source_that_never_heard_anything_is_told_once(said: Said):
    """A port to which nobody sends is no fault, but the operator is to know; the first packet ends it."""
    health = StreamHealth("uav1", "udp://:5000", born=0.0)
    health.look_for_packets(4.0, 5.0)
    assert said() == []
    for now in (6.0, 7.0):
        health.look_for_packets(now, 5.0)
    assert [m for m in said() if "nothing received yet" in m] == said()
    assert len(said()) == 1
    health.saw(PACKET, 8.0)
    health.look_for_packets(60.0, 5.0)
    assert len(said()) == 2


def test_a_stream_without_klv_is_told_once(said: Said):
    """Bytes come, and no KLV in them: what, and what to look at."""
    health = StreamHealth("uav1", "udp://:5000")
    for now in range(60):
        health.saw(PACKET, float(now))
        health.look_for_klv(float(now), 10.0)
    assert sum("no KLV" in m for m in said()) == 1
    other = StreamHealth("uav2", "udp://:5001")
    other.saw(PACKET, 0.0)
    other.decoded(record(0))
    other.look_for_klv(100.0, 10.0)
    assert sum("no KLV" in m for m in said()) == 1


def test_records_are_counted_by_their_quality():
    """Good, bad by checksum, damaged on the way."""
    health = StreamHealth("uav1", "x")
    for each in (record(0), record(1), spoilt(2), damaged(3)):
        health.decoded(each)
    assert (health.records, health.bad, health.damaged) == (4, 1, 1)


def test_an_outage_of_a_sink_is_said_once_and_its_end_too(said: Said):
    """Many tries, two lines; outages are counted."""
    health = SinkHealth("mqtt://h:1883")
    for _ in range(10):
        health.down("mqtt://h:1883: connection refused")
    health.connected()
    assert (health.outages, health.ever_up) == (0, True)
    for _ in range(10):
        health.down("mqtt://h:1883: the broker shut down")
    health.connected()
    assert health.outages == 1
    assert len(said()) == 4


def test_backoff_doubles_to_its_cap_with_jitter():
    """From half a second to half a minute, each between half and all of it; from the start after a success."""
    backoff = Backoff(chance=random.Random(1))
    waits = [backoff.next() for _ in range(40)]
    for tries, wait in enumerate(waits):
        full = min(30.0, 0.5 * 2**tries)
        assert full / 2 <= wait <= full
    assert len({round(wait, 6) for wait in waits[10:]}) > 20
    backoff.reset()
    assert backoff.next() <= 0.5
    assert backoff.tries == 1
