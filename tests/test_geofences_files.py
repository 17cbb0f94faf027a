"""GeoJSON files of fences: what is read, and the message for each fault."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from cases import each_case
from fence_files import collection, fences, point, polygon, square
from hypothesis import given, settings
from hypothesis import strategies as st

from klvrelay import geofences
from klvrelay.errors import ConfigError

SAMPLE = Path(__file__).parent.parent / "samples" / "zones.geojson"
BOX = square(9, 56, 10, 57)


def fault(text: bytes) -> str:
    with pytest.raises(ConfigError) as raised:
        geofences.parse_fences(text)
    return str(raised.value)


def test_the_sample_is_read():
    """Names, bands, hole and point."""
    found = geofences.read_fences(str(SAMPLE))

    assert [fence.name for fence in found] == ["Range", "Airspace", "Village", "Junction"]
    assert found[0].band == (-1000, 1500, "hae")
    assert found[1].band == (300, 1040, "msl")
    assert len(found[2].polygons[0].holes) == 1
    assert found[3].points == ((56.11986, 9.41302),)


FORMS = [
    (polygon(BOX), 1),
    ({"type": "Feature", "properties": None, "geometry": polygon(BOX)}, 1),
    ({"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": polygon(BOX)}] * 3}, 3),
    ({"type": "MultiPolygon", "coordinates": [[BOX], [square(1, 1, 2, 2)]]}, 1),
    ({"type": "MultiPoint", "coordinates": [[9, 56], [9, 57, 120]]}, 1),
    ({"type": "Polygon", "coordinates": [[[*p, 100.0, 5] for p in BOX]], "bbox": [1], "crs": None}, 1),
    ({**polygon(BOX), "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}}, 1),
]


@each_case("document, count", FORMS)
def test_each_form_of_a_file_is_read(document, count):
    """A collection, a feature, a geometry; heights of positions and unknown members are ignored."""
    assert len(geofences.parse_fences(b"\xef\xbb\xbf" + json.dumps(document).encode())) == count


NAMES = [("North", "North"), (7, "7"), (2.5, "2.5"), (None, "feature 1"), ("", "feature 1"), ("a\nb\x1b", "a\\nb\\x1b")]


@each_case("given, name", NAMES)
def test_the_name_is_a_property_or_the_number_of_the_feature(given, name):
    """On one line, without control characters."""
    assert fences(polygon(BOX), name=given)[0].name == name


def test_equal_names_are_numbered():
    """A message names one fence."""
    assert [one.name for one in fences(polygon(BOX), point(1, 1), name="A")] == ["A (1)", "A (2)"]


CLOSED = [[0, 0], [1, 0], [1, 1]]
HOLE = [[0, 0], [1, 0], [1, 1], [0, 0]]
FAULTS: list[tuple[Any, str]] = [
    ([1, 2], "expected a GeoJSON object, not [1, 2]"),
    ({}, "feature 1: geometry nothing: expected Polygon, MultiPolygon, Point or MultiPoint"),
    ({"type": "FeatureCollection"}, "features: expected a list, not nothing"),
    ({"type": "FeatureCollection", "features": []}, "no feature: draw at least one Polygon or Point"),
    ({"type": "FeatureCollection", "features": [3]}, 'feature 1: expected an object with "type": "Feature", not 3'),
    ({"type": "Feature", "geometry": None}, "feature 1: geometry: expected a Polygon or Point, not nothing"),
    ({"type": "Feature", "geometry": polygon(BOX), "properties": 1}, "properties: expected an object, not 1"),
    ({"type": "LineString", "coordinates": []}, "draw a Polygon around it"),
    ({"type": "GeometryCollection", "geometries": []}, "write each of its geometries as a feature"),
    ({"type": ["x" * 999]}, "feature 1: geometry ['xxxxxxxxxxxxxxxxx...xxxxxxxxxxxxxxxxxx']: expected Polygon"),
    (polygon(), "feature 1: expected a list of rings, not []"),
    ({"type": "Polygon", "coordinates": None}, "feature 1: expected a list of rings, not nothing"),
    ({"type": "MultiPolygon", "coordinates": [[BOX], 5]}, "feature 1, polygon 2: expected a list of rings, not 5"),
    (polygon(CLOSED), "feature 1, ring 1: not closed: repeat the first position, [0, 0], at its end"),
    (polygon(BOX, CLOSED), "feature 1, ring 2: not closed"),
    (polygon([[0, 0]] * 3), "feature 1, ring 1: fewer than 3 different positions"),
    (polygon([[0, 0], [1, 1], [0, 0]]), "feature 1, ring 1: fewer than 3 different positions"),
    (polygon([[0, 0], [1, 1], [3, 3], [0, 0]]), "feature 1, ring 1: all positions are on one line"),
    (polygon([[0, 0], [1, 0], ["1", 1], [0, 0]]), "feature 1, ring 1, position 3: expected two numbers, longitude and"),
    (polygon([[0, 0], [True, 0]]), "feature 1, ring 1, position 2: expected two numbers"),
    (polygon([[0, 0], [1]]), "feature 1, ring 1, position 2: expected [longitude, latitude], not [1]"),
    (polygon([[0, 0], {"lat": 1}]), "feature 1, ring 1, position 2: expected [longitude, latitude], not {'lat': 1}"),
    (polygon([[56, 120]]), "position 1: latitude 120: expected -90 to 90; the order is longitude, latitude"),
    (polygon([[400, 1]]), "position 1: longitude 400: expected -180 to 180, or to 360 across the antimeridian"),
    (polygon([[1, 10**30]]), "latitude 1e+30: expected -90 to 90"),
    (polygon(square(-179, 0, 179, 1)), "ring 1, position 1: the line from longitude -179 to 179 is longer than 180"),
    (polygon([[0, 80], [90, 80], [180, 80], [-90, 80], [0, 80]]), "round a pole, follow the ring to 180"),
    (polygon([[-200, 0], [-30, 0], [140, 0], [170, 0], [0, 5], [-90, 9], [-200, 0]]), "extends over more than 360"),
    (point(91, 0), "feature 1: latitude 91: expected -90 to 90"),
    ({"type": "Point", "coordinates": "here"}, "feature 1: expected [longitude, latitude], not 'here'"),
    ({"type": "MultiPoint", "coordinates": [[1, 1], 2]}, "feature 1, point 2: expected [longitude, latitude], not 2"),
    ({**polygon(BOX), "crs": {"properties": {"name": "EPSG:25832"}}}, "export the layer as EPSG:4326"),
    ({**polygon(BOX), "crs": 5}, "crs nothing: expected WGS 84 longitude and latitude"),
]  # fmt: skip


@each_case("document, message", FAULTS)
def test_each_fault_is_named_with_its_place(document, message):
    """Feature, polygon, ring, position; and what is expected."""
    assert message in fault(json.dumps(document).encode())


PROPERTIES = [
    ({"name": ["x"]}, "feature 1: name ['x']: expected a text of at most 100 characters"),
    ({"name": "x" * 101}, "expected a text of at most 100 characters"),
    ({"min_altitude": "100 ft"}, "feature 1: min_altitude '100 ft': expected metres, a number from -1000 to 100000"),
    ({"max_altitude": 1e9}, "feature 1: max_altitude 1000000000.0: expected metres"),
    ({"min_altitude": 500, "max_altitude": 100}, "min_altitude 500 is not below max_altitude 100; swap them"),
    ({"min_altitude": 1, "altitude_datum": "fl"}, """altitude_datum 'fl': expected "hae", "msl" or "agl\""""),
    ({"min_altitude": 1, "altitude_datum": ["hae"]}, """altitude_datum ['hae']: expected"""),
]


