"""The flight of the sample recording and the sample of fences: when, and from which items."""

from __future__ import annotations

import math
import subprocess
import sys
from functools import cache
from itertools import groupby, pairwise
from pathlib import Path

import pytest
import shapely
from cases import each_case
from fence_files import area
from shapely.ops import nearest_points

import klvrelay
from klvrelay import geo, geofences
from klvrelay.geofences import Fence, FenceEvent, FenceRule, FenceWatch, places_of

SAMPLES = Path(__file__).parent.parent / "samples"


@cache
def flight() -> list[tuple[float, dict]]:
    """Seconds since the first record, and items, of 360 records at 30 Hz."""
    records = klvrelay.decode((SAMPLES / "orbit.ts").read_bytes())
    return [((one.clock_us - records[0].clock_us) / 1e6, one.items) for one in records]


@cache
def zones() -> dict[str, Fence]:
    return {fence.name: fence for fence in geofences.read_fences(str(SAMPLES / "zones.geojson"))}


def shape(name: str) -> shapely.Polygon:
    """The polygon, read by shapely."""
    collection = shapely.from_geojson((SAMPLES / "zones.geojson").read_text())
    return collection.geoms[list(zones()).index(name)]


def events(name: str, **settings) -> list[FenceEvent]:
    rule = FenceRule("rule", (zones()[name],), **settings)
    watch = FenceWatch(rule)
    return [event for at, items in flight() for event in watch.update(at, places_of(items, rule.of)).events]


def track(kind: str) -> list[tuple[float, float, float]]:
    """Seconds, longitude, latitude as sent."""
    return [(at, items[f"{kind}_longitude"], items[f"{kind}_latitude"]) for at, items in flight()]


def crossings(path: list[tuple[float, float, float]], border: shapely.Geometry) -> list[float]:
    """The times at which straight lines between successive positions meet a border."""
    found = []
    for (start, *a), (end, *b) in pairwise(path):
        met = shapely.get_coordinates(shapely.intersection(shapely.LineString([a, b]), border))
        found += [start + (end - start) * math.dist(a, one) / math.dist(a, b) for one in met]
    return found


def next_record(at: float) -> float:
    return next(time for time, _ in flight() if time >= at)


def metres_to(polygon: shapely.Polygon, lon: float, lat: float) -> float:
    """The geodesic to the nearest point of a polygon, which is searched with degrees of equal length."""
    narrow = math.cos(math.radians(lat))
    scaled = shapely.transform(polygon, lambda points: points * (narrow, 1))
    nearest, _ = nearest_points(scaled, shapely.Point(lon * narrow, lat))
    return geo.between(lat, lon, nearest.y, nearest.x / narrow).distance


def test_the_flight_enters_and_leaves_the_range_when_it_crosses_its_border():
    """Entering is the first record after the crossing; leaving the first one more than 10 metres beyond."""
    path = track("sensor")
    border = shape("Range").exterior
    entered, left = events("Range")
    first, second = crossings(path, border)
    beyond = next(at for at, lon, lat in path if at > second and metres_to(shape("Range"), lon, lat) > 10)

    assert (entered.kind, entered.at) == ("entered", next_record(first))
    assert (left.kind, left.at) == ("left", beyond)
    assert 0 < entered.at - first <= 1 / 29
    assert beyond - second == pytest.approx(10 / 44, abs=0.1)  # metres, and metres per second


def test_without_a_margin_it_leaves_at_the_border():
    """The first record after the crossing."""
    _, second = crossings(track("sensor"), shape("Range").exterior)

    assert [event.at for event in events("Range", margin=0)][1] == next_record(second)


def test_dwelling_is_noticed_at_the_first_record_after_its_time():
    """Counted from the record that entered."""
    entered, dwelled, _ = events("Range", when="dwell", dwell=3)

    assert (dwelled.kind, dwelled.at) == ("dwelled", next_record(entered.at + 3))


def test_at_one_hertz_it_is_seen_within_a_second():
    """The alerts engine may look at fewer records."""
    rule = FenceRule("rule", (zones()["Range"],))
    watch = FenceWatch(rule)
    slow = [event for at, items in flight()[::30] for event in watch.update(at, places_of(items, rule.of)).events]

    assert [event.kind for event in slow] == ["entered", "left"]
    for late, exact in zip(slow, events("Range"), strict=True):
        assert 0 <= late.at - exact.at < 1.01


