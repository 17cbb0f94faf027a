"""Alerts over a stop, a kill and a start of the relay: no destination keeps one open, and none is cleared falsely."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from alert_scenes import Scene
from http_far_end import PostReceiver

from klvrelay.alerts.alert import Alert
from klvrelay.alerts.alert_file import NAME, KeptAlert, read_alerts, write_alerts
from klvrelay.alerts.downtime import Downtime
from klvrelay.alerts.engine import Alerts
from klvrelay.alerts.running import Alerting
from klvrelay.config.alerts import AlertEntry, AlertsSettings, NotifySettings
from klvrelay.config.settings import RelaySettings
from klvrelay.config.sinks.http import HttpSettings

OLD = Alert("abc-1", "no_klv", "stream", "uav1", "critical", 10.2, 12.0, 5.0, "s", 1_700_000_000_000_000,
            1_700_000_010_000_000, "no KLV for 10.2 s", "Check that the sender is running")  # fmt: skip


def restarted(*kept: Alert, downtime: Downtime | None = None, entries: tuple[AlertEntry, ...] = ()) -> Scene:
    """A run after one that had raised `kept`."""
    scene = Scene(*entries)
    scene.alerts = Alerts(scene.board, scene.settings, kept=kept, downtime=downtime, clock=scene.clock, wall=scene.wall)
    scene.alerts.listeners.append(lambda alert, rule: scene.events.append(alert))
    return scene


def test_what_still_holds_continues_with_its_id_and_is_cleared_once():
    """Its begin is that of the earlier run."""
    scene = restarted(OLD)
    stream = scene.add_stream(rate=0)
    scene.run(60)
    assert scene.seen == ["continues no_klv"]
    assert [alert.id for alert in scene.alerts.raised()] == ["abc-1"]
    stream.rate = 30
    scene.run(5)
    assert scene.seen == ["continues no_klv", "cleared no_klv"]
    assert (scene.events[-1].id, scene.events[-1].since_us) == ("abc-1", OLD.since_us)


@pytest.mark.parametrize(
    ("case", "kept", "entries", "seconds", "reason"),
    [
        ("its stream is gone", OLD, (), 100, "without it"),
        ("its rule is off", OLD, (AlertEntry("no_klv", enabled=False),), 3, "was restarted"),
        ("its value stays unknown", replace(OLD, rule="klv_rate"), (), 100, "not known"),
        ("it is about an earlier start", replace(OLD, rule="relay_restarted", subject="relay", name="relay"), (), 3,
         "was restarted"),
    ],
)  # fmt: skip
def test_what_cannot_continue_is_ended_with_the_reason(
    case: str, kept: Alert, entries: tuple[AlertEntry, ...], seconds: int, reason: str
):
    """In bounded time, and not as if it were cleared."""
    scene = restarted(kept, entries=entries)
    if "stream is gone" not in case:
        scene.add_stream(rate=0)
    scene.run(seconds)
    (ended,) = [alert for alert in scene.events if alert.id == "abc-1" and not alert.is_raised]
    assert ended.event == "ended"
    assert reason in ended.ended
    assert set(ended.document()) >= {"ended", "reason", "seconds"}
    assert "cleared" not in ended.document()


def test_a_relay_that_was_killed_is_reported_at_the_next_start():
    """With the time for which it did not run, for five minutes."""
    scene = restarted(downtime=Downtime(42.0, "its process was killed, or the machine stopped"))
    scene.run(2)
    (alert,) = scene.alerts.raised()
    assert (alert.rule, alert.value) == ("relay_restarted", 42.0)
    assert alert.text == "the relay did not run for 42.0 s: its process was killed, or the machine stopped"
    assert scene.wall() * 1e6 - alert.since_us == pytest.approx(43e6, abs=2e6)
    scene.run(300)
    assert scene.seen == ["raised relay_restarted", "cleared relay_restarted"]


@pytest.mark.parametrize(("case", "downtime"), [("stopped", Downtime(0.0, "")), ("not known", None)])
def test_a_start_after_a_stop_is_no_alert(case: str, downtime: Downtime | None):
    """Nor is one without a state directory."""
    scene = restarted(downtime=downtime)
    scene.run(10)
    assert scene.seen == []


def test_what_is_raised_is_read_as_it_was_written(tmp_path: Path):
    """With the destinations that know of it."""
    write_alerts(tmp_path, [KeptAlert(OLD, ("ops", "pager"))])
    assert read_alerts(tmp_path) == [KeptAlert(OLD, ("ops", "pager"))]
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_no_file_is_nothing_raised(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """As at the first start: without a log line."""
    assert read_alerts(tmp_path) == []
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("case", "data"),
    [
        ("empty", b""),
        ("not JSON", b"\xff\x00"),
        ("another document", b"[]"),
        ("nested", b"[" * 100_000),
        ("wrong type", b'{"alerts":[{"id":1,"notified":[]}]}'),
        ("too large", b" " * (5 << 20)),
    ],
)
def test_a_damaged_file_is_ignored_with_a_log_line(
    case: str, data: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    """It never prevents a start."""
    (tmp_path / NAME).write_bytes(data)
    assert read_alerts(tmp_path) == []
    (line,) = caplog.messages
    assert line.startswith("alerts of the run before are not known: file=")


def alerting(scene: Scene, url: str, folder: Path | None) -> Alerting:
    hook = NotifySettings("ops", web=HttpSettings.from_url(url, {}), severity="info", retries=0)
    settings = RelaySettings((), (), alerts=AlertsSettings(destinations=(hook,)))
    found = Alerting(scene.board, settings, lambda name, document: None, folder)
    found.notifier.start()
    return found


def events(receiver: PostReceiver) -> list[tuple[Any, Any]]:
    found = (orjson.loads(request.body) for request in receiver.requests)
    return [(one["event"], one["alert"]["id"]) for one in found]


async def test_a_destination_is_notified_of_an_alert_once_over_a_kill(tmp_path: Path):
    """The next run sends what becomes of it under the same id; a stop is sent as the end, not as a clear."""
    receiver = PostReceiver(None, 0)
    await receiver.start()
    scene = Scene()
    scene.add_stream(rate=0)
    write_alerts(tmp_path, [KeptAlert(OLD, ("ops",)), KeptAlert(replace(OLD, id="abc-2", rule="checksum"), ())])
    second = alerting(scene, receiver.url, tmp_path)
    second.alerts.check()
    await asyncio.wait_for(second.notifier.settle(10), 10)
    assert events(receiver) == [("raised", "abc-2")]
    await asyncio.wait_for(_written(second, tmp_path, {"abc-1": ("ops",), "abc-2": ("ops",)}), 10)
    scene.board.relay.enter("stopping")
    await second.finish()
    assert sorted(events(receiver)[1:]) == [("ended", "abc-1"), ("ended", "abc-2")]
    assert read_alerts(tmp_path) == []
    await second.notifier.stop()
    await receiver.close()


async def _written(found: Alerting, folder: Path, expected: dict[str, tuple[str, ...]]) -> None:
    while {one.alert.id: one.notified for one in read_alerts(folder)} != expected:
        found.alerts.check()
        await asyncio.sleep(0.01)


async def test_an_end_that_could_not_be_sent_is_kept_for_the_next_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The stop does not wait for a destination that is away."""
    monkeypatch.setattr("klvrelay.alerts.running.LAST_SENDING", 0.05)
    scene = Scene()
    scene.add_stream(rate=0)
    write_alerts(tmp_path, [KeptAlert(OLD, ("ops",))])
    found = alerting(scene, "http://127.0.0.1:9/hook", tmp_path)
    await found.notifier.stop()  # as if an attempt hung
    found.alerts.check()
    scene.board.relay.enter("stopping")
    await found.finish()
    (kept,) = read_alerts(tmp_path)
    assert (kept.alert.id, kept.notified) == ("abc-1", ("ops",))


async def test_a_state_directory_that_cannot_be_written_is_one_log_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    """The alerts go on."""
    found = alerting(Scene(), "http://127.0.0.1:9/hook", tmp_path / "missing")
    await found.finish()
    await found.notifier.stop()
    assert sum("can't be written" in line for line in caplog.messages) == 1
