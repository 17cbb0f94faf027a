"""Positions, vectors, distances and bearings on the WGS-84 ellipsoid."""

from __future__ import annotations

import math

import pytest
from cases import each_case
from hypothesis import given
from hypothesis import strategies as st

from klvrelay import geo

LATITUDES = st.floats(-90, 90)
LONGITUDES = st.floats(-180, 180, exclude_max=True)
HEIGHTS = st.floats(-11_000, 100_000)
BEARINGS = st.floats(0, 360, exclude_max=True)


def dms(degrees: int, minutes: int, seconds: float) -> float:
    return math.copysign(abs(degrees) + minutes / 60 + seconds / 3600, degrees)


def apart(one: geo.LatLon, other: geo.LatLon) -> float:
    return geo.between(*one, *other).distance


PUBLISHED = [
    ((33.3, 44.4, 6000.0), (3816209.60, 3737108.55, 3485109.57)),  # documentation of GeographicLib's CartConvert
    (
        (dms(53, 48, 33.82), dms(2, 7, 46.38), 73.0),
        (3771793.968, 140253.342, 5124304.349),
    ),  # EPSG guidance note 7-2, 9602
    ((0.0, 0.0, 0.0), (6378137.0, 0.0, 0.0)),
    ((0.0, -90.0, 100.0), (0.0, -6378237.0, 0.0)),
    ((90.0, 0.0, 0.0), (0.0, 0.0, 6356752.314)),
    ((-90.0, 0.0, 5.0), (0.0, 0.0, -6356757.314)),
]


@each_case("place, point", PUBLISHED)
def test_published_positions_are_converted_to_ecef_and_back(place, point):
    """To the digits that are published: 5 mm."""
    assert geo.to_ecef(*place) == pytest.approx(point, abs=0.006)

    back = geo.from_ecef(point)

    assert apart(back[:2], place[:2]) < 0.01
    assert back.hae == pytest.approx(place[2], abs=0.006)


def test_a_published_local_position():
    """EPSG guidance note 7-2, method 9837: topocentric coordinates at 55 N 5 E, 200 m."""
    origin = geo.GeoPoint(55.0, 5.0, 200.0)

    local = geo.to_enu(origin, geo.to_ecef(dms(53, 48, 33.82), dms(2, 7, 46.38), 73.0))

    assert local == pytest.approx((-189013.869, -128642.040, -4220.171), abs=0.001)


@given(LATITUDES, LONGITUDES, HEIGHTS)
def test_a_position_survives_the_way_through_ecef(lat: float, lon: float, hae: float):
    """From the sea floor to 100 km, to 0.001 mm."""
    lat2, lon2, hae2 = geo.from_ecef(geo.to_ecef(lat, lon, hae))

    assert lat2 == pytest.approx(lat, abs=1e-11)
    assert (lon2 - lon + 180) % 360 - 180 == pytest.approx(0, abs=1e-11 / max(math.cos(math.radians(lat)), 1e-9))
    assert hae2 == pytest.approx(hae, abs=1e-6)


@given(LATITUDES, LONGITUDES, HEIGHTS, *[st.floats(-50_000, 50_000)] * 3)
def test_local_coordinates_survive_the_way_through_ecef(lat, lon, hae, a, b, c):
    """In both frames, which differ only in order and sign."""
    origin = geo.GeoPoint(lat, lon, hae)

    assert geo.to_ned(origin, geo.from_ned(origin, (a, b, c))) == pytest.approx((a, b, c), abs=1e-6)
    assert geo.from_enu(origin, (b, a, -c)) == pytest.approx(geo.from_ned(origin, (a, b, c)), abs=1e-6)


@given(LATITUDES, LONGITUDES)
def test_local_axes_are_at_right_angles(lat: float, lon: float):
    """North, east and down are a right-handed set of unit vectors, and down leads into the earth."""
    (a, b, c), (d, e, f), (g, h, i) = geo.north_east_down(lat, lon)

    assert a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g) == pytest.approx(1)
    assert a * d + b * e + c * f == pytest.approx(0, abs=1e-12)
    assert geo.from_ned(geo.GeoPoint(lat, lon, 0), (0, 0, 100)) == pytest.approx(geo.to_ecef(lat, lon, -100), abs=1e-6)


LINES = [
    # Flinders Peak to Buninyong, the example of Geoscience Australia.
    ((dms(-37, 57, 3.72030), dms(144, 25, 29.52440)), (dms(-37, 39, 10.15610), dms(143, 55, 35.38390)),
     54972.271, dms(306, 52, 5.37), dms(307, 10, 25.07)),
    # New York to London, documentation of GeographicLib.
    ((40.6, -73.8), (51.6, -0.5), 5551759.400, 51.198883, 107.821777),
    ((0.0, 0.0), (0.0, 90.0), 10018754.171, 90.0, 90.0),
    ((0.0, 179.9), (0.0, -179.9), 22263.898, 90.0, 90.0),
    ((90.0, 0.0), (-90.0, 0.0), 20003931.459, 180.0, 180.0),
]  # fmt: skip


@each_case("one, other, distance, bearing, final", LINES)
def test_published_lines(one, other, distance, bearing, final):
    """Distance to a millimetre, bearings to a hundredth of a second of arc."""
    found = geo.between(*one, *other)

    assert found.distance == pytest.approx(distance, abs=0.001)
    assert found.bearing == pytest.approx(bearing, abs=3e-6)
    assert found.final_bearing == pytest.approx(final, abs=3e-6)
    assert apart(geo.destination(*one, found.bearing, found.distance), other) < 0.001


def test_the_length_of_no_line_is_zero():
    """Equal points are no error."""
    assert geo.between(56.0, 9.0, 56.0, 9.0) == (0.0, 0.0, 0.0)
    assert geo.between(56.0, 180.0, 56.0, -180.0).distance == pytest.approx(0, abs=1e-6)


@given(LATITUDES, LONGITUDES, BEARINGS, st.floats(0, 15_000_000))
def test_a_destination_is_at_the_distance_it_was_given(lat, lon, bearing, distance):
    """Direct and inverse formulas agree to a millimetre, over poles and the antimeridian."""
    lat2, lon2 = geo.destination(lat, lon, bearing, distance)

    assert -90 <= lat2 <= 90
    assert -180 <= lon2 < 180
    assert geo.between(lat, lon, lat2, lon2).distance == pytest.approx(distance, abs=0.001)


@given(LATITUDES, LONGITUDES, BEARINGS, st.floats(1, 5000))
def test_a_short_line_is_its_chord(lat, lon, bearing, distance):
    """An independent measure: the straight line between the points differs by less than a millimetre up to 5 km."""
    end = geo.destination(lat, lon, bearing, distance)

    assert math.dist(geo.to_ecef(lat, lon, 0), geo.to_ecef(*end, 0)) == pytest.approx(distance, abs=0.001)


def test_antipodal_points_have_about_half_the_circumference():
    """Where the formulas do not converge, the distance is still right to 0.6 %."""
    assert geo.between(-41.32, 174.81, 40.96, -5.50).distance == pytest.approx(19_959_679, rel=0.006)
    assert geo.between(0.0, 0.0, 0.0, 180.0).distance == pytest.approx(20_003_931, rel=0.006)
