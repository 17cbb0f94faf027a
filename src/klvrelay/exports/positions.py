"""Where the aircraft was, how it was oriented, and where its camera looked, from the items of one record.

Only items that the aircraft sent, of ST 0601 or under the same keys of EG/ST 0104:

    platform       sensor_latitude, sensor_longitude; items 104, 75 (height above the ellipsoid), 15 (above sea level)
    frame centre   frame_center_latitude, frame_center_longitude; items 78 (ellipsoid) and 25 (sea level)
    footprint      corners: items 82 to 89, else the centre with the offsets of items 26 to 33
    attitude       items 5, and 90 and 91, else 6 and 7

The other modules of this package read positions through this one only.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, NamedTuple

from klvrelay import core
from klvrelay.core.selection import Selection, select
from klvrelay.record import Record

LonLat = tuple[float, float]
"""Longitude and latitude, degrees of WGS84."""
CORNERS = (1, 2, 3, 4)
HEIGHTS = (-20_000.0, 1_000_000.0)
"""Heights in metres beyond which a value is no height."""


class TrackPoint(NamedTuple):
    """A position in degrees of WGS84; heights in metres above the ellipsoid (hae) and above mean sea level (msl)."""

    longitude: float
    latitude: float
    hae: float | None = None
    msl: float | None = None


class PlatformAngles(NamedTuple):
    """Degrees (ST 0601 items 5, 6, 7): heading from true north, nose up, right wing down."""

    heading: float
    pitch: float
    roll: float


class Sighting(NamedTuple):
    """What one record says about place and time.

    time_us       microseconds since 1970 UTC: item 2, else the arrival, or None
    platform      position of the sensor
    frame_center  centre of the picture on the ground, or None
    footprint     four corners of the picture on the ground, clockwise in the picture from its upper left, or None
    angles        attitude of the platform, or None
    source        of the footprint: "reported" by the aircraft, or "derived"
    """

    time_us: int | None
    platform: TrackPoint
    frame_center: TrackPoint | None
    footprint: tuple[LonLat, ...] | None
    angles: PlatformAngles | None
    source: Literal["reported", "derived"] = "reported"


def sighting_of(record: Record) -> Sighting | None:
    """What a record says about its position; None if it has none."""
    items = _loads()(core.record_json(record.raw, b"", chosen=_wanted().chosen))
    platform = _point(items, "sensor", ("sensor_ellipsoid_height_extended", "sensor_ellipsoid_height"),
                      "sensor_true_altitude")  # fmt: skip
    if platform is None:
        return None
    center = _point(items, "frame_center", ("frame_center_height_above_ellipsoid",), "frame_center_elevation")
    time_us = record.clock_us
    return Sighting(
        record.received_us if time_us is None else time_us,
        platform,
        center,
        _footprint(items, center),
        _angles(items),
    )


def _point(items: Mapping[str, Any], name: str, ellipsoid: tuple[str, ...], sea_level: str) -> TrackPoint | None:
    place = _place(items, f"{name}_longitude", f"{name}_latitude")
    if place is None:
        return None
    heights = (number_within(items.get(key), *HEIGHTS) for key in ellipsoid)
    hae = next((height for height in heights if height is not None), None)
    return TrackPoint(*place, hae, number_within(items.get(sea_level), *HEIGHTS))


def _place(items: Mapping[str, Any], longitude: str, latitude: str) -> LonLat | None:
    lon = number_within(items.get(longitude), -180.0, 180.0)
    lat = number_within(items.get(latitude), -90.0, 90.0)
    return None if lon is None or lat is None else (lon, lat)


def number_within(value: Any, least: float, most: float) -> float | None:
    """The value if it is a number from `least` to `most`. EG 0104 may send any double."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and least <= value <= most:
        return float(value)
    return None


def _footprint(items: Mapping[str, Any], center: TrackPoint | None) -> tuple[LonLat, ...] | None:
    full = [_place(items, f"corner_longitude_point_{n}_full", f"corner_latitude_point_{n}_full") for n in CORNERS]
    found = [corner for corner in full if corner is not None]
    if len(found) < len(CORNERS) and center is not None:
        found = [corner for n in CORNERS if (corner := _offset_corner(items, center, n)) is not None]
    return tuple(found) if len(found) == len(CORNERS) else None


def _offset_corner(items: Mapping[str, Any], center: TrackPoint, number: int) -> LonLat | None:
    lon = number_within(items.get(f"offset_corner_longitude_point_{number}"), -1.0, 1.0)
    lat = number_within(items.get(f"offset_corner_latitude_point_{number}"), -1.0, 1.0)
    if lon is None or lat is None or abs(center.latitude + lat) > 90:
        return None
    return wrapped(center.longitude + lon), center.latitude + lat


def wrapped(longitude: float) -> float:
    """The same longitude from -180 to 180 degrees."""
    return longitude if -180 <= longitude <= 180 else (longitude + 180) % 360 - 180


def _angles(items: Mapping[str, Any]) -> PlatformAngles | None:
    heading = number_within(items.get("platform_heading_angle"), -360.0, 360.0)
    pitch = _first_angle(items, "platform_pitch_angle_full", "platform_pitch_angle")
    roll = _first_angle(items, "platform_roll_angle_full", "platform_roll_angle")
    return None if heading is None or pitch is None or roll is None else PlatformAngles(heading, pitch, roll)


def _first_angle(items: Mapping[str, Any], *keys: str) -> float | None:
    return next((found for key in keys if (found := number_within(items.get(key), -180.0, 180.0)) is not None), None)


@cache
def _wanted() -> Selection:
    corners = [f"corner_{axis}_point_{n}_full" for n in CORNERS for axis in ("latitude", "longitude")]
    return select(
        "sensor_latitude", "sensor_longitude", "sensor_ellipsoid_height_extended", "sensor_ellipsoid_height",
        "sensor_true_altitude", "frame_center_latitude", "frame_center_longitude",
        "frame_center_height_above_ellipsoid", "frame_center_elevation", "platform_heading_angle",
        "platform_pitch_angle", "platform_roll_angle", "platform_pitch_angle_full", "platform_roll_angle_full",
        *corners, *(f"offset_{corner.removesuffix('_full')}" for corner in corners),
    )  # fmt: skip


@cache
def _loads() -> Any:
    import orjson

    return orjson.loads
