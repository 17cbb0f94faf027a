"""The four corners of a picture: offsets, the antimeridian and the poles, and the map between picture and ground."""

from __future__ import annotations

import pytest
from cases import each_case
from geo_truth import flight, metres, without

from klvrelay import geo

ITEMS = flight(1)[0].items
ANGLES_ONLY = "corner_", "offset_", "frame_center_l"


def test_corners_that_are_all_alike_are_no_footprint():
    """Some senders fill them with one position."""
    alike = {key: 56.1 if "latitude" in key else 9.4 for key in ITEMS if key.startswith("corner_")}

    assert geo.derive({**ITEMS, **alike}).footprint.method == "corner offsets"


def test_offsets_across_the_antimeridian_and_the_pole():
    """Longitudes are wrapped; a latitude beyond the pole is none."""
    offsets = {
        key: 0.05 if "_1" in key or "_2" in key else -0.05 for key in ITEMS if key.startswith("offset_corner_la")
    }
    offsets |= {
        key: 0.05 if "_2" in key or "_3" in key else -0.05 for key in ITEMS if key.startswith("offset_corner_lo")
    }

    found = geo.footprint({"frame_center_latitude": 10.0, "frame_center_longitude": 179.98, **offsets})

    assert [lon for _, lon in found.corners] == pytest.approx([179.93, -179.97, -179.97, 179.93])
    assert [lon for _, lon in found.outline] == pytest.approx([179.93, 180.03, 180.03, 179.93])
    assert geo.footprint({"frame_center_latitude": 89.96, "frame_center_longitude": 0.5, **offsets}) is None


@each_case("lat, lon", [(56.0, 179.999), (-33.0, -179.999), (89.995, 20.0), (-89.99, 0.5)])
def test_pictures_near_the_antimeridian_and_the_poles(lat, lon):
    """Footprint, homography and pixels agree there too."""
    items = {
        **without(ITEMS, *ANGLES_ONLY, "slant_range", "frame_center"), "sensor_latitude": lat, "sensor_longitude": lon,
        "frame_center_height_above_ellipsoid": 100.0,
    }  # fmt: skip
    found = geo.derive(items)
    corners = geo.homography(found.footprint.corners)

    assert all(-90 <= a <= 90 and -180 <= b < 180 for a, b in found.footprint.corners)
    for at in ((0.2, 0.3), (0.9, 0.8)):
        exact = geo.PictureGround(found).to_ground(*at)
        assert metres(corners.to_ground(*at), exact) < 0.5
        assert corners.to_picture(exact.lat, exact.lon) == pytest.approx(at, abs=0.002)
        assert geo.PictureGround(found).to_picture(exact.lat, exact.lon) == pytest.approx(at, abs=1e-3)


NO_HOMOGRAPHY = [
    [(0.0, 0.0)] * 4,
    [(0.0, 0.0), (0.0, 1.0), (0.0, 2.0), (1.0, 0.0)],  # three on a line
    [(1.0, 0.0), (1.0, 1.0), (0.0, 0.0), (0.0, 1.0)],  # crossed
    [(1.0, 0.0), (0.1, 0.1), (0.0, 1.0), (0.0, 0.0)],  # dented
]


@each_case("corners", NO_HOMOGRAPHY)
def test_corners_that_no_picture_has_give_no_homography(corners):
    """Instead of positions somewhere else."""
    assert geo.homography(corners) is None


@each_case("corners", [
    [(56.02, 8.98), (56.02, 9.02), (56.0, 9.01), (56.0, 8.99)],
    [(56.02, 9.02), (56.02, 8.98), (56.0, 8.99), (56.0, 9.01)],  # mirrored
    [(56.0, 9.01), (56.0, 8.99), (56.02, 8.98), (56.02, 9.02)],  # upside down
])  # fmt: skip
def test_a_homography_leads_there_and_back(corners):
    """Whichever way round the corners are."""
    found = geo.homography(corners)

    for at, corner in zip(geo.IMAGE_CORNERS, corners, strict=True):
        assert metres(found.to_ground(*at), corner) < 0.01
        assert found.to_picture(*corner) == pytest.approx(at, abs=1e-6)
    assert found.to_picture(*found.to_ground(0.3, 0.6)) == pytest.approx((0.3, 0.6), abs=1e-6)


def test_beyond_the_horizon_of_the_corners_there_is_no_ground():
    """A picture whose upper edge is three times as wide as the lower: its horizon is half a picture above."""
    corners = geo.homography([(56.02, 8.97), (56.02, 9.03), (56.0, 9.01), (56.0, 8.99)])

    assert corners.to_ground(0.5, -0.4) is not None
    assert corners.to_ground(0.5, -0.6) is None
    assert corners.to_picture(55.98, 9.0) is None
