"""MCAP files: channels whose messages viewers show, and a scene that agrees with `klvrelay.geo`."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from cases import each_case
from exported import ORBIT, TIME_US, Tape, export, flight, tape
from filmed import documents
from mcap.reader import make_reader
from tapes import recording

from klvrelay import geo
from klvrelay.exports.mcap_scene import Scene
from klvrelay.exports.mcap_schemas import SCHEMAS
from klvrelay.record import Record

__all__ = ["recording"]

ENTITIES = {"platform", "sight", "footprint", "targets"}
PLAIN = {"boolean", "string", "number", "integer"}


def faults(schema: dict[str, Any], path: str = "") -> Iterator[str]:
    """What the viewers' reader of JSON Schema rejects: each property needs a type it knows."""
    for name, found in schema["properties"].items():
        if "oneOf" in found:
            if not all(type(one["const"]) is int for one in found["oneOf"]):
                yield f"{path}.{name}"
            continue
        inner = found["items"] if found.get("type") == "array" else found
        if inner.get("type") == "object":
            yield from faults(inner, f"{path}.{name}")
        elif inner.get("type") not in PLAIN or inner.get("contentEncoding", "base64") != "base64":
            yield f"{path}.{name}"


@each_case("name", SCHEMAS)
def test_viewers_can_read_the_schemas(name: str):
    """Foxglove and Lichtblick reject a channel with a schema beyond a part of JSON Schema."""
    assert SCHEMAS[name]["type"] == "object"
    assert list(faults(SCHEMAS[name])) == []


def test_messages_match_their_schemas(recording: Tape):
    """Positions, footprints, the scene; the record's schema lists what can be plotted."""
    data = export("mcap", recording.records, name="uav1", footprint_every=0)
    found = set()
    for schema, channel, message in make_reader(io.BytesIO(data)).iter_messages():
        assert schema is not None
        assert (schema.encoding, channel.message_encoding) == ("jsonschema", "json")
        if channel.topic not in found and schema.name != "klvrelay/1":
            jsonschema.validate(json.loads(message.data), json.loads(schema.data))
        found.add(channel.topic)
    names = "position", "frame_center", "footprint", "record", "scene", "transforms"
    assert found == {f"/uav1/{name}" for name in names}


def test_positions_and_records_are_those_of_the_recording(recording: Tape):
    """At the times of the records."""
    data = export("mcap", recording.records, name="uav1")
    assert [one for _, _, one in documents(data, "/uav1/record")] == [json.loads(r.json()) for r in recording.records]
    fixes = documents(data, "/uav1/position")
    assert [(fix["longitude"], fix["latitude"]) for _, _, fix in fixes] == recording.platforms
    assert [fix["altitude"] for _, _, fix in fixes] == pytest.approx(recording.heights)
    assert [time for _, time, _ in fixes] == [record.clock_us for record in recording.records]


def test_the_file_has_an_index():
    """Players seek in it. A channel without messages is not in it."""
    summary = make_reader(io.BytesIO(export("mcap", flight([(9.0, 56.0)] * 5)))).get_summary()
    assert summary is not None
    assert summary.statistics is not None
    assert (summary.statistics.message_count, len(summary.chunk_indexes)) == (20, 1)
    assert {channel.topic.rpartition("/")[2] for channel in summary.channels.values()} == {
        "position", "record", "scene", "transforms",
    }  # fmt: skip


# ---- the scene ----


@pytest.fixture(scope="module")
def orbit() -> Tape:
    """The sample."""
    return tape(ORBIT)


def scene(records: list[Record], every: float = 0.0) -> Iterator[tuple[Record, dict[str, Any], dict[str, Any]]]:
    """Each record, its entities and its transforms by name."""
    made = Scene("uav1", every)
    for record in records:
        updates = made.update(record, record.clock_us or 0)
        assert updates is not None
        entities, transforms = updates
        yield (
            record,
            {one["id"]: one for one in entities["entities"]},
            {one["child_frame_id"]: one for one in transforms["transforms"]},
        )


def xyz(vector: dict[str, float]) -> tuple[float, float, float]:
    return vector["x"], vector["y"], vector["z"]


def turned(rotation: dict[str, float], vector: tuple[float, float, float]) -> tuple[float, float, float]:
    """A vector rotated by a quaternion: v + 2w(u x v) + 2u x (u x v)."""
    u, w = (rotation["x"], rotation["y"], rotation["z"]), rotation["w"]
    once = _cross(u, vector)
    twice = _cross(u, once)
    x, y, z = (v + 2 * (w * a + b) for v, a, b in zip(vector, once, twice, strict=True))
    return x, y, z


def _cross(a: tuple[float, ...], b: tuple[float, ...]) -> tuple[float, float, float]:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


