"""Finds the item of ST 0601 that a name stands for: key, tag, title, or a usual name of a column."""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import cache

from klvrelay.errors import ConfigError
from klvrelay.importing.telemetry import MEASURES
from klvrelay.standards.spec import SETS, Item
from klvrelay.text import printable

ITEMS = {item.key: item for item in SETS["ST0601"].values()}

TIME = "time"
"""The name of the time column."""
WRITTEN = ("checksum", "precision_time_stamp", "uas_datalink_ls_version_number")
"""Items that klvrelay writes itself."""

_PLAIN_NAMES = {
    "lat": "sensor_latitude", "latitude": "sensor_latitude", "lon": "sensor_longitude", "lng": "sensor_longitude",
    "long": "sensor_longitude", "longitude": "sensor_longitude", "sensoraltitude": "sensor_true_altitude",
    "horizontalfov": "sensor_horizontal_field_of_view", "verticalfov": "sensor_vertical_field_of_view",
    "sensorhorizontalfov": "sensor_horizontal_field_of_view", "sensorverticalfov": "sensor_vertical_field_of_view",
    "sensorrelativeazimuth": "sensor_relative_azimuth_angle", "platformheading": "platform_heading_angle",
    "sensorrelativeelevation": "sensor_relative_elevation_angle", "sensorrelativeroll": "sensor_relative_roll_angle",
    "platformpitch": "platform_pitch_angle", "platformroll": "platform_roll_angle",
    "gimbalheading": "gimbal_yaw", "cameraheading": "gimbal_yaw", "camerapitch": "gimbal_pitch",
    "framecentreelevation": "frame_center_elevation", "framecentrelatitude": "frame_center_latitude",
    "framecentrelongitude": "frame_center_longitude",
}  # fmt: skip
"""Unambiguous names of columns, without marks and capitals."""
_SHORT_NAMES = {
    "altitude": "sensor_true_altitude", "alt": "sensor_true_altitude", "height": "height_above_takeoff",
    "heading": "platform_heading_angle", "yaw": "platform_heading_angle", "pitch": "platform_pitch_angle",
    "roll": "platform_roll_angle", "hfov": "sensor_horizontal_field_of_view",
    "vfov": "sensor_vertical_field_of_view", "azimuth": "sensor_relative_azimuth_angle",
    "elevation": "sensor_relative_elevation_angle", "speed": "platform_ground_speed",
    "mission": "mission_id", "platform": "platform_designation",
}  # fmt: skip
"""Names that a user may choose, but that mean other things in some files."""


def plain(name: str) -> str:
    """A name without marks and capitals."""
    return re.sub(r"[\W_]", "", name.lower())


def path_named(name: str) -> str | None:
    """The path that the heading of a column stands for; None if it is unknown or ambiguous."""
    top = name.partition(".")[0]
    if "." in name and top in ITEMS:
        return name if item_at(name) is not None else None
    found = _titles().get(plain(name))
    return None if found in WRITTEN else found


def checked_path(name: str, place: str) -> str:
    """The path that a user's name stands for. Raises ConfigError with the nearest valid name."""
    name = name.strip()
    if name.isdecimal() and (item := SETS["ST0601"].get(int(name))) is not None:
        name = item.key
    if name in WRITTEN:
        raise ConfigError(f"{place}: {name} is written by klvrelay; map the time with {TIME}=COLUMN")
    found = path_named(name) or _SHORT_NAMES.get(plain(name))
    if found is None:
        near = get_close_matches(name.lower()[:60], _valid_names(), n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}? " if near else ""
        raise ConfigError(f"{place}: unknown item {printable(name[:60])}; {hint}`klvrelay items WORD` finds items")
    return found


def unit_of(path: str) -> str:
    """The unit of a path's values; "" without one."""
    if path in MEASURES:
        return MEASURES[path]
    item = item_at(path)
    return item.units if item is not None else ""


def item_at(path: str) -> Item | None:
    """The item at a path such as `security_local_set.version`; None if it is unknown, or part of a pack."""
    key, *rest = path.split(".")
    item = ITEMS.get(key)
    for step in rest:
        if item is None:
            return None
        inner = SETS.get(item.kind.removeprefix("local_set:"), {})
        item = next((each for each in inner.values() if each.key == step), None)
    return item


@cache
def _titles() -> dict[str, str]:
    titles = {plain(name): item.key for item in ITEMS.values() for name in (item.key, item.name)}
    return _PLAIN_NAMES | titles | {plain(name): name for name in MEASURES}


@cache
def _valid_names() -> list[str]:
    return [*_SHORT_NAMES, *_PLAIN_NAMES, *MEASURES, *(key for key in ITEMS if key not in WRITTEN), TIME]
