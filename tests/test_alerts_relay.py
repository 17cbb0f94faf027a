"""Alerts of a running relay: on topics, in health documents, at a webhook; raised and cleared by real streams."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import feed
import orjson
import pytest
from brokers import Mosquitto, listening, until
from http_far_end import PostReceiver
from live_sample import sending

from klvrelay.alerts import engine
from klvrelay.alerts.alert_file import read_alerts
from klvrelay.config.alerts import AlertEntry, AlertsSettings, NotifySettings
from klvrelay.config.mqtt import MqttSettings
from klvrelay.config.settings import RelaySettings, SinkSettings, SourceSettings
from klvrelay.config.sinks.http import HttpSettings
from klvrelay.config.url import Url
from klvrelay.relay.build import run_relay
from klvrelay.relay.relay import Relay

ALERT, RELAY_ALERT = "klvrelay/uav1/alert", "klvrelay/alert"
pytestmark = pytest.mark.needs("mosquitto")
QUICK = AlertEntry("no_klv", threshold=0.3, hold=0.0, rearm=0.0)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Evaluations ten times a second."""
    monkeypatch.setattr(engine, "EVERY_S", 0.1)


@asynccontextmanager
async def running(settings: RelaySettings) -> AsyncIterator[Relay]:
    found: asyncio.Future[Relay] = asyncio.get_running_loop().create_future()

    async def beside(relay: Relay) -> None:
        found.set_result(relay)

    task = asyncio.create_task(run_relay(settings, beside))
    try:
        yield await asyncio.wait_for(found, 10)
    finally:
        task.cancel()
        await asyncio.wait({task}, timeout=10)


def settings(broker: Mosquitto, port: int, alerts: AlertsSettings) -> RelaySettings:
    source = SourceSettings(Url.parse(f"udp://127.0.0.1:{port}"), stream="uav1", stall=0.5)
    sink = SinkSettings("mqtt", MqttSettings(host="127.0.0.1", port=broker.port))
    return RelaySettings((source,), (sink,), alerts=alerts)


def documents(payloads: list[bytes]) -> list[Any]:
    return [orjson.loads(payload) if payload else None for payload in payloads]


async def test_a_camera_that_fails_is_reported_once_and_its_return_too(mosquitto: Mosquitto, free_port: int):
    """Retained while it is raised; then a document without alerts, and the retained value is deleted."""
    receiver = PostReceiver(None, 0)
    await receiver.start()
    hook = NotifySettings("ops", web=HttpSettings.from_url(receiver.url, {}), severity="info")
    alerts = AlertsSettings(entries=(QUICK,), destinations=(hook,), startup=0.2)
    data = feed.datagrams(feed.recording(30).ts)
    async with listening(mosquitto.port, "#") as heard, running(settings(mosquitto, free_port, alerts)) as relay:
        await until(lambda: any(one and one["raised"] for one in documents(heard.on(ALERT))))
        assert relay.alerting is not None
        (alert,) = relay.alerting.alerts.raised()
        assert alert.rule == "no_klv"
        while relay.alerting.alerts.raised():
            feed.send_udp(data, free_port)
            await asyncio.sleep(0.05)
        await until(lambda: len(receiver.requests) >= 2)
        await until(lambda: [one["raised"] for one in documents(heard.on(ALERT)) if one][-1:] == [[]])
        found = [one for one in documents(heard.on(ALERT)) if one]
        events = [(event["event"], event["rule"]) for one in found for event in one["events"]]
        assert events[:2] == [("raised", "no_klv"), ("cleared", "no_klv")]
        posted = [(one["event"], one["alert"]["id"]) for one in (orjson.loads(r.body) for r in receiver.requests)]
        assert posted[:2] == [("raised", alert.id), ("cleared", alert.id)]
        health = [one["alerts"] for one in documents(heard.on("klvrelay/uav1/health"))]
        assert health
    await receiver.close()


async def test_a_stop_deletes_the_retained_alerts(mosquitto: Mosquitto, free_port: int):
    """A later subscriber gets none."""
    alerts = AlertsSettings(entries=(QUICK,), startup=0.2)
    async with listening(mosquitto.port, "#") as heard:
        async with running(settings(mosquitto, free_port, alerts)):
            await until(lambda: any(heard.on(ALERT)[-1:]))
        await until(lambda: heard.on(ALERT)[-1:] == [b""])
    async with listening(mosquitto.port, "#") as later:
        await until(lambda: later.on("klvrelay/status"))
        assert [payload for payload in later.on(ALERT) if payload] == []


async def test_a_run_deletes_the_alerts_of_the_run_before_it(mosquitto: Mosquitto, free_port: int):
    """Which was killed: its alerts are still retained."""
    import aiomqtt

    async with aiomqtt.Client("127.0.0.1", mosquitto.port) as client:
        for topic in (ALERT, RELAY_ALERT):
            await client.publish(topic, b'{"raised": ["old"]}', retain=True, qos=1)
    async with listening(mosquitto.port, "#") as heard:
        await until(lambda: heard.on(ALERT) and heard.on(RELAY_ALERT))
        async with running(settings(mosquitto, free_port, AlertsSettings())):
            await until(lambda: heard.on(ALERT)[-1] == heard.on(RELAY_ALERT)[-1] == b"")