@each_case("properties, message", PROPERTIES)
def test_each_fault_of_a_property_is_named(properties, message):
    """With the valid values."""
    assert message in fault(collection(polygon(BOX), **properties))


def test_points_have_no_band():
    """What a band would mean for them is not defined."""
    assert "remove them from the points" in fault(collection(point(1, 1), min_altitude=5))


TEXTS = [b"", b"{", b"[" * 5000, b'{"a":' * 5000, b"[NaN]", b'{"type":"Point","coordinates":[1e999,1]}', b"\xff\xfe{}",
         b'{"type":"Point","coordinates":[Infinity,1]}', b"\x00" * 100]  # fmt: skip


@each_case("text", TEXTS)
def test_what_is_not_json_is_refused(text):
    """Deeply nested, not a number, not UTF-8."""
    assert fault(text).startswith("not JSON: ")


def nested(depth: int) -> bytes:
    return b'{"type":"Polygon","coordinates":' + b"[" * depth + b"]" * depth + b"}"


def test_deep_nesting_within_the_limit_of_json_is_refused():
    """Without a recursion as deep as the file."""
    assert "feature 1, ring 1, position 1: expected [longitude, latitude], not [[[...]]]" in fault(nested(1000))


def line(count: int) -> list[list[float]]:
    ring = [[n * 1e-4, (n % 2) * 1e-3 + n * 1e-6] for n in range(count - 1)]
    return [*ring, ring[0]]


