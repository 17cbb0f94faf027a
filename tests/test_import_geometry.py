"""Angles relative to the platform, fields of view and level ground, against the sample's matrices on the ellipsoid."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from cases import each_case

from klvrelay.geo import GeoPoint, Orientation, msl_to_hae, orientation, relative, rotation, sensor_axes
from klvrelay.importing.derive import (
    GROUND_ASSUMED,
    HEADING_ASSUMED,
    LEVEL_ASSUMED,
    MOUNT_ASSUMED,
    Derivation,
    ImportSetup,
)
from klvrelay.importing.field_of_view import fields_of_view, other_field_of_view
from klvrelay.importing.level_ground import GroundView, ground_items
from klvrelay.importing.packets import PacketWriter
from klvrelay.importing.telemetry import TelemetryRow
from klvrelay.importing.timeline import ValueTimeline, blend
from klvrelay.sample.geodesy import Point, east_north_up, from_ecef, to_ecef, turn

PLATFORMS = [Orientation(*angles) for angles in product((0, 75, 200, 359.5), (-15, 0, 30), (-40, 0, 12))]
CAMERAS = [Orientation(*angles) for angles in product((0, 90, 245.5), (-90, -89.9, -45, 0, 20), (-10, 0, 170))]
GIMBAL = {"gimbal_yaw": 10.0, "gimbal_pitch": -45.0, "gimbal_roll": 0.0}


def matrix(axes) -> np.ndarray:
    """Axes as the columns of a matrix."""
    return np.array(axes).T


def test_axes_are_those_of_the_sample():
    """The same rotations, written independently."""
    for angles in [*PLATFORMS, *CAMERAS]:
        assert matrix(rotation(*angles)) == pytest.approx(turn(*angles))


def test_relative_angles_lead_back_to_the_camera():
    """Heading, pitch, roll and then azimuth, elevation, roll rotate the axes to those of the gimbal, always."""
    for platform, camera in product(PLATFORMS, CAMERAS):
        angles = relative(platform, camera)
        assert turn(*platform) @ turn(*angles) == pytest.approx(turn(*camera), abs=1e-8)
        assert matrix(sensor_axes(platform, angles)) == pytest.approx(turn(*camera), abs=1e-8)
        assert 0 <= angles.azimuth < 360
        assert -90 <= angles.elevation <= 90


def test_subtracting_angles_would_be_wrong():
    """With a bank of 30 degrees the azimuth of a level camera to the right is not the difference of the yaws."""
    angles = relative(Orientation(0, 0, 30), Orientation(90, 0, 0))
    assert angles.elevation == pytest.approx(30)
    assert relative(Orientation(0, 0, 30), Orientation(45, -30, 0)).azimuth == pytest.approx(
        math.degrees(math.atan2(*(turn(0, 0, 30).T @ turn(45, -30, 0)[:, 0])[[1, 0]]))
    )
    assert abs(relative(Orientation(0, 0, 30), Orientation(45, -30, 0)).azimuth - 45) > 5


def test_a_camera_that_looks_straight_down_turns_with_its_yaw():
    """The roll is 0, and the azimuth is that of the picture's top."""
    assert relative(Orientation(30, 0, 0), Orientation(120, -90, 0)) == pytest.approx(Orientation(90, -90, 0), abs=1e-6)
    assert orientation(rotation(200, 90, 0)) == pytest.approx(Orientation(200, 90, 0), abs=1e-6)


