"""Which positions are in a fence: against shapely, at the antimeridian, at the poles, and near a border."""

from __future__ import annotations

import math
from random import Random

import pytest
import shapely
from cases import each_case
from fence_files import area, collection, fences, is_near, polygon, square, star, tangle
from hypothesis import given, settings
from hypothesis import strategies as st

from klvrelay import geo, geofences

POINTS = 12
_CLEAR = 1e-9  # degrees: nearer to the border, both answers are right


def positions(dice: Random, shape: shapely.Geometry) -> list[tuple[float, float]]:
    """Longitude and latitude of points in and around a shape, none on its border."""
    west, south, east, north = shape.bounds
    wide, high = (east - west) * 0.1, (north - south) * 0.1
    points = [(dice.uniform(west - wide, east + wide), dice.uniform(south - high, north + high)) for _ in range(POINTS)]
    return [one for one in points if shapely.distance(shape.boundary, shapely.Point(one)) > _CLEAR]


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 1 << 32))
def test_polygons_with_holes_contain_what_shapely_says(seed: int):
    """Twenty polygons of 3 to 300 corners in each example, most with a hole."""
    dice = Random(seed)
    for _ in range(20):
        lon, lat, size = dice.uniform(-170, 170), dice.uniform(-80, 80), 10 ** dice.uniform(-4, 0.9)
        outer = star(dice, lon, lat, size, dice.choice((3, 4, 5, 8, 12, 30, 100, 300)))
        holes = [star(dice, lon, lat, size * 0.25, dice.choice((3, 10, 30)))] if dice.random() < 0.7 else []
        shape = shapely.Polygon(outer).difference(shapely.Polygon(holes[0])) if holes else shapely.Polygon(outer)
        (fence,) = fences(polygon(outer, *holes))

        for x, y in positions(dice, shape):
            assert fence.contains(y, x) is bool(shapely.contains_xy(shape, x, y))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 1 << 32))
def test_a_ring_that_crosses_itself_contains_its_odd_parts(seed: int):
    """As shapely's `make_valid` has it: both parts of a bow tie, but not a part that is enclosed twice."""
    dice = Random(seed)
    for _ in range(10):
        ring = tangle(dice, 9, 56, 0.5, dice.choice((4, 5, 7, 12)))
        shape = shapely.make_valid(shapely.Polygon(ring))
        (fence,) = fences(polygon(ring))

        for x, y in positions(dice, shape):
            assert fence.contains(y, x) is bool(shapely.contains_xy(shape, x, y))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1 << 32))
def test_the_forms_of_a_polygon_across_the_antimeridian_agree(seed: int):
    """Beyond 180, below -180, and cut in two (RFC 7946 section 3.1.9): as shapely says of the plane from 0 to 360."""
    dice = Random(seed)
    for _ in range(10):
        lon, lat, size = 180 + dice.uniform(-1, 1), dice.uniform(-80, 80), dice.uniform(4, 9)
        ring = star(dice, lon, lat, size, dice.choice((4, 9, 300)))
        shape = shapely.Polygon(ring)
        east, west = (shape.intersection(shapely.box(low, -90, low + 180, 90)) for low in (0, 180))
        parts = [*shapely.get_parts(east), *shapely.get_parts(shapely.transform(west, lambda p: p - (360, 0)))]
        cut = {"type": "MultiPolygon", "coordinates": [shapely.geometry.mapping(part)["coordinates"] for part in parts]}
        forms = [fences(polygon(ring))[0], fences(polygon([(x - 360, y) for x, y in ring]))[0], fences(cut)[0]]

        for x, y in positions(dice, shape):
            lon = (x + 180) % 360 - 180
            assert abs(lon) <= 180
            if abs(x - 180) > _CLEAR:
                assert [form.contains(y, lon) for form in forms] == [bool(shapely.contains_xy(shape, x, y))] * 3


@each_case("corners", [9, 300])
def test_a_position_at_the_latitude_of_a_corner_is_decided(corners):
    """Each corner that is level with a position counts once: on whole numbers, all positions are."""
    dice = Random(corners)
    for _ in range(20):
        outline = star(dice, 0, 0, 40, corners)
        ring = [(float(round(x)), float(round(y))) for x, y in outline]
        shape = shapely.make_valid(shapely.Polygon(ring))
        (fence,) = fences(polygon(ring))

        for x, y in [(dice.randint(-40, 40), dice.randint(-40, 40)) for _ in range(60)]:
            if shapely.distance(shapely.LineString(ring), shapely.Point(x, y)) > _CLEAR:
                assert fence.contains(y, x) is bool(shapely.contains_xy(shape, x, y))


