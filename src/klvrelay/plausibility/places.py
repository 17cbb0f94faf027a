"""Positions of sensor and frame centre in a record, and positions that are exactly 0, 0."""

from __future__ import annotations

from typing import NamedTuple

from klvrelay.geo.geoid import undulation
from klvrelay.geo.quantity import Items, first_number, lat_lon, number
from klvrelay.plausibility.implausibility import Implausibility, implausible

LOWEST = -500.0
"""Metres above mean sea level or the ellipsoid: the shore of the Dead Sea, the lowest land, is at -440 m."""

_HEIGHTS = -900.0, 40_000.0
_SENSOR = ("sensor_latitude", "sensor_longitude")
_CENTRE = ("frame_center_latitude", "frame_center_longitude")
_PLACES = {"sensor": _SENSOR, "frame centre": _CENTRE}
_SENSOR_HAE = ("sensor_ellipsoid_height_extended", "sensor_ellipsoid_height")

ITEMS = (
    *_SENSOR, *_CENTRE, "sensor_true_altitude", *_SENSOR_HAE, "frame_center_elevation",
    "frame_center_height_above_ellipsoid",
)  # fmt: skip
"""Keys of the items read here."""


class MeasuredPlace(NamedTuple):
    """A position in degrees, and its reported heights in metres; None if not reported."""

    lat: float
    lon: float
    msl: float | None
    hae: float | None


def sensor_place(items: Items) -> MeasuredPlace | None:
    """The sensor by items 13 and 14, with 15, and 104 or else 75."""
    place = lat_lon(items, *_SENSOR)
    if place is None:
        return None
    hae = first_number(items, _SENSOR_HAE, *_HEIGHTS)
    return MeasuredPlace(*place, number(items, "sensor_true_altitude", *_HEIGHTS), hae.value if hae else None)


def centre_place(items: Items) -> MeasuredPlace | None:
    """The frame centre by items 23 and 24, with 25 and 78."""
    place = lat_lon(items, *_CENTRE)
    if place is None:
        return None
    msl = number(items, "frame_center_elevation", *_HEIGHTS)
    return MeasuredPlace(*place, msl, number(items, "frame_center_height_above_ellipsoid", *_HEIGHTS))


def height_pairs(sensor: MeasuredPlace, centre: MeasuredPlace) -> list[tuple[float, float]]:
    """Heights of sensor and centre above one surface, metres: mean sea level and the ellipsoid, as far as reported.

    If one place has only the one and the other only the other, by EGM96. Empty if a height is unknown.
    """
    both = (sensor.msl, centre.msl), (sensor.hae, centre.hae)
    pairs = [(above, below) for above, below in both if above is not None and below is not None]
    if not pairs and sensor.hae is not None and centre.msl is not None:
        return [(sensor.hae, centre.msl + undulation(centre.lat, centre.lon))]
    if not pairs and sensor.msl is not None and centre.hae is not None:
        return [(sensor.msl + undulation(sensor.lat, sensor.lon), centre.hae)]
    return pairs


def check_zero(items: Items) -> Implausibility | None:
    """`position_zero`: the sensor or the frame centre is exactly at 0, 0."""
    for name, (lat, lon) in _PLACES.items():
        if items.get(lat) == 0 and items.get(lon) == 0:
            return implausible("position_zero", f"The {name} is at latitude 0, longitude 0", 0.0, 0.0, "°")
    return None