@each_case(
    ("focal", "size", "sensor", "expected"),
    [
        (24.0, (3840, 2160), None, (76.31, 47.68)), (24.0, (4000, 3000), None, (71.59, 56.82)),
        (43.2666, (3000, 3000), None, (38.94, 38.94)), (8.8, (1600, 900), 13.2, (73.74, 45.75)),
    ],
)  # fmt: skip
def test_the_field_of_view_follows_from_the_focal_length(focal, size, sensor, expected):
    """35 mm equivalent over the diagonal (84.1 degrees at 24 mm), or with the true width of the sensor."""
    angles = fields_of_view(focal, *size, sensor)
    assert angles == pytest.approx(expected, abs=0.01)
    tangents = [math.tan(math.radians(angle) / 2) for angle in angles]
    if sensor is None:
        assert math.hypot(*tangents) == pytest.approx(21.6333 / focal, rel=1e-4)
    assert other_field_of_view(angles[0], *size) == pytest.approx(angles[1])


def seen_from(place: Point, axes: np.ndarray, across: float, below: float, hfov: float, vfov: float, ground: float):
    """Where a ray meets a height, found by bisection on the ellipsoid: the oracle."""
    east, north, up = east_north_up(place)
    ray = axes @ np.array([1, across * math.tan(math.radians(hfov) / 2), below * math.tan(math.radians(vfov) / 2)])
    ray = np.column_stack([north, east, -up]) @ ray
    low, high = 0.0, 60_000.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if from_ecef(to_ecef(place) + middle * ray).hae > ground else (low, middle)
    return from_ecef(to_ecef(place) + low * ray), low * float(np.linalg.norm(ray))


@each_case(
    ("lat", "lon", "height", "camera"),
    [
        (48.2, 11.5, 100.0, Orientation(190, -60, 0)), (-33.9, 151.2, 400.0, Orientation(45, -35, 5)),
        (70.0, 179.9995, 120.0, Orientation(90, -50, 0)),
        (0.0, 0.0, 1500.0, Orientation(0, -90, 0)), (60.0, -20.0, 3000.0, Orientation(300, -25, -3)),
    ],
)  # fmt: skip
def test_level_ground_is_seen_where_the_ellipsoid_has_it(lat: float, lon: float, height: float, camera: Orientation):
    """Centre, corners, range and width agree within 0.1 m or 0.01 %."""
    items = ground_items(GroundView(GeoPoint(lat, lon, 50.0 + height), rotation(*camera), 40, 24, height))
    place = Point(lat, lon, 50.0 + height)

    def check(side: tuple[float, float], lat_key: str, lon_key: str) -> None:
        true, away = seen_from(place, turn(*camera), *side, 40, 24, 50.0)
        off = to_ecef(Point(items[lat_key], items[lon_key], 50.0)) - to_ecef(true)
        assert float(np.linalg.norm(off)) < max(0.1, away * 1e-4)

    check((0, 0), "frame_center_latitude", "frame_center_longitude")
    for number, side in enumerate(((-1, -1), (1, -1), (1, 1), (-1, 1)), 1):
        check(side, f"corner_latitude_point_{number}_full", f"corner_longitude_point_{number}_full")
    _, away = seen_from(place, turn(*camera), 0, 0, 40, 24, 50.0)
    assert items["slant_range"] == pytest.approx(away, rel=1e-4)
    offsets = [value for key, value in items.items() if key.startswith("offset")]
    assert len(offsets) == (0 if height == 3000 else 8)
    assert all(abs(offset) <= 0.075 for offset in offsets)


@each_case("pitch", [10, 0, -0.05])
def test_a_view_above_the_horizon_has_no_ground(pitch: float):
    """Nor one that reaches it beyond 50 km."""
    assert ground_items(GroundView(GeoPoint(48, 11, 100), rotation(0, pitch, 0), 40, 24, 100)) == {}


def test_a_view_across_the_horizon_has_a_centre_without_corners():
    """All four are on the ground, or none is given."""
    items = ground_items(GroundView(GeoPoint(48, 11, 100), rotation(0, -5, 0), 40, 24, 100))
    assert items["slant_range"] == pytest.approx(1147, rel=0.01)
    assert not [key for key in items if "corner" in key]


