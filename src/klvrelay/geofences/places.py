"""The positions of a record that fences are compared with."""

from __future__ import annotations

import math
from collections.abc import Mapping, Set
from typing import Literal, NamedTuple

from klvrelay import geo
from klvrelay.geofences.band import Altitudes
from klvrelay.geofences.metres import metres_per_degree

Subject = Literal["platform", "frame_centre", "footprint", "target"]
SUBJECTS: frozenset[Subject] = frozenset(("platform", "frame_centre", "footprint", "target"))

Outline = tuple[tuple[float, float], ...]
"""Corners as latitude and longitude; longitudes are continuous and may be beyond 180. The last is not the first."""

_CIRCLE = 24
_WIDEST = 100_000.0
_ABOVE_GROUND = -100.0, 40_000.0


class Place(NamedTuple):
    """A position in degrees, and its altitudes."""

    lat: float
    lon: float
    altitudes: Altitudes = Altitudes()


class Places(NamedTuple):
    """What one record says; None or absent if it does not.

    footprint   four corners; or a circle around the frame centre, as wide as the target width
    targets     VMTI targets by id
    """

    platform: Place | None = None
    frame_centre: Place | None = None
    footprint: Outline | None = None
    targets: Mapping[int, Place] = {}


def places_of(items: geo.Items, of: Set[Subject] = SUBJECTS, ground: geo.GroundModel | None = None) -> Places:
    """The positions in the items of a record (`Record.items`), reported or derived as `geo.derive` does.

    of       only these: the platform alone takes a fifth of the time of all
    ground   heights of the ground, for what is derived and for the platform's height above it

    A position of exactly 0, 0 is no position. Targets without an id are left out.
    """
    if of <= {"platform"}:
        return Places(platform=_platform(items, geo.platform_position(items), None, ground)) if of else Places()
    situation = geo.derive(items, ground)
    centre = situation.frame_centre
    return Places(
        _platform(items, situation.platform, centre, ground) if "platform" in of else None,
        _place(centre) if centre is not None and "frame_centre" in of else None,
        _outline(items, situation) if "footprint" in of else None,
        _targets(items, situation, ground) if "target" in of else {},
    )


def _platform(items: geo.Items, point: geo.LocatedPoint | None, centre: geo.LocatedPoint | None,
              ground: geo.GroundModel | None) -> Place | None:  # fmt: skip
    if point is None:
        return None
    place = _place(point)
    agl = _above_ground(items, point, centre, ground)
    return place if agl is None else place._replace(altitudes=place.altitudes._replace(agl=agl))


def _above_ground(items: geo.Items, point: geo.LocatedPoint, centre: geo.LocatedPoint | None,
                  ground: geo.GroundModel | None) -> float | None:  # fmt: skip
    """Item 113 or 114; else above the ground model; else above the ground at the frame centre."""
    for key in ("altitude_agl", "radar_altimeter"):
        value = items.get(key)
        if isinstance(value, int | float) and _ABOVE_GROUND[0] <= value <= _ABOVE_GROUND[1]:
            return float(value)
    if point.hae is None:
        return None
    below = ground.height(point.lat, point.lon) if ground is not None else None
    if below is None:
        centre = centre or geo.reported_centre(items)
        below = centre.hae.value if centre is not None and centre.hae is not None else None
    return None if below is None else point.hae.value - below


def _place(point: geo.LocatedPoint) -> Place:
    hae, msl = point.hae, point.msl
    return Place(point.lat, point.lon, Altitudes(hae and hae.value, msl and msl.value))


def _outline(items: geo.Items, situation: geo.Situation) -> Outline | None:
    if situation.footprint is not None:
        return situation.footprint.outline
    centre = situation.frame_centre
    width = next((items[key] for key in ("target_width_extended", "target_width") if _is_width(items.get(key))), None)
    return None if centre is None or width is None else circle(centre.lat, centre.lon, width / 2)


def _is_width(value: object) -> bool:
    return isinstance(value, int | float) and 0 < value <= _WIDEST


def circle(lat: float, lon: float, radius: float) -> Outline:
    """A circle on the ground, radius in metres, as a polygon of 24 corners: at most 1 % within the circle."""
    east, north = metres_per_degree(lat)
    turns = [2 * math.pi * n / _CIRCLE for n in range(_CIRCLE)]
    return tuple(
        (max(-90.0, min(90.0, lat + math.cos(turn) * radius / north)), lon + math.sin(turn) * min(radius / east, 179.0))
        for turn in turns
    )


def _targets(items: geo.Items, situation: geo.Situation, ground: geo.GroundModel | None) -> dict[int, Place]:
    found = geo.targets(items, situation, ground)
    return {one.target_id: _place(one.point) for one in found if one.target_id is not None and one.point is not None}
