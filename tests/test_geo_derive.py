"""What is taken from a record's items, what is derived, and what is left out."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import numpy as np
import orjson
import pytest
from cases import each_case
from geo_truth import flight, metres, without
from hypothesis import given, settings
from hypothesis import strategies as st

from klvrelay import decode, encode, geo

ITEMS = flight(1)[0].items
CENTRE = ITEMS["frame_center_latitude"], ITEMS["frame_center_longitude"]
ANGLES_ONLY = "corner_", "offset_", "frame_center_l"


def test_what_is_reported_is_taken_as_it_is():
    """Positions, corners and heights of a full record, digit by digit."""
    found = geo.derive(ITEMS)

    assert found.platform[:2] == (ITEMS["sensor_latitude"], ITEMS["sensor_longitude"])
    assert found.platform.source == found.frame_centre.source == found.footprint.source == "reported"
    assert found.platform.hae == (
        ITEMS["sensor_ellipsoid_height_extended"],
        "reported",
        "sensor_ellipsoid_height_extended",
    )
    assert found.platform.msl == (ITEMS["sensor_true_altitude"], "reported", "sensor_true_altitude")
    assert found.frame_centre[:2] == CENTRE
    assert found.frame_centre.msl == (ITEMS["frame_center_elevation"], "reported", "frame_center_elevation")
    assert found.footprint.method == "full corners"
    assert found.footprint.corners[3] == (ITEMS["corner_latitude_point_4_full"], ITEMS["corner_longitude_point_4_full"])


HEIGHTS = [
    ((), "sensor_ellipsoid_height_extended", "reported"),
    (("sensor_ellipsoid_height_extended",), "sensor_ellipsoid_height", "reported"),
    (("sensor_ellipsoid_height",), "sensor_true_altitude, EGM96", "derived"),
]


@each_case("drop, method, source", HEIGHTS)
def test_the_preferred_height_of_the_sensor(drop, method, source):
    """Item 104 before 75 before 15, which is raised by the geoid."""
    hae = geo.derive(without(ITEMS, *drop)).platform.hae

    assert (hae.method, hae.source) == (method, source)
    assert hae.value == pytest.approx(ITEMS["sensor_ellipsoid_height"], abs=1.3)


def test_a_height_above_the_ellipsoid_gives_one_above_the_sea():
    """Item 78 is preferred over item 25; without item 25, MSL is derived."""
    items = {**without(ITEMS, "frame_center_e"), "frame_center_height_above_ellipsoid": 107.1}

    centre = geo.derive(items).frame_centre

    assert centre.hae == (107.1, "reported", "frame_center_height_above_ellipsoid")
    assert centre.msl.source == "derived"
    assert centre.msl.value == pytest.approx(107.1 - geo.undulation(*CENTRE))


def test_the_datum_of_the_target_follows_the_frame_centre():
    """Item 42 is MSL with item 25, HAE with item 78."""
    items = {"target_location_latitude": 56.0, "target_location_longitude": 9.0, "target_location_elevation": 70.0}

    assert geo.target_location(items).msl == (70.0, "reported", "target_location_elevation")
    raised = geo.target_location({**items, "frame_center_height_above_ellipsoid": 60.0})
    assert raised.hae == (70.0, "reported", "target_location_elevation")
    assert raised.msl.value == pytest.approx(70 - geo.undulation(56, 9))
    assert geo.target_location({}) is None


FOOTPRINTS = [
    ((), "full corners", "reported"),
    (("corner_latitude_point_2_full",), "corner offsets", "reported"),
    (("corner_",), "corner offsets", "reported"),
    (("corner_", "offset_corner_longitude_point_4"), "level ground", "derived"),
    (("corner_", "offset_"), "level ground", "derived"),
]


@each_case("drop, method, source", FOOTPRINTS)
def test_an_incomplete_footprint_is_not_used(drop, method, source):
    """Seven of eight coordinates are no footprint: the next way is taken, and all ways agree."""
    footprint = geo.derive(without(ITEMS, *drop)).footprint

    assert (footprint.method, footprint.source) == (method, source)
    for one, other in zip(footprint.corners, geo.derive(ITEMS).footprint.corners, strict=True):
        assert metres(one, other) < 40


CENTRES = [
    ((), {}, "slant range"),
    (("slant_range",), {}, "frame centre height"),
    (("slant_range", "frame_center_elevation"), {}, "target width"),
    (("slant_range", "frame_center_elevation", "target_width"), {"altitude_agl": 965.0}, "altitude above ground"),
    (("slant_range", "frame_center_elevation", "target_width"), {"radar_altimeter": 965.0}, "altitude above ground"),
]


@each_case("drop, more, method", CENTRES)
def test_the_ways_to_the_frame_centre(drop, more, method):
    """Each stands in for those before it. The target width is the least accurate: it follows the slope."""
    centre = geo.derive({**without(ITEMS, *ANGLES_ONLY, *drop), **more}).frame_centre

    assert (centre.source, centre.method) == ("derived", method)
    assert metres(centre, CENTRE) < (60 if method == "target width" else 2)


def test_a_view_of_the_sky_has_no_frame_centre():
    """Not even at the stated range: it is above the sensor."""
    up = {**without(ITEMS, *ANGLES_ONLY), "platform_roll_angle": 0.0, "sensor_relative_elevation_angle": 10.0}

    found = geo.derive(up)

    assert found.view.orientation.elevation > 5
    assert (found.frame_centre, found.footprint) == (None, None)


def test_where_a_grid_has_no_height_the_ground_is_level():
    """For the footprint, and for a pixel."""
    elsewhere = geo.ElevationGrid(np.zeros((3, 3)), 10, 10, 0.1, 0.1)
    items = without(ITEMS, "corner_", "offset_")

    found = geo.derive(items, elsewhere)

    assert found == geo.derive(items)
    point = geo.PictureGround(found, elsewhere).to_ground(0.2, 0.4)
    assert (point.source, point.method) == ("derived", "level ground")


def test_a_given_ground_is_used_first():
    """Also for the height of a reported centre without one."""
    ground = geo.FlatGround(108.0)

    derived = geo.derive(without(ITEMS, *ANGLES_ONLY), ground)
    assert derived.frame_centre.method == "ground model"
    assert derived.footprint.method == "ground model"
    reported = geo.derive(without(ITEMS, "frame_center_elevation"), ground).frame_centre
    assert (reported.source, reported.hae) == ("reported", (108.0, "derived", "ground model"))


def test_a_reported_centre_without_height_takes_it_from_the_slant_range():
    """The point at this distance, below the reported position."""
    centre = geo.derive(without(ITEMS, "frame_center_elevation")).frame_centre

    assert centre[:2] == CENTRE
    assert (centre.hae.source, centre.hae.method) == ("derived", "slant range")
    assert centre.hae.value == pytest.approx(ITEMS["frame_center_elevation"] + 39, abs=0.5)


BAD_RANGES = [
    (60_000.0, {}),  # the ground would be far below the sea
    (900.0, {}),  # not as far as the position
    (11_188.0, {"frame_center_longitude": 9.61, "sensor_ellipsoid_height_extended": 200.0}),  # almost horizontal
    (None, {}),
]


@each_case("slant_range, changes", BAD_RANGES)
def test_a_slant_range_that_does_not_fit_gives_no_height(slant_range, changes):
    """The reported position stays."""
    items = without(ITEMS, "frame_center_elevation", "sensor_ellipsoid_height")
    items |= {"slant_range": slant_range, **changes}

    centre = geo.derive(items).frame_centre

    assert (centre.source, centre.hae, centre.msl) == ("reported", None, None)


@each_case("height, method", [(600.0, None), (1073.3, "attitude")])
def test_a_frame_centre_below_or_at_the_sensor(height, method):
    """Straight down, every direction is level; at the sensor itself, there is no direction to align to."""
    place = {"frame_center_latitude": ITEMS["sensor_latitude"], "frame_center_longitude": ITEMS["sensor_longitude"]}
    items = {**ITEMS, **place, "frame_center_height_above_ellipsoid": height}
    if method is None:
        items = without(items, "sensor_rel")

    view = geo.derive(items).view

    assert (view and view.method) == method
    assert not (view and view.aligned)


NEEDED = [
    "platform_heading_angle", "platform_pitch_angle", "platform_roll_angle", "sensor_relative_azimuth_angle",
    "sensor_relative_elevation_angle", "sensor_latitude",
]  # fmt: skip


@each_case("key", NEEDED)
def test_without_one_of_the_angles_nothing_is_derived_from_them(key):
    """A missing angle does not count as 0."""
    for missing in (without(ITEMS, key, *ANGLES_ONLY), {**without(ITEMS, *ANGLES_ONLY), key: None}):
        found = geo.derive(missing)

        assert (found.view, found.frame_centre, found.footprint) == (None, None, None)


def test_the_full_range_of_pitch_and_roll_is_preferred():
    """Items 90 and 91 stand in for 6 and 7, which say only "out of range"."""
    full = {
        "platform_pitch_angle_full": ITEMS["platform_pitch_angle"],
        "platform_roll_angle_full": ITEMS["platform_roll_angle"],
    }
    items = {**ITEMS, "platform_pitch_angle": None, "platform_roll_angle": 40.0, **full}

    assert (
        geo.derive(without(items, *ANGLES_ONLY)).frame_centre == geo.derive(without(ITEMS, *ANGLES_ONLY)).frame_centre
    )


def test_the_view_leads_to_the_reported_frame_centre():
    """Angles that are wrong by a few degrees are aligned, and only then."""
    tilted = {**ITEMS, "sensor_relative_elevation_angle": ITEMS["sensor_relative_elevation_angle"] + 3}

    found = geo.derive(without(tilted, "corner_", "offset_"))

    assert (found.view.method, found.view.aligned) == ("attitude", True)
    picture = geo.PictureGround(found)
    assert metres(picture.to_ground(0.5, 0.5), CENTRE) < 0.02
    assert picture.to_picture(*CENTRE) == pytest.approx((0.5, 0.5), abs=1e-6)
    alone = geo.derive(without(tilted, *ANGLES_ONLY, "slant_range"))
    assert not alone.view.aligned
    assert metres(alone.frame_centre, CENTRE) > 50


def test_without_angles_the_picture_is_taken_as_level():
    """The orientation towards the reported frame centre, and a footprint."""
    found = geo.derive(without(ITEMS, "sensor_rel", "corner_", "offset_"))

    assert (found.view.method, found.view.aligned) == ("level picture", True)
    assert found.view.orientation.roll == pytest.approx(0, abs=1e-9)
    true = geo.derive(ITEMS).view.orientation
    assert found.view.orientation[:2] == pytest.approx(true[:2], abs=0.01)
    assert max(map(metres, found.footprint.corners, geo.derive(ITEMS).footprint.corners)) < 40


def test_reported_corners_are_better_than_an_assumed_roll():
    """A pixel is located by them where the picture is only taken as level."""
    level = without(ITEMS, "sensor_rel")

    for items, method in ((level, "corners"), (without(level, "corner_", "offset_"), "level ground")):
        assert geo.PictureGround(geo.derive(items)).to_ground(0.1, 0.2).method == method


def test_the_vertical_field_of_view_follows_from_the_frame():
    """Square pixels; the size is that of the VMTI set."""
    hfov, vfov = geo.derive(without(ITEMS, "sensor_vertical")).view[2:4]

    assert vfov == pytest.approx(ITEMS["sensor_vertical_field_of_view"], abs=0.01)
    assert hfov == ITEMS["sensor_horizontal_field_of_view"]
    bare = geo.derive(without(ITEMS, "sensor_vertical", "vmti", "corner_", "offset_"))
    assert (bare.view.vfov, bare.footprint) == (None, None)


def test_a_picture_with_sky_has_no_footprint():
    """Its upper corners meet no ground."""
    items = {
        **without(ITEMS, *ANGLES_ONLY, "slant_range"), "sensor_relative_elevation_angle": 8.0,
        "platform_roll_angle": 0.0, "sensor_vertical_field_of_view": 40.0,
    }  # fmt: skip

    assert geo.derive(items).footprint is None


NO_POSITION = [
    (0.0, 0.0), (90.1, 9.0), (56.0, 180.1), (math.nan, 9.0), (56.0, math.inf), (None, 9.0), ("56", 9.0), (True, 9.0),
    ({}, []),
]  # fmt: skip


@each_case("lat, lon", NO_POSITION)
def test_what_is_no_position_is_left_out(lat, lon):
    """Out of range, special, of another type, or 0, 0, which senders without a fix write."""
    platform = {**ITEMS, "sensor_latitude": lat, "sensor_longitude": lon}
    centre = {**without(ITEMS, "sensor_"), "frame_center_latitude": lat, "frame_center_longitude": lon}
    corner = {**ITEMS, "corner_latitude_point_3_full": lat, "corner_longitude_point_3_full": lon}

    assert geo.derive(platform).platform is None
    assert geo.derive(centre).frame_centre is None
    assert geo.derive(corner).footprint.method == "corner offsets"


SPECIAL = [
    ("sensor_latitude", "reserved", "platform"),
    ("platform_pitch_angle", "out_of_range", "view"),
    ("sensor_relative_elevation_angle", "reserved", "view"),
]


@each_case("key, meaning, lost", SPECIAL)
def test_a_special_value_in_a_packet_is_not_a_number(key, meaning, lost):
    """As sent: the code that stands for "out of range" would be a number just below the range."""
    scalars = {k: v for k, v in without(ITEMS, *ANGLES_ONLY).items() if isinstance(v, float)}
    sent = decode(encode({"precision_time_stamp": 1, **scalars}))[0].items
    special = decode(encode({"precision_time_stamp": 1, **scalars, key: {"special": meaning}}))[0].items

    assert getattr(geo.derive(sent), lost) is not None
    assert key in special
    assert getattr(geo.derive(special), lost) is None
    assert geo.derive(special).footprint is None


def test_corners_that_are_off_earth_are_derived():
    """Item 26 to 33 and 82 to 89 say so with a code each."""
    scalars = {k: v for k, v in ITEMS.items() if isinstance(v, float)}
    off = {k: {"special": "off_earth"} for k in ("corner_latitude_point_1_full", "offset_corner_latitude_point_1")}

    items = decode(encode({"precision_time_stamp": 1, **scalars, **off}))[0].items

    assert items["corner_latitude_point_1_full"] is items["offset_corner_latitude_point_1"] is None
    assert geo.derive(items).footprint.method == "level ground"


ANYTHING = st.one_of(
    st.none(), st.booleans(), st.text(max_size=3), st.integers(-(10**30), 10**30), st.floats(), st.floats(-180, 180),
    st.lists(st.floats(), max_size=2),
    st.dictionaries(st.sampled_from(["vtarget_series", "frame_width", "latitude"]), st.floats(), max_size=2),
)  # fmt: skip
KEYS = [
    *sorted(ITEMS), "platform_pitch_angle_full", "frame_center_height_above_ellipsoid", "angle_to_north",
    "obliquity_angle", "altitude_agl", "sensor_north_velocity", "sensor_east_velocity",
    "platform_course_angle", "target_width_extended",
]  # fmt: skip


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(KEYS), ANYTHING, max_size=8), st.sets(st.sampled_from(KEYS), max_size=8))
def test_any_items_give_positions_or_none(changes: dict[str, Any], dropped: set[str]):
    """Whatever the items are: no error, and no position, angle or height that does not exist."""
    items = {key: value for key, value in {**ITEMS, **changes}.items() if key not in dropped}

    found = geo.derive(items)

    points = [found.platform, found.frame_centre, *(target.point for target in geo.targets(items, found))]
    for point in filter(None, points):
        assert -90 <= point.lat <= 90
        assert -180 <= point.lon <= 180
        assert point.hae is None or -1100 < point.hae.value < 41_000
        assert (point.hae is None) == (point.msl is None)
    for lat, lon in found.footprint.corners if found.footprint else ():
        assert -90 <= lat <= 90
        assert -180 <= lon <= 180
    for value in filter(None, geo.TrackHistory().follow("uav", items, 1, found.platform)):
        assert math.isfinite(value.value)


def test_numpy_is_loaded_for_grids_only():
    """A relay without elevations does not pay for it: 20 MiB."""
    script = (
        "import sys; from klvrelay import geo; geo.derive({'sensor_latitude': 56.0, 'sensor_longitude': 9.0});"
        "geo.undulation(1, 2); raise SystemExit('numpy' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_the_json_values_name_source_and_method():
    """All that is known, and nothing else; orjson accepts it."""
    situation = geo.derive(without(ITEMS, "corner_", "offset_"))
    found = orjson.loads(orjson.dumps(geo.document(situation, geo.reported_track(ITEMS))))

    assert list(found) == ["platform", "view", "frame_centre", "footprint", "course", "speed", "climb"]
    assert found["platform"]["hae"]["source"] == "reported"
    assert found["frame_centre"]["hae"] == {
        "value": situation.frame_centre.hae.value,
        "source": "derived",
        "method": "frame_center_elevation, EGM96",
    }
    assert found["footprint"]["corners"] == [list(corner) for corner in situation.footprint.corners]
    assert (found["footprint"]["source"], found["footprint"]["method"]) == ("derived", "level ground")
    assert (found["view"]["method"], found["view"]["aligned"]) == ("attitude", True)
    assert found["view"]["hfov"] == ITEMS["sensor_horizontal_field_of_view"]
    assert found["speed"] == {"value": 44.0, "source": "reported", "method": "platform_ground_speed"}
    assert geo.document(geo.derive({})) == {}