def test_without_a_platform_attitude_it_is_assumed_and_noted():
    """The heading is the gimbal's and the platform level, so that the line of sight is right."""
    derivation = Derivation(ImportSetup())
    items = derivation.items(GIMBAL)
    assert items == {
        "platform_heading_angle": 10.0, "platform_pitch_angle": 0.0, "platform_roll_angle": 0.0,
        "sensor_relative_azimuth_angle": 0.0, "sensor_relative_elevation_angle": pytest.approx(-45.0),
        "sensor_relative_roll_angle": 0.0,
    }  # fmt: skip
    assert [*derivation.assumptions] == [HEADING_ASSUMED, LEVEL_ASSUMED]


def test_measured_only_writes_nothing_that_is_assumed():
    """Neither angles, nor fields of view, nor the ground."""
    derivation = Derivation(ImportSetup((640, 360), measured_only=True))
    values = {
        **GIMBAL, "focal_length_35mm": 24.0, "height_above_takeoff": 100.0, "sensor_latitude": 48.0,
        "sensor_longitude": 11.0, "sensor_true_altitude": 500.0,
    }  # fmt: skip
    assert derivation.items(values) == {
        "sensor_latitude": 48.0, "sensor_longitude": 11.0, "sensor_true_altitude": 500.0
    }  # fmt: skip
    assert not derivation.assumptions


def test_everything_follows_where_the_telemetry_has_it_all():
    """With the aircraft's attitude only the lens and the ground are assumed."""
    derivation = Derivation(ImportSetup((640, 360)))
    values = {
        **GIMBAL, "focal_length_35mm": 24.0, "height_above_takeoff": 100.0, "sensor_latitude": 48.0,
        "sensor_longitude": 11.0, "sensor_true_altitude": 500.0, "platform_heading_angle": 350.0,
        "platform_pitch_angle_full": 3.0, "platform_roll_angle": -5.0,
    }  # fmt: skip
    items = derivation.items(values)
    assert [*derivation.assumptions] == [MOUNT_ASSUMED, GROUND_ASSUMED]
    assert items["slant_range"] == pytest.approx(141.4, abs=0.1)
    assert items["frame_center_elevation"] == 400.0
    body = turn(350, 3, -5) @ turn(*(items[f"sensor_relative_{n}_angle"] for n in ("azimuth", "elevation", "roll")))
    assert body == pytest.approx(turn(10, -45, 0), abs=1e-8)


def test_altitudes_above_the_sea_and_the_ellipsoid_give_the_same_ground():
    """They differ by the geoid: 46 m there."""
    values = {
        **GIMBAL, "sensor_horizontal_field_of_view": 40.0, "height_above_takeoff": 3000.0, "sensor_latitude": 48.0,
        "sensor_longitude": 11.0, "sensor_true_altitude": 3500.0,
    }  # fmt: skip
    hae = msl_to_hae(3500.0, 48.0, 11.0)
    by_sea = Derivation(ImportSetup((640, 360))).items(values)
    by_ellipsoid = Derivation(ImportSetup((640, 360), reference="hae")).items({**values, "sensor_true_altitude": hae})
    assert by_sea.pop("frame_center_elevation") == 500.0
    assert by_ellipsoid.pop("frame_center_height_above_ellipsoid") == hae - 3000.0
    assert (by_sea.pop("sensor_true_altitude"), by_ellipsoid.pop("sensor_ellipsoid_height")) == (3500.0, hae)
    assert by_sea == by_ellipsoid
    assert hae - 3500.0 == pytest.approx(46, abs=2)


def test_values_beyond_what_is_possible_do_no_harm():
    """Nothing is derived of them, and no error is raised."""
    good = {
        "sensor_latitude": 48.0, "sensor_longitude": 11.0, "sensor_true_altitude": 500.0, "height_above_takeoff": 100.0,
        "sensor_horizontal_field_of_view": 40.0, **GIMBAL,
    }  # fmt: skip
    assert "slant_range" in Derivation(ImportSetup((640, 360))).items(good)
    for key in good:
        for value in (0, -1e300, 1e300, 1e9, -1e9):
            items = Derivation(ImportSetup((640, 360))).items({**good, key: value})
            assert all(isinstance(found, int | float) and math.isfinite(found) for found in items.values())
            assert PacketWriter().packet(items, 1_700_000_000_000_000)


