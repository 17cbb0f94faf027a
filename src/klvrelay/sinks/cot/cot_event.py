"""A Cursor on Target event, independent of how it is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Self

from klvrelay.geo import Footprint, LocatedPoint

UNKNOWN = 9999999.0
"""A height or error that is not known."""
PASSED, FUSED = "m-p", "m-f"
"""How a position came to be: passed on as the aircraft sent it (ST 0805), or computed from several of its items."""


class CotPoint(NamedTuple):
    """Where an event is.

    lat, lon  degrees, WGS-84
    hae       metres above the ellipsoid
    ce, le    radius and half height of the error, metres, one standard deviation
    """

    lat: float
    lon: float
    hae: float = UNKNOWN
    ce: float = UNKNOWN
    le: float = UNKNOWN

    @classmethod
    def of(cls, point: LocatedPoint, ce: float | None = None, le: float | None = None) -> Self:
        """A position on or above the earth. Its vertical error is unknown without a height."""
        hae = UNKNOWN if point.hae is None else point.hae.value
        above = UNKNOWN if le is None or point.hae is None else le
        return cls(point.lat, point.lon, hae, UNKNOWN if ce is None else ce, above)


class Detail(NamedTuple):
    """An element of the detail of an event."""

    name: str
    attributes: Mapping[str, str] = {}
    text: str = ""
    inner: tuple[Detail, ...] = ()


class CotEvent(NamedTuple):
    """An event. All texts may contain any characters.

    type       such as a-f-A-M-F-Q
    how        how its position came to be, such as m-p
    time_us    when it was, microseconds since 1970; also its start
    stale_us   when it is old
    access     its classification, or ""
    """

    uid: str
    type: str
    how: str
    time_us: int
    stale_us: int
    point: CotPoint
    details: tuple[Detail, ...] = ()
    access: str = ""


def how_of(source: str) -> str:
    """For a source of `klvrelay.geo`: "reported" or "derived"."""
    return PASSED if source == "reported" else FUSED


def origin_text(place: LocatedPoint | Footprint) -> str:
    """How a derived place was computed; "" for what the aircraft sent."""
    return "" if place.source == "reported" else f"computed from: {place.method}"


def contact(callsign: str) -> Detail:
    """The label of an event."""
    return Detail("contact", {"callsign": callsign})


def fixed(value: float, digits: int = 2) -> str:
    """A number without exponent, and without the sign of a zero."""
    return f"{value:z.{digits}f}"


def azimuth_text(degrees: float) -> str:
    """From 0.00 to 359.99 degrees."""
    return fixed(round(degrees % 360, 2) % 360)
