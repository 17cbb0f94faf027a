"""The frame centre from the line of sight, for records that do not report it."""

from __future__ import annotations

from klvrelay.geo.camera import half_tangent
from klvrelay.geo.ground import FlatGround, GroundHit, GroundModel, along
from klvrelay.geo.positions import LocatedPoint, centre_heights, derived_heights, height_at_range
from klvrelay.geo.quantity import Items, first_number, number
from klvrelay.geo.viewing import SensorView
from klvrelay.geo.wgs84 import GeoPoint, from_ecef, to_ecef

_RANGES = 1.0, 500_000.0
_LAND = -900.0, 9000.0
"""HAE of ground that counts as plausible, metres."""


def derived_centre(items: Items, view: SensorView, ground: GroundModel | None = None) -> LocatedPoint | None:
    """The point on the line of sight, by the first of these methods that gives a plausible one:

    "ground model"         where it meets `ground`
    "slant range"             at the range of item 21
    "frame centre height"     at the height of item 78 or 25
    "target width"            at the range at which the field of view has the width of item 96 or 22
    "altitude above ground"   at the platform's height less item 113 or 114
    """
    return (
        (_on_ground(view, ground, "ground model") if ground is not None else None)
        or _at_range(view, number(items, "slant_range", *_RANGES), "slant range")
        or _at_frame_centre_height(items, view)
        or _at_range(view, _range_of_width(items, view), "target width")
        or _above_ground(items, view)
    )


def with_height(items: Items, platform: LocatedPoint | None, centre: LocatedPoint,
                ground: GroundModel | None = None) -> LocatedPoint:  # fmt: skip
    """A reported centre; if it has no height, with the one of `ground`, or else from the slant range (item 21)."""
    if centre.hae is not None:
        return centre
    place = centre.lat, centre.lon
    hae = ground.height(*place) if ground is not None else None
    if hae is not None:
        return _with_heights(centre, hae, "ground model")
    slant_range = number(items, "slant_range", *_RANGES)
    if slant_range is None or platform is None or platform.hae is None:
        return centre
    hae = height_at_range(place, to_ecef(platform.lat, platform.lon, platform.hae.value), slant_range)
    if hae is None or not _plausible(hae, platform.hae.value):
        return centre
    return _with_heights(centre, hae, "slant range")


def _with_heights(centre: LocatedPoint, hae: float, method: str) -> LocatedPoint:
    above_ellipsoid, above_sea = derived_heights((centre.lat, centre.lon), hae, method)
    return centre._replace(hae=above_ellipsoid, msl=above_sea)


def _on_ground(view: SensorView, ground: GroundModel, method: str) -> LocatedPoint | None:
    found = ground.meet(to_ecef(*view.place), view.ray)
    return _derived(found.position, view, method) if isinstance(found, GroundHit) else None


def _at_frame_centre_height(items: Items, view: SensorView) -> LocatedPoint | None:
    # The undulation differs by centimetres between the platform and the frame centre.
    hae = centre_heights(items, (view.place.lat, view.place.lon))[0]
    found = _on_ground(view, FlatGround(hae.value), "frame centre height") if hae is not None else None
    if found is None:
        return None
    heights = centre_heights(items, (found.lat, found.lon))
    return LocatedPoint(found.lat, found.lon, *heights, found.source, found.method)


def _range_of_width(items: Items, view: SensorView) -> float | None:
    width = first_number(items, ("target_width_extended", "target_width"), *_RANGES)
    return None if width is None or view.hfov is None else width.value / 2 / half_tangent(view.hfov)


def _at_range(view: SensorView, distance: float | None, method: str) -> LocatedPoint | None:
    if distance is None or distance > _RANGES[1]:
        return None
    return _derived(from_ecef(along(to_ecef(*view.place), view.ray, distance)), view, method)


def _above_ground(items: Items, view: SensorView) -> LocatedPoint | None:
    above = first_number(items, ("altitude_agl", "radar_altimeter"), 1.0, 40_000.0)
    if above is None:
        return None
    return _on_ground(view, FlatGround(view.place.hae - above.value), "altitude above ground")


def _derived(point: GeoPoint, view: SensorView, method: str) -> LocatedPoint | None:
    if not _plausible(point.hae, view.place.hae):
        return None
    heights = derived_heights((point.lat, point.lon), point.hae, method)
    return LocatedPoint(point.lat, point.lon, *heights, "derived", method)


def _plausible(hae: float, sensor: float) -> bool:
    """Ground is at a height that the earth has, and below the sensor."""
    return _LAND[0] <= hae <= _LAND[1] and hae < sensor
