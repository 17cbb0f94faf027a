"""The checks of single records: what cannot be true is found, with its values, and what may be true is not."""

from __future__ import annotations

import random

import pytest
from cases import each_case
from plausible_flights import ALTITUDE, GROUND, START_US, alone, flown, full_corners, made, offset_corners, scene

from klvrelay import geo
from klvrelay.plausibility import CHECKS, Plausibility

PLACES = [(56.0, 9.0), (-33.9, 151.2), (0.001, -0.001), (10.0, 179.999), (10.0, -179.9999), (89.99, 40.0),
          (-89.999, -120.0), (0.0, 9.0)]  # fmt: skip
SQUARE = [(1, -1), (1, 1), (-1, 1), (-1, -1)]


def corners_at(points: list[tuple[float, float]], side: float = 100.0, centre: geo.LatLon = (56.0, 9.0)):
    """Corners at multiples of `side` metres north and east of a frame centre."""
    origin = geo.GeoPoint(*centre, 0.0)
    return [geo.from_ecef(geo.from_ned(origin, (north * side, east * side, 0.0)))[:2] for north, east in points]


def picture(points: list[tuple[float, float]], side: float = 100.0, **changes: object) -> dict[str, object]:
    """A record of nothing but a frame centre and full corners."""
    return {"frame_center_latitude": 56.0, "frame_center_longitude": 9.0, **full_corners(corners_at(points, side)),
            **changes}  # fmt: skip


@each_case("place, heading, full", [(place, heading, full) for place in PLACES for heading in (0.0, 200.0)
                                    for full in (True, False) if full or abs(place[0]) < 80])  # fmt: skip
def test_a_consistent_record_is_plausible_anywhere(place, heading, full):
    """At the equator, the poles and the antimeridian too; with full corners and with offsets."""
    assert alone(scene(place, heading, full=full)) == []


def test_every_finding_says_what_was_seen_the_limit_and_what_to_do():
    """All ids occur in these records; no sentence is empty."""
    records = [
        scene() | {"slant_range": 9000.0},
        scene() | {"sensor_true_altitude": -800.0, "slant_range": None},
        scene() | {"sensor_latitude": 0.0, "sensor_longitude": 0.0},
        picture([(north + 9, east) for north, east in SQUARE]),
    ]
    found = [each for items in records for each in alone(items)] + alone(scene(), time_us=5_000_000)

    assert {each.id for each in found} == CHECKS.keys() - {"frozen", "position_step"}
    for each in found:
        assert each.what[0].isupper()
        assert each.what[-1] not in ".:"
        assert each.advice == CHECKS[each.id].advice
        assert each.seen >= each.limit or each.id in ("below_ground", "time")
    assert found[0].what.startswith("The frame centre is 1,34")
    assert "9,000 m" in found[0].what


@each_case("changes", [
    {"slant_range": 1750.0}, {"slant_range": 900.0}, {"slant_range": 0.0}, {"slant_range": 5_000_000.0},
    {"slant_range": None}, {"slant_range": None, "ground_range": 1350.0}, {"sensor_true_altitude": None},
    {"frame_center_elevation": None}, {"frame_center_elevation": 0.0, "slant_range": 1100.0},
    {"frame_center_elevation": None, "frame_center_height_above_ellipsoid": GROUND + 40},
    {"sensor_true_altitude": None, "sensor_ellipsoid_height_extended": ALTITUDE + 40},
    {"frame_center_elevation": None, "slant_range": 1650.0}, {"frame_center_latitude": None},
    {"sensor_ellipsoid_height": 5000.0, "frame_center_height_above_ellipsoid": GROUND + 40},
])  # fmt: skip
def test_a_frame_centre_near_the_end_of_the_slant_range_is_plausible(changes):
    """Ranges that are unknown, at their highest value, or measured a moment earlier; either datum; no elevation."""
    assert alone(scene() | changes) == []


@each_case("changes", [
    {"slant_range": 2400.0}, {"slant_range": 500.0}, {"frame_center_latitude": -56.0}, {"frame_center_longitude": 9.1},
    {"frame_center_elevation": None, "slant_range": 400.0}, {"frame_center_elevation": None, "slant_range": 3000.0},
    {"slant_range": None, "ground_range": 2000.0}, {"sensor_true_altitude": None, "slant_range": 500.0},
    {"sensor_true_altitude": 9000.0},
    {"frame_center_elevation": None, "frame_center_height_above_ellipsoid": GROUND + 40, "slant_range": 2400.0},
])  # fmt: skip
def test_a_frame_centre_elsewhere_is_found(changes):
    """By slant range, or by ground range without it; with or without the heights."""
    without_corners = {key: value for key, value in scene().items() if not key.startswith("corner")}

    assert [found.id for found in alone(without_corners | changes)] == ["frame_centre"]


