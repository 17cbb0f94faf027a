"""The sample's metadata compared with its own geometry, with formulas that are independent of the generator.

All tests start from decoded ST 0601 values: position, attitude, gimbal and field of view must lead to the frame centre,
the slant range, the corners and the target of the same packet.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from tstrans.klv import UasDatalinkLs, decode_uas_datalink, decode_vmti

from klvrelay import sample

GEOID = 39.0


def ecef(lat: float, lon: float, height: float) -> np.ndarray:
    """WGS-84 to earth-centred metres, with the textbook formula."""
    phi, lam = np.radians([lat, lon])
    a, b = 6378137.0, 6356752.314245179
    n = a * a / np.sqrt((a * np.cos(phi)) ** 2 + (b * np.sin(phi)) ** 2)
    return np.array(
        [
            (n + height) * np.cos(phi) * np.cos(lam),
            (n + height) * np.cos(phi) * np.sin(lam),
            (b * b / (a * a) * n + height) * np.sin(phi),
        ]
    )


def about(axis: int, degrees: float) -> np.ndarray:
    """A right-handed rotation about axis 0, 1 or 2."""
    s, c = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    one, two = [k for k in range(3) if k != axis]
    turn = np.eye(3)
    turn[one, one] = turn[two, two] = c
    turn[one, two], turn[two, one] = (-s, s) if axis != 1 else (s, -s)
    return turn


@dataclass
class Eye:
    """The camera as one packet describes it: position in ECEF; axes forward, right, down as columns."""

    position: np.ndarray
    axes: np.ndarray
    across: float
    down: float

    @classmethod
    def of(cls, klv: UasDatalinkLs) -> Eye:
        lat, lon = np.radians([klv.sensor_lat_deg, klv.sensor_lon_deg])
        north = np.array([-np.sin(lat) * np.cos(lon), -np.sin(lat) * np.sin(lon), np.cos(lat)])
        east = np.array([-np.sin(lon), np.cos(lon), 0.0])
        down = np.cross(north, east)
        body = about(2, klv.platform_heading_deg) @ about(1, klv.platform_pitch_deg)
        body = body @ about(0, klv.platform_roll_deg)
        gimbal = about(2, klv.sensor_rel_az_deg) @ about(1, klv.sensor_rel_el_deg)
        gimbal = gimbal @ about(0, klv.sensor_rel_roll_deg)
        return cls(
            ecef(klv.sensor_lat_deg, klv.sensor_lon_deg, klv.sensor_ellipsoid_height_extended_m),
            np.column_stack([north, east, down]) @ body @ gimbal,
            np.tan(np.radians(klv.sensor_hfov_deg / 2)),
            np.tan(np.radians(klv.sensor_vfov_deg / 2)),
        )

    def see(self, point: np.ndarray) -> np.ndarray:
        """Where points (rows, ECEF) appear: columns and rows from -1 to 1 across the picture."""
        forward, right, down = self.axes.T @ (np.atleast_2d(point) - self.position).T
        return np.array([right / forward / self.across, down / forward / self.down])

    def ray(self, column: np.ndarray, row: np.ndarray) -> np.ndarray:
        """The directions (rows, ECEF) of places in the picture, from -1 to 1."""
        return np.column_stack([np.ones_like(column), column * self.across, row * self.down]) @ self.axes.T


def location(pack: bytes) -> tuple[float, float, float]:
    """ST 0903's Location: IMAPB of 4, 4 and 2 bytes; the height is raised to the middle of its metre."""
    lat, lon, height = (int.from_bytes(pack[a:b], "big") for a, b in ((0, 4), (4, 8), (8, 10)))
    return lat / 2**23 - 90, lon / 2**22 - 180, height - 900 + 0.5


@pytest.fixture(scope="module", params=[1, 2, 3])
def klv(request) -> list[UasDatalinkLs]:
    """One packet per second of a minute's flight."""
    return [decode_uas_datalink(p) for p in sample.packets(seconds=60, klv_rate=1, seed=request.param)]


def centre_of(klv: UasDatalinkLs) -> np.ndarray:
    return ecef(klv.frame_center_lat_deg, klv.frame_center_lon_deg, klv.frame_center_elev_m + GEOID)


def test_position_attitude_and_gimbal_lead_to_the_frame_centre(klv):
    """The optical axis passes the stated frame centre within the resolution of the encoding (0.3 m)."""
    for one in klv:
        eye, centre = Eye.of(one), centre_of(one)
        sight = centre - eye.position

        aside = np.linalg.norm(np.cross(eye.axes[:, 0], sight))

        assert aside < 0.3