def test_the_band_of_the_airspace_is_left_upwards():
    """By the altitude above mean sea level of item 15."""
    (above,) = events("Airspace", when="altitude", margin=0)

    assert above.at == next(at for at, items in flight() if items["sensor_true_altitude"] > 1040)


def test_a_target_enters_the_village():
    """By the location of the VMTI target."""
    (entered,) = events("Village", of=frozenset({"target"}))
    places = [(at, items["vmti_local_set"]["vtarget_series"][0]["target_location"]) for at, items in flight()]
    (first,) = crossings([(at, one["longitude"], one["latitude"]) for at, one in places], shape("Village").exterior)

    assert entered.target == 1
    assert entered.at == next_record(first)


def test_the_camera_looks_at_the_junction_within_ten_metres():
    """By the frame centre of items 23 and 24."""
    entered, left = events("Junction", of=frozenset({"frame_centre"}), when="looks_at", radius=10, margin=2)
    (lat, lon), = zones()["Junction"].points
    away = [(at, geo.between(y, x, lat, lon).distance) for at, x, y in track("frame_center")]

    assert entered.at == next(at for at, distance in away if distance <= 10)
    assert left.at == next(at for at, distance in away if at > entered.at and distance > 12)


def test_the_footprint_overlaps_the_village():
    """By the corners, as shapely says of the same corners."""
    of = frozenset({"footprint"})
    for _, items in flight()[::40]:
        outline = places_of(items, of).footprint
        corners = shapely.Polygon([(lon, lat) for lat, lon in outline])
        watch = FenceWatch(FenceRule("rule", (zones()["Village"],), of=of))
        assert watch.update(0, places_of(items, of)).condition is corners.intersects(shape("Village"))


def test_all_positions_of_a_record():
    """With their altitudes: HAE, MSL, and of the platform above the ground in the picture."""
    _, items = flight()[0]
    found = places_of(items)

    assert found.platform[:2] == (items["sensor_latitude"], items["sensor_longitude"])
    assert found.platform.altitudes[:2] == (items["sensor_ellipsoid_height_extended"], items["sensor_true_altitude"])
    assert found.platform.altitudes.agl == pytest.approx(1073.3 - 108.1, abs=0.1)
    assert found.frame_centre.altitudes.msl == items["frame_center_elevation"]
    assert found.footprint == geo.derive(items).footprint.outline
    assert list(found.targets) == [1]
    assert places_of(items, frozenset({"platform"})) == (found.platform, None, None, {})
    assert places_of(items, frozenset({"target"})) == (None, None, None, found.targets)
    assert places_of(items, frozenset()) == (None, None, None, {})


CENTRE = {"frame_center_latitude": 1.0, "frame_center_longitude": 1.0}
GROUNDS = [
    ({"altitude_agl": 250.0}, geo.FlatGround(100.0), 250.0),
    ({"radar_altimeter": 240}, None, 240.0),
    ({}, geo.FlatGround(100.0), 900.0),
    ({**CENTRE, "frame_center_height_above_ellipsoid": 300}, None, 700.0),
    ({}, None, None),
    ({"altitude_agl": "low"}, None, None),
]


@each_case("items, ground, height", GROUNDS)
def test_the_height_above_ground(items, ground, height):
    """Items 113 and 114, the ground model, the ground at the frame centre; whichever comes first."""
    place = {"sensor_latitude": 1.0, "sensor_longitude": 1.0, "sensor_ellipsoid_height": 1000}

    assert places_of({**place, **items}, frozenset({"platform"}), ground).platform.altitudes.agl == height
    assert places_of({**place, **items}, ground=ground).platform.altitudes.agl == height


NO_FIX = [{}, {"sensor_latitude": 0.0, "sensor_longitude": 0.0}, {"sensor_latitude": None}, {"sensor_latitude": "x"}]


