"""The documents of alerts on topics: raised, cleared, deleted."""

from __future__ import annotations

from typing import Any

import jsonschema
import orjson
from alert_scenes import Scene

from klvrelay.alerts.topics import LINGER, AlertTopics
from klvrelay.config.alerts import AlertEntry
from klvrelay.schema.payloads import payload_schema


class Published:
    """What was published, by topic."""

    def __init__(self, scene: Scene) -> None:
        self.found: list[tuple[str | None, Any]] = []
        names = lambda: [stream.health.name for stream in scene.streams]  # noqa: E731
        self.topics = AlertTopics("5f2c9a", self._put, lambda: scene.alerts.raised(), names, scene.clock)
        scene.alerts.listeners.append(self.topics.note)
        scene.alerts.checked.append(self.topics.flush)

    def _put(self, stream: str | None, document: bytes) -> None:
        self.found.append((stream, orjson.loads(document) if document else None))

    def take(self) -> list[tuple[str | None, Any]]:
        taken, self.found = self.found, []
        return taken


def test_a_document_is_published_for_each_change_and_deleted_after_the_last_clear():
    """Each is valid by the schema."""
    scene = Scene()
    published = Published(scene)
    stream = scene.add_stream()
    scene.run(40)
    assert published.take() == [(None, None), ("uav1", None)]  # what earlier runs left
    stream.rate = 0
    scene.run(12)
    ((name, raised),) = published.take()
    assert (name, [one["rule"] for one in raised["raised"]]) == ("uav1", ["no_klv"])
    assert [one["event"] for one in raised["events"]] == ["raised"]
    stream.rate = 30
    scene.run(3)
    ((name, cleared),) = published.take()
    assert (name, cleared["raised"]) == ("uav1", [])
    assert [(one["event"], one["id"]) for one in cleared["events"]] == [("cleared", raised["raised"][0]["id"])]
    scene.run(LINGER + 1)
    assert published.take() == [("uav1", None)]
    for document in (raised, cleared):
        jsonschema.Draft202012Validator(payload_schema("alert")).validate(document)


def test_a_new_alert_keeps_the_retained_value():
    """If it is raised before the deletion."""
    scene = Scene(AlertEntry("refused_topic", hold=0.0, rearm=0.0))
    published = Published(scene)
    sink = scene.add_sink()
    scene.run(5)
    published.take()
    for _ in range(2):
        sink.suspended = lambda: ["a"]
        scene.run(2)
        sink.suspended = tuple
        scene.run(2)
    sink.suspended = lambda: ["a"]
    scene.run(8)
    documents = published.take()
    assert {name for name, _ in documents} == {None}
    assert documents[-1][1]["raised"][0]["rule"] == "refused_topic"
    scene.run(LINGER + 2)
    assert published.take() == []


def test_the_end_of_a_run_deletes_what_is_retained():
    """After the clear of everything."""
    scene = Scene()
    published = Published(scene)
    stream = scene.add_stream()
    scene.run(10)
    stream.rate = 0
    scene.run(12)
    published.take()
    scene.alerts.stop()
    published.topics.end()
    assert published.take() == [("uav1", None)]