def test_places_of_the_scene_are_those_of_geo(recording: Tape):
    """Within a metre, on the way back from metres to degrees: platform, line of sight, footprint, targets."""
    first = geo.derive(recording.records[0].items).platform
    assert first is not None
    origin = geo.GeoPoint(first.lat, first.lon, first.hae.value if first.hae else 0.0)

    def is_at(found: dict[str, float], lat: float, lon: float, hae: float | None = None) -> bool:
        place = geo.from_ecef(geo.from_enu(origin, xyz(found)))
        across = geo.between(place.lat, place.lon, lat, lon).distance
        return across < 1 and (hae is None or abs(place.hae - hae) < 1)

    for record, entities, _ in scene(recording.records[:60]):
        truth = geo.derive(record.items)
        assert truth.platform is not None
        assert truth.frame_centre is not None
        (arrow,), (line,) = entities["platform"]["arrows"], entities["sight"]["lines"]
        height = truth.frame_centre.hae.value if truth.frame_centre.hae else None
        assert is_at(arrow["pose"]["position"], truth.platform.lat, truth.platform.lon)
        assert line["points"][0] == arrow["pose"]["position"]
        assert is_at(line["points"][1], truth.frame_centre.lat, truth.frame_centre.lon, height)
        if truth.footprint is not None:
            corners = entities["footprint"]["triangles"][0]["points"]
            assert all(is_at(one, *corner) for one, corner in zip(corners, truth.footprint.corners, strict=True))
        targets = [one.point for one in geo.targets(record.items, truth) if one.point is not None]
        if targets:
            spheres = entities["targets"]["spheres"]
            assert all(is_at(a["pose"]["position"], b.lat, b.lon) for a, b in zip(spheres, targets, strict=True))


ATTITUDES = {
    "north": ((0, 0, 0), (0, 1, 0), (0, 0, 1)),
    "east": ((90, 0, 0), (1, 0, 0), (0, 0, 1)),
    "nose up": ((0, 20, 0), (0, math.cos(math.radians(20)), math.sin(math.radians(20))), None),
    "right wing down": ((0, 0, 30), (0, 1, 0), (0.5, 0, math.cos(math.radians(30)))),
}


@each_case("name", ATTITUDES)
def test_the_platform_points_where_its_nose_does(name: str):
    """East, north, up: its x axis, and its z axis."""
    (heading, pitch, roll), nose, top = ATTITUDES[name]
    angles = {"platform_heading_angle": heading, "platform_pitch_angle": pitch, "platform_roll_angle": roll}
    ((_, entities, transforms),) = scene(flight([(9.0, 56.0)], **angles))
    rotation = entities["platform"]["arrows"][0]["pose"]["orientation"]
    assert transforms["uav1/platform"]["rotation"] == rotation
    assert turned(rotation, (1, 0, 0)) == pytest.approx(nose, abs=1e-3)
    if top is not None:
        assert turned(rotation, (0, 0, 1)) == pytest.approx(top, abs=1e-3)


def test_a_platform_without_a_heading_is_a_ball():
    """Its frame moves with it, but does not turn."""
    ((_, _, _), (_, entities, transforms)) = scene(flight([(9.0, 56.0), (9.001, 56.0)]))
    (ball,) = entities["platform"]["spheres"]
    assert (entities["platform"]["arrows"], list(transforms)) == ([], ["uav1/platform"])
    assert transforms["uav1/platform"]["translation"] == ball["pose"]["position"]
    assert xyz(ball["pose"]["position"])[0] == pytest.approx(62.4, abs=0.1)
    assert transforms["uav1/platform"]["rotation"] == {"x": 0, "y": 0, "z": 0, "w": 1}


def test_the_camera_looks_along_the_line_of_sight(recording: Tape):
    """Its z axis points to the frame centre."""
    for _, entities, transforms in scene(recording.records[:30]):
        camera = transforms["uav1/camera"]
        begin, end = (xyz(point) for point in entities["sight"]["lines"][0]["points"])
        assert xyz(camera["translation"]) == begin
        away = [b - a for a, b in zip(begin, end, strict=True)]
        sight = [part / math.dist(begin, end) for part in away]
        assert turned(camera["rotation"], (0, 0, 1)) == pytest.approx(sight, abs=2e-3)


def test_each_message_replaces_or_deletes_every_entity():
    """A viewer may begin anywhere."""
    places = [(9.0, 56.0)] * 2
    for _, _, message in documents(export("mcap", flight(places)), "/flight/scene"):
        shown = {one["id"] for one in message["entities"]}
        deleted = {one["id"] for one in message["deletions"]}
        assert (shown, deleted) == ({"platform"}, ENTITIES - {"platform"})


def test_targets_are_shown_for_a_second(orbit: Tape):
    """VMTI sets are often sent less often than positions."""
    with_targets = next(record for record in orbit.records if geo.targets(record.items))
    made = Scene("uav1", 0)
    bare = flight([(9.4, 56.1)])[0]

    def ids(record: Record, time_us: int) -> set[str]:
        updates = made.update(record, time_us)
        assert updates is not None
        return {one["id"] for one in updates[0]["entities"]}

    assert "targets" in ids(with_targets, TIME_US)
    assert "targets" in ids(bare, TIME_US + 900_000)
    assert "targets" not in ids(bare, TIME_US + 1_000_000)


def test_a_footprint_stays_until_the_next_is_due(orbit: Tape):
    """`footprint_every` seconds."""
    outlines = [entities["footprint"]["lines"][0]["points"] for _, entities, _ in scene(orbit.records[:61], 1.0)]
    assert outlines[0] == outlines[29]
    assert outlines[0] != outlines[31]
