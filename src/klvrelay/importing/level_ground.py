"""What a camera sees of level ground: centre and corners of the picture, slant range, width.

The ground is a sphere's surface at a height below the camera; its radius is the earth's at that latitude. Without a
terrain model this is the best that telemetry allows; a package with one can take the place of `ground_items`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from klvrelay.importing.attitude import Axes, Vector

RANGE_MOST = 50_000.0
"""Metres to a point beyond which it is not given: a tenth of a degree moves it by hundreds of metres."""
DROP_LEAST, HEIGHT_MOST = 1.0, 40_000.0
OFFSET_MOST = 0.075
"""Degrees that corner offsets reach (items 26 to 33)."""

_RADIUS, _E2 = 6_378_137.0, 0.00669437999014
_CORNERS = ((-1, -1), (1, -1), (1, 1), (-1, 1))
"""Clockwise from the top left, as in ST 0601."""


class GroundView(NamedTuple):
    """A camera above level ground; degrees and metres.

    axes            of the camera in north, east, down
    drop            height of the camera above the ground
    ground          height of the ground, in the reference of altitudes (item 25)
    """

    latitude: float
    longitude: float
    axes: Axes
    horizontal: float
    vertical: float
    drop: float
    ground: float


def ground_items(view: GroundView) -> dict[str, float]:
    """Items 21 to 33 and 82 to 89 of a view; empty if the picture's centre is not on the ground or too far away.

    The corners are omitted unless all four are on the ground.
    """
    if not (DROP_LEAST <= view.drop <= RANGE_MOST and abs(view.ground) <= HEIGHT_MOST):
        return {}
    centre = _seen(view, 0, 0)
    if centre is None:
        return {}
    lat, lon = _place(view, centre)
    items = {"slant_range": math.dist((0, 0, 0), centre), "frame_center_latitude": lat, "frame_center_longitude": lon}
    items["frame_center_elevation"] = view.ground
    left, right = _seen(view, -1, 0), _seen(view, 1, 0)
    if left is not None and right is not None:
        items["target_width"] = math.dist(left, right)
    corners = [_seen(view, *sides) for sides in _CORNERS]
    if None not in corners:
        items |= _corner_items([_place(view, corner) for corner in corners if corner is not None], lat, lon)
    return items


def _corner_items(corners: list[tuple[float, float]], lat: float, lon: float) -> dict[str, float]:
    full, offsets = {}, {}
    for number, (corner_lat, corner_lon) in enumerate(corners, 1):
        full[f"corner_latitude_point_{number}_full"] = corner_lat
        full[f"corner_longitude_point_{number}_full"] = corner_lon
        offsets[f"offset_corner_latitude_point_{number}"] = corner_lat - lat
        offsets[f"offset_corner_longitude_point_{number}"] = (corner_lon - lon + 180) % 360 - 180
    return full | (offsets if max(map(abs, offsets.values())) <= OFFSET_MOST else {})


def _seen(view: GroundView, across: float, below: float) -> Vector | None:
    """The ground point at a place in the picture (-1 to 1 from left to right, top to bottom), north, east, down."""
    forward, right, down = view.axes
    x = across * math.tan(math.radians(view.horizontal) / 2)
    y = below * math.tan(math.radians(view.vertical) / 2)
    ray = [forward[axis] + x * right[axis] + y * down[axis] for axis in range(3)]
    scale = _reach(view, ray)
    return None if scale is None else (ray[0] * scale, ray[1] * scale, ray[2] * scale)


def _reach(view: GroundView, ray: list[float]) -> float | None:
    """How many times the ray reaches the ground: the nearer point where a line meets a sphere. None: it does not."""
    sine = math.sin(math.radians(view.latitude))
    ground = _across(sine) * (1 - _E2) / (1 - _E2 * sine * sine) + view.ground
    radius = ground + view.drop
    size = math.hypot(*ray)
    steep = ray[2] / size
    inner = steep * steep - 1 + (ground / radius) ** 2
    if steep <= 0 or inner < 0:
        return None
    distance = radius * (steep - math.sqrt(inner))
    return distance / size if distance <= RANGE_MOST else None


def _across(sine: float) -> float:
    """The ellipsoid's radius of curvature in the prime vertical, by the sine of the latitude."""
    return _RADIUS / math.sqrt(1 - _E2 * sine * sine)


def _place(view: GroundView, point: Vector) -> tuple[float, float]:
    """Latitude and longitude of a ground point, by way of earth-centred coordinates in the plane of its meridian."""
    sine, cosine = math.sin(math.radians(view.latitude)), math.cos(math.radians(view.latitude))
    north, east, down = point
    height = view.ground + view.drop
    outward = (_across(sine) + height) * cosine - north * sine - down * cosine
    upward = (_across(sine) * (1 - _E2) + height) * sine + north * cosine - down * sine
    flat = math.hypot(outward, east)
    latitude = math.atan2(upward, flat * (1 - _E2))
    for _ in range(3):
        sine = math.sin(latitude)
        latitude = math.atan2(upward + _E2 * _across(sine) * sine, flat)
    longitude = view.longitude + math.degrees(math.atan2(east, outward))
    return math.degrees(latitude), (longitude + 180) % 360 - 180
