"""Exports for GIS programs, read by GDAL and checked against the schemas: GeoJSON, KML and GPX."""

from __future__ import annotations

import json
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import shapely
from exported import DEGREES, ORBIT, Tape, export, exported, flight, layer_of, skipped_by, tape
from lxml import etree
from tapes import recording

import klvrelay
from klvrelay.encode import encode
from klvrelay.exports.times import iso_time

__all__ = ["recording"]
GPX = "{http://www.topografix.com/GPX/1/1}"
POINT_ORDER = ("ele", "time", "magvar", "geoidheight")


def close(found: Any, wanted: Any, most: float = DEGREES) -> None:
    """Two lists of coordinates are equal within a resolution."""
    assert len(found) == len(wanted)
    for one, two in zip(found, wanted, strict=True):
        assert one == pytest.approx(two, abs=most)


def flat(line: Any) -> list[tuple[float, float]]:
    return [(place[0], place[1]) for place in line.coords]


def test_geojson_has_the_tracks_of_the_recording(recording: Tape, tmp_path: Path):
    """GDAL reads the positions of the JSON, in order, with a time for each."""
    path = exported(tmp_path, "geojson", recording.records, name="uav1")
    layer = layer_of(path).set_index("kind")
    for kind, places in (("platform", recording.platforms), ("frame_center", recording.centers)):
        line = layer.loc[kind].geometry
        close(flat(line), places)
        assert line.has_z
    assert [str(time) for time in layer.loc["platform"].coordTimes] == [iso_time(r.clock_us) for r in recording.records]


def test_geojson_has_heights_in_both_datums(recording: Tape):
    """The third coordinate is above the ellipsoid; `msl` has what the aircraft sent above sea level."""
    features = json.loads(export("geojson", recording.records))["features"]
    (track,) = (feature for feature in features if feature["properties"]["kind"] == "platform")
    sent = [items["sensor_true_altitude"] for items in recording.items]
    assert track["properties"]["msl"] == pytest.approx(sent, abs=1e-3)
    assert [place[2] for place in track["geometry"]["coordinates"]] == pytest.approx(recording.heights, abs=1e-3)


def test_geojson_footprints_are_counter_clockwise_and_a_second_apart(recording: Tape, tmp_path: Path):
    """RFC 7946, 3.1.6; they have the corners that the aircraft sent."""
    path = exported(tmp_path, "geojson", recording.records, footprint_every=1)
    layer = layer_of(path)
    footprints = layer[layer.kind == "footprint"]
    assert footprints.geometry.is_valid.all()
    assert all(shape.exterior.is_ccw for shape in footprints.geometry)
    times = sorted(footprints.time)
    assert all((late - early).total_seconds() >= 1 for early, late in pairwise(times))
    assert 8 <= len(times) <= 13


def test_geojson_points_have_the_items(tmp_path: Path):
    """`points`: one for each record, with its plain values as properties."""
    records = flight([(9.0, 56.0), (9.1, 56.1)], mission_id="M-1")
    features = json.loads(export("geojson", records, points=True))["features"]
    points = [feature for feature in features if feature["properties"]["kind"] == "position"]
    assert [point["geometry"]["coordinates"][:2] for point in points] == [
        pytest.approx([9.0, 56.0], abs=1e-7), pytest.approx([9.1, 56.1], abs=1e-7),
    ]  # fmt: skip
    assert [point["properties"]["mission_id"] for point in points] == ["M-1", "M-1"]
    assert [point["properties"]["seq"] for point in points] == [0, 1]


def test_a_track_across_180_degrees_is_cut():
    """RFC 7946, 3.1.9: two lines that meet the antimeridian at the same latitude, with times for each position."""
    features = json.loads(export("geojson", flight([(179.0, 10.0), (179.5, 10.0), (-179.5, 11.0), (-179.0, 11.0)])))
    (track,) = features["features"]
    assert track["geometry"]["type"] == "MultiLineString"
    west, east = track["geometry"]["coordinates"]
    assert west[-1] == pytest.approx([180, 10.5], abs=1e-6)
    assert east[0] == pytest.approx([-180, 10.5], abs=1e-6)
    assert [len(times) for times in track["properties"]["coordTimes"]] == [len(west), len(east)] == [3, 3]


def test_a_single_position_is_a_point():
    """A LineString needs two."""
    (feature,) = json.loads(export("geojson", flight([(9.0, 56.0)])))["features"]
    assert feature["geometry"]["type"] == "Point"


def kml_schema() -> etree.XMLSchema:
    """The schema of OGC KML 2.2 with Google's extensions, as the package fastkml ships it."""
    package = find_spec("fastkml")
    assert package is not None
    assert package.submodule_search_locations is not None
    return etree.XMLSchema(etree.parse(Path(package.submodule_search_locations[0]) / "schema" / "kml22gx.xsd"))


def test_kml_is_valid(recording: Tape):
    """By the XML schema."""
    kml_schema().assertValid(etree.fromstring(export("kml", recording.records, name="<uav> & \x1b")))


