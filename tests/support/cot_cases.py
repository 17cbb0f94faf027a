"""Records and the Cursor on Target events that they must have: the files in tests/cot, one for each case.

`python tests/support/cot_cases.py` writes the files again; review what changes.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import records

import klvrelay
from klvrelay.config.sinks.cot import CotSettings
from klvrelay.record import Record
from klvrelay.sinks.cot.conversion import EventConversion
from klvrelay.sinks.cot.cot_event import CotEvent
from klvrelay.sinks.cot.event_xml import event_xml
from klvrelay.standards.spec import UNIVERSAL_KEYS

FOLDER = Path(__file__).parents[1] / "cot"
TIME_US = 1_780_306_200_123_456
NOW_US = TIME_US + 40_000

POSITION = {"sensor_latitude": 56.119732, "sensor_longitude": 9.430490}
HEIGHT = {"sensor_ellipsoid_height_extended": 1073.25}
NAMES = {"platform_designation": "Kestrel 3", "platform_tail_number": "OY-KLV", "platform_call_sign": "KESTREL 21",
         "mission_id": "ORBIT-1", "image_source_sensor": "EO Nose"}  # fmt: skip
MOVING = {"platform_heading_angle": 359.0, "platform_course_angle": 1.5, "platform_ground_speed": 44}
FIELDS = {"sensor_horizontal_field_of_view": 12.0, "sensor_vertical_field_of_view": 7.0}
LOOKING = {"platform_heading_angle": 359.0, "platform_pitch_angle": 2.0, "platform_roll_angle": -10.0,
           "sensor_relative_azimuth_angle": 271.0, "sensor_relative_elevation_angle": -32.0,
           "sensor_relative_roll_angle": 0.0, **FIELDS}  # fmt: skip
CENTRE = {"frame_center_latitude": 56.120218, "frame_center_longitude": 9.413828}
CENTRE_HEIGHT = {"frame_center_height_above_ellipsoid": 108.0}
OFFSETS = {f"offset_corner_{axis}_point_{n}": value for n, pair in enumerate(
    ((-0.00136, -0.00255), (0.00146, -0.00184), (0.00119, 0.0019), (-0.0013, 0.00162)), 1)
    for axis, value in zip(("latitude", "longitude"), pair, strict=True)}  # fmt: skip
FULL = {f"corner_{axis}_point_{n}_full": value for n, pair in enumerate(
    ((56.119, 9.411), (56.122, 9.412), (56.121, 9.416), (56.118, 9.415)), 1)
    for axis, value in zip(("latitude", "longitude"), pair, strict=True)}  # fmt: skip
TARGETS = [
    {"target_id": 1, "target_priority": 2, "target_confidence_level": 94, "detection_status": "Active-Moving",
     "target_location": {"latitude": 56.1201, "longitude": 9.4145, "hae": 108.0, "sigma_east": 3.0,
                         "sigma_north": 4.0, "sigma_up": 5.0},
     "vtracker": {"velocity": {"east": 3.0, "north": -4.0, "up": 0.0}}},
    {"target_id": 2, "target_priority": 1, "target_location_offset_lat": -0.0001, "target_location_offset_lon": 0.0005,
     "target_hae": 107.0},
    {"target_id": 3, "target_confidence_level": 50},
]  # fmt: skip
HOSTILE = "</detail><x a='1\"&\x1b[31m\x00\r\n\u202e\ufffe"
RESTRICTED = {"security_local_set": {"security_classification": "Restricted", "caveats": "FOUO",
                                     "releasing_instructions": "DEU USA"}}  # fmt: skip


def packet(items: Mapping[str, Any]) -> bytes:
    """A packet of ST 0601, with a time stamp."""
    return klvrelay.encode({"precision_time_stamp": TIME_US, **items})


def legacy() -> bytes:
    """A universal set of EG 0104: time, designation, heading, positions, altitude, angles of the view."""
    items = {
        "06 0e 2b 34 01 01 01 03 07 02 01 01 01 05 00 00": struct.pack("!Q", TIME_US),
        "06 0e 2b 34 01 01 01 01 01 01 20 01 00 00 00 00": b"MQ-1",
        "06 0e 2b 34 01 01 01 07 07 01 10 01 06 00 00 00": struct.pack("!f", 98.5),
        "06 0e 2b 34 01 01 01 03 07 01 02 01 02 04 02 00": struct.pack("!d", 38.15993),
        "06 0e 2b 34 01 01 01 03 07 01 02 01 02 06 02 00": struct.pack("!d", -77.356214),
        "06 0e 2b 34 01 01 01 01 07 01 02 01 02 02 00 00": struct.pack("!f", 1984.5),
        "06 0e 2b 34 01 01 01 01 07 01 02 01 03 02 00 00": struct.pack("!d", 38.185089),
        "06 0e 2b 34 01 01 01 01 07 01 02 01 03 04 00 00": struct.pack("!d", -77.35812),
        "06 0e 2b 34 01 01 01 01 07 01 10 01 02 00 00 00": struct.pack("!f", -1.96),
        "06 0e 2b 34 01 01 01 01 07 01 10 01 03 00 00 00": struct.pack("!f", -35.35),
    }
    value = b"".join(bytes.fromhex(key) + bytes([len(data)]) + data for key, data in items.items())
    return UNIVERSAL_KEYS["ST0104"] + b"\x82" + len(value).to_bytes(2, "big") + value


def overlong() -> bytes:
    """A position, and texts that are longer than the standard allows."""
    place = [(13, b"\x20\0\0\0"), (14, b"\x10\0\0\0")]
    texts = [(tag, b"%d" % tag + b"x" * 5000) for tag in (3, 4, 10, 11, 59)]
    return records.packet("ST0601", [(2, struct.pack("!Q", TIME_US)), *place, *texts, (65, b"\x13")], checksum=True)


def record_of(raw: bytes, stream: str = "uav1", **fields: Any) -> Record:
    """A packet as a live record."""
    (found,) = klvrelay.decode(raw)
    return found._replace(stream=stream, boot="5f2c9a", received_us=TIME_US + 20_000, **fields)


def settings(carrier: str = "udp", **more: Any) -> CotSettings:
    return CotSettings(carrier=carrier, host="239.2.3.1", port=6969, **more)  # type: ignore[arg-type]


Case = tuple[bytes, CotSettings]


def _case(*items: Mapping[str, Any], **more: Any) -> Case:
    return packet({key: value for each in items for key, value in each.items()}), settings(**more)


CASES: Mapping[str, Case] = {
    "all": _case(
        POSITION, HEIGHT, NAMES, MOVING, LOOKING, CENTRE, CENTRE_HEIGHT, FULL, {"slant_range": 1418.0},
        {"vmti_local_set": {"frame_width": 640, "frame_height": 360, "vtarget_series": TARGETS}},
        video="rtsp://media:8554/{stream}?tcp",
    ),
    "aircraft": _case(POSITION, {"sensor_true_altitude": 1034.3}, events=("platform",)),
    "aircraft-without-height": _case(POSITION),
    "aircraft-on-the-equator": _case({"sensor_latitude": 0.0, "sensor_longitude": 9.0}, HEIGHT),
    "aircraft-on-the-prime-meridian": _case({"sensor_latitude": 51.0, "sensor_longitude": 0.0}, HEIGHT),
    "aircraft-with-velocity": _case(POSITION, {"sensor_north_velocity": -30.0, "sensor_east_velocity": -40.0}),
    "aircraft-with-names": _case(
        POSITION, NAMES, callsign="UAV {stream} {platform_tail_number}", uid_prefix="site-1", uid_from="tail_number",
        cot_type="a-n-A-C-F", stale_after=30.0,
    ),
    "mission": _case(POSITION, NAMES, uid_from="mission", video="https://media/{stream}/index.m3u8"),
    "marking": _case(POSITION, RESTRICTED),
    "sensor-without-attitude": _case(
        POSITION, FIELDS, {"platform_heading_angle": 350.0, "sensor_relative_azimuth_angle": 20.0}, events=("platform",)
    ),
    "point-of-interest": _case(CENTRE, {"frame_center_elevation": 68.0}, events=("spi",)),
    "point-of-interest-of-a-target": _case(
        CENTRE, {"target_location_latitude": 56.13, "target_location_longitude": 9.42,
                 "target_location_elevation": 70.0, "target_error_estimate_ce90": 21.46,
                 "target_error_estimate_le90": 16.45}, events=("spi",),
    ),
    "footprint-of-offsets": _case(CENTRE, CENTRE_HEIGHT, OFFSETS, events=("footprint",)),
    "footprint-computed": _case(POSITION, HEIGHT, LOOKING, {"slant_range": 1418.0}, events=("spi", "footprint")),
    "footprint-at-the-antimeridian": _case(
        {**FULL, "corner_longitude_point_1_full": 179.99, "corner_longitude_point_2_full": 179.99,
         "corner_longitude_point_3_full": -179.99, "corner_longitude_point_4_full": -179.99},
    ),
    "targets": _case(
        CENTRE, {"vmti_local_set": {"vtarget_series": TARGETS}}, events=("targets",), target_type="a-h-G-E-V",
    ),
    "targets-at-most": _case(
        CENTRE, {"vmti_local_set": {"vtarget_series": TARGETS}}, events=("targets",), max_targets=1,
    ),
    "targets-computed": _case(
        POSITION, HEIGHT, LOOKING, CENTRE, CENTRE_HEIGHT, {"vmti_local_set": {
            "frame_width": 640, "frame_height": 360, "vtarget_series": [
                {"target_id": 3, "target_confidence_level": 50, "centroid_pix_row": 180, "centroid_pix_col": 320},
            ],
        }}, events=("targets",),
    ),
    "nothing": _case({"platform_heading_angle": 10.0}),
    "no-fix": _case({"sensor_latitude": 0.0, "sensor_longitude": 0.0}, HEIGHT),
    "latitude-alone": _case({"sensor_latitude": 56.0}),
    "special-values": _case({"sensor_latitude": None, "sensor_longitude": 9.0, "frame_center_latitude": 56.0,
                             "frame_center_longitude": None}),
    "three-corners": _case({key: value for key, value in FULL.items() if "point_4" not in key}),
    "legacy": (legacy(), settings()),
    "hostile": _case(
        POSITION, dict.fromkeys(NAMES, HOSTILE),
        {"security_local_set": {"security_classification": "Restricted", "caveats": HOSTILE[:26]}},
        callsign="{platform_call_sign}", uid_from="mission", video="rtsp://media/{stream}",
    ),
    "long": (overlong(), settings(uid_from="mission")),
}  # fmt: skip


def events_of(case: Case) -> list[CotEvent]:
    """The events of a case."""
    raw, chosen = case
    return EventConversion(chosen).events_of(record_of(raw), NOW_US)


def written(case: Case) -> bytes:
    """The content of its file: the events, separated by line breaks."""
    return b"".join(event_xml(event) + b"\n" for event in events_of(case))


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, each in CASES.items():
        (FOLDER / f"{name}.xml").write_bytes(written(each))
