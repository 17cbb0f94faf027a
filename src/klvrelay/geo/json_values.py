"""A situation and a track as plain JSON values, each with its source and method."""

from __future__ import annotations

from typing import Any

from klvrelay.geo.positions import LocatedPoint
from klvrelay.geo.quantity import Quantity
from klvrelay.geo.situation import Situation
from klvrelay.geo.track import PlatformTrack
from klvrelay.geo.viewing import SensorView

Document = dict[str, Any]


def document(situation: Situation, track: PlatformTrack | None = None) -> Document:
    """What is known, by name; what is not known is absent.

    platform, frame_centre   lat, lon, source, method; hae and msl with value, source, method
    view                     azimuth, elevation, roll, hfov, vfov in degrees, source, method, aligned
    footprint                corners as [lat, lon] from the top left clockwise, source, method
    course, speed, climb     value, source, method
    """
    found: Document = {}
    if situation.platform is not None:
        found["platform"] = point_document(situation.platform)
    if situation.view is not None:
        found["view"] = _view(situation.view)
    if situation.frame_centre is not None:
        found["frame_centre"] = point_document(situation.frame_centre)
    if (footprint := situation.footprint) is not None:
        corners = [list(corner) for corner in footprint.corners]
        found["footprint"] = {"corners": corners, "source": footprint.source, "method": footprint.method}
    for name, value in track._asdict().items() if track is not None else ():
        if value is not None:
            found[name] = _quantity(value)
    return found


def point_document(point: LocatedPoint) -> Document:
    """lat, lon, source, method; and hae and msl, if known, with value, source, method."""
    heights = {"hae": point.hae, "msl": point.msl}
    known = {name: _quantity(value) for name, value in heights.items() if value is not None}
    return {"lat": point.lat, "lon": point.lon, **known, "source": point.source, "method": point.method}


def _quantity(quantity: Quantity) -> Document:
    return {"value": quantity.value, "source": quantity.source, "method": quantity.method}


def _view(view: SensorView) -> Document:
    azimuth, elevation, roll = view.orientation
    fields = {"hfov": view.hfov, "vfov": view.vfov}
    known = {name: value for name, value in fields.items() if value is not None}
    angles = {"azimuth": azimuth, "elevation": elevation, "roll": roll}
    return {**angles, **known, "source": "derived", "method": view.method, "aligned": view.aligned}