@each_case("items", NO_FIX)
def test_no_fix_is_no_position(items):
    """Nor is 0, 0: a platform without a fix is not off the coast of Ghana."""
    gulf = area(-5, -5, 5, 5)
    watch = FenceWatch(FenceRule("rule", (gulf,)))

    assert places_of(items) == (None, None, None, {})
    assert not watch.update(0, places_of(items)).condition
    assert watch.update(1, places_of({"sensor_latitude": 0.0, "sensor_longitude": 1e-6})).condition


def test_without_corners_the_footprint_is_a_circle():
    """Around the frame centre, as wide as the target width."""
    items = {"frame_center_latitude": 56.0, "frame_center_longitude": 9.0, "target_width": 500.0}
    outline = places_of(items).footprint
    away = [geo.between(56, 9, lat, lon).distance for lat, lon in outline]

    assert len(outline) == 24
    assert away == pytest.approx([250] * 24, rel=1e-3)
    assert places_of({**items, "target_width": None}).footprint is None
    assert places_of({"target_width": 500.0}).footprint is None


WITHOUT_SHAPELY = """
import sys
sys.modules["shapely"] = None
from klvrelay.errors import ConfigError
from klvrelay.geofences import FenceRule, read_fences
fences = read_fences(sys.argv[1])
FenceRule("rule", fences)
FenceRule("rule", fences, of=frozenset({"footprint"}), when="looks_at")
try:
    FenceRule("rule", fences, of=frozenset({"footprint"}))
except ConfigError as fault:
    print(fault)
"""


def test_only_rules_of_footprints_need_shapely():
    """The message names the extra."""
    command = [sys.executable, "-c", WITHOUT_SHAPELY, str(SAMPLES / "zones.geojson")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)

    assert done.stdout == "of: footprint needs a package: pip install 'klvrelay[geofence]'\n", done.stderr


def test_shapely_is_loaded_only_for_rules_of_footprints():
    """Reading a file, and a rule of the platform, do not load it."""
    code = WITHOUT_SHAPELY.split("try:")[0].replace('sys.modules["shapely"] = None', "")
    command = [sys.executable, "-c", f"{code}print('shapely' in sys.modules)", str(SAMPLES / "zones.geojson")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)

    assert done.stdout == "False\n", done.stderr


def test_among_a_thousand_fences_each_is_entered_and_left():
    """The squares of a grid, of 0.0005 degrees, in the order of the flight."""
    corner, side, count = (9.425, 56.115), 0.0005, 31
    cells = [(column, row) for row in range(count) for column in range(count)]
    lons, lats = ([start + n * side for n in range(count + 1)] for start in corner)
    grid = tuple(area(lons[c], lats[r], lons[c + 1], lats[r + 1], name=f"{c} {r}") for c, r in cells)
    watch = FenceWatch(FenceRule("rule", grid, margin=0))
    changes = [event for at, items in flight() for event in watch.update(at, places_of(items)).events]
    visited = [f"{(lon - corner[0]) // side:.0f} {(lat - corner[1]) // side:.0f}" for _, lon, lat in track("sensor")]

    assert [event.fence for event in changes if event.kind == "entered"] == [name for name, _ in groupby(visited)]
    assert len(changes) == 2 * len(list(groupby(visited))) - 1


def test_the_documented_example_is_raised_at_the_documented_times():
    """Compared once a second, as alerts do: in the "Range" from 2.5 s to 8.4 s, although all is in the "Airspace"."""
    from klvrelay.alerts.fence_checks import read_fence_rules
    from klvrelay.config.alerts import GeofenceSettings

    path = str(SAMPLES / "zones.geojson")
    holds: dict[str, list[float]] = {}
    for name, areas in (("keep-out", ("Range",)), ("all", ())):
        rule = read_fence_rules([GeofenceSettings(name, path, areas=areas)])[name]
        watch = FenceWatch(rule)
        seconds = [(at, items) for at, items in flight() if at % 0.5 < 0.02]
        holds[name] = [at for at, items in seconds if watch.update(at, places_of(items, rule.of)).condition]
    assert 2.5 <= holds["keep-out"][0] <= 3.1
    assert 7.9 <= holds["keep-out"][-1] <= 9.0
    assert holds["all"][0] == 0.0
