"""Polygons at 180 degrees, and orientations: pure functions of the exports."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
import shapely
from cases import each_case

from klvrelay import geo
from klvrelay.exports import wkb
from klvrelay.exports.numbers_text import degrees, metres
from klvrelay.exports.orientation import orientation
from klvrelay.exports.positions import PlatformAngles, TrackPoint
from klvrelay.exports.rings import crossing, cut_ring
from klvrelay.exports.sightings import Thinner

SQUARE = [(9.0, 56.0), (9.0, 57.0), (10.0, 57.0), (10.0, 56.0)]
"""Clockwise."""


def area(ring: list[tuple[float, float]]) -> float:
    return float(shapely.Polygon(ring).area)


def test_a_ring_becomes_counter_clockwise():
    """Whatever its order was."""
    for ring in (SQUARE, SQUARE[::-1]):
        (cut,) = cut_ring(ring)
        assert shapely.LinearRing(cut).is_ccw
        assert area(cut) == pytest.approx(1)


@each_case("east", [179.2, 179.5, 179.9, -179.5])
def test_a_polygon_across_180_degrees_is_cut_without_loss(east: float):
    """Two parts, each within -180 to 180 degrees, together as large as the whole, whatever the first corner is."""
    ring = [(east + 0.0, 1.0), (-179.0, 1.0), (-179.0, 2.0), (east, 2.0)]
    width = (-179.0 - east) % 360
    for first in range(4):
        parts = cut_ring(ring[first:] + ring[:first])
        assert len(parts) == (2 if east > 0 else 1)
        assert sum(map(area, parts)) == pytest.approx(width)
        assert all(shapely.LinearRing(part).is_ccw for part in parts)
        assert all(-180 <= lon <= 180 for part in parts for lon, _ in part)


@each_case("ring", [
    [(0.0, 85.0), (90.0, 85.0), (180.0, 85.0), (-90.0, 85.0)],
    [(9.0, 56.0), (9.0, 56.0), (9.0, 56.0), (9.0, 56.0)],
    [(9.0, 56.0), (10.0, 56.0), (11.0, 56.0), (12.0, 56.0)],
])  # fmt: skip
def test_a_polygon_that_cannot_be_drawn_has_no_parts(ring: list[tuple[float, float]]):
    """Around a pole, or without area."""
    assert cut_ring(ring) == []


@each_case(("one", "two", "wanted"), [
    (179.0, -179.0, (180.0, -180.0, 0.5)),
    (-179.0, 178.0, (-180.0, 180.0, 1 / 3)),
    (180.0, -179.0, (180.0, -180.0, 0.0)),
])  # fmt: skip
def test_a_line_crosses_180_degrees_in_proportion(one: float, two: float, wanted: tuple[float, float, float]):
    """The side it leaves, the side it enters, and the part of the way."""
    assert crossing(one, two) == pytest.approx(wanted)


@each_case(("angles", "place"), [
    ((0.0, 0.0, 0.0), (0.0, 0.0)),
    ((90.0, 0.0, 0.0), (9.4, 56.1)),
    ((271.8, 12.0, -30.0), (-77.3, 38.2)),
    ((180.0, -80.0, 179.0), (170.0, -89.0)),
])  # fmt: skip
def test_an_orientation_turns_the_axes_of_the_aircraft(
    angles: tuple[float, float, float], place: tuple[float, float]
):
    """x is where the nose points, y along the left wing, z through the roof."""
    point, turned = TrackPoint(*place), PlatformAngles(*angles)
    x, y, z, w = orientation(point, turned)
    assert math.hypot(x, y, z, w) == pytest.approx(1)
    matrix = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    nose, left, roof = ([row[n] for row in matrix] for n in range(3))
    h, p, r = map(math.radians, angles)
    up = in_space(place, (0.0, 0.0, -1.0))
    ahead = in_space(place, (math.cos(p) * math.cos(h), math.cos(p) * math.sin(h), -math.sin(p)))
    assert nose == pytest.approx(ahead, abs=1e-6)
    assert dot(left, up) == pytest.approx(math.cos(p) * math.sin(r), abs=1e-6)  # the right wing is down
    assert dot(roof, up) == pytest.approx(math.cos(p) * math.cos(r), abs=1e-6)


def dot(one: Sequence[float], two: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(one, two, strict=True))


def in_space(place: tuple[float, float], vector: tuple[float, float, float]) -> tuple[float, float, float]:
    """North, east, down as earth-centred axes: the difference of two positions a metre apart."""
    lon, lat = place
    here = geo.to_ecef(lat, lon, 1000.0)
    moved = geo.from_ned(geo.GeoPoint(lat, lon, 1000.0), vector)
    return moved[0] - here[0], moved[1] - here[1], moved[2] - here[2]


def test_well_known_binary_is_what_other_libraries_read():
    """Points with and without height, polygons, and polygons at 180 degrees."""
    assert shapely.from_wkb(wkb.point(TrackPoint(9.4, 56.1, 12.5))).wkt == "POINT Z (9.4 56.1 12.5)"
    assert shapely.from_wkb(wkb.point(TrackPoint(9.4, 56.1))).wkt == "POINT (9.4 56.1)"
    assert shapely.from_wkb(wkb.footprint(SQUARE)).equals(shapely.Polygon(SQUARE))
    cut = wkb.footprint([(179.0, 1.0), (-179.0, 1.0), (-179.0, 2.0), (179.0, 2.0)])
    assert shapely.from_wkb(cut).geom_type == wkb.kind_of(cut or b"") == "MultiPolygon"


@each_case(("value", "text"), [(9.43049083, "9.43049083"), (180.0, "180"), (-1e-12, "0"), (1e-7, "0.0000001")])
def test_degrees_have_no_exponent(value: float, text: str):
    """XML and CSV readers expect plain decimals."""
    assert degrees(value) == text
    assert float(degrees(value)) == pytest.approx(value, abs=5e-9)


def test_an_unknown_height_is_no_text():
    """None, not zero."""
    assert (metres(None), metres(0.0), metres(1073.29675)) == ("", "0", "1073.297")


def test_thinning_follows_the_time_stamps():
    """One moment per interval; a clock that steps back begins a new one; what has no time is kept."""
    thinner = Thinner(1.0)
    moments = [0, 400_000, 999_999, 1_000_000, 1_500_000, 500_000, 600_000, None, 1_500_000]
    assert [thinner.is_due(moment) for moment in moments] == [
        True, False, False, True, False, True, False, True, True,
    ]  # fmt: skip
