"""Accuracy of what is derived, against the truth of generated flights and against recordings of others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cases import each_case
from geo_truth import Shot, flight, metres, seen, spread, without

from klvrelay import decode, geo
from klvrelay.sample.flight import ORIGIN, Flight

FLIGHTS = [(1,), (2,), (7, 1280, 720), (3, 480, 480)]
NAMES = ["seed 1", "seed 2", "seed 7, 720p", "seed 3, square"]
ANGLES_ONLY = "corner_", "offset_", "frame_center_l"


def pixel_errors(shots: list[Shot], items: Callable[[Shot], dict], ground: Callable[[Shot], object]) -> list[float]:
    """Metres between the vehicle, and the ground at its pixel."""
    return [
        metres(geo.PictureGround(geo.derive(items(shot)), ground(shot)).to_ground(*image), shot.truth.vehicle.place)
        for shot, image in seen(shots)
    ]


@each_case("flown", FLIGHTS, ids=NAMES)
def test_attitude_alone_gives_the_vehicle_at_its_true_height(flown):
    """Position, attitude, fields of view and the height of the ground: 0.1 m, which is the resolution of the items."""
    shots = flight(*flown)
    errors = pixel_errors(
        shots, lambda shot: without(shot.items, *ANGLES_ONLY), lambda shot: geo.FlatGround(shot.truth.vehicle.place.hae)
    )

    assert len(errors) > 30
    assert spread(errors)[1] < 0.15


@each_case("flown", FLIGHTS, ids=NAMES)
def test_the_frame_centre_height_gives_the_vehicle_within_metres(flown):
    """Level ground at item 25, raised by EGM96: what remains is the height of the hills, at most 7 m here."""
    shots = flight(*flown)
    middle, most = spread(pixel_errors(shots, lambda shot: shot.items, lambda shot: None))

    assert middle < 3
    assert most < 8


@each_case("flown", FLIGHTS, ids=NAMES)
def test_four_corners_alone_are_less_accurate(flown):
    """Without the sensor, the homography of the corners: 4 to 13 m, since the ground is not a plane."""
    shots = flight(*flown)
    middle, most = spread(pixel_errors(shots, lambda shot: without(shot.items, "sensor_"), lambda shot: None))

    assert 3 < middle < 12
    assert most < 14


@each_case("flown", FLIGHTS, ids=NAMES)
def test_the_derived_frame_centre_is_the_reported_one(flown):
    """From attitude and slant range: 0.1 m. From attitude and item 25, which is wrong by 1 m here: 1.5 m."""
    shots = flight(*flown)
    for drop, most in (((), 0.1), (("slant_range",), 1.6)):
        found = [geo.derive(without(shot.items, *ANGLES_ONLY, *drop)).frame_centre for shot in shots]

        assert {one.source for one in found} == {"derived"}
        errors = [metres(one, shot.truth.centre) for one, shot in zip(found, shots, strict=True)]
        assert spread(errors)[1] < most


@each_case("flown", FLIGHTS, ids=NAMES)
def test_the_derived_corners_are_off_by_the_height_of_the_hills(flown):
    """Corner by corner, on level ground: 10 m in the median, of a picture that is 300 m wide."""
    shots = flight(*flown)
    errors = []
    for shot in shots:
        found = geo.derive(without(shot.items, "corner_", "offset_")).footprint
        assert (found.source, found.method) == ("derived", "level ground")
        errors += [metres(*pair) for pair in zip(found.corners, shot.truth.corners, strict=True)]

    middle, most = spread(errors)
    assert middle < 12
    assert most < 40


class Hills:
    """The hills of a generated flight as a ground model, for rays from its camera."""

    def __init__(self, shot: Shot, seed: int) -> None:
        self.flight = Flight(seed, shot.width, shot.height)
        self.eye = shot.truth.camera.eye

    def height(self, lat: float, lon: float) -> None:
        return None

    def meet(self, eye: geo.GeoPoint, ray: tuple[float, float, float]) -> geo.GroundHit:
        north, east, down = geo.north_east_down(ORIGIN.lat, ORIGIN.lon)
        point = self.flight.ground.seen(self.eye, np.array([east, north, [-part for part in down]]) @ np.array(ray))
        place = self.flight.world.place(point)
        return geo.GroundHit(geo.GeoPoint(place.lat, place.lon, place.hae), float(np.linalg.norm(point - self.eye)))


def test_with_the_true_hills_the_corners_are_exact():
    """A ground model takes the place of level ground: corners to 0.3 m."""
    for shot in flight(2)[::4]:
        found = geo.derive(without(shot.items, *ANGLES_ONLY), Hills(shot, 2)).footprint

        assert found.method == "ground model"
        assert max(metres(*pair) for pair in zip(found.corners, shot.truth.corners, strict=True)) < 0.3


@each_case("flown", FLIGHTS, ids=NAMES)
def test_a_point_on_the_ground_is_found_in_the_picture(flown):
    """The other way round: the vehicle's position and height give its pixel, to half a pixel."""
    shots = flight(*flown)
    for shot, (across, below) in seen(shots):
        place = shot.truth.vehicle.place
        picture = geo.PictureGround(geo.derive(without(shot.items, *ANGLES_ONLY)))

        column, row = picture.to_picture(place.lat, place.lon, place.hae)

        assert column == pytest.approx(across, abs=0.5 / shot.width)
        assert row == pytest.approx(below, abs=0.5 / shot.height)