WORLD = [
    ("the north cap", square(-180, 80, 180, 90), [(90, 0), (90, 77), (85, 180), (85, -180), (81, 12)], [(79, 0)]),
    ("the south cap", square(-180, -90, 180, -60), [(-90, 0), (-60.1, 180), (-70, -179.99)], [(-59, 0)]),
    ("a cap from 0 to 360", square(0, 80, 360, 90), [(85, -170), (85, 0), (85, 179), (90, 0)], [(79, 0)]),
    ("up to the antimeridian", square(170, 0, 180, 10), [(5, 179.999)], [(5, -179.999), (5, 169)]),
    ("across it", square(170, 0, 190, 10), [(5, 180), (5, -180), (5, -171), (5, 189), (5, 171)], [(5, -169), (5, 0)]),
    ("given in 0 to 360", square(200, 0, 210, 10), [(5, -155), (5, 205)], [(5, 155), (5, -149)]),
]


@each_case("name, ring, inside, outside", WORLD)
def test_areas_at_the_edges_of_the_map(name, ring, inside, outside):
    """Poles and antimeridian; positions may have any longitude."""
    (fence,) = fences(polygon(ring))

    assert [fence.contains(lat, lon) for lat, lon in inside] == [True] * len(inside)
    assert [fence.contains(lat, lon) for lat, lon in outside] == [False] * len(outside)


def test_a_hole_may_be_written_on_the_other_side():
    """A hole in -180 to 180 belongs to a polygon that continues beyond 180."""
    (fence,) = fences(polygon(square(170, 0, 190, 10), square(-178, 4, -176, 6)))

    assert not fence.contains(5, -177)
    assert fence.contains(5, -175)
    assert fence.contains(5, 177)


def test_a_hole_beyond_its_polygon_adds_nothing():
    """Only what is in the outer ring is inside; where holes overlap is outside."""
    (fence,) = fences(polygon(square(0, 0, 10, 10), square(8, 8, 12, 12), square(7, 7, 9, 9)))

    assert not fence.contains(11, 11)
    assert not fence.contains(8.5, 8.5)
    assert fence.contains(5, 5)


@given(st.floats(0, 1), st.integers(-9, 9))
def test_neighbours_leave_no_gap(part, shift):
    """A position on a common border, or a corner, is in exactly one of two areas."""
    lon, top = 9.1 + shift / 7, 56.4 + shift / 11
    corner = (lon + 0.3, top - 0.7)
    (one,) = fences(polygon([(lon, top), corner, (lon - 1, 55.0), (lon, top)]))
    (two,) = fences(polygon([(lon, top), (lon + 1, 55.1), corner, (lon, top)]))
    at = (lon + part * (corner[0] - lon), top + part * (corner[1] - top))
    if not corner[1] < at[1] < top:
        return

    assert one.contains(at[1], at[0]) + two.contains(at[1], at[0]) == 1


@given(st.floats(-85, 85), st.floats(-180, 179), st.floats(0, 359), st.floats(0, 9000), st.floats(1, 9000))
def test_the_distance_to_a_border_is_in_metres(lat, lon, bearing, away, margin):
    """A tiny area at the end of a geodesic is near if the geodesic is shorter than the margin, to 0.5 %."""
    there = geo.destination(lat, lon, bearing, away)
    fence = area(there[1] - 1e-7, there[0] - 1e-7, there[1] + 1e-7, there[0] + 1e-7)

    if abs(margin - away) > 0.005 * away + 0.1:
        assert is_near(fence, lat, lon, margin) is (away < margin)


def test_a_long_border_is_near_along_its_length():
    """Not only at its corners; of a large ring too."""
    corners = 5000
    ring = [(9 + math.cos(2 * math.pi * n / corners), 56 + math.sin(2 * math.pi * n / corners)) for n in range(corners)]
    (round_,) = fences(polygon([*ring, ring[0]]))

    assert is_near(area(0, 50, 20, 60), 50.0005, 13.3, 60)
    assert not is_near(area(0, 50, 20, 60), 50.0005, 13.3, 50)
    assert is_near(round_, 57 - 0.0005, 9, 60)
    assert not is_near(round_, 57 - 0.0005, 9, 50)


@pytest.mark.parametrize("count", [1, 20, 400])
def test_an_index_finds_what_each_fence_says(count):
    """With few and with many fences, which overlap and cross the antimeridian."""
    dice = Random(count)
    rings = [star(dice, 180 + dice.uniform(-9, 9), dice.uniform(-9, 9), 3, 12) for _ in range(count)]
    many = fences(*map(polygon, rings))
    index = geofences.FenceIndex(many)

    for _ in range(300):
        lat, lon = dice.uniform(-10, 10), (dice.uniform(170, 190) + 180) % 360 - 180
        assert index.containing(lat, lon) == [n for n, fence in enumerate(many) if fence.contains(lat, lon)]


def test_fences_of_equal_files_are_equal():
    """So that a rule that a reload did not change can keep its state."""
    text = collection(polygon(square(170, 0, 190, 10)), name="A", max_altitude=100)

    assert geofences.parse_fences(text) == geofences.parse_fences(text)
    assert hash(geofences.parse_fences(text)) == hash(geofences.parse_fences(text))
    assert geofences.parse_fences(text) != geofences.parse_fences(text.replace(b"190", b"191"))