@each_case("points, side", [
    (SQUARE, 100.0), (SQUARE, 0.5), (SQUARE, 100_000.0), ([(9, -9), (9, 9), (-0.3, 1), (-0.3, -1)], 100.0),
    ([(n + 2, e) for n, e in SQUARE], 100.0), ([(1, -1), (1, 1), (0, 0.2), (-1, -1)], 100.0),
    ([(1, -1), (1, 1), (1, 1), (1, -1)], 1.0), ([(1, 1), (1, -1), (-1, -1), (-1, 1)], 5.0),
    ([(1, -1), (1.01, 1), (1, 3), (0.99, 1)], 100.0),
])  # fmt: skip
def test_corners_around_the_frame_centre_are_plausible(points, side):
    """Small and large ones, in perspective, slewed by their own size, concave, thin; tiny ones in any order."""
    assert alone(picture(points, side)) == []


@each_case("points, side, words", [
    ([(n, e + 4) for n, e in SQUARE], 100.0, "299 m outside"),
    ([(1, -1), (-1, 1), (1, 1), (-1, -1)], 100.0, "cross"),
    ([(1, 1), (1, -1), (-1, -1), (-1, 1)], 100.0, "counterclockwise"),
    ([(n + 40_000, e) for n, e in SQUARE], 100.0, "km from the frame centre"),
])  # fmt: skip
def test_corners_that_do_not_fit_are_found(points, side, words):
    """Beside the frame centre, crossed, mirrored, or on another continent."""
    (found,) = alone(picture(points, side))

    assert found.id == "corners"
    assert words in found.what


def test_wrong_offsets_are_found_beside_right_corners():
    """Items 26-33 are judged even if items 82-89 are sent."""
    wrong = offset_corners(corners_at([(n, e + 5) for n, e in SQUARE]), (56.0, 9.0))
    (found,) = alone(picture(SQUARE) | wrong)

    assert found.id == "corners"
    assert "26-33" in found.what


@each_case("centre", [(10.0, 179.9995), (89.999, 0.0), (-89.9999, 100.0)])
def test_corners_are_judged_at_antimeridian_and_poles(centre):
    """Right ones are plausible, and misplaced or mirrored ones are found."""
    place = {"frame_center_latitude": centre[0], "frame_center_longitude": centre[1]}
    right = corners_at(SQUARE, centre=centre)

    assert alone(place | full_corners(right)) == []
    for wrong in (right[::-1], corners_at([(n, e + 5) for n, e in SQUARE], centre=centre)):
        assert [found.id for found in alone(place | full_corners(wrong))] == ["corners"]


@each_case("changes", [
    {"sensor_true_altitude": -430.0, "frame_center_elevation": -430.0}, {"sensor_true_altitude": 0.0},
    {"frame_center_elevation": 2200.0, "sensor_relative_elevation_angle": -10.0},
    {"frame_center_elevation": 8800.0, "sensor_relative_elevation_angle": 60.0},
    {"sensor_true_altitude": -900.0, "sensor_ellipsoid_height": 1040.0},
    {"frame_center_elevation": 2400.0, "frame_center_height_above_ellipsoid": 140.0, "sensor_ellipsoid_height": 1040.0},
])  # fmt: skip
def test_heights_of_land_are_plausible(changes):
    """The Dead Sea, a mountain in front of the platform, a cliff that the camera looks up to, one of two datums."""
    assert alone(scene() | changes | {"slant_range": None}) == []


