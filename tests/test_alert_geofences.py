"""Geofences as rules: the flight of the sample through a running relay, with the sample of fences."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import feed
import pytest
from alert_scenes import Scene
from brokers import Mosquitto, listening, until
from conftest import ROOT
from manual_clock import Clock
from observed_relay import observed, published_events
from test_geofences_flight import events, flight, zones

import klvrelay
from klvrelay.alerts import engine, running
from klvrelay.alerts.alert import Alert
from klvrelay.alerts.engine import Alerts
from klvrelay.alerts.fence_checks import FenceChecks, read_fence_rules
from klvrelay.config.alerts import AlertEntry, AlertsSettings, GeofenceSettings
from klvrelay.config.mqtt import MqttSettings
from klvrelay.config.settings import RelaySettings, SinkSettings, SourceSettings
from klvrelay.config.settings_file import load
from klvrelay.config.url import Url
from klvrelay.geofences import FenceEvent, read_fences

ZONES = ROOT / "samples" / "zones.geojson"
OTHERS_OFF = tuple(AlertEntry(rule, enabled=False) for rule in ("loop_lag", "memory"))
FENCES: dict[str, tuple[str, dict[str, Any]]] = {
    "enter": ("Range", {}),
    "at-the-border": ("Range", {"margin": 0}),
    "dwell": ("Range", {"when": "dwell", "dwell": 3}),
    "outside": ("Range", {"when": "outside"}),
    "band": ("Airspace", {"when": "altitude", "margin": 0}),
    "target": ("Village", {"of": ("target",)}),
    "junction": ("Junction", {"when": "looks_at", "of": ("frame_centre",), "radius": 10, "margin": 2}),
    "footprint": ("Village", {"of": ("footprint",)}),
    "footprint-sees": ("Junction", {"when": "looks_at", "of": ("footprint",)}),
}
"""Rules by name: the fence of the sample, and the settings."""


def zone_file(folder: Path, name: str) -> str:
    """A file with one fence of the sample."""
    whole = json.loads(ZONES.read_text())
    features = [each for each in whole["features"] if each["properties"]["name"] == name]
    path = folder / f"{name}.geojson"
    path.write_text(json.dumps(whole | {"features": features}))
    return str(path)


def expected(name: str) -> list[tuple[str, float]]:
    """When the rule is raised and cleared: `raised` or `cleared`, and the seconds of the record."""
    fence, more = FENCES[name]
    found = events(fence, **{key: frozenset(value) if key == "of" else value for key, value in more.items()})
    when = more.get("when", "inside")
    at_first = [("raised", 0.0)] if when == "outside" else []  # the flight begins outside: no event
    return at_first + [(event, one.at) for one in found if (event := _event(one, when))]


def _event(one: FenceEvent, when: str) -> str:
    began = {"dwell": "dwelled", "outside": "left"}.get(when, "entered")
    over = "entered" if when == "outside" else "left"
    return {began: "raised", over: "cleared"}.get(one.kind, "")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """That of the alerts: a test evaluates at each record, and lets the time of the flight pass."""
    clock = Clock()
    monkeypatch.setattr(running, "Alerts", partial(Alerts, clock=clock, wall=lambda: 1.8e9 + clock.now))
    monkeypatch.setattr(engine, "EVERY_S", 1e6)
    return clock


@pytest.mark.needs("mosquitto")
async def test_each_kind_of_fence_is_raised_and_cleared_at_its_record(
    mosquitto: Mosquitto, free_port: int, clock: Clock, tmp_path: Path
):
    """The same records as where the geometry says; once each, on the topic, with the position and the name."""
    fences = tuple(
        GeofenceSettings(name, zone_file(tmp_path, fence), **more) for name, (fence, more) in FENCES.items()
    )
    settings = RelaySettings(
        (SourceSettings(Url.parse(f"udp://127.0.0.1:{free_port}"), stream="uav1"),),
        (SinkSettings("mqtt", MqttSettings(host="127.0.0.1", port=mosquitto.port)),),
        alerts=AlertsSettings(entries=OTHERS_OFF, geofences=fences),
    )
    packets = [record.raw for record in klvrelay.decode((ROOT / "samples" / "orbit.ts").read_bytes())]
    seen: dict[str, list[tuple[str, float]]] = {name: [] for name in FENCES}
    raised: dict[str, Alert] = {}
    async with listening(mosquitto.port, "#") as heard, observed(settings) as relay:
        await feed.listening(free_port)
        began = clock.now
        for number, (packet, (at, _)) in enumerate(zip(packets, flight(), strict=True)):
            feed.send_udp([packet], free_port)
            await until(lambda number=number: sum(one.records for one in relay.relay.board.streams()) > number)
            clock.now = began + at
            count = len(relay.events)
            relay.alerts.check()
            for alert in relay.events[count:]:
                name = alert.rule.removeprefix("geofence:")
                seen[name].append((alert.event, at))
                raised.setdefault(name, alert)
        assert seen == {name: expected(name) for name in FENCES}
        assert sum(map(len, seen.values())) == len(relay.events)
        await until(lambda: len(published_events(heard.on("klvrelay/uav1/alert"))) == len(relay.events))
    for name, alert in raised.items():
        assert FENCES[name][0] in alert.text, name
        assert alert.advice
    assert raised["target"].text.startswith("target 1 at 56.")
    assert raised["enter"].since_us == raised["enter"].raised_us
    assert raised["dwell"].raised_us - raised["dwell"].since_us == pytest.approx(3e6, abs=40_000)


def test_all_kinds_of_events_occur_in_the_flight():
    """Each rule above is raised; those whose subject leaves again are cleared."""
    kinds = {name: [event for event, _ in expected(name)] for name in FENCES}
    assert {name for name, found in kinds.items() if found[:1] == ["raised"]} == set(FENCES)
    assert {name for name, found in kinds.items() if "cleared" in found} >= {"enter", "dwell", "outside", "junction"}


# ---- the page ----

PAGE = (ROOT / "docs" / "geofences.md").read_text()


def test_the_example_of_the_page_loads_with_the_sample_of_fences(tmp_path: Path):
    """With the sample in place of the file that it names."""
    (block,) = re.findall(r"(?ms)^```toml\n(.*?)^```", PAGE)
    path = tmp_path / "relay.toml"
    block = block.replace("/etc/klvrelay/zones.geojson", str(ZONES))
    path.write_text(f'{block}[[sink]]\nurl = "mqtt://127.0.0.1"\n')
    loaded = load(path)
    rules = read_fence_rules(loaded.alerts.geofences)
    assert {name: (rule.when, sorted(rule.of)) for name, rule in rules.items()} == {
        "keep-out": ("inside", ["platform"]), "watch-the-junction": ("looks_at", ["footprint", "frame_centre"]),
    }  # fmt: skip


def test_the_times_of_the_page_are_those_of_the_flight():
    """To a tenth of a second."""
    said = re.search(
        r'"Range" from ([\d.]+) s to ([\d.]+) s, climbs out of the "Airspace" at ([\d.]+) s, a vehicle enters the'
        r' "Village" at\s+([\d.]+) s, and the camera comes within 10 m of the "Junction" at ([\d.]+) s', PAGE
    )  # fmt: skip
    assert said is not None
    found = [*(at for _, at in expected("enter")), *(expected(name)[0][1] for name in ("band", "target", "junction"))]
    assert [float(one) for one in said.groups()] == [round(at, 1) for at in found]


# ---- settings ----


def flying(fence: GeofenceSettings, *entries: AlertEntry, stream: str = "uav1") -> tuple[Scene, Callable[[int], None]]:
    """A scene with a fence, and what sets the position of its stream to that of a record of the flight."""
    settings = AlertsSettings(entries=entries, geofences=(fence,))
    scene = Scene()
    rules = read_fence_rules(settings.geofences)
    scene.alerts = Alerts(scene.board, settings, fences=rules, clock=scene.clock, wall=scene.wall)
    scene.alerts.listeners.append(lambda alert, rule: scene.events.append(alert))
    records = klvrelay.decode((ROOT / "samples" / "orbit.ts").read_bytes())
    live = scene.add_stream(stream, rate=0)

    def fly(number: int) -> None:
        live.health.add_record(records[number]._replace(stream=stream, received_us=live.wall_us()))

    return scene, fly


INSIDE, BEFORE = 150, 0
"""Records of the flight over the Range, and before it."""
RANGE = GeofenceSettings("zone", str(ZONES), stream=("uav*",), severity="critical", when="inside")


@pytest.fixture
def range_only(tmp_path: Path) -> GeofenceSettings:
    return replace(RANGE, file=zone_file(tmp_path, "Range"))


def test_a_fence_applies_to_the_streams_that_it_names(range_only: GeofenceSettings):
    """Others are not compared."""
    for stream, expected in (("uav1", ["raised geofence:zone"]), ("cam", [])):
        scene, fly = flying(range_only, stream=stream)
        for _ in range(3):
            fly(INSIDE)
            scene.run(1)
        assert [one for one in scene.seen if "geofence" in one] == expected


def test_an_entry_changes_the_values_of_a_fence(range_only: GeofenceSettings):
    """As of any other rule."""
    scene, fly = flying(range_only, AlertEntry("geofence:zone", severity="info", hold=4.0))
    fly(BEFORE)
    scene.run(2)
    fly(INSIDE)
    scene.run(4)
    assert scene.seen == []
    scene.run(2)
    assert [(alert.rule, alert.severity) for alert in scene.events] == [("geofence:zone", "info")]


def test_a_damaged_record_is_not_compared():
    """It may have any position."""
    checks = FenceChecks(read_fence_rules([replace(RANGE, file=str(ZONES))]))
    records = klvrelay.decode((ROOT / "samples" / "orbit.ts").read_bytes())
    checks.take(records[INSIDE]._replace(checksum="bad"), 1.0)
    assert checks.value("zone") is None
    checks.take(records[INSIDE], 2.0)
    assert checks.value("zone") == 1.0


def test_the_sample_has_the_fences_of_the_tests():
    """Every one of them is used above."""
    assert {fence.name for fence in read_fences(str(ZONES))} == set(zones()) == {name for name, _ in FENCES.values()}
