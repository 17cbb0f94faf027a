"""From changes of health to incidents."""

from __future__ import annotations

import tracemalloc

from incident_clock import NOON, Kept, Machine, OneASecond, tracking

from klvrelay.incidents.tracker import KNOWN_MOST, Tracker


def test_an_outage_is_one_incident_from_its_first_sign_to_its_end():
    """Its times are those of the change, its duration is that of the monotonic clock."""
    machine = Machine()
    tracker, kept = tracking(machine)
    tracker.note(machine.change("uav1", "live"))
    machine.seconds = 10
    tracker.note(machine.change("uav1", "stale", ago=4.75, reason="nothing received for 5 s"))
    assert kept.only.is_open
    machine.seconds = 30
    tracker.note(machine.change("uav1", "live"))

    one = kept.only
    assert (one.subject, one.name, one.cause, one.message) == ("stream", "uav1", "source", "nothing received for 5 s")
    assert (one.since_us - NOON, one.detected_us - NOON) == (5_250_000, 10_000_000)
    assert one.restored_us == NOON + 30_000_000
    assert (one.detection, one.duration, one.end) == (4.75, 24.75, "restored")
    assert (one.lost, one.estimated) == (25, True)


def test_a_change_of_state_within_an_outage_is_the_same_incident():
    """Stale, then down, then waiting for KLV: its cause becomes more exact, its begin stays."""
    machine = Machine()
    tracker, kept = tracking(machine)
    tracker.note(machine.change("uav1", "stale", ago=5, cause="klv"))
    machine.seconds = 2
    tracker.note(machine.change("uav1", "down", cause="network", reason="no route to host"))
    tracker.note(machine.change("uav1", "waiting"))
    tracker.note(machine.change("uav1", "stale", cause="network", reason="no route to host"))
    assert (kept.only.cause, kept.only.message, kept.only.since_us) == ("network", "no route to host", NOON - 5_000_000)
    tracker.note(machine.change("uav1", "live"))
    assert kept.only.duration == 7


def test_a_stream_that_is_not_connected_yet_or_a_file_that_ends_is_no_incident():
    """Only states of an outage begin one."""
    machine = Machine()
    tracker, kept = tracking(machine)
    for state in ("waiting", "live", "ended"):
        tracker.note(machine.change("tape", state))
    tracker.note(machine.change("mqtt", "up", subject="sink"))
    assert kept.all == []


def test_a_stop_of_the_relay_ends_no_incident():
    """The streams end because of the stop, not because they are good again."""
    machine = Machine()
    tracker, kept = tracking(machine)
    tracker.note(machine.change("uav1", "down"))
    tracker.note(machine.change("relay", "stopping", subject="relay"))
    tracker.note(machine.change("uav1", "ended"))
    assert kept.only.is_open


def test_a_stream_that_ends_in_an_outage_was_not_restored():
    """A reload removed it, or its source was a file."""
    machine = Machine()
    tracker, kept = tracking(machine)
    tracker.note(machine.change("uav1", "down"))
    machine.seconds = 3
    tracker.note(machine.change("uav1", "ended"))
    assert (kept.only.end, kept.only.duration) == ("ended", 3)


def test_a_step_of_the_wall_clock_changes_no_duration():
    """Neither during an outage, nor between its first sign and its detection."""
    machine = Machine()
    tracker, kept = tracking(machine)
    tracker.note(machine.change("uav1", "stale", ago=5))
    machine.step(-86400)
    machine.seconds = 20
    tracker.note(machine.change("uav1", "live"))
    assert kept.only.duration == 25
    assert kept.only.detection == 5


def test_an_open_incident_is_continued_by_the_next_run():
    """Its duration is that of both runs together, whatever happened to the wall clock between them."""
    machine = Machine()
    tracker, kept = tracking(machine)
    tracker.note(machine.change("uav1", "stale", ago=5))
    machine.seconds = 60
    machine.step(3600)
    later = Tracker("run2", machine.clock(), kept, OneASecond())
    later.adopt(kept.all)
    later.note(machine.change("uav1", "live"))
    assert (kept.only.duration, kept.only.end, kept.only.run) == (65, "restored", "run1")


def test_after_a_restart_of_the_machine_the_wall_clock_counts():
    """CLOCK_BOOTTIME of another start is not comparable."""
    machine = Machine()
    tracker, kept = tracking(machine)
    tracker.note(machine.change("uav1", "stale", ago=5))
    machine.seconds = 100
    machine.restart()
    later = Tracker("run2", machine.clock(), kept, OneASecond())
    later.adopt(kept.all)
    later.note(machine.change("uav1", "live"))
    assert kept.only.duration == 105


