"""The events of VMTI targets (ST 0903): those with a location, or whose pixel is on known ground."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from klvrelay.geo import Items, LocatedPoint, PlatformTrack, Quantity, TargetPosition, targets
from klvrelay.geo.quantity import number
from klvrelay.sinks.cot.aircraft_event import track_detail
from klvrelay.sinks.cot.cot_event import CotEvent, CotPoint, contact, how_of, origin_text
from klvrelay.sinks.cot.identity import clean
from klvrelay.sinks.cot.located_record import LocatedRecord

_SIGMA_MOST = 650.0
_ID_MOST = 2**63
_LAST = 256
"""The priority of a target without any: 1 is the first, 255 the last."""


def target_events(record: LocatedRecord) -> list[CotEvent]:
    """Those of priority first, at most `max_targets`. A number that occurs twice counts once."""
    found: dict[int, tuple[tuple[float, float], CotEvent]] = {}
    for target, place in _targets(record):
        event = None if place.target_id in found else _event(record, target, place)
        if event is not None and place.target_id is not None:
            found[place.target_id] = _order(target), event
    ranked = sorted(found.values(), key=lambda one: one[0])
    return [event for _, event in ranked[: record.settings.max_targets]]


def _targets(record: LocatedRecord) -> Iterator[tuple[Items, TargetPosition]]:
    """Each target of the set, and where it is."""
    positions = targets(record.items, record.situation)
    vmti = record.items.get("vmti_local_set")
    series: list[Any] = vmti.get("vtarget_series", []) if positions and isinstance(vmti, dict) else []
    return zip((one for one in series if isinstance(one, dict)), positions, strict=False)


def _order(target: Items) -> tuple[float, float]:
    """By priority, then by confidence."""
    priority = number(target, "target_priority", 1, 255)
    return _LAST if priority is None else priority, -(number(target, "target_confidence_level", 0, 100) or 0.0)


def _event(record: LocatedRecord, target: Items, place: TargetPosition) -> CotEvent | None:
    point, identity = place.point, place.target_id
    if point is None or identity is None or not 0 <= identity < _ID_MOST:
        return None
    track = track_detail(_track(target))
    details = contact(f"{record.callsign} T{identity}"), record.link(), *((track,) if track else ())
    at = CotPoint.of(point, *_errors(target)) if point.method == "target_location" else CotPoint.of(point)
    how = how_of(point.source)
    return record.event(f"target.{identity}", record.settings.target_type, how, at, details, _remarks(target, point))


def _errors(target: Items) -> tuple[float | None, float | None]:
    """Of its location (item 17): the radius from east and north, and up, one standard deviation."""
    location = target.get("target_location")
    if not isinstance(location, dict):
        return None, None
    east, north, up = (number(location, f"sigma_{axis}", 0, _SIGMA_MOST) for axis in ("east", "north", "up"))
    return (None if east is None or north is None else math.hypot(east, north) / math.sqrt(2)), up


def _track(target: Items) -> PlatformTrack:
    """Course and speed from the velocity of its tracker."""
    tracker = target.get("vtracker")
    velocity = tracker.get("velocity") if isinstance(tracker, dict) else None
    if not isinstance(velocity, dict):
        return PlatformTrack(None, None, None)
    east, north = (number(velocity, axis, -900, 900) for axis in ("east", "north"))
    if east is None or north is None or not (east or north):
        return PlatformTrack(None, None, None)
    course, speed = math.degrees(math.atan2(east, north)) % 360, math.hypot(east, north)
    return PlatformTrack(Quantity(course, "derived", "velocity"), Quantity(speed, "derived", "velocity"), None)


def _remarks(target: Items, point: LocatedPoint) -> str:
    confidence = number(target, "target_confidence_level", 0, 100)
    status = target.get("detection_status")
    parts = [f"confidence {confidence:.0f} %" if confidence is not None else ""]
    parts += [clean(status) if isinstance(status, str) else "", origin_text(point)]
    return "; ".join(part for part in parts if part)