def wrong(items: dict, **changes: object) -> dict:
    return {**without(items, *ANGLES_ONLY, "slant_range", "target_width"), **changes}


WRONG_CONVENTIONS = [
    ("no platform pitch and roll", 300, lambda i: wrong(i, platform_pitch_angle=0.0, platform_roll_angle=0.0)),
    ("pitch with the other sign", 20, lambda i: wrong(i, platform_pitch_angle=-i["platform_pitch_angle"])),
    ("roll with the other sign", 300, lambda i: wrong(i, platform_roll_angle=-i["platform_roll_angle"])),
    ("no heading", 300, lambda i: wrong(i, platform_heading_angle=0.0)),
    ("elevation 10 degrees lower", 300, lambda i: wrong(
        i, sensor_relative_elevation_angle=i["sensor_relative_elevation_angle"] - 10)),
    ("MSL taken as HAE", 30, lambda i: {
        **without(wrong(i), "frame_center"), "frame_center_height_above_ellipsoid": i["frame_center_elevation"]}),
    ("no geoid for the sensor", 30, lambda i: {
        **without(wrong(i), "sensor_ellipsoid"), "sensor_true_altitude": i["sensor_ellipsoid_height"]}),
]  # fmt: skip


@each_case("least, change", [case[1:] for case in WRONG_CONVENTIONS], ids=[case[0] for case in WRONG_CONVENTIONS])
def test_a_wrong_convention_is_seen(least, change):
    """Each item counts: without it, or with another sign or datum, the frame centre moves by far more than 2 m."""
    shots = flight(1)
    right = [metres(geo.derive(wrong(shot.items)).frame_centre, shot.truth.centre) for shot in shots]
    errors = [metres(geo.derive(change(shot.items)).frame_centre, shot.truth.centre) for shot in shots]

    assert spread(right)[1] < 1.6
    assert spread(errors)[0] > least


def test_the_sensor_roll_counts_at_the_edge_of_the_picture():
    """It turns the picture about its centre."""
    for shot in flight(1):
        items = without(shot.items, *ANGLES_ONLY)
        turned, level = (geo.derive({**items, "sensor_relative_roll_angle": roll}).footprint.corners
                         for roll in (shot.items["sensor_relative_roll_angle"], 0.0))  # fmt: skip

        assert metres(turned[0], level[0]) > 0.5 * abs((shot.items["sensor_relative_roll_angle"] + 180) % 360 - 180)


def recorded(shared: Path, name: str) -> list[dict]:
    path = shared / "data" / name
    if not path.exists():
        pytest.skip(f"no recording {name}")
    return [record.items for record in decode(path.read_bytes())]


def corner_errors(records: list[dict]) -> list[float]:
    """Metres between the reported corners, and those derived without them."""
    errors = []
    for items in records:
        reported, derived = geo.derive(items).footprint, geo.derive(without(items, "corner_", "offset_")).footprint
        assert (reported.source, derived.source) == ("reported", "derived")
        errors += [metres(*pair) for pair in zip(reported.corners, derived.corners, strict=True)]
    return errors


def test_a_recording_of_a_simulator_is_reproduced(shared: Path):
    """ST 0601 of another vendor: frame centre within 0.4 m at 3.6 km, corners within 6 m of a picture 830 m wide."""
    records = recorded(shared, "osh_sample_stream.ts")
    centres = [
        metres(geo.derive(without(items, *ANGLES_ONLY)).frame_centre, geo.derive(items).frame_centre)
        for items in records
    ]

    assert spread(centres)[1] < 0.4
    assert spread(corner_errors(records))[1] < 6


def test_a_recording_of_a_real_flight_is_reproduced(shared: Path):
    """EG 0104: corners within 0.7 m at 3.4 km. Its angle to north counts from UTM's grid north: 72 m."""
    records = recorded(shared, "aphill_klv_10s.ts")

    assert spread(corner_errors(records))[1] < 0.7
    views = {geo.derive(items).view.method for items in records}
    assert views == {"angle to north"}
    alone = [metres(geo.derive(without(i, *ANGLES_ONLY)).frame_centre, geo.derive(i).frame_centre) for i in records]
    assert 60 < spread(alone)[0] < 80


def test_angles_that_contradict_the_frame_centre_are_not_used(shared: Path):
    """A real flight that writes item 18 relative to north: its footprint is still around its frame centre."""
    for items in recorded(shared, "day_flight.klv"):
        found = geo.derive(items)

        assert found.view.method == "level picture"
        across, below = geo.homography(found.footprint.corners).to_picture(
            found.frame_centre.lat, found.frame_centre.lon
        )
        assert (across, below) == pytest.approx((0.5, 0.5), abs=0.01)
