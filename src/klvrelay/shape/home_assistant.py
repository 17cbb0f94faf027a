"""What Home Assistant shows of a stream: the item behind each of its sensors, and the values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from klvrelay.json_output import dumps
from klvrelay.text import printable

LATITUDE, LONGITUDE = "sensor_latitude", "sensor_longitude"


class Sensor(NamedTuple):
    """A sensor of Home Assistant: its name, its device class, its unit, and the decimals to show."""

    name: str
    device_class: str | None = None
    unit: str | None = None
    decimals: int | None = None


SENSORS: Mapping[str, Sensor] = {
    "platform_heading_angle": Sensor("Heading", unit="°", decimals=0),
    "platform_pitch_angle": Sensor("Pitch", unit="°", decimals=1),
    "platform_pitch_angle_full": Sensor("Pitch (full range)", unit="°", decimals=1),
    "platform_roll_angle": Sensor("Roll", unit="°", decimals=1),
    "platform_roll_angle_full": Sensor("Roll (full range)", unit="°", decimals=1),
    "platform_course_angle": Sensor("Course", unit="°", decimals=0),
    "platform_ground_speed": Sensor("Ground speed", "speed", "m/s", 0),
    "platform_true_airspeed": Sensor("True airspeed", "speed", "m/s", 0),
    "platform_indicated_airspeed": Sensor("Indicated airspeed", "speed", "m/s", 0),
    "platform_vertical_speed": Sensor("Vertical speed", "speed", "m/s", 1),
    "sensor_true_altitude": Sensor("Altitude", "distance", "m", 0),
    "sensor_ellipsoid_height": Sensor("Ellipsoid height", "distance", "m", 0),
    "sensor_ellipsoid_height_extended": Sensor("Ellipsoid height (extended)", "distance", "m", 0),
    "altitude_agl": Sensor("Altitude above ground", "distance", "m", 0),
    "frame_center_latitude": Sensor("Frame center latitude", unit="°", decimals=5),
    "frame_center_longitude": Sensor("Frame center longitude", unit="°", decimals=5),
    "frame_center_elevation": Sensor("Frame center elevation", "distance", "m", 0),
    "slant_range": Sensor("Slant range", "distance", "m", 0),
    "target_width": Sensor("Target width", "distance", "m", 0),
    "sensor_horizontal_field_of_view": Sensor("Horizontal field of view", unit="°", decimals=1),
    "sensor_vertical_field_of_view": Sensor("Vertical field of view", unit="°", decimals=1),
    "sensor_relative_azimuth_angle": Sensor("Sensor azimuth", unit="°", decimals=0),
    "sensor_relative_elevation_angle": Sensor("Sensor elevation", unit="°", decimals=0),
    "wind_speed": Sensor("Wind speed", "wind_speed", "m/s", 0),
    "wind_direction": Sensor("Wind direction", unit="°", decimals=0),
    "outside_air_temperature": Sensor("Outside air temperature", "temperature", "°C", 0),
    "static_pressure": Sensor("Static pressure", "atmospheric_pressure", "mbar", 0),
    "platform_fuel_remaining": Sensor("Fuel remaining", "weight", "kg", 0),
    "time_airborne": Sensor("Time airborne", "duration", "s", 0),
    "on_board_mi_storage_percent_full": Sensor("Storage used", unit="%", decimals=0),
    "number_of_navsats_in_view": Sensor("Satellites in view", decimals=0),
    "mission_id": Sensor("Mission"),
    "platform_tail_number": Sensor("Tail number"),
    "platform_call_sign": Sensor("Call sign"),
    "platform_designation": Sensor("Platform"),
    "image_source_sensor": Sensor("Image source"),
    "operational_mode": Sensor("Operational mode"),
    "platform_status": Sensor("Platform status"),
    "sensor_control_mode": Sensor("Sensor control mode"),
}
"""The sensors by the item that each shows."""
KEYS = frozenset((LATITUDE, LONGITUDE, *SENSORS))
"""The items that Home Assistant gets."""
STATE_MOST = 255
"""Maximum characters of a state in Home Assistant."""


def values(items: Mapping[str, Any], *, accuracy: float = 0.0) -> bytes:
    """The values of a stream as one JSON object.

    items      the latest value of each item, by key
    accuracy   metres to which the position is rounded
    """
    shown = {key: _state(items[key]) for key in SENSORS if key in items}
    latitude, longitude = items.get(LATITUDE), items.get(LONGITUDE)
    if isinstance(latitude, int | float) and isinstance(longitude, int | float):
        position = {"latitude": latitude, "longitude": longitude}
        return dumps({"position": {**position, "gps_accuracy": accuracy} if accuracy else position, **shown})
    return dumps(shown)


def _state(value: Any) -> Any:
    """A value that Home Assistant accepts as a state."""
    if value is None or isinstance(value, bool | int | float):
        return value
    return printable(value if isinstance(value, str) else dumps(value).decode())[:STATE_MOST]