async def test_a_relay_that_was_killed_continues_its_alerts(mosquitto: Mosquitto, free_port: int, tmp_path: Path):
    """With the same id, without a second notification; and it reports that it was killed."""
    receiver = PostReceiver(None, 0)
    await receiver.start()
    hook = NotifySettings("ops", web=HttpSettings.from_url(receiver.url, {}), severity="info")
    alerts = AlertsSettings(entries=(QUICK,), destinations=(hook,), startup=0.2)
    first, second = tmp_path / "first", tmp_path / "second"
    found = replace(settings(mosquitto, free_port, alerts), state=first)

    async with running(found) as relay:
        await until(lambda: any(one.notified for one in read_alerts(first)) if first.exists() else False)
        shutil.copytree(first, second)  # as a kill leaves it
        (alert,) = relay.alerting.alerts.raised() if relay.alerting else ()
    await until(lambda: len(receiver.requests) == 2)
    async with running(replace(found, state=second)) as relay:
        assert relay.alerting is not None
        raised = relay.alerting.alerts.raised
        await until(lambda: len(raised()) == 2)
        assert {one.rule: one.id for one in raised()}["no_klv"] == alert.id
        await until(lambda: len(receiver.requests) == 3)
    await until(lambda: len(receiver.requests) == 5)
    events = [(one["event"], one["alert"]["rule"]) for one in (orjson.loads(each.body) for each in receiver.requests)]
    assert events[:3] == [("raised", "no_klv"), ("ended", "no_klv"), ("raised", "relay_restarted")]
    assert sorted(events[3:]) == [("ended", "no_klv"), ("ended", "relay_restarted")]
    assert read_alerts(first) == read_alerts(second) == []
    await receiver.close()


async def test_a_reload_applies_the_rules_to_a_running_relay(mosquitto: Mosquitto, free_port: int):
    """What is raised stays raised under the new values, or is cleared if its rule is off."""
    alerts = AlertsSettings(entries=(QUICK,), startup=0.2)
    before = settings(mosquitto, free_port, alerts)
    async with running(before) as relay:
        assert relay.alerting is not None
        raised = relay.alerting.alerts.raised
        await until(lambda: raised())
        (alert,) = raised()
        for entry, expected in ((replace(QUICK, hold=30.0), [alert.id]), (replace(QUICK, enabled=False), [])):
            after = replace(before, alerts=replace(alerts, entries=(entry,)))
            for apply in relay.on_reload:
                await apply(after)
            await asyncio.sleep(0)
            await until(lambda expected=expected: [one.id for one in raised()] == expected)


async def test_damaged_packets_raise_the_rule_of_their_checksums(mosquitto: Mosquitto, free_port: int):
    """And no other rule of the stream."""
    alerts = AlertsSettings(entries=(AlertEntry("checksum", hold=0.0),))
    good = feed.recording(60).bare
    spoilt = bytearray(good)
    size = len(good) // 60
    for number in range(0, 60, 4):
        spoilt[(number + 1) * size - 1] ^= 0xFF
    async with running(settings(mosquitto, free_port, alerts)) as relay:
        assert relay.alerting is not None
        raised = relay.alerting.alerts.raised
        async with asyncio.timeout(20):
            while not raised():
                feed.send_udp([bytes(spoilt[at * size : (at + 1) * size]) for at in range(60)], free_port)
                await asyncio.sleep(0.05)
        assert [alert.rule for alert in raised()] == ["checksum"]


async def test_a_normal_recording_raises_nothing(mosquitto: Mosquitto, tmp_path: Path):
    """Replayed to its end as fast as possible, and ten times over."""
    path = tmp_path / "uav1.ts"
    path.write_bytes(feed.recording(300).ts)
    sources = (SourceSettings(Url.parse(path), stream="uav1"),)
    base = settings(mosquitto, 5000, AlertsSettings())
    async with listening(mosquitto.port, "#") as heard:
        assert await asyncio.wait_for(run_relay(replace(base, sources=sources)), 20) == 0
    assert [one for one in documents([*heard.on(ALERT), *heard.on(RELAY_ALERT)]) if one] == []


async def test_a_recording_that_is_sent_live_raises_nothing(mosquitto: Mosquitto, free_port: int):
    """Over its end, where it begins again."""
    base = settings(mosquitto, free_port, AlertsSettings())
    async with (
        listening(mosquitto.port, "#") as heard,
        running(base) as relay,
        sending(f"udp://127.0.0.1:{free_port}", "--speed", "8"),
    ):
        await until(lambda: sum(health.records for health in relay.board.streams()) > 800)
        assert relay.alerting is not None
        assert relay.alerting.alerts.raised() == []
        assert [one for one in documents(heard.on(ALERT)) if one] == []
