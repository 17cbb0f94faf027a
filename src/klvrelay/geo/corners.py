"""The footprint: the ground positions of the picture's four corners."""

from __future__ import annotations

from typing import NamedTuple

from klvrelay.geo.ground import FlatGround, GroundHit, GroundModel
from klvrelay.geo.positions import LocatedPoint
from klvrelay.geo.quantity import Items, LatLon, Source, lat_lon, number
from klvrelay.geo.viewing import SensorView
from klvrelay.geo.wgs84 import wrapped

IMAGE_CORNERS = (0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)
"""Fractions of the picture of points 1 to 4 of ST 0601: top left, top right, bottom right, bottom left."""

_POINTS = range(1, 5)
_FULL = [(f"corner_latitude_point_{n}_full", f"corner_longitude_point_{n}_full") for n in _POINTS]
_OFFSETS = [(f"offset_corner_latitude_point_{n}", f"offset_corner_longitude_point_{n}") for n in _POINTS]
_MOST_OFFSET = 0.075
Corners = tuple[LatLon, LatLon, LatLon, LatLon]


class Footprint(NamedTuple):
    """The ground in the picture.

    corners   latitude and longitude of the picture's corners: top left, top right, bottom right, bottom left
    source    "reported" or "derived"
    method    "full corners" (items 82-89), "corner offsets" (26-33 and 23, 24); or, derived by rays through the corners
              of the picture, "ground model" or "level ground"
    """

    corners: Corners
    source: Source
    method: str

    @property
    def outline(self) -> Corners:
        """The corners with longitudes that do not jump at the antimeridian: they may be below -180 or above 180."""
        first = self.corners[0][1]
        a, b, c, d = ((lat, first + wrapped(lon - first)) for lat, lon in self.corners)
        return a, b, c, d


def footprint(items: Items, view: SensorView | None = None, centre: LocatedPoint | None = None,
              ground: GroundModel | None = None) -> Footprint | None:  # fmt: skip
    """The footprint by the first method that gives all four corners.

    view, centre   as derived from the same items
    ground         as in `derive`
    """
    if corners := full_corners(items):
        return Footprint(corners, "reported", "full corners")
    if corners := offset_corners(items):
        return Footprint(corners, "reported", "corner offsets")
    if view is None:
        return None
    if ground is not None and (corners := _seen(view, ground)):
        return Footprint(corners, "derived", "ground model")
    if centre is not None and centre.hae is not None and (corners := _seen(view, FlatGround(centre.hae.value))):
        return Footprint(corners, "derived", "level ground")
    return None


def full_corners(items: Items) -> Corners | None:
    """The corners in items 82-89; None unless all are positions and at least three differ."""
    return _four([lat_lon(items, *keys) for keys in _FULL])


def offset_corners(items: Items) -> Corners | None:
    """The corners in items 26-33, offsets from items 23 and 24; None as for `full_corners`."""
    centre = lat_lon(items, "frame_center_latitude", "frame_center_longitude")
    if centre is None or _OFFSETS[0][0] not in items:
        return None
    return _four([_moved(centre, items, *keys) for keys in _OFFSETS])


def _moved(centre: LatLon, items: Items, lat_key: str, lon_key: str) -> LatLon | None:
    north, east = (number(items, key, -_MOST_OFFSET, _MOST_OFFSET) for key in (lat_key, lon_key))
    if north is None or east is None or abs(centre[0] + north) > 90:
        return None
    return centre[0] + north, wrapped(centre[1] + east)


def _seen(view: SensorView, ground: GroundModel) -> Corners | None:
    camera = view.camera()
    if camera is None:
        return None
    hits = [ground.meet(camera.eye, camera.ray(*corner)) for corner in IMAGE_CORNERS]
    return _four([hit.position[:2] if isinstance(hit, GroundHit) else None for hit in hits])


def _four(corners: list[LatLon | None]) -> Corners | None:
    """None unless all are known and at least three differ."""
    a, b, c, d = corners
    if a is None or b is None or c is None or d is None or len({a, b, c, d}) < 3:
        return None
    return a, b, c, d