def test_the_slant_range_is_the_way_to_the_frame_centre(klv):
    """Item 21 is the distance from the sensor to the frame centre."""
    for one in klv:
        way = np.linalg.norm(centre_of(one) - Eye.of(one).position)

        assert one.slant_range_m == pytest.approx(way, abs=0.3)


def test_the_target_width_is_the_field_of_view_at_that_range(klv):
    """Item 22 follows from item 16 and the slant range, except for the slope of the ground."""
    for one in klv:
        flat = 2 * one.slant_range_m * np.tan(np.radians(one.sensor_hfov_deg / 2))

        assert one.target_width_m == pytest.approx(flat, rel=0.05)


def test_the_corners_lie_in_the_corners_of_the_picture(klv):
    """Items 82-89, at about the frame centre's height, appear at the picture's corners from top left on."""
    for one in klv:
        eye = Eye.of(one)
        ray = eye.ray(np.array([-1.0, 1.0, 1.0, -1.0]), np.array([-1.0, -1.0, 1.0, 1.0]))
        for number, way in enumerate(ray, 1):
            lat, lon = getattr(one, f"corner_lat_p{number}_deg"), getattr(one, f"corner_lon_p{number}_deg")
            # The ground's height there is not stated: find the one on the ray.
            heights = np.linspace(40, 160, 241)
            places = np.array([ecef(lat, lon, height) for height in heights])
            aside = np.linalg.norm(np.cross(way / np.linalg.norm(way), places - eye.position), axis=1)

            assert aside.min() < 0.5
            assert 0 < aside.argmin() < 240


def test_the_corner_offsets_say_the_same_as_the_full_corners(klv):
    """Items 26-33 added to the frame centre are items 82-89."""
    for one in klv:
        for number in range(1, 5):
            lat = one.frame_center_lat_deg + getattr(one, f"corner_lat_offset_p{number}_deg")
            lon = one.frame_center_lon_deg + getattr(one, f"corner_lon_offset_p{number}_deg")

            assert lat == pytest.approx(getattr(one, f"corner_lat_p{number}_deg"), abs=1.3e-6)
            assert lon == pytest.approx(getattr(one, f"corner_lon_p{number}_deg"), abs=1.3e-6)


def test_the_picture_is_level(klv):
    """The gimbal's roll compensates the bank: the picture's right edge is as high as its left."""
    for one in klv:
        eye = Eye.of(one)
        up = eye.position / np.linalg.norm(eye.position)

        assert abs(eye.axes[:, 1] @ up) < 0.01
        assert eye.axes[:, 2] @ up < 0


def test_the_target_is_where_its_place_appears(klv):
    """The VMTI centroid is the pixel of the target's stated latitude, longitude and height."""
    for one in klv:
        vmti = decode_vmti(one.vmti)
        (target,) = vmti.targets
        lat, lon, height = location(target.target_location)

        (across,), (down,) = Eye.of(one).see(ecef(lat, lon, height))

        # The height has a resolution of a metre, which is 1.7 pixels vertically.
        column, row = (across + 1) / 2 * vmti.frame_width, (down + 1) / 2 * vmti.frame_height
        assert target.centroid_pix_col - 0.5 == pytest.approx(column, abs=1.0)
        assert target.centroid_pix_row - 0.5 == pytest.approx(row, abs=2.0)


def test_the_target_is_placed_alike_by_offset_and_location(klv):
    """VTarget items 10-12, relative to the frame centre, are the place in item 17."""
    for one in klv:
        (target,) = decode_vmti(one.vmti).targets
        lat, lon, height = location(target.target_location)

        assert one.frame_center_lat_deg + target.centroid_lat_offset == pytest.approx(lat, abs=8e-6)
        assert one.frame_center_lon_deg + target.centroid_lon_offset == pytest.approx(lon, abs=8e-6)
        assert target.centroid_hae + 0.5 == height


def test_speed_and_climb_are_those_of_the_track():
    """Items 56 and 51 follow from the positions of neighbouring packets."""
    track = [decode_uas_datalink(p) for p in sample.packets(seconds=2, klv_rate=10)]
    for before, here, after in zip(track, track[1:], track[2:], strict=False):
        speed = np.linalg.norm(Eye.of(after).position - Eye.of(before).position) / 0.2
        climb = (after.sensor_ellipsoid_height_extended_m - before.sensor_ellipsoid_height_extended_m) / 0.2

        assert here.platform_ground_speed == pytest.approx(speed, abs=0.6)
        assert here.platform_vertical_speed == pytest.approx(climb, abs=0.05)
