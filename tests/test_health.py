"""The events of a stream and a sink: counted, and logged once."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime

import orjson
import pytest
from manual_clock import Clock
from records import damaged, record, spoilt

from klvrelay import backoff as repeats
from klvrelay.backoff import Backoff
from klvrelay.core import Counters
from klvrelay.health import SinkHealth, StreamHealth
from klvrelay.health.report import link_document
from klvrelay.health.rhythm import Rhythm
from klvrelay.link_stats import LinkStats

Said = Callable[[], list[str]]


@pytest.fixture
def clock() -> Clock:
    return Clock()


def stream(clock: Clock, stall: float = 5.0) -> StreamHealth:
    return StreamHealth("uav1", "udp://:5000", stall, clock)


def test_each_state_of_a_stream_is_logged_once(said: Said, clock: Clock):
    """Bytes, KLV, silence, KLV again, a fault: each change gives one line and one count, with its duration."""
    health = stream(clock)
    for size in (1000, 2000, 3000):
        clock.now += 1
        health.set_size(size)
        health.check()
    for number in range(3):
        clock.now += 1
        health.add_record(record(number))
        health.check()
    for _ in range(8):
        clock.now += 1
        health.check()
    health.add_record(record(4))
    for _ in range(5):
        health.mark_down("nobody listens there")
    assert [line.partition(": ")[2] for line in said()] == [
        "waiting: receiving from udp://:5000, no KLV yet",
        "live: udp://:5000",
        "stale: nothing received for 5 s",
        "live: back after 8.0 s",
        "nobody listens there; retrying",
    ]
    assert health.changes == {"connecting": 1, "waiting": 1, "live": 2, "stale": 1, "down": 1}
    assert health.spent() == {"connecting": 1, "waiting": 3, "live": 2 + 5, "stale": 3, "down": 0}


def test_a_stall_is_noticed_within_its_time_and_not_before(clock: Clock):
    """The same for silence and for bytes without KLV; the state tells them apart."""
    for bytes_come in (False, True):
        health = stream(clock, stall=2.0)
        health.add_record(record(0))
        for step in range(8):
            clock.now += 0.25
            if bytes_come:
                health.set_size(1000 + step)
            health.check()
            assert health.state == ("stale" if step == 7 else "live")
        assert ("no KLV" in health.reason) is bytes_come


def test_a_server_silent_since_its_last_klv_is_not_reported_as_sending(clock: Clock):
    """Video continued for two seconds and stopped: the state says that no bytes arrive."""
    health = stream(clock, stall=5.0)
    health.add_record(record(0))
    for step in range(20):
        clock.now += 0.25
        if step < 8:
            health.set_size(1000 + step)
        health.check()
    assert health.reason == "no KLV for 5 s, and nothing at all for 3.0 s"


def test_an_outage_is_measured_from_the_last_record(clock: Clock):
    """The mean is the time to recover; a current outage is not included."""
    health = stream(clock)
    for lost in (10.0, 30.0):
        health.add_record(record(0))
        clock.now += 5
        health.check()
        health.mark_down("gone")
        clock.now += lost - 5
        health.add_record(record(1))
    clock.now += 6
    health.check()
    assert (health.outages, health.recovered) == (3, 2)
    assert (health.away, health.away_last, health.away_longest) == (40.0, 30.0, 30.0)


def test_the_same_fault_is_logged_once(said: Said, clock: Clock):
    """Not at each attempt; another fault is logged, and so is the recovery."""
    health = stream(clock)
    for _ in range(20):
        health.mark_down("nobody listens there")
    clock.now += 1
    health.mark_down("the host's name is not known")
    health.add_record(record(0))
    assert [m.partition(": ")[2] for m in said()] == [
        "nobody listens there; retrying",
        "the host's name is not known (20 faults); retrying",
        "live: udp://:5000",
    ]


def test_a_flapping_source_does_not_flood_the_log(said: Said, clock: Clock):
    """Once a second for ten minutes: few lines, and each reported outage has its reported end."""
    health = stream(clock)
    health.add_record(record(0))
    for number in range(600):
        clock.now += 0.5
        health.mark_down("closed")
        clock.now += 0.25
        health.set_size(1000 * (number + 1))
        clock.now += 0.25
        health.add_record(record(number))
    away = [line for line in said() if "retrying" in line]
    assert len(away) <= 17
    assert away[-1].startswith("uav1: closed (64 faults)")
    assert len([line for line in said() if "live: back" in line]) == len(away)
    assert len([line for line in said() if "waiting:" in line]) == len(away)
    assert health.outages == 600


def test_an_outage_after_many_short_ones_is_logged_though_its_first_fault_was_not(said: Said, clock: Clock):
    """"back" is never the last line of a source that has been away for an hour, and a recovery has its outage."""
    health = stream(clock)
    for number in range(600):
        health.add_record(record(number))
        clock.now += 0.1
        health.mark_down("closed")
    before = len(said())
    for _ in range(120):
        clock.now += 1
        health.mark_down("closed")
    assert [line.rpartition(": ")[2] for line in said()[before:]] == ["closed (288 faults); retrying"]
    health.add_record(record(0))
    assert "live: back after 120" in said()[-1]


def test_the_final_fault_of_a_source_is_always_logged(said: Said, clock: Clock):
    """Even where the same fault was logged a moment ago, as for a retried source."""
    health = stream(clock)
    health.mark_down("closed")
    health.mark_down("closed", again=False)
    assert said() == ["uav1: closed; retrying", "uav1: closed"]


def test_a_flapping_sink_does_not_flood_the_log(said: Said):
    """Two relays with one client id: the first disconnect is logged, and the next one a while later."""
    health = SinkHealth("mqtt://h:1883")
    for _ in range(50):
        health.mark_connected()
        health.mark_down("mqtt://h:1883: another client took over the client id")
    health.mark_connected()
    assert [line.partition(" after ")[0] for line in said()] == [
        "mqtt://h:1883: connected",
        "mqtt://h:1883: another client took over the client id; retrying, records wait",
        "mqtt://h:1883: reconnected",
    ]
    assert health.outages == 50


def test_a_sink_that_is_reached_and_never_answers_does_not_flood_the_log(said: Said, clock: Clock):
    """Each connection lasts until its time limit: at most about a line a minute, and the faults between are counted."""
    health = SinkHealth("http://h", clock=clock)
    for _ in range(360):  # an hour
        health.mark_connected()
        clock.now += 10
        health.mark_down("http://h: no response within 10 s")
    lines = said()
    assert len(lines) < 130
    assert "(7 faults)" in lines[-2] + lines[-1]


def test_a_fault_is_one_line_whatever_is_in_it(said: Said, clock: Clock):
    """Line ends and escapes from outside stay text."""
    stream(clock).mark_down("a\nb\x1b[31m\r")
    (line,) = said()
    assert line.isprintable()


def test_a_source_without_any_data_is_logged_once(said: Said, clock: Clock):
    """A silent port is no fault, but the operator should know."""
    health = stream(clock)
    for _ in range(60):
        clock.now += 1
        health.check()
    (line,) = said()
    assert line == f"uav1: {health.reason}"
    assert "nothing received yet" in line
    assert health.state == "connecting"


def test_a_stream_without_klv_is_logged_once(said: Said, clock: Clock):
    """Bytes arrive without KLV: what arrives, and what to check."""
    health = stream(clock)
    for second in range(60):
        clock.now += 1
        health.set_size(1_000_000 * (second + 1))
        health.check()
    assert sum("no KLV in it so far" in m for m in said()) == 1
    assert health.state == "waiting"


def test_the_cause_of_missing_klv_is_logged_and_again_when_it_changes(said: Said, clock: Clock):
    """From the counters of the transport; each cause once, and the reason is the last one."""
    health = stream(clock)
    scrambled = Counters(ts_packets=99, klv_packets=9, klv_scrambled=9)
    for second in range(60):
        clock.now += 1
        health.set_size(1_000_000 * (second + 1))
        health.link = LinkStats(lane=Counters(ts_packets=99) if second < 20 else scrambled)
        health.check()

    lines = [line for line in said() if "no KLV in it so far" in line]
    causes = [line.partition("so far: ")[2].partition(". ")[0] for line in lines]
    assert causes == ["no PAT received, and no KLV recognised without it", "the KLV is scrambled (all 9 packets)"]
    assert "the KLV is scrambled (all 9 packets). Send the metadata in the clear" in health.reason


def test_a_file_without_klv_has_its_cause_at_the_end(said: Said, clock: Clock):
    """The cause, and what to do."""
    health = stream(clock)
    health.set_size(1000)
    health.link = LinkStats(lane=Counters(ts_packets=99, transport_errors=99))
    health.end(is_logged=False)
    assert "uav1: ended, and it had no KLV: all 99 TS packets are marked as damaged" in "\n".join(said())


def test_the_wall_clock_changes_no_state(clock: Clock, monkeypatch: pytest.MonkeyPatch):
    """It is set ten years back and forth: states and their times use the monotonic clock only."""
    health = stream(clock)
    for wall in (1.7e18, 1.4e18, 2.0e18, 0.0):
        monkeypatch.setattr("time.time_ns", lambda wall=wall: int(wall))
        clock.now += 1
        health.set_size(health.link.size + int(wall) + 1)
        health.add_record(record(0)._replace(received_us=int(wall) // 1000))
        health.check()
        document = orjson.loads(link_document(health, "b"))
        assert (document["state"], health.outages) == ("live", 0)
        assert all(state["seconds"] >= 0 for state in document["states"].values())


def test_gaps_are_unusual_pauses():
    """30 a second with one pause of a second is a gap; at one a second the same pause is usual."""
    fast, slow = Rhythm(), Rhythm()
    for number in range(300):
        fast.add(number / 30 + (1.0 if number >= 150 else 0.0))
        slow.add(float(number))
    assert (fast.gaps, slow.gaps) == (1, 0)
    assert fast.longest == pytest.approx(1 + 1 / 30)
    assert fast.rate(300 / 30 + 1.0) == pytest.approx(30, abs=0.5)
    assert slow.rate(299.0) == pytest.approx(1, abs=0.25)
    assert fast.rate(1000.0) == 0.0


def test_the_report_names_all_counters_of_the_transport(clock: Clock):
    """Every counter of the socket and of the transport lane is in it, under its own name, and it is JSON."""
    health = stream(clock)
    health.link = LinkStats(size=7, datagrams=2, kernel_drops=1, srt_rtt_ms=3.5, lane=Counters(ts_packets=9))
    health.add_record(spoilt(0))
    document = orjson.loads(link_document(health, "5f2c9a"))
    assert document["schema"] == "klvrelay/link/1"
    assert document["klv"]["bad_checksum"] == 1
    age = datetime.now(UTC) - datetime.fromisoformat(document["at"])
    assert -1 < age.total_seconds() < 60
    line = document["link"]
    assert (line["bytes"], line["datagrams"], line["kernel_drops"], line["ts_packets"]) == (7, 2, 1, 9)
    wanted = {f.name for f in fields(LinkStats)} | set(Counters._fields)
    assert wanted - set(line) == {"size", "lane", "packets", "bad_checksum", "damaged", "unknown_items"}


def test_records_are_counted_by_their_quality():
    """Valid, bad checksum, damaged in transit."""
    health = StreamHealth("uav1", "x")
    for each in (record(0), record(1), spoilt(2), damaged(3)):
        health.add_record(each)
    assert (health.records, health.bad, health.damaged) == (4, 1, 1)


def test_an_outage_of_a_sink_and_its_end_are_logged_once(said: Said, monkeypatch: pytest.MonkeyPatch):
    """Many attempts, two lines; outages are counted."""
    monkeypatch.setattr(repeats, "PACE", 0.0)
    health = SinkHealth("mqtt://h:1883")
    for _ in range(10):
        health.mark_down("mqtt://h:1883: connection refused")
    health.mark_connected()
    assert (health.outages, health.ever_up) == (0, True)
    for _ in range(10):
        health.mark_down("mqtt://h:1883: the broker shut down")
    health.mark_connected()
    assert health.outages == 1
    assert len(said()) == 4


def test_backoff_doubles_to_its_cap_with_jitter():
    """From half a second to half a minute, each between half and all of it; after a success from the start."""
    backoff = Backoff(chance=random.Random(1))
    waits = [backoff.next() for _ in range(40)]
    for tries, wait in enumerate(waits):
        full = min(30.0, 0.5 * 2**tries)
        assert full / 2 <= wait <= full
    assert len({round(wait, 6) for wait in waits[10:]}) > 20
    backoff.reset()
    assert backoff.next() <= 0.5
    assert backoff.tries == 1
