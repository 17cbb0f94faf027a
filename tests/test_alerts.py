"""The alerts of a relay: each default rule is raised by its fault and cleared after it, and by nothing else."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from alert_scenes import LiveStream, Scene
from cases import each_case
from faulty_flights import AT, FAULTY, RULE_OF, flight_of
from records import record

from klvrelay.alerts import stream_watch
from klvrelay.alerts.disks import FreeSpace
from klvrelay.alerts.meanings import MEANINGS
from klvrelay.alerts.metadata_checks import Findings
from klvrelay.alerts.rules import EVERY, rules_of
from klvrelay.config.alert_rules import RULE_IDS
from klvrelay.config.alerts import AlertEntry, AlertsSettings
from klvrelay.outcome import Sums
from klvrelay.plausibility import CHECKS

Fault = Callable[[Scene], Callable[[], object]]
"""Begins a fault, and returns what must be done each second while it lasts."""


def silence(scene: Scene) -> Callable[[], object]:
    scene.streams[0].rate = 0
    return lambda: None


def slow(scene: Scene) -> Callable[[], object]:
    scene.streams[0].rate = 10
    return lambda: None


def bad_checksums(scene: Scene) -> Callable[[], object]:
    scene.streams[0].checksum = "bad"
    return lambda: None


def counts(**per_second: int) -> Fault:
    return lambda scene: lambda: scene.streams[0].count(**per_second)


def stepped_clock(scene: Scene) -> Callable[[], object]:
    scene.streams[0].behind += 3.0
    return lambda: None


def set_clock(scene: Scene) -> Callable[[], object]:
    scene.wall_ahead += 4.0
    return lambda: None


def drifting(scene: Scene) -> Callable[[], object]:
    return lambda: setattr(scene.streams[0], "behind", scene.streams[0].behind + 0.001)


def sink_down(scene: Scene) -> Callable[[], object]:
    scene.sinks[0].mark_down("refused")
    return lambda: None


def waiting(scene: Scene) -> Callable[[], object]:
    scene.sinks[0].fill = lambda: 0.6
    scene.sinks[0].set_sums(Sums(numbered=1000, delivered=940, waiting=60))
    return lambda: None


def aged(scene: Scene) -> Callable[[], object]:
    scene.sinks[0].set_sums(Sums(numbered=1000, delivered=999, waiting=1))
    return lambda: None


def shedding(scene: Scene) -> Callable[[], object]:
    scene.sinks[0].set_sums(Sums(numbered=1000, shed=7, delivered=993))
    return lambda: None


def refused(scene: Scene) -> Callable[[], object]:
    scene.sinks[0].suspended = lambda: ["klvrelay/uav1/telemetry"]
    return lambda: None


def last_step(scene: Scene) -> Callable[[], object]:
    scene.sinks[0].uplink = lambda: {"step": 5}
    return lambda: None


def withheld(scene: Scene) -> Callable[[], object]:
    scene.sinks[0].withheld = lambda: {"public": 12}
    return lambda: None


def spool_fault(scene: Scene) -> Callable[[], object]:
    scene.board.has_spool = True
    scene.board.spool.clock = scene.clock
    scene.board.spool.check("spool", "No space left on device", 1, 10, 1000, 0)
    return lambda: None


def set_disk(scene: Scene, free: int) -> None:
    scene.alerts._relay.sample._disks.latest = FreeSpace("/spool", free, 10 << 30)


def full_disk(scene: Scene) -> Callable[[], object]:
    set_disk(scene, 300 << 20)
    return lambda: None


def memory(scene: Scene) -> Callable[[], object]:
    scene.alerts._relay.sample._memory_most = 1000
    return lambda: None


def mend(scene: Scene) -> None:
    """End every fault."""
    stream, sink = scene.streams[0], scene.sinks[0]
    stream.rate, stream.checksum, stream.behind = 30, "ok", 0.3
    scene.wall_ahead = 0.0
    sink.mark_connected()
    sink.set_sums(replace_waiting(sink.sums))
    sink.suspended, sink.uplink, sink.fill = tuple, lambda: {"step": 0}, lambda: 0.1
    scene.board.spool.check("spool", None, 1, 0, 0, 0)
    set_disk(scene, 5 << 30)
    scene.alerts._relay.sample._memory_most = 1 << 60


def replace_waiting(found: Any) -> Any:
    return found._replace(waiting=0, delivered=found.delivered + found.waiting)


CASES: list[tuple[str, Fault, float, bool]] = [
    # rule, fault, seconds from the fault to the alert (within 2), is it cleared by time alone
    ("no_klv", silence, 10, False),
    ("klv_rate", slow, 26, False),
    ("checksum", bad_checksums, 7, False),
    ("transport", counts(continuity_errors=5), 14, False),
    ("rtp_loss", counts(rtp_lost=5, datagrams=95), 15, False),
    ("srt_loss", counts(srt_dropped=3, datagrams=500), 15, False),
    ("kernel_drops", counts(kernel_drops=20), 6, False),
    ("clock_step", stepped_clock, 2, True),
    ("clock_drift", drifting, 210, False),
    ("packet_too_large", counts(too_large=1), 1, True),
    ("scrambled", counts(klv_scrambled=3), 11, False),
    ("sink_down", sink_down, 11, False),
    ("backlog", waiting, 11, False),
    ("backlog_age", aged, 71, False),
    ("shedding", shedding, 1, True),
    ("refused_topic", refused, 6, False),
    ("budget_last_step", last_step, 31, False),
    ("marking", withheld, 6, True),
    ("spool_fault", spool_fault, 3, False),
    ("disk_space", full_disk, 31, False),
    ("wall_clock_step", set_clock, 1, True),
    ("memory", memory, 31, False),
]


def normal() -> Scene:
    """A relay after five minutes without a fault."""
    scene = Scene()
    scene.add_stream()
    scene.add_sink()
    scene.alerts._relay.sample._memory_most = 1 << 60
    scene.run(300)
    assert scene.seen == []
    return scene


@pytest.mark.parametrize(("rule", "fault", "within", "latched"), CASES, ids=[case[0] for case in CASES])
def test_each_fault_raises_its_rule_once_and_clears_it_once(rule: str, fault: Fault, within: float, latched: bool):
    """Only that rule is raised, at its time, and it is cleared after the fault."""
    scene = normal()
    began = scene.clock.now
    each = fault(scene)
    if latched and rule == "packet_too_large":
        scene.run(1, each)
        each = lambda: None  # noqa: E731
    scene.run(1.5 * within + 10, each)
    raised = [alert for alert in scene.events if alert.is_raised]
    assert [alert.rule for alert in raised] == [rule]
    assert within - 8 <= raised[0].raised_us / 1e6 - 1_800_000_000 - began <= within + 12
    assert raised[0].text
    assert raised[0].advice
    assert [replace(alert, worst=raised[0].worst) for alert in scene.alerts.raised()] == raised

    mend(scene)
    scene.run(200 if rule != "klv_rate" else 400)
    mine = [alert for alert in scene.events if alert.rule == rule]
    assert [alert.event for alert in mine[:2]] == ["raised", "cleared"]
    assert mine[0].id == mine[1].id
    assert rule not in [alert.rule for alert in scene.alerts.raised()]


def test_every_rule_has_a_meaning_and_a_test():
    """Those of the metadata are tested below."""
    assert MEANINGS.keys() == set(RULE_IDS)
    tested = {case[0] for case in CASES} | stream_watch.METADATA_RULES
    tested |= {"altitude_above", "altitude_below", "loop_lag", "clock_offset", "relay_restarted"}
    assert tested == set(RULE_IDS)


@each_case(("behind", "expected"), [(12.0, True), (9.0, False), (-12.0, True), (-9.0, False), (90_000.0, False)])
def test_a_wrong_clock_is_reported_unless_it_is_that_of_a_recording(behind: float, expected: bool):
    """From 10 s, ahead or behind; not from a day on. It is cleared once the difference is less than 5 s."""
    scene = Scene()
    stream = scene.add_stream()
    stream.behind = behind
    scene.run(60)
    assert scene.seen == ["raised clock_offset"] * expected
    assert all(("ahead" in alert.text) is (behind < 0) for alert in scene.events)
    for _ in range(20):
        stream.behind -= behind / 25
        scene.run(3)
    assert ("cleared clock_offset" in scene.seen) is expected


@each_case("rate", [30.0, 1.0, 0.2, 60.0])
def test_an_hour_of_a_normal_stream_raises_nothing(rate: float):
    """From the start on, at any rate; the system clock is adjusted slowly meanwhile."""
    scene = Scene()
    stream = scene.add_stream(rate=rate)
    if rate < 1 / 5:
        stream.health.stall = 20
    scene.add_sink()
    scene.run(3600 if rate <= 1 else 600, lambda: setattr(scene, "wall_ahead", scene.wall_ahead + 0.0002))
    assert scene.seen == []


def test_a_recording_that_is_sent_again_raises_nothing_about_its_clock():
    """Its time is years ago, and steps back at each repetition."""
    scene = Scene()
    stream = scene.add_stream()
    stream.behind = 86_400.0 * 500

    def repeat() -> None:
        stream.behind += 12.0 if round(scene.clock.now) % 12 == 0 else 0.0

    scene.run(600, repeat)
    assert scene.seen == []


def test_a_file_raises_nothing_about_rate_and_clock_and_nothing_at_its_end():
    """It is read as fast as the sinks accept it."""
    scene = Scene()
    stream = scene.add_stream(url="flight.ts", rate=300)
    stream.behind = 3600
    scene.run(90)
    stream.rate = 5
    scene.run(90)
    stream.health.end(is_logged=True)
    scene.run(60)
    assert scene.seen == []


def test_a_stream_that_never_had_klv_is_reported_after_the_startup_time():
    """30 s by default; earlier with another `startup`."""
    scene = Scene()
    scene.add_stream(rate=0)
    scene.run(30)
    assert scene.seen == []
    scene.run(12)
    assert scene.seen == ["raised no_klv"]
    assert 29 < scene.events[0].value < 37
    early = Scene(startup=2.0)
    early.add_stream(rate=0)
    early.run(12)
    assert early.seen == ["raised no_klv"]


def test_a_stream_that_has_video_but_never_had_klv_is_a_matter_of_its_encoder():
    """The advice does not blame the network, which works."""
    scene = Scene(startup=2.0)
    scene.add_stream(rate=0).bytes_only = True
    scene.run(12)
    assert scene.seen == ["raised no_klv"]
    assert "Video arrives without metadata" in scene.events[0].advice


def test_an_outage_that_is_shorter_than_threshold_and_hold_stays_silent():
    """Of 8 s. One of 12 s does not."""
    scene = normal()
    silence(scene)
    scene.run(8)
    mend(scene)
    scene.run(20)
    assert scene.seen == []
    silence(scene)
    scene.run(12)
    mend(scene)
    scene.run(5)
    assert scene.seen == ["raised no_klv", "cleared no_klv"]
    raised, cleared = scene.events
    assert cleared.since_us == raised.since_us
    assert abs((cleared.cleared_us or 0) - cleared.since_us - 12e6) < 1.5e6


def test_a_source_that_is_retried_all_the_time_is_reported():
    """Each opening measures silence from the beginning, but the outage continues."""
    scene = normal()
    silence(scene)

    def retry() -> None:
        scene.streams[0].health.mark_down("connection refused", "network")
        scene.streams[0].health.add_opening()

    scene.run(15, retry)
    assert scene.seen == ["raised no_klv"]
    assert "connection refused" in scene.events[0].text
    assert "network" in scene.events[0].advice


def test_a_step_of_the_system_clock_is_no_step_of_a_stream():
    """It is reported once, for the relay."""
    scene = normal()
    scene.streams[0].wall_us = lambda: round((scene.wall() - scene.wall_ahead) * 1e6)  # KLV time does not step
    scene.wall_ahead += 5.0
    stream = scene.streams[0]
    behind = stream.behind

    def stamp() -> None:
        stream.behind = behind

    scene.run(100, stamp)
    assert [one for one in scene.seen if one.startswith("raised")] == ["raised wall_clock_step"]


def test_the_delay_of_the_relays_own_work_is_reported():
    """A check that is 3 s late."""
    scene = normal()
    scene.run(1, late=3.0)
    assert scene.seen == ["raised loop_lag"]
    scene.run(70)
    assert scene.seen == ["raised loop_lag", "cleared loop_lag"]


@pytest.mark.parametrize("fault", RULE_OF)
def test_implausible_metadata_is_reported_by_the_id_of_its_check(fault: str):
    """A flight of one record a second: raised once, with the advice of the check; cleared a minute after it."""
    scene, rule = Scene(), RULE_OF[fault]
    began = scene.wall()
    stream = scene.add_stream(rate=0)
    for number, packet in enumerate(flight_of(fault, 1)):
        stream.health.add_record(record(number, "uav1", raw=packet, received_us=stream.wall_us()))
        scene.run(1)
    assert scene.seen == [f"raised {rule}", f"cleared {rule}"]
    raised, cleared = scene.events
    assert raised.advice == CHECKS[rule].advice
    assert raised.text
    seconds = [(one or 0) / 1e6 - began for one in (raised.raised_us, cleared.cleared_us)]
    assert AT <= seconds[0] <= AT + FAULTY
    last = AT if fault == "jump" else AT + FAULTY
    assert last + 40 <= seconds[1] <= last + 66


def test_a_right_flight_raises_nothing():
    """Nor does its repetition."""
    scene = Scene()
    stream = scene.add_stream(rate=0)
    for number, packet in enumerate(flight_of("clean", 1)):
        stream.health.add_record(record(number, "uav1", raw=packet, received_us=stream.wall_us()))
        scene.run(1)
    assert scene.seen == []


def test_bands_of_altitude_need_a_threshold():
    """Then they are rules like others."""
    assert "altitude_above" not in [rule.id for rule in rules_of(AlertsSettings(), "stream", EVERY)]
    entries = AlertEntry("altitude_above", threshold=1000.0), AlertEntry("altitude_below", threshold=100.0)
    ids = [rule.id for rule in rules_of(AlertsSettings(entries=entries), "stream", "uav1")]
    assert {"altitude_above", "altitude_below"} <= set(ids)


def test_a_rule_that_fails_is_disabled_with_one_line(caplog: pytest.LogCaptureFixture):
    """All others continue, and the stream too."""
    scene = normal()
    (watch,) = scene.alerts._streams.values()
    broken = replace(MEANINGS["checksum"], measure=lambda sample: 1 / 0)
    watch.set_rules([replace(rule, meaning=broken) if rule.id == "checksum" else rule for rule in watch.rules])
    with caplog.at_level(logging.ERROR, "klvrelay.alerts"):
        scene.run(5)
        assert [line.message.partition(":")[0] for line in caplog.records] == ["alert rule disabled"]
        silence(scene)
        scene.run(12)
    assert scene.seen == ["raised no_klv"]


def test_a_record_that_breaks_the_checks_ends_only_these(caplog: pytest.LogCaptureFixture):
    """With one line; all other rules continue."""
    scene = normal()
    (watch,) = scene.alerts._streams.values()
    watch.sample.findings = Findings(SimpleNamespace(check=lambda record, arrival_s: 1 / 0))
    scene.run(5)
    assert [line.message.partition(":")[0] for line in caplog.records] == ["checks of metadata disabled"]
    silence(scene)
    scene.run(12)
    assert scene.seen == ["raised no_klv"]


def test_a_failing_listener_hurts_no_other(caplog: pytest.LogCaptureFixture):
    """It is logged once."""
    scene = normal()
    scene.alerts.listeners.insert(0, lambda alert, rule: 1 / 0)
    silence(scene)
    scene.run(12)
    mend(scene)
    scene.run(5)
    assert scene.seen == ["raised no_klv", "cleared no_klv"]
    assert sum("a listener of alerts failed" in line.message for line in caplog.records) == 1


def test_a_removed_stream_ends_its_alerts():
    """So does a stream that ends, and a sink that is removed."""
    scene = normal()
    silence(scene)
    sink_down(scene)
    scene.run(15)
    assert sorted(scene.seen) == ["raised no_klv", "raised sink_down"]
    scene.streams.clear()
    scene.sinks.clear()
    scene.run(1)
    assert sorted(scene.seen[2:]) == ["ended no_klv", "ended sink_down"]
    assert scene.alerts.raised() == []


def test_after_a_reload_an_alert_stays_raised_if_its_rule_still_holds():
    """With the new values. One whose rule is off is ended."""
    scene = normal()
    silence(scene)
    scene.run(12)
    scene.alerts.apply(AlertsSettings(entries=(AlertEntry("no_klv", threshold=2.0, hold=1.0),)))
    scene.run(3)
    assert scene.seen == ["raised no_klv"]
    scene.alerts.apply(AlertsSettings(entries=(AlertEntry("no_klv", enabled=False),)))
    scene.run(1)
    assert scene.seen == ["raised no_klv", "ended no_klv"]
    scene.alerts.apply(AlertsSettings(enabled=False))
    scene.run(30)
    assert scene.alerts.rules() == []


def test_the_first_entry_that_applies_counts():
    """Patterns of streams and of sinks."""
    entries = (
        AlertEntry("no_klv", stream=("uav-*",), threshold=60.0, severity="info"),
        AlertEntry("no_klv", threshold=20.0),
        AlertEntry("sink_down", sink=("archive",), enabled=False),
    )
    settings = AlertsSettings(entries=entries, hold=7.0)
    found = {rule.id: rule for rule in rules_of(settings, "stream", "uav-3")}
    assert (found["no_klv"].threshold, found["no_klv"].severity, found["no_klv"].hold) == (60.0, "info", 7.0)
    assert {rule.id: rule for rule in rules_of(settings, "stream", "cam")}["no_klv"].threshold == 20.0
    assert "sink_down" not in [rule.id for rule in rules_of(settings, "sink", "archive")]
    assert "sink_down" in [rule.id for rule in rules_of(settings, "sink", "mqtt")]


def test_an_alert_is_one_log_line_when_raised_and_one_when_cleared(caplog: pytest.LogCaptureFixture):
    """Error if critical, info at the end."""
    caplog.set_level(logging.INFO, "klvrelay.alerts")
    scene = normal()
    silence(scene)
    scene.run(15)
    mend(scene)
    scene.run(10)
    lines = [(line.levelname, line.message) for line in caplog.records if line.name == "klvrelay.alerts"]
    assert [level for level, _ in lines] == ["ERROR", "INFO"]
    assert all("value=%.6g" in str(line.msg) for line in caplog.records if "raised" in line.message)  # members of JSON
    assert {line.stream for line in caplog.records if line.name == "klvrelay.alerts"} == {"uav1"}  # type: ignore[attr-defined]
    assert lines[0][1].startswith("alert raised: rule=no_klv stream=uav1 severity=critical value=")
    assert lines[1][1].startswith("alert cleared: rule=no_klv stream=uav1 severity=critical seconds=")


def test_the_memory_of_a_stream_is_bounded():
    """A thousand flaps leave as much as ten."""
    scene = Scene(AlertEntry("no_klv", threshold=0.5, hold=0.0, rearm=0.0))
    stream: LiveStream = scene.add_stream()
    stream.health.stall = 1.0
    for number in range(2000):
        stream.rate = 30 * (number % 2)
        scene.run(2)
    assert 900 <= len(scene.events) / 2 <= 1001
    (watch,) = scene.alerts._streams.values()
    assert len(watch.raised) <= 1
    assert len(watch.raised_by) <= 1


def test_the_text_of_a_silence_has_one_duration():
    """That of the alert; the reason of the state has the time-out of the state."""
    scene = normal()
    silence(scene)
    scene.run(15)
    (alert,) = scene.alerts.raised()
    assert alert.text == f"no KLV for {alert.value:.1f} s: nothing is received"


def test_the_worst_value_of_a_raised_alert_is_the_present_one():
    """Also if its stream is removed while it is raised."""
    scene = normal()
    silence(scene)
    scene.run(60)
    (alert,) = scene.alerts.raised()
    assert alert.worst > 55
    scene.streams.clear()
    scene.run(1)
    assert scene.events[-1].worst > 55


def test_an_outage_ends_with_the_record_that_ends_it():
    """Not at the evaluation that finds it, up to a second later."""
    scene = normal()
    silence(scene)
    scene.run(20)
    began_us = round(scene.wall() * 1e6)
    mend(scene)
    scene.run(3)
    cleared = scene.events[-1]
    assert cleared.event == "cleared"
    assert cleared.cleared_us is not None
    assert 0 <= cleared.cleared_us - began_us <= 300_000


@pytest.mark.parametrize(("startup", "within"), [(1.0, 11), (30.0, 36)])
def test_a_stream_that_never_had_klv_is_reported_after_startup_or_threshold_and_the_hold(startup: float, within: int):
    """Whichever of both is longer."""
    scene = Scene(startup=startup)
    scene.add_stream(rate=0)
    scene.run(within - 2)
    assert scene.seen == []
    scene.run(4)
    assert scene.seen == ["raised no_klv"]