@each_case("changes, words", [
    ({"sensor_true_altitude": -600.0}, "The sensor is at -600 m"),
    ({"sensor_true_altitude": None, "sensor_ellipsoid_height_extended": -550.0}, "The sensor is at -550 m"),
    ({"frame_center_elevation": -900.0}, "The frame centre is at -900 m"),
    ({"sensor_true_altitude": 100.0, "frame_center_elevation": 1500.0}, "1,400 m below the frame centre"),
    ({"sensor_true_altitude": None, "sensor_ellipsoid_height": 100.0, "frame_center_elevation": 1500.0},
     "m below the frame centre"),
])  # fmt: skip
def test_an_altitude_far_below_the_ground_is_found(changes, words):
    """Below any land, or below the ground that the camera looks down to: an altitude above ground sent as MSL."""
    found = alone(scene() | changes | {"slant_range": None})

    assert [each.id for each in found] == ["below_ground"]
    assert words in found[0].what


@each_case("time_us, received_us, words", [
    (START_US, START_US + 1000, ""), (START_US, None, ""), (START_US + 599_000_000, START_US, ""),
    (946_684_800_000_001, START_US, ""), (START_US + (1 << 40), 1_000_000, ""),
    (946_684_799_999_999, None, "before 2000"), (0, START_US, "before 2000"),
    (315_964_805_000_000, None, "before 2000"),
    (START_US + 3_600_000_000, START_US, "in the future: the record arrived at 2026-06-01"),
    (4_200_000_000_000_000, None, "in the future"), ((1 << 64) - 1, None, "in the future"),
])  # fmt: skip
def test_a_time_before_2000_or_after_its_arrival_is_found(time_us, received_us, words):
    """With a tolerance for clocks, and not if the clock of this machine is not set."""
    found = alone(scene(), time_us=time_us, received_us=received_us)

    assert [each.id for each in found] == (["time"] if words else [])
    assert all(words in each.what for each in found)


@each_case("scale", [1000, 1, 0.001, 1e-6])
def test_a_time_in_another_unit_is_converted_first(scale):
    """Nanoseconds, milliseconds and seconds have a warning of the decoder already."""
    assert alone(scene(), time_us=int(START_US * scale), received_us=START_US) == []


@each_case("items", [{f"{place}_latitude": 0, f"{place}_longitude": 0} for place in ("sensor", "frame_center")])
def test_a_position_of_exactly_zero_is_found(items):
    """It is what a sender without a position writes; beside the equator or the meridian nothing is found."""
    assert [found.id for found in alone(items)] == ["position_zero"]
    assert alone({key: value or 0.0001 for key, value in items.items()}) == []


WRONG = scene() | {"slant_range": 9000.0}


@each_case("fields", [{"checksum": "bad"}, {"transport": "damaged"}, {"set": "ST0903"}, {"set": "unknown"}])
def test_damaged_records_and_other_sets_are_not_judged(fields):
    """Their values say nothing about the sender."""
    assert Plausibility().check(made(WRONG, **fields), 0.0) == []


@each_case("value", [b"\x80\0\0\0", b"", b"\x01\x02\x03"])
def test_values_that_are_special_or_in_error_are_not_judged(value):
    """An item that is out of range, unknown, or of wrong length."""
    assert alone(WRONG | {"sensor_latitude": value}) == []


def test_an_item_that_the_decoder_warns_about_is_not_judged():
    """A slant range of three bytes is decoded, but doubtful."""
    assert alone(scene() | {"slant_range": b"\x01\x02\x03"}) == []


def test_a_stream_of_sets_is_judged_by_those_with_positions():
    """Records of other sets between them change nothing."""
    sent = [each for one in flown(12) for each in (one, one._replace(record=made({}, 0, set="ST0102")))]
    checks = Plausibility()

    assert [found for record, at in sent for found in checks.check(record, at)] == []


def test_no_values_raise_an_error():
    """Packets with random bytes in place of some: all ids that exist, and no other."""
    chance = random.Random(1)
    right, checks, found = made(scene()), Plausibility(), set()
    for number in range(3000):
        raw = bytearray(right.raw)
        for at in chance.choices(range(18, len(raw)), k=chance.randint(1, 12)):
            raw[at] = chance.choice((0, 0x7F, 0x80, 0xFF, chance.randrange(256)))
        record = right._replace(raw=bytes(raw), received_us=START_US)
        found |= {each.id for each in checks.check(record, number / 10)}

    assert found >= {"frame_centre", "corners", "below_ground", "time"}
    assert found <= CHECKS.keys()


def test_nothing_is_read_from_a_record_without_items():
    """An empty record is plausible, with and without time."""
    assert alone({}) == []
    assert Plausibility().check(made({}, None), None) == []
    with pytest.raises(KeyError):
        CHECKS["unknown"]
