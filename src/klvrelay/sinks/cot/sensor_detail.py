"""Where the sensor looks: `<sensor>`, from which TAK clients draw a field of view at the aircraft.

azimuth     line of sight from true north, degrees       fov, vfov   fields of view, edge to edge, degrees
elevation   above the horizontal, degrees                range       to the frame centre, metres
roll        of the picture, degrees                      model       item 11
"""

from __future__ import annotations

import math

from klvrelay.geo import Items, LocatedPoint, Situation, to_ecef
from klvrelay.geo.quantity import number
from klvrelay.geo.viewing import fields_of_view
from klvrelay.sinks.cot.cot_event import Detail, azimuth_text, fixed

_RANGE_MOST = 5e6


def sensor_detail(items: Items, situation: Situation, model: str | None) -> Detail | None:
    """What is known of the view. None if neither its direction nor its width is."""
    azimuth, elevation, roll = _orientation(items, situation)
    hfov, vfov = fields_of_view(items)
    if azimuth is None and hfov is None:
        return None
    values = {"elevation": elevation, "roll": roll, "fov": hfov, "vfov": vfov, "range": _range(items, situation)}
    known = {name: fixed(value) for name, value in values.items() if value is not None}
    first = {} if azimuth is None else {"azimuth": azimuth_text(azimuth)}
    return Detail("sensor", first | known | ({"model": model} if model else {}))


def _orientation(items: Items, situation: Situation) -> tuple[float | None, float | None, float | None]:
    """Absolute azimuth, elevation and roll. Without a view, the azimuth by items 5 and 18 alone, as in ST 0805."""
    if situation.view is not None:
        return situation.view.orientation
    heading = number(items, "platform_heading_angle", 0, 360)
    relative = number(items, "sensor_relative_azimuth_angle", 0, 360)
    return (None if heading is None or relative is None else heading + relative), None, None


def _range(items: Items, situation: Situation) -> float | None:
    """Item 21, or the distance from the platform to the frame centre."""
    if (sent := number(items, "slant_range", 0, _RANGE_MOST)) is not None:
        return sent
    ends = [_place(one) for one in (situation.platform, situation.frame_centre)]
    known = [end for end in ends if end is not None]
    return math.dist(*known) if len(known) == 2 else None


def _place(point: LocatedPoint | None) -> tuple[float, float, float] | None:
    return None if point is None or point.hae is None else to_ecef(point.lat, point.lon, point.hae.value)
