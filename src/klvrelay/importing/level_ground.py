"""What a camera sees of level ground, as items: centre and corners of the picture, slant range, width.

Without a terrain model this is the best that telemetry allows.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from klvrelay.geo import IMAGE_CORNERS, FlatGround, GeoPoint, GroundHit, PinholeCamera, camera_at, to_ecef
from klvrelay.geo.wgs84 import Axes, wrapped

RANGE_MOST = 50_000.0
"""Metres to a point beyond which it is not given: a tenth of a degree moves it by hundreds of metres."""
DROP_LEAST, HEIGHT_MOST = 1.0, 40_000.0
OFFSET_MOST = 0.075
"""Degrees that corner offsets reach (items 26 to 33)."""


class GroundView(NamedTuple):
    """A camera above level ground; degrees and metres.

    axes            of the camera in north, east, down
    drop            height of the camera above the ground
    """

    place: GeoPoint
    axes: Axes
    horizontal: float
    vertical: float
    drop: float


def ground_items(view: GroundView) -> dict[str, float]:
    """Items 21 to 24, 26 to 33 and 82 to 89 of a view; empty if the picture's centre is not on the ground or too far
    away.

    The corners are omitted unless all four are on the ground.
    """
    height = view.place.hae - view.drop
    if not (DROP_LEAST <= view.drop <= RANGE_MOST and abs(height) <= HEIGHT_MOST):
        return {}
    camera, ground = camera_at(view.place, view.axes, view.horizontal, view.vertical), FlatGround(height)
    centre = _seen(camera, ground, 0.5, 0.5)
    if centre is None:
        return {}
    lat, lon, _ = centre.position
    items = {"slant_range": centre.distance, "frame_center_latitude": lat, "frame_center_longitude": lon}
    left, right = _seen(camera, ground, 0, 0.5), _seen(camera, ground, 1, 0.5)
    if left is not None and right is not None:
        items["target_width"] = math.dist(to_ecef(*left.position), to_ecef(*right.position))
    corners = [_seen(camera, ground, *corner) for corner in IMAGE_CORNERS]
    if None not in corners:
        items |= _corner_items([corner.position for corner in corners if corner is not None], lat, lon)
    return items


def _corner_items(corners: list[GeoPoint], lat: float, lon: float) -> dict[str, float]:
    full, offsets = {}, {}
    for number, corner in enumerate(corners, 1):
        full[f"corner_latitude_point_{number}_full"] = corner.lat
        full[f"corner_longitude_point_{number}_full"] = corner.lon
        offsets[f"offset_corner_latitude_point_{number}"] = corner.lat - lat
        offsets[f"offset_corner_longitude_point_{number}"] = wrapped(corner.lon - lon)
    return full | (offsets if max(map(abs, offsets.values())) <= OFFSET_MOST else {})


def _seen(camera: PinholeCamera, ground: FlatGround, across: float, below: float) -> GroundHit | None:
    """The ground at a place in the picture; None if there is none, or too far away."""
    found = ground.meet(camera.eye, camera.ray(across, below))
    return found if isinstance(found, GroundHit) and found.distance <= RANGE_MOST else None