def test_the_altitude_of_the_take_off_replaces_the_altitude():
    """Altitude is that plus the height above it."""
    derivation = Derivation(ImportSetup(takeoff_altitude=300.0))
    items = derivation.items({"sensor_true_altitude": 9.0, "height_above_takeoff": 40.0})
    assert items == {"sensor_true_altitude": 340.0}


def test_altitudes_above_the_ellipsoid_are_another_item():
    """Item 75 in place of item 15."""
    derivation = Derivation(ImportSetup(reference="hae"))
    assert derivation.items({"sensor_true_altitude": 340.0}) == {"sensor_ellipsoid_height": 340.0}


@each_case(
    ("key", "value", "later", "middle"),
    [
        ("platform_heading_angle", 350, 20, 5), ("platform_heading_angle", 20, 350, 5), ("gimbal_yaw", -170, 170, 180),
        ("sensor_longitude", 179.9, -179.9, -180), ("gimbal_roll", 170, -170, -180), ("sensor_latitude", 1, 3, 2),
        ("sensor_relative_azimuth_angle", 0, 350, 355), ("platform_pitch_angle", -10, 10, 0),
    ],
)  # fmt: skip
def test_angles_are_interpolated_the_short_way(key: str, value: float, later: float, middle: float):
    """Across north, and across the date line; the result is in the item's range."""
    assert blend(key, value, later, 0.5) == pytest.approx(middle)


def rows(*values: tuple[int, dict]) -> list[TelemetryRow]:
    return [TelemetryRow(at, 1, tuple(items), tuple(items.values())) for at, items in values]


def test_a_value_holds_until_the_next_within_limits():
    """Each item by itself."""
    line = ValueTimeline(rows((0, {"a": 1, "b": 1}), (100, {"a": 2})), 150)
    assert [line.at(us) for us in (-1, 0, 99, 100, 150, 151, 250, 251)] == [
        {}, {"a": 1, "b": 1}, {"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 2, "b": 1}, {"a": 2}, {"a": 2}, {},
    ]  # fmt: skip


def test_only_measured_numbers_are_interpolated():
    """Not texts, codes and counts, and not across a gap."""
    values = {"sensor_latitude": 1.0, "mission_id": "x", "operational_mode": 1, "platform_ground_speed": 10}
    later = {"sensor_latitude": 2.0, "mission_id": "y", "operational_mode": 3, "platform_ground_speed": 20}
    line = ValueTimeline(rows((0, values), (100, later), (1000, later)), 500, interpolate=True)
    assert line.at(25) == values | {"sensor_latitude": 1.25}
    line = ValueTimeline(rows((0, values), (100, later)), 50, interpolate=True)
    assert line.at(25) == values


def test_a_value_out_of_range_spoils_only_its_item():
    """It is counted, with the range; angles are brought into their circle, and coarse items get their finer ones."""
    writer = PacketWriter()
    angles = {"platform_pitch_angle": 33.0, "platform_roll_angle": -3.0, "platform_heading_angle": -10.0}
    document = writer.document(angles)
    assert document == {
        "platform_heading_angle": 350.0, "platform_roll_angle": -3.0, "platform_pitch_angle_full": 33.0,
        "platform_roll_angle_full": -3.0,
    }  # fmt: skip
    assert writer.packet({"sensor_latitude": 95.0, "sensor_longitude": 11.0}, 1_700_000_000_000_000)
    assert writer.omitted == {
        "sensor_latitude": (1, "sensor_latitude: 95.0 can't be written; the range is -90 to 90 deg")
    }  # fmt: skip
    assert writer.written == {"sensor_longitude": 1}