def test_the_numbers_of_positions_features_and_points_are_limited():
    """100,000 positions, 1,000 fences and 1,000 points are read in time; one more is refused."""
    started = monotonic()
    whole = polygon(line(50_000)), polygon(line(50_000))
    assert len(fences(*whole)) == 2
    more = fault(collection(*whole, polygon(BOX)))
    assert "feature 3, ring 1, position 1: more than 100,000 positions in the file" in more

    assert len(fences(*[point(1, 1)] * 1000)) == 1000
    assert "1,001 features: expected at most 1,000; split the file" in fault(collection(*[point(1, 1)] * 1001))
    many = {"type": "MultiPoint", "coordinates": [[1, 1]] * 1001}
    assert "feature 1, point 1001: more than 1,000 points in the file" in fault(collection(many))
    assert monotonic() - started < 20


def test_a_file_of_ten_megabytes_is_refused(tmp_path):
    """With the key of the setting, not the content."""
    path = tmp_path / "huge.geojson"
    path.write_bytes(b" " * (10 << 20))

    with pytest.raises(ConfigError, match=r"^geofence.file: has more than 4,194,304 bytes$"):
        geofences.read_fences(str(path), "geofence.file")


def test_what_is_not_a_file_is_refused(tmp_path):
    """Missing, a folder, a device, a pipe without a writer: at once, or after two seconds."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "missing", tmp_path, "/dev/zero", tmp_path / "pipe"):
        with pytest.raises(ConfigError, match=r"^file: can't be read: "):
            geofences.read_fences(str(path), "file")


def test_a_fault_of_a_file_begins_with_its_key(tmp_path):
    """So that the operator finds the table."""
    path = tmp_path / "zones.geojson"
    path.write_bytes(collection(polygon(CLOSED)))

    with pytest.raises(ConfigError, match=r"^geofence.file: feature 1, ring 1: not closed: "):
        geofences.read_fences(str(path), "geofence.file")


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5)
    | st.sampled_from(["Polygon", "Point", "Feature", "MultiPolygon", "FeatureCollection"]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.sampled_from(["type", "coordinates", "geometry", "properties", "name", "crs"]), inner),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=300)
@given(VALUES, st.sampled_from(["Polygon", "MultiPolygon", "Point", "MultiPoint", "Feature", "FeatureCollection"]))
def test_any_json_is_read_or_refused(value, kind):
    """Nothing but ConfigError is raised."""
    keys = {"Feature": "geometry", "FeatureCollection": "features"}
    document = {"type": kind, keys.get(kind, "coordinates"): value}
    found: tuple[geofences.Fence, ...] = ()
    with suppress(ConfigError):
        found = geofences.parse_fences(json.dumps(document).encode())

    assert all(fence.polygons or fence.points for fence in found)
