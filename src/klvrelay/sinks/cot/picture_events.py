"""The events of the picture: the sensor point of interest of ST 0805, and the ground in the picture."""

from __future__ import annotations

from klvrelay.geo import Footprint, LocatedPoint, target_location
from klvrelay.geo.quantity import number
from klvrelay.geo.wgs84 import wrapped
from klvrelay.sinks.cot.cot_event import CotEvent, CotPoint, Detail, contact, fixed, how_of, origin_text
from klvrelay.sinks.cot.located_record import LocatedRecord

INTEREST, POLYGON = "b-m-p-s-p-i", "u-d-f"
"""Types: sensor point of interest; drawing of free form."""
CE90_SIGMAS, LE90_SIGMAS = 2.146, 1.645
"""Standard deviations within a CE90 and an LE90."""

_ERROR_MOST = 4095.0
_OUTLINE, _FILL = "-16711681", "855703551"
"""Cyan, and the same with 20 % opacity: ARGB as a signed number of 32 bits."""


def interest_event(record: LocatedRecord) -> CotEvent | None:
    """The target (items 40-42), else the frame centre (23-25, 78), with the errors of items 45 and 46. None without."""
    place = target_location(record.items) or record.situation.frame_centre
    if place is None:
        return None
    details = contact(f"{record.callsign} SPI"), record.link()
    return record.event("spi", INTEREST, how_of(place.source), _with_errors(record, place), details, origin_text(place))


def _with_errors(record: LocatedRecord, place: LocatedPoint) -> CotPoint:
    if place.source != "reported":
        return CotPoint.of(place)
    ce = number(record.items, "target_error_estimate_ce90", 0, _ERROR_MOST)
    le = number(record.items, "target_error_estimate_le90", 0, _ERROR_MOST)
    return CotPoint.of(place, ce and ce / CE90_SIGMAS, le and le / LE90_SIGMAS)


def footprint_event(record: LocatedRecord) -> CotEvent | None:
    """The corners of the picture as a polygon: not every client draws `<sensor>`. None unless all four are known."""
    found = record.situation.footprint
    if found is None:
        return None
    corners = (*found.corners, found.corners[0])
    details = (
        *(Detail("link", {"point": f"{fixed(lat, 8)},{fixed(lon, 8)}"}) for lat, lon in corners),
        contact(f"{record.callsign} FOV"),
        Detail("strokeColor", {"value": _OUTLINE}),
        Detail("strokeWeight", {"value": "2.0"}),
        Detail("fillColor", {"value": _FILL}),
        Detail("labels_on", {"value": "false"}),
    )
    return record.event("footprint", POLYGON, how_of(found.source), _middle(record, found), details, origin_text(found))


def _middle(record: LocatedRecord, found: Footprint) -> CotPoint:
    """The mean of the corners, at the height of the frame centre."""
    lat = sum(corner[0] for corner in found.outline) / 4
    lon = sum(corner[1] for corner in found.outline) / 4
    centre = record.situation.frame_centre
    point = CotPoint(lat, wrapped(lon))
    return point if centre is None or centre.hae is None else point._replace(hae=centre.hae.value)
