"""Geofences as rules: raised while a fence holds for the latest record, with its words."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest
from alert_scenes import Scene

from klvrelay.alerts.engine import Alerts
from klvrelay.alerts.fence_checks import read_fence_rules
from klvrelay.config.alerts import AlertEntry, AlertsSettings, GeofenceSettings
from klvrelay.errors import ConfigError


class FakeWatch:
    """A watch whose status a test sets."""

    inside_since: float | None = None
    updates = 0

    def __init__(self, rule: Any) -> None:
        self.rule = rule

    def update(self, now: float, places: object) -> Any:
        FakeWatch.updates += 1
        since = FakeWatch.inside_since
        seen = None if since is None else SimpleNamespace(since=since, describe=lambda: "platform at 1, 2: inside A")
        return SimpleNamespace(condition=seen is not None, seen=seen)


def fence_rule(*values: Any) -> Any:
    return SimpleNamespace(name=values[0], of=values[2], values=values)


@pytest.fixture(autouse=True)
def fences(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package of geofences without geometry."""
    FakeWatch.inside_since, FakeWatch.updates = None, 0
    package = SimpleNamespace(
        FenceRule=fence_rule, FenceWatch=FakeWatch, read_fences=lambda path: (path,), places_of=lambda items, of: items
    )
    monkeypatch.setitem(sys.modules, "klvrelay.geofences", package)


def scene_with(*entries: AlertEntry) -> Scene:
    zone = GeofenceSettings("zone", "zone.geojson", stream=("uav*",), severity="critical")
    settings = AlertsSettings(entries=entries, geofences=(zone,))
    scene = Scene()
    scene.alerts = Alerts(
        scene.board, settings, fences=read_fence_rules(settings.geofences), clock=scene.clock, wall=scene.wall
    )
    scene.alerts.listeners.append(lambda alert, rule: scene.events.append(alert))
    return scene


def test_a_fence_is_raised_when_it_holds_and_cleared_when_it_does_not():
    """Since the time at which the fence says that it began."""
    scene = scene_with()
    scene.add_stream("uav1")
    scene.run(5)
    assert scene.seen == []
    FakeWatch.inside_since = scene.clock.now
    scene.run(3)
    assert scene.seen == ["raised geofence:zone"]
    (alert,) = scene.alerts.raised()
    assert (alert.text, alert.severity, alert.name) == ("platform at 1, 2: inside A", "critical", "uav1")
    assert alert.raised_us - alert.since_us == 1_000_000
    FakeWatch.inside_since = None
    scene.run(2)
    assert scene.seen == ["raised geofence:zone", "cleared geofence:zone"]


def test_a_fence_applies_to_the_streams_that_it_names():
    """Others are not compared."""
    scene = scene_with()
    scene.add_stream("cam")
    FakeWatch.inside_since = 0.0
    scene.run(3)
    assert (scene.seen, FakeWatch.updates) == ([], 0)


def test_an_entry_changes_the_values_of_a_fence():
    """As of any other rule."""
    scene = scene_with(AlertEntry("geofence:zone", severity="info", hold=4.0))
    scene.add_stream("uav1")
    scene.run(2)
    FakeWatch.inside_since = scene.clock.now
    scene.run(4)
    assert scene.seen == []
    scene.run(2)
    assert [alert.severity for alert in scene.events] == ["info"]


def test_a_missing_library_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch):
    """Before anything starts."""
    monkeypatch.setitem(sys.modules, "klvrelay.geofences", None)
    with pytest.raises(ConfigError, match="geofence"):
        read_fence_rules((GeofenceSettings("zone", "zone.geojson"),))
