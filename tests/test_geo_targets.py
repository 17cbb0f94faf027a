"""Where VMTI targets are."""

from __future__ import annotations

import pytest
from cases import each_case
from geo_truth import flight, metres, spread, without

from klvrelay import geo

SHOTS = [shot for shot in flight(1) if shot.truth.target]


def changed(items: dict, drop: tuple[str, ...] = (), vmti: dict | None = None, **target: object) -> dict:
    """The items with other ones in the first target, and in the VMTI set."""
    own = items["vmti_local_set"]
    first = {**without(own["vtarget_series"][0], *drop), **target}
    return {**items, "vmti_local_set": {**own, "vtarget_series": [first], **(vmti or {})}}


def test_a_reported_location_is_taken_as_it_is():
    """ST 0903 item 17, with its height above the ellipsoid."""
    (found,) = geo.targets(SHOTS[0].items)
    location = SHOTS[0].items["vmti_local_set"]["vtarget_series"][0]["target_location"]

    assert found.target_id == 1
    assert found.point[:2] == (location["latitude"], location["longitude"])
    assert (found.point.source, found.point.hae.value) == ("reported", location["hae"])


def test_a_reported_offset_is_added_to_the_frame_centre():
    """ST 0903 items 10 to 12."""
    for shot in SHOTS:
        (found,) = geo.targets(changed(shot.items, ("target_location",), target_location_offset_lat=0.001,
                                       target_location_offset_lon=-0.002))  # fmt: skip

        assert (found.point.source, found.point.method) == ("reported", "target_location_offset_lat")
        assert found.point.lat == pytest.approx(shot.items["frame_center_latitude"] + 0.001)
        assert found.point.lon == pytest.approx(shot.items["frame_center_longitude"] - 0.002)


def test_an_offset_from_a_centre_that_is_not_reported_says_nothing():
    """It counts from the sender's frame centre; the pixel is used."""
    items = without(changed(SHOTS[0].items, ("target_location",)), "corner_", "offset_", "frame_center_l")

    (found,) = geo.targets({**items, "vmti_local_set": changed(
        SHOTS[0].items, ("target_location",), target_location_offset_lat=0.001, target_location_offset_lon=-0.002,
    )["vmti_local_set"]})  # fmt: skip

    assert (found.point.source, found.point.method) == ("derived", "level ground")


PIXELS = [((), {}), (("centroid_pix",), {}), (("target_centroid",), {})]


@each_case("drop, target", PIXELS)
def test_a_pixel_is_located_on_the_ground(drop, target):
    """By row and column, or by the number of the pixel: the vehicle within the height of the hills."""
    errors = []
    for shot in SHOTS:
        (found,) = geo.targets(changed(shot.items, ("target_location", "target_hae", *drop), **target))
        assert (found.point.source, found.point.method) == ("derived", "level ground")
        errors.append(metres(found.point, shot.truth.vehicle.place))

    assert spread(errors)[0] < 3


def test_the_pixel_is_that_of_the_standard():
    """Counted from 1: at the true height, half a pixel remains, 0.3 m."""
    errors = []
    for shot in SHOTS:
        items = changed(without(shot.items, "corner_", "offset_", "frame_center"), ("target_location",))
        (found,) = geo.targets(items, ground=geo.FlatGround(shot.truth.vehicle.place.hae))
        errors.append(metres(found.point, shot.truth.vehicle.place))
        target = shot.truth.target
        assert found.image == pytest.approx((target.column / shot.width, target.row / shot.height), abs=1 / shot.height)

    assert spread(errors)[0] < 0.35


def test_another_sensor_has_its_own_fields_of_view():
    """VMTI items 11 and 12, where they differ from items 16 and 17."""
    drop = "target_location", "target_hae"
    for shot in SHOTS[::8]:
        right = geo.targets(changed(shot.items, drop))[0].point
        wide = changed(
            {**shot.items, "sensor_horizontal_field_of_view": 40.0, "sensor_vertical_field_of_view": 30.0}, drop
        )

        assert metres(geo.targets(wide)[0].point, right) < 0.3


def test_without_attitude_the_corners_locate_the_pixel():
    """Less accurate, and said so."""
    items = changed(without(SHOTS[0].items, "sensor_"), ("target_location",))
    (found,) = geo.targets(items)

    assert found.point.method == "corners"
    assert metres(found.point, SHOTS[0].truth.vehicle.place) < 15


NOT_LOCATED = [
    ({"frame_width": None}, {}),
    ({"frame_height": 0}, {}),
    ({}, {"centroid_pix_row": 0, "target_centroid": None}),
    ({}, {"centroid_pix_col": 641, "target_centroid": 640 * 360 + 1}),
    ({}, {"centroid_pix_row": None, "target_centroid": "5"}),
]


@each_case("vmti, target", NOT_LOCATED)
def test_a_pixel_outside_of_the_frame_is_not_located(vmti, target):
    """Nor one of a frame of unknown size."""
    (found,) = geo.targets(changed(SHOTS[0].items, ("target_location",), vmti, **target))

    assert (found.point, found.image) == (None, None)


@each_case("vmti", [None, 5, {}, {"vtarget_series": None}, {"vtarget_series": "x"}, {"vtarget_series": [None, 3]}])
def test_without_targets_there_are_none(vmti):
    """Whatever stands in their place."""
    assert geo.targets({**SHOTS[0].items, "vmti_local_set": vmti}) == []


def test_the_number_of_targets_is_bounded():
    """A packet may hold thousands."""
    items = SHOTS[0].items
    many = {
        **items,
        "vmti_local_set": {**items["vmti_local_set"], "vtarget_series": [{"target_id": n} for n in range(5000)]},
    }

    assert len(geo.targets(many)) == 1000
    assert [one.target_id for one in geo.targets(many, most=3)] == [0, 1, 2]
