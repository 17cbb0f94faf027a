"""Geofences as rules of alerts, with fences whose status a test sets: areas by name, updates, reloads, advice."""

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
    also: tuple[str, ...] = ()
    updates = 0
    seen: Any = None

    def __init__(self, rule: Any) -> None:
        self.rule = rule

    def update(self, now: float, places: object) -> Any:
        FakeWatch.updates += 1
        since = FakeWatch.inside_since
        describe = lambda: "platform at 1, 2: inside A"  # noqa: E731
        seen = None if since is None else SimpleNamespace(since=since, fence="A", describe=describe)
        self.seen = seen
        return SimpleNamespace(condition=seen is not None, seen=seen)

    def sightings(self) -> list[Any]:
        return [] if self.seen is None else [self.seen, *(SimpleNamespace(fence=name) for name in FakeWatch.also)]


def fence_rule(*values: Any) -> Any:
    return SimpleNamespace(name=values[0], of=values[2], values=values)


@pytest.fixture(autouse=True)
def fences(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package of geofences without geometry."""
    FakeWatch.inside_since, FakeWatch.updates, FakeWatch.also = None, 0, ()
    package = SimpleNamespace(
        FenceRule=fence_rule, FenceWatch=FakeWatch, places_of=lambda items, of: items,
        read_fences=lambda path: (SimpleNamespace(name="A"), SimpleNamespace(name="B")),
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


def test_a_second_area_updates_the_alert():
    """It stays one alert, whose text names both areas; leaving one of them is no news."""
    scene = scene_with()
    scene.add_stream("uav1")
    FakeWatch.inside_since = scene.clock.now
    scene.run(3)
    FakeWatch.also = ("B",)
    scene.run(15)
    assert scene.seen == ["raised geofence:zone", "updated geofence:zone"]
    (alert,) = scene.alerts.raised()
    assert alert.text == "platform at 1, 2: inside A; also B"
    assert alert.id == scene.events[0].id
    FakeWatch.also = ()
    scene.run(5)
    assert len(scene.seen) == 2
    FakeWatch.also = ("B",)
    scene.run(5)
    assert scene.seen[2:] == ["updated geofence:zone"]


def test_updates_are_bounded():
    """Areas that are entered and left every second make at most one update in ten."""
    scene = scene_with()
    scene.add_stream("uav1")
    FakeWatch.inside_since = scene.clock.now
    scene.run(3)
    for second in range(100):
        FakeWatch.also = ("B",) if second % 2 else ()
        scene.run(1)
    assert 5 <= scene.seen.count("updated geofence:zone") <= 11


def test_areas_are_selected_by_name():
    """An unknown name is a fault that lists those of the file."""
    zone = GeofenceSettings("zone", "zone.geojson", areas=("B",))
    assert [one.name for one in read_fence_rules([zone])["zone"].values[1]] == ["B"]
    wrong = GeofenceSettings("zone", "zone.geojson", areas=("Rnge",))
    with pytest.raises(ConfigError, match="geofence zone: areas: the file has no area or point Rnge; it has: A, B"):
        read_fence_rules([wrong])


def test_a_fence_that_is_unchanged_continues_at_a_reload():
    """Also if another one is renamed: what it knows of the stream stays."""
    from klvrelay.alerts.fence_checks import FenceChecks

    kept, other = fence_rule("kept", (), ("platform",)), fence_rule("other", (), ("platform",))
    before = FenceChecks({"kept": kept, "other": other})
    after = FenceChecks({"kept": kept, "renamed": other}, before)
    assert after._watches["kept"] is before._watches["kept"]
    assert set(after._watches) == {"kept", "renamed"}


@pytest.mark.parametrize(("when", "word"), [("inside", "those responsible"), ("looks_at", "camera"),
                                            ("altitude", "altitudes"), ("outside", "left its area")])  # fmt: skip
def test_the_advice_fits_the_condition(when: Any, word: str):
    """A camera that looks at a point is not in an area."""
    from klvrelay.alerts.rules import rules_of

    settings = AlertsSettings(geofences=(GeofenceSettings("zone", "zone.geojson", when=when),))
    (rule,) = [one for one in rules_of(settings, "stream", "uav1") if one.id == "geofence:zone"]
    assert word in rule.meaning.advice(None, 1.0)


def test_the_log_line_of_a_fence_has_no_number(caplog: pytest.LogCaptureFixture):
    """The value of a fence, 1, has no meaning for people."""
    scene = scene_with()
    scene.add_stream("uav1")
    FakeWatch.inside_since = scene.clock.now
    scene.run(3)
    (line,) = [one for one in caplog.messages if one.startswith("alert raised")]
    assert "value=" not in line
    assert "threshold=" not in line
