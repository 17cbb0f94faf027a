"""`below_ground`: an altitude that is far below the ground."""

from __future__ import annotations

import math

from klvrelay.geo.positions import platform_position
from klvrelay.geo.quantity import Items
from klvrelay.geo.viewing import sensor_view
from klvrelay.geo.wgs84 import to_ecef
from klvrelay.plausibility.implausibility import Implausibility, implausible
from klvrelay.plausibility.places import LOWEST, MeasuredPlace, height_pairs

DEEP = 300.0
"""Metres below the frame centre that are possible in any terrain, beside one metre for each metre of distance."""

ITEMS = (
    "platform_heading_angle", "platform_pitch_angle", "platform_pitch_angle_full", "platform_roll_angle",
    "platform_roll_angle_full", "sensor_relative_azimuth_angle", "sensor_relative_elevation_angle",
    "sensor_relative_roll_angle", "angle_to_north", "obliquity_angle",
)  # fmt: skip
"""Keys of the items read here, beside positions."""


def check_heights(items: Items, sensor: MeasuredPlace | None, centre: MeasuredPlace | None) -> Implausibility | None:
    """`below_ground` of a record: below any ground, or steeply below a frame centre that the camera looks down to."""
    found = _lowest("sensor", sensor) or _lowest("frame centre", centre)
    if found is not None or sensor is None or centre is None:
        return found
    depth = min((below - above for above, below in height_pairs(sensor, centre)), default=0.0)
    if depth <= DEEP:
        return None
    limit = DEEP + math.dist(to_ecef(sensor.lat, sensor.lon, 0.0), to_ecef(centre.lat, centre.lon, 0.0))
    if depth <= limit or _looks_up(items):
        return None
    what = f"The sensor is {depth:,.0f} m below the frame centre, which is only {limit - DEEP:,.0f} m away"
    return implausible("below_ground", f"{what} (limit: {limit:,.0f} m below)", depth, limit, "m")


def _lowest(name: str, place: MeasuredPlace | None) -> Implausibility | None:
    """A height below LOWEST, unless the other height of the same place is not."""
    heights = [] if place is None else [height for height in (place.msl, place.hae) if height is not None]
    if not heights or max(heights) >= LOWEST:
        return None
    what = f"The {name} is at {max(heights):,.0f} m, where there is no ground (limit: {LOWEST:,.0f} m)"
    return implausible("below_ground", what, max(heights), LOWEST, "m")


def _looks_up(items: Items) -> bool:
    """Whether the camera points above the horizon, by the angles of platform and gimbal."""
    view = sensor_view(items, platform_position(items), None)
    return view is not None and view.orientation.elevation > 0