def test_a_long_kml_track_is_in_joined_pieces():
    """A piece begins with the last position of the one before it, and the file is valid."""
    records = flight([(9 + n / 10_000, 56.0) for n in range(2500)], step_us=40_000)
    document = etree.fromstring(export("kml", records))
    kml_schema().assertValid(document)
    pieces = document.findall(".//{*}Track")
    coords = [[place.text for place in piece.findall("{*}coord")] for piece in pieces]
    assert len(coords) == 3
    assert [coords[0][-1], coords[1][-1]] == [coords[1][0], coords[2][0]]
    assert sum(map(len, coords)) == 2500 + 2


def test_kml_has_the_tracks_of_the_recording(recording: Tape, tmp_path: Path):
    """GDAL reads the positions of the JSON, with the height above sea level that the aircraft sent."""
    path = exported(tmp_path, "kml", recording.records, name="uav1")
    layer = layer_of(path, layer="uav1").set_index("Name")
    for name, places in (("uav1", recording.platforms), ("uav1: frame centre", recording.centers)):
        (line,) = layer.loc[name].geometry.geoms
        close(flat(line), places)
    heights = [place[2] for place in layer.loc["uav1"].geometry.geoms[0].coords]
    assert heights == pytest.approx([items["sensor_true_altitude"] for items in recording.items], abs=1e-3)


def test_a_kml_footprint_is_shown_until_the_next(recording: Tape, tmp_path: Path):
    """So one is visible at any time."""
    path = exported(tmp_path, "kml", recording.records, name="uav1")
    layer = layer_of(path, layer="footprints")
    assert len(layer) > 8
    assert list(layer.end[:-1]) == list(layer.begin[1:])


def test_gpx_has_the_tracks_of_the_recording(recording: Tape, tmp_path: Path):
    """GDAL reads two tracks with the positions and heights of the JSON, and their times."""
    path = exported(tmp_path, "gpx", recording.records, name="uav1")
    points = layer_of(path, layer="track_points")
    for number, places in enumerate((recording.platforms, recording.centers)):
        track = points[points.track_fid == number]
        close([(point.x, point.y) for point in track.geometry], places)
    platform = points[points.track_fid == 0]
    assert list(platform.ele) == pytest.approx([items["sensor_true_altitude"] for items in recording.items], abs=1e-3)
    assert list(platform.ele + platform.geoidheight) == pytest.approx(recording.heights, abs=2e-3)
    times = [round(time.timestamp() * 1000) for time in platform.time]
    assert times == [round((record.clock_us or 0) / 1000) for record in recording.records]


def test_gpx_elements_are_in_the_order_of_the_schema(recording: Tape):
    """trkpt of GPX 1.1: ele, time, magvar, geoidheight; nothing else."""
    document = etree.fromstring(export("gpx", recording.records))
    assert (document.tag, document.get("version")) == (f"{GPX}gpx", "1.1")
    points = document.findall(f"{GPX}trk/{GPX}trkseg/{GPX}trkpt")
    assert len(points) == 2 * len(recording.records)
    for point in points:
        places = [POINT_ORDER.index(child.tag.removeprefix(GPX)) for child in point]
        assert places == sorted(set(places))
        assert -180 <= float(point.get("lon")) < 180


@pytest.mark.parametrize("name", ["geojson", "kml", "gpx", "czml", "esri-csv", "geoparquet"])
def test_records_without_position_are_skipped_and_counted(name: str):
    """They do not end a track."""
    records = flight([(9.0, 56.0)]) + flight([(9.0, 56.0)], sensor_longitude=None) + flight([(9.1, 56.0)])
    assert skipped_by(name, records) == 1


@pytest.mark.parametrize("name", ["kml", "czml", "mcap"])
def test_records_without_time_are_skipped_where_time_is_needed(name: str):
    """They are counted."""
    records = flight([(9.0, 56.0)], step_us=0)
    assert skipped_by(name, records) == 1
    assert skipped_by("geojson", records) == 0


@pytest.mark.parametrize("name", ["geojson", "kml", "gpx", "czml"])
def test_a_file_without_records_is_valid(name: str):
    """An empty collection, document or track."""
    data = export(name, [])
    if name in ("kml", "gpx"):
        etree.fromstring(data)
    else:
        assert json.loads(data)


def test_a_footprint_that_is_not_reported_is_derived():
    """It says so, and lies within 50 m of the one that the aircraft reported."""
    records = tape(ORBIT).records[:1]
    items = {key: value for key, value in records[0].items.items() if "corner" not in key}
    (bare,) = klvrelay.decode(encode(items | {"precision_time_stamp": records[0].clock_us}))
    shapes = []
    for record, source in ((records[0], "reported"), (bare, "derived")):
        features = json.loads(export("geojson", [record]))["features"]
        (footprint,) = (feature for feature in features if feature["properties"]["kind"] == "footprint")
        assert footprint["properties"]["source"] == source
        shapes.append(shapely.geometry.shape(footprint["geometry"]))
    assert shapes[0].hausdorff_distance(shapes[1]) * 111_000 < 50
