"""Reads the text of one cue of a DJI subtitle file, in each of its dialects.

    [latitude: 48.2] [longitude: 11.5] [rel_alt: 40.1 abs_alt: 560.3] [gb_yaw: 10.0 gb_pitch: -90.0 gb_roll: 0.0]
    [latitude: 48.2] [longtitude: 11.5] [altitude: 560.3] [Drone: Yaw:90.4, Pitch:0.8, Roll:-1.6]
    [focal_len: 24.00] [dzoom_ratio: 1.00]         millimetres; the focal length includes the digital zoom
    [focal_len : 240] [dzoom_ratio: 10000, ...]    tenths of millimetres; without the digital zoom, 10000 is 1.0
    GPS(11.5,48.2,17) BAROMETER:40.1               longitude, latitude, satellites; height above take-off
    GPS(48.2,11.5,0.0M) BAROMETER:40.1M            latitude, longitude
    F/2.8, SS 200, GPS (11.5, 48.2, 17), D 12m, H 40.1m, H.S 2.0m/s, V.S 0.1m/s, F.PRY (1°, 0°, 60°), G.PRY (...)

The names and the order of values differ between aircraft; unknown ones are ignored.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from klvrelay.importing.telemetry import FOCAL_LENGTH, HEIGHT

GpsOrder = Literal["lonlat", "latlon"]

_NUMBER = r"([-+]?\d{1,9}(?:\.\d{1,15})?(?!\d))"
_TAG = re.compile(r"<[^<>]{0,100}>")
_PAIR = re.compile(rf"([A-Za-z_]\w{{0,30}})\s{{0,4}}:\s{{0,4}}{_NUMBER}")
_AXES = re.compile(rf"\[\s?(drone|gimbal)\s?:\s?yaw:{_NUMBER},\s?pitch:{_NUMBER},\s?roll:{_NUMBER}", re.IGNORECASE)
_GPS = re.compile(rf"\bGPS\s?\(\s?{_NUMBER}\s?,\s?{_NUMBER}\s?(?:,([^)]{{0,20}}))?\)")
_PRY = re.compile(rf"\b([FG])\.PRY\s?\(\s?{_NUMBER}°?\s?,\s?{_NUMBER}°?\s?,\s?{_NUMBER}°?\s?\)")
_ABOVE = re.compile(rf"(?<![\w.])H\s+{_NUMBER}\s?m")
_SPEED = re.compile(rf"\b([HV])\.S\s+{_NUMBER}\s?m/s")
_CLOCK = re.compile(
    r"\b(\d{4})[-./](\d{1,2})[-./](\d{1,2})[ T](\d{1,2}):(\d{2}):(\d{2})(?:[.,:](\d{3})(?:[.,:]?(\d{3}))?)?(?!\d)"
)

_KEYS = {
    "latitude": "sensor_latitude", "longitude": "sensor_longitude", "longtitude": "sensor_longitude",
    "abs_alt": "sensor_true_altitude", "altitude": "sensor_true_altitude",
    "rel_alt": HEIGHT, "barometer": HEIGHT,
    "gb_yaw": "gimbal_yaw", "gb_pitch": "gimbal_pitch", "gb_roll": "gimbal_roll",
    "gimbal_yaw": "gimbal_yaw", "gimbal_pitch": "gimbal_pitch", "gimbal_roll": "gimbal_roll",
    "drone_yaw": "platform_heading_angle", "drone_pitch": "platform_pitch_angle", "drone_roll": "platform_roll_angle",
}  # fmt: skip
_FRAMES = {
    "drone": ("platform_heading_angle", "platform_pitch_angle", "platform_roll_angle"),
    "gimbal": ("gimbal_yaw", "gimbal_pitch", "gimbal_roll"),
}
_SPEEDS = {"H": "platform_ground_speed", "V": "platform_vertical_speed"}


class CueClock(NamedTuple):
    """The time of day in a cue, in microseconds since 1970 as if it were UTC, and whether it has milliseconds."""

    time_us: int
    is_fine: bool


def values_of(text: str, order: GpsOrder | None = None) -> dict[str, float]:
    """The values of a cue by item or measure; empty if it is no telemetry. A position of 0, 0 (no fix) is omitted.

    order   of the numbers in `GPS(...)`; None: by the form
    """
    text = _TAG.sub(" ", text)
    pairs = {name.lower(): number for name, number in _PAIR.findall(text)}
    values = {_KEYS[name]: float(number) for name, number in pairs.items() if name in _KEYS}
    values |= _attitudes(text) | _position(text, order) | _focal_length(pairs)
    if found := _ABOVE.search(text):
        values.setdefault(HEIGHT, float(found[1]))
    values |= {_SPEEDS[axis]: float(number) for axis, number in _SPEED.findall(text)}
    if values.get("sensor_latitude") == values.get("sensor_longitude") == 0:
        del values["sensor_latitude"], values["sensor_longitude"]
    return values


def _attitudes(text: str) -> dict[str, float]:
    values: dict[str, float] = {}
    for name, *angles in _AXES.findall(text):
        values |= zip(_FRAMES[name.lower()], map(float, angles), strict=True)
    for letter, pitch, roll, yaw in _PRY.findall(text):
        values |= zip(_FRAMES["drone" if letter == "F" else "gimbal"], map(float, (yaw, pitch, roll)), strict=True)
    return values


def _position(text: str, order: GpsOrder | None) -> dict[str, float]:
    """The position of the older dialects: longitude first, unless the third number has the unit M."""
    found = _GPS.search(text)
    if found is None:
        return {}
    first, second = float(found[1]), float(found[2])
    if order is None:
        metres = (found[3] or "").strip().upper().endswith("M")
        order = "latlon" if metres or abs(second) > 90 else "lonlat"
    lat, lon = (first, second) if order == "latlon" else (second, first)
    return {"sensor_latitude": lat, "sensor_longitude": lon}


def _focal_length(pairs: dict[str, str]) -> dict[str, float]:
    text = pairs.get("focal_len")
    if text is None:
        return {}
    if "." in text:
        return {FOCAL_LENGTH: float(text)}
    zoom = float(pairs.get("dzoom_ratio", "10000")) / 10_000
    return {FOCAL_LENGTH: float(text) / 10 * (zoom if zoom >= 1 else 1.0)}


def clock_of(text: str) -> CueClock | None:
    """The date and time of a cue: `2023-05-01 12:34:56,789,123`, `2023-05-01 12:34:56.789`, `2023.05.01 12:34:56`."""
    found = _CLOCK.search(text)
    if found is None:
        return None
    try:
        day = datetime(*(int(part) for part in found.groups()[:6]), tzinfo=UTC)  # type: ignore[misc, arg-type]
    except ValueError:
        return None
    part = int(found[7] or 0) * 1000 + int(found[8] or 0)
    return CueClock(int(day.timestamp()) * 1_000_000 + part, found[7] is not None)
