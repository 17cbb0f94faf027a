"""Where the aircraft was, how it was oriented, and where its camera looked, from one record.

What the aircraft reports, else what `klvrelay.geo` derives from it. The other modules of this package read positions
through this one only.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from klvrelay import core, geo
from klvrelay.core.selection import Selection, select
from klvrelay.exports.contract import WriterOptions
from klvrelay.record import Record

LonLat = tuple[float, float]
"""Longitude and latitude, degrees of WGS84."""


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
    source: geo.Source = "reported"


def time_of(record: Record) -> int | None:
    """Microseconds since 1970 UTC: item 2, else the arrival, or None."""
    time_us = record.clock_us
    return record.received_us if time_us is None else time_us


def ground_of(options: WriterOptions) -> geo.GroundModel | None:
    """The ground of derived positions; None: level. Raises ConfigError for a folder without SRTM tiles."""
    return None if options.elevation is None else geo.ElevationTiles(options.elevation)


def sighting_of(
    record: Record, *, footprint: bool = True, elevation: geo.GroundModel | None = None
) -> Sighting | None:
    """What a record says about its position; None if it has none.

    footprint   the footprint is wanted
    elevation   the ground where something is derived; None: level
    """
    items: dict[str, Any] = _loads()(core.record_json(record.raw, b"", chosen=_reported().chosen))
    platform = geo.platform_position(items)
    if platform is None:
        return None
    center = geo.reported_centre(items)
    ground = geo.footprint(items) if footprint else None
    if center is None or center.hae is None or (footprint and ground is None):
        found = geo.derive(record.items, elevation)
        center, ground = found.frame_centre, found.footprint if footprint else None
    return Sighting(
        time_of(record),
        _point(platform),
        None if center is None else _point(center),
        None if ground is None else tuple((lon, lat) for lat, lon in ground.corners),
        _angles(items),
        "reported" if ground is None else ground.source,
    )


def _point(place: geo.LocatedPoint) -> TrackPoint:
    heights = (None if height is None else height.value for height in (place.hae, place.msl))
    return TrackPoint(place.lon, place.lat, *heights)


def _angles(items: Mapping[str, Any]) -> PlatformAngles | None:
    heading = _angle(items, "platform_heading_angle")
    pitch = _angle(items, "platform_pitch_angle_full", "platform_pitch_angle")
    roll = _angle(items, "platform_roll_angle_full", "platform_roll_angle")
    return None if heading is None or pitch is None or roll is None else PlatformAngles(heading, pitch, roll)


def _angle(items: Mapping[str, Any], *keys: str) -> float | None:
    """The first of these items that is a number. EG 0104 may send any double."""
    values = (items.get(key) for key in keys)
    return next((float(value) for value in values if isinstance(value, int | float) and abs(value) <= 360), None)


@cache
def _reported() -> Selection:
    """The items with which the aircraft reports positions and attitude: decoding others takes longer."""
    corners = [f"corner_{axis}_point_{n}_full" for n in (1, 2, 3, 4) for axis in ("latitude", "longitude")]
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
