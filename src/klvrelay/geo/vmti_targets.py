"""Where the targets of a record's VMTI set (ST 0903, item 74) are on the ground."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

from klvrelay.geo.camera import camera_at, pixel_number, pixel_position
from klvrelay.geo.ground import GroundModel
from klvrelay.geo.picture import PictureGround
from klvrelay.geo.positions import LocatedPoint, both_heights
from klvrelay.geo.quantity import Items, LatLon, Quantity, lat_lon, number
from klvrelay.geo.situation import Situation, derive
from klvrelay.geo.viewing import frame_size
from klvrelay.geo.wgs84 import wrapped

MOST_TARGETS = 1000
"""Of one record; a packet of 64 KiB can hold several thousand."""

_HEIGHTS = -900.0, 40_000.0
_SAME_FIELD = 0.01  # relative difference of fields of view that is only their resolution
_OFFSETS = "target_location_offset_lat", "target_location_offset_lon"
_MOST_OFFSET = 19.2


class TargetPosition(NamedTuple):
    """A target of ST 0903.

    target_id   its number; None if absent
    point       on the ground; None if neither reported nor derivable. Reported: its location (item 17), or its offset
                (10, 11) from the frame centre. Derived: the ground at its pixel, as in `PictureGround.to_ground`
    image       fractions of the picture across and down; None without a centroid
    """

    target_id: int | None
    point: LocatedPoint | None
    image: tuple[float, float] | None


def targets(items: Items, situation: Situation | None = None, ground: GroundModel | None = None,
            most: int = MOST_TARGETS) -> list[TargetPosition]:  # fmt: skip
    """The targets in the items of a record, at most `most`; further ones are left out.

    situation   `derive(items, ground)`, if the caller has it
    """
    vmti = items.get("vmti_local_set")
    if not isinstance(vmti, dict) or not isinstance(series := vmti.get("vtarget_series"), list):
        return []
    situation = situation or derive(items, ground)
    picture = _picture(vmti, situation, ground)
    known = (one for one in series if isinstance(one, dict))
    return list(islice(_located(known, items, situation, picture), most))


def _located(series: Iterator[dict[str, Any]], items: Items, situation: Situation,
             picture: PictureGround) -> Iterator[TargetPosition]:  # fmt: skip
    size = frame_size(items)
    for one in series:
        image = _image(one, size)
        point = _reported(one, situation.frame_centre) or (picture.to_ground(*image) if image else None)
        identity = one.get("target_id")
        yield TargetPosition(identity if type(identity) is int else None, point, image)


def _picture(vmti: Items, situation: Situation, ground: GroundModel | None) -> PictureGround:
    """With the fields of view of the VMTI set (items 11, 12) if they are of another sensor than the record's."""
    view = situation.view
    hfov, vfov = (number(vmti, f"vmti_{which}_fov", 1e-3, 179) for which in ("horizontal", "vertical"))
    if view is None or hfov is None or vfov is None:
        return PictureGround(situation, ground)
    if view.hfov is not None and view.vfov is not None and abs(hfov / view.hfov - 1) < _SAME_FIELD:
        return PictureGround(situation, ground)
    return PictureGround(situation, ground, camera_at(view.place, view.axes, hfov, vfov))


def _image(target: Items, size: tuple[int, int] | None) -> tuple[float, float] | None:
    """The centroid: items 19 and 20, or item 1."""
    if size is None:
        return None
    row, column = number(target, "centroid_pix_row", 1, size[1]), number(target, "centroid_pix_col", 1, size[0])
    if row is None or column is None:
        centroid = number(target, "target_centroid", 1, size[0] * size[1])
        if centroid is None:
            return None
        row, column = pixel_number(int(centroid), size[0])
    return pixel_position(int(row), int(column), *size)


def _reported(target: Items, centre: LocatedPoint | None) -> LocatedPoint | None:
    location = target.get("target_location")
    if isinstance(location, dict) and (place := lat_lon(location, "latitude", "longitude")):
        hae = number(location, "hae", *_HEIGHTS)
        return _point(place, hae if hae is not None else number(target, "target_hae", *_HEIGHTS), "target_location")
    north, east = (number(target, key, -_MOST_OFFSET, _MOST_OFFSET) for key in _OFFSETS)
    if centre is None or centre.source != "reported" or north is None or east is None or abs(centre.lat + north) > 90:
        return None
    place = centre.lat + north, wrapped(centre.lon + east)
    return _point(place, number(target, "target_hae", *_HEIGHTS), "target_location_offset_lat")


def _point(place: LatLon, hae: float | None, key: str) -> LocatedPoint:
    height = None if hae is None else Quantity(hae, "reported", "target_hae")
    return LocatedPoint(*place, *both_heights(place, height, None), "reported", key)