def test_an_outage_that_the_next_run_finds_before_it_reads_the_ledger_is_one_incident():
    """The file was locked for a time: the incident of this run is that of the run before."""
    machine = Machine()
    tracker, kept = tracking(machine)
    tracker.note(machine.change("uav1", "stale", ago=5))
    earlier, store = kept.all, Kept()
    later = Tracker("run2", machine.clock(), store, OneASecond())
    machine.seconds = 7
    later.note(machine.change("uav1", "down", ago=1))
    later.adopt(earlier)
    machine.seconds = 9
    later.note(machine.change("uav1", "live"))
    assert (store.only.id, store.only.duration) == (earlier[0].id, 14)


def test_what_was_good_before_the_ledger_was_read_ended_then():
    """The incident of the run before ends when the stream became live, not when the file could be read."""
    machine = Machine()
    tracker, kept = tracking(machine)
    tracker.note(machine.change("uav1", "stale", ago=5))
    later = Tracker("run2", machine.clock(), kept, OneASecond())
    machine.seconds = 10
    later.note(machine.change("uav1", "live"))
    machine.seconds = 50
    later.adopt([kept.only])
    assert kept.only.duration == 15


def test_an_incident_of_a_removed_stream_ends_when_its_run_was_killed():
    """No one will see it again."""
    machine = Machine()
    tracker, kept = tracking(machine)
    tracker.note(machine.change("uav1", "stale", ago=5))
    machine.seconds = 20
    killed = machine.clock().now()
    machine.seconds = 100
    later = Tracker("run2", machine.clock(), kept, OneASecond())
    later.adopt(kept.all)
    later.retire(lambda key: key[1] == "uav2", killed)
    assert (kept.only.duration, kept.only.end) == (25, "ended")


def test_the_relay_was_down_from_its_kill_until_it_runs_again():
    """The records lost are estimated from the rate before."""
    machine = Machine(seconds=10)
    killed = machine.clock().now()
    machine.seconds = 40
    tracker, kept = tracking(machine, "run2")
    tracker.begin_relay(killed, machine.clock().now(), "killed", rate=30.0)
    machine.seconds = 42
    tracker.note(machine.change("relay", "running", subject="relay"))
    one = kept.only
    assert (one.subject, one.cause, one.since_us - NOON) == ("relay", "relay", 10_000_000)
    assert (one.detection, one.duration, one.lost, one.estimated) == (30, 32, 960, True)


def test_a_relay_that_is_killed_before_it_is_ready_was_down_once():
    """Two kills with no good moment between them are one outage."""
    machine = Machine()
    tracker, kept = tracking(machine, "run2")
    tracker.begin_relay(machine.clock().now(), machine.clock().now(), "killed", 0.0)
    machine.seconds = 5
    later = Tracker("run3", machine.clock(), kept, OneASecond())
    earlier = kept.all
    later.begin_relay(machine.clock().now(), machine.clock().now(), "killed", 0.0)
    later.continue_relay(earlier, machine.clock().now())
    machine.seconds = 8
    later.note(machine.change("relay", "running", subject="relay"))
    assert (kept.only.duration, kept.only.end) == (8, "restored")


def test_a_thousand_flaps_are_a_thousand_incidents_with_the_true_mean():
    """Each of them lasts its time, and the mean is that of their durations."""
    machine = Machine()
    tracker, kept = tracking(machine)
    for number in range(1000):
        machine.seconds += 10
        tracker.note(machine.change("uav1", "stale", ago=4))
        machine.seconds += 1 + number % 7
        tracker.note(machine.change("uav1", "live"))
    expected = [5 + number % 7 for number in range(1000)]
    assert [one.duration for one in kept.all] == expected
    assert tracker.counts.closed == {("stream", "source"): 1000}
    assert tracker.counts.seconds["stream", "source"] / 1000 == sum(expected) / 1000


def test_tens_of_thousands_of_flaps_stay_in_bounded_memory():
    """A tracker keeps the open incidents, and the last ones that have ended, for a short time."""
    machine = Machine()
    store = Kept()
    tracker = Tracker("run1", machine.clock(), store, OneASecond())


    def flap(times: int) -> None:
        for _ in range(times):
            tracker.note(machine.change("uav1", "stale"))
            tracker.note(machine.change("uav1", "live"))
            store.known.clear()

    flap(KNOWN_MOST + 1)
    tracemalloc.start()
    try:
        flap(1000)
        assert tracemalloc.get_traced_memory()[0] < 1 << 20
    finally:
        tracemalloc.stop()
