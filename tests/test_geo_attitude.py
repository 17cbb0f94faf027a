"""Rotations of ST 0601, and the pinhole camera."""

from __future__ import annotations

import math

import numpy as np
import pytest
from cases import each_case
from hypothesis import given
from hypothesis import strategies as st

from klvrelay import geo
from klvrelay.geo.attitude import turned

ANGLES = st.floats(-180, 180)
PITCHES = st.floats(-89, 89)
LEVEL = geo.Orientation(0, 0, 0)

CONVENTIONS = [
    # platform (heading, pitch, roll), sensor (azimuth, elevation, roll); forward, right, down in north, east, down
    ((0, 0, 0), (0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)),
    ((90, 0, 0), (0, 0, 0), (0, 1, 0), (-1, 0, 0), (0, 0, 1)),
    ((0, 90, 0), (0, 0, 0), (0, 0, -1), (0, 1, 0), (1, 0, 0)),  # nose up
    ((0, 0, 90), (0, 0, 0), (1, 0, 0), (0, 0, 1), (0, -1, 0)),  # right wing down
    ((0, 0, 0), (90, 0, 0), (0, 1, 0), (-1, 0, 0), (0, 0, 1)),  # to the right of the nose
    ((0, 0, 0), (0, -90, 0), (0, 0, 1), (0, 1, 0), (-1, 0, 0)),  # straight down: the picture's top is ahead
    ((0, 0, 0), (0, 0, 90), (1, 0, 0), (0, 0, 1), (0, -1, 0)),
    ((0, 0, 90), (90, 0, 0), (0, 0, 1), (-1, 0, 0), (0, -1, 0)),  # banked to the right, looking along the right wing
    ((90, 0, 0), (270, -90, 0), (0, 0, 1), (0, 1, 0), (-1, 0, 0)),
]


@each_case("platform, sensor, forward, right, down", CONVENTIONS)
def test_the_conventions_of_st_0601(platform, sensor, forward, right, down):
    """Items 5 to 7 and 18 to 20, one quarter turn at a time."""
    axes = geo.sensor_axes(geo.Orientation(*platform), geo.Orientation(*sensor))

    assert np.array(axes) == pytest.approx(np.array([forward, right, down]), abs=1e-12)


def about(axis: int, degrees: float) -> np.ndarray:
    """A right-handed rotation about north, east or down."""
    s, c = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    return {
        0: np.array([[1, 0, 0], [0, c, -s], [0, s, c]]),
        1: np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]),
        2: np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]),
    }[axis]


@given(*[ANGLES] * 6)
def test_the_rotations_are_products_of_elementary_ones(heading, pitch, roll, azimuth, elevation, twist):
    """Yaw, pitch, roll of the platform, then of the sensor, as matrices."""
    product = about(2, heading) @ about(1, pitch) @ about(0, roll)
    product = product @ about(2, azimuth) @ about(1, elevation) @ about(0, twist)

    axes = geo.sensor_axes(geo.Orientation(heading, pitch, roll), geo.Orientation(azimuth, elevation, twist))

    assert pytest.approx(product, abs=1e-12) == np.array(axes).T


@given(st.floats(0, 359.99), PITCHES, st.floats(-179, 179))
def test_the_orientation_of_axes_is_the_one_they_were_made_of(azimuth, elevation, roll):
    """`orientation` is the inverse of `rotation`."""
    found = geo.orientation(geo.rotation(azimuth, elevation, roll))

    assert (found.azimuth - azimuth + 180) % 360 - 180 == pytest.approx(0, abs=1e-6)
    assert found.elevation == pytest.approx(elevation, abs=1e-6)
    assert found.roll == pytest.approx(roll, abs=1e-6)


def test_straight_down_the_azimuth_is_where_the_top_of_the_picture_points():
    """There, azimuth and roll are the same rotation."""
    found = geo.orientation(geo.rotation(70, -90, 0))

    assert found == pytest.approx((70, -90, 0), abs=1e-6)


@given(ANGLES, PITCHES, ANGLES, ANGLES, PITCHES)
def test_axes_are_turned_towards_a_direction(azimuth, elevation, roll, to_azimuth, to_elevation):
    """The line of sight is then that direction; the axes are still at right angles; no other turn is smaller."""
    axes = geo.rotation(azimuth, elevation, roll)
    sight = geo.rotation(to_azimuth, to_elevation, 0)[0]
    if np.dot(axes[0], sight) < -0.99:
        return

    found = np.array(turned(axes, sight))

    assert found[0] == pytest.approx(np.array(sight), abs=1e-9)
    assert found @ found.T == pytest.approx(np.eye(3), abs=1e-9)
    matrix = found.T @ np.array(axes)
    assert np.trace(matrix) == pytest.approx(1 + 2 * np.dot(axes[0], sight), abs=1e-9)


CAMERA = geo.camera_at(geo.GeoPoint(56, 9, 1000), geo.rotation(30, -40, 5), 20, 12)


@given(st.floats(-1, 2), st.floats(-1, 2), st.floats(1, 100_000))
def test_a_point_on_a_ray_appears_where_the_ray_leaves_the_picture(across, below, distance):
    """`project` is the inverse of `ray`, outside of the picture too."""
    point = np.array(CAMERA.eye) + np.array(CAMERA.ray(across, below)) * distance

    assert CAMERA.project(tuple(point)) == pytest.approx((across, below), abs=1e-6)


def test_the_corners_are_half_a_field_of_view_away_from_the_middle():
    """Horizontally and vertically, measured at the middle of the edges."""
    middle, right, bottom = (np.array(CAMERA.ray(*at)) for at in ((0.5, 0.5), (1, 0.5), (0.5, 1)))

    for ray, degrees in ((right, 10), (bottom, 6)):
        cosine = ray @ middle / np.linalg.norm(ray) / np.linalg.norm(middle)
        assert math.degrees(math.acos(cosine)) == pytest.approx(degrees)


def test_a_point_behind_the_camera_does_not_appear():
    """It would be projected upside down."""
    behind = np.array(CAMERA.eye) - np.array(CAMERA.ray()) * 100

    assert CAMERA.project(tuple(behind)) is None


def test_pixels_are_counted_as_in_st_0903():
    """From 1, row by row; a position is that of the pixel's centre."""
    assert geo.pixel_number(1, 640) == (1, 1)
    assert geo.pixel_number(640, 640) == (1, 640)
    assert geo.pixel_number(641, 640) == (2, 1)
    assert geo.pixel_position(1, 1, 640, 360) == pytest.approx((0.5 / 640, 0.5 / 360))
    assert geo.pixel_position(360, 640, 640, 360) == pytest.approx((1 - 0.5 / 640, 1 - 0.5 / 360))
