"""Encodes an instant as ST 0601.19 metadata with an ST 0102 security set and ST 0903 targets."""

from __future__ import annotations

import math
from random import Random
from uuid import UUID

from klvrelay.encode import encode
from klvrelay.sample.flight import GEOID, LORRY, Instant, Target
from klvrelay.sample.geodesy import Point

CALL_SIGN = "KESTREL 21"
VERSION = 19

_SECURITY = {
    "security_classification": "Unclassified",
    "country_coding_method": "ISO-3166 Three Letter",
    "classifying_country": "//DNK",
    "object_country_coding_method": "ISO-3166 Three Letter",
    "object_country_codes": "DNK",
    "version": 12,
}


class Metadata:
    """Encodes the KLV of one recording."""

    __slots__ = ("_mission", "_start_us", "_track")

    def __init__(self, seed: int, start_us: int) -> None:
        self._start_us = start_us
        self._mission = f"ORBIT-{seed}"
        self._track = UUID(int=Random(f"track {seed}").getrandbits(128), version=4)

    def packet(self, instant: Instant, time_us: int) -> bytes:
        """The ST 0601 packet of an instant."""
        return encode(self.items(instant, time_us))

    def items(self, instant: Instant, time_us: int) -> dict[str, object]:
        """The items by key, in the order of transmission."""
        camera, centre = instant.camera, instant.centre
        return {
            "precision_time_stamp": time_us,
            "mission_id": self._mission,
            "platform_tail_number": "OY-KLV",
            "platform_heading_angle": instant.heading,
            "platform_pitch_angle": instant.pitch,
            "platform_roll_angle": instant.roll,
            "platform_designation": "Kestrel 3",
            "image_source_sensor": "EO Nose",
            "image_coordinate_system": "Geodetic WGS84",
            "sensor_latitude": instant.place.lat,
            "sensor_longitude": instant.place.lon,
            "sensor_true_altitude": instant.place.hae - GEOID,
            "sensor_horizontal_field_of_view": camera.hfov,
            "sensor_vertical_field_of_view": camera.vfov,
            "sensor_relative_azimuth_angle": instant.azimuth,
            "sensor_relative_elevation_angle": instant.elevation,
            "sensor_relative_roll_angle": instant.twist,
            "slant_range": instant.slant,
            "target_width": instant.across,
            "frame_center_latitude": centre.lat,
            "frame_center_longitude": centre.lon,
            "frame_center_elevation": centre.hae - GEOID,
            **_offsets(instant),
            "security_local_set": _SECURITY,
            "platform_vertical_speed": instant.climb,
            "platform_ground_speed": round(math.hypot(instant.north, instant.east)),
            "platform_call_sign": CALL_SIGN,
            "uas_datalink_ls_version_number": VERSION,
            "vmti_local_set": self._vmti(instant, time_us),
            "sensor_ellipsoid_height": instant.place.hae,
            **_corners(instant),
            "sensor_ellipsoid_height_extended": instant.place.hae,
        }

    def _vmti(self, instant: Instant, time_us: int) -> dict[str, object]:
        """The ST 0903 set: one target, or none while the lorry is out of sight."""
        camera, target = instant.camera, instant.target
        items: dict[str, object] = {
            "vmti_system_name": "orbit sample",
            "vmti_ls_version": 6,
            "total_num_targets_detected": 1 if target else 0,
            "num_targets_reported": 1 if target else 0,
            "frame_width": camera.width,
            "frame_height": camera.height,
            "vmti_source_sensor": "EO Nose",
            "vmti_horizontal_fov": camera.hfov,
            "vmti_vertical_fov": camera.vfov,
        }
        if target:
            items["vtarget_series"] = [self._target(instant, target, time_us)]
        return items

    def _target(self, instant: Instant, target: Target, time_us: int) -> dict[str, object]:
        width, place = instant.camera.width, instant.vehicle.place
        row, column = int(target.row) + 1, int(target.column) + 1
        return {
            "target_id": 1,
            "target_centroid": (row - 1) * width + column,
            "bounding_box_top_left": int(target.top) * width + int(target.left) + 1,
            "bounding_box_bottom_right": (math.ceil(target.bottom) - 1) * width + math.ceil(target.right),
            "target_priority": 1,
            "target_confidence_level": 94,
            "target_color": bytes(LORRY),
            "target_location_offset_lat": place.lat - instant.centre.lat,
            "target_location_offset_lon": place.lon - instant.centre.lon,
            "target_hae": place.hae,
            "target_location": _location(place),
            "centroid_pix_row": row,
            "centroid_pix_col": column,
            "detection_status": "Active-Moving",
            "vtracker": self._tracker(instant, time_us),
        }

    def _tracker(self, instant: Instant, time_us: int) -> dict[str, object]:
        heading, speed = math.radians(instant.vehicle.heading), instant.vehicle.speed
        return {
            "track_id": self._track,
            "first_observation_time": self._start_us,
            "latest_observation_time": time_us,
            "confidence_level": 94,
            "velocity": _velocity(speed * math.sin(heading), speed * math.cos(heading), 0.0),
        }


def _offsets(instant: Instant) -> dict[str, object]:
    """Items 26-33: corner offsets from the frame centre; omitted if they exceed 0.075 degrees."""
    offsets = {}
    for number, corner in enumerate(instant.corners, 1):
        offsets[f"offset_corner_latitude_point_{number}"] = corner.lat - instant.centre.lat
        offsets[f"offset_corner_longitude_point_{number}"] = corner.lon - instant.centre.lon
    return dict(offsets) if max(abs(offset) for offset in offsets.values()) <= 0.075 else {}


def _corners(instant: Instant) -> dict[str, object]:
    """Items 82-89: full corner coordinates."""
    items: dict[str, object] = {}
    for number, corner in enumerate(instant.corners, 1):
        items[f"corner_latitude_point_{number}_full"] = corner.lat
        items[f"corner_longitude_point_{number}_full"] = corner.lon
    return items


def _location(place: Point) -> dict[str, object]:
    """ST 0903's Location pack without deviations."""
    return {"latitude": place.lat, "longitude": place.lon, "hae": place.hae}


def _velocity(east: float, north: float, up: float) -> dict[str, object]:
    """ST 0903's Velocity pack without deviations."""
    return {"east": east, "north": north, "up": up}
