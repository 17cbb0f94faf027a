"""Geofences: areas and points of a GeoJSON file, and which positions of a stream are in them. Pure, except for reading.

    from klvrelay import geofences

    fences = geofences.read_fences("zones.geojson")                   # reads a file: not on the event loop
    rule = geofences.FenceRule("keep out", fences, of=frozenset({"platform"}), when="inside")
    watch = geofences.FenceWatch(rule)                                # one for each stream and rule
    places = geofences.places_of(record.items, rule.of)
    status = watch.update(monotonic(), places)
    status.condition                                                  # true while the rule is raised
    status.seen.describe(), status.seen.since, status.events

    geojson.py       `read_fences`: a file to fences
    geometry.py      its polygons and points, checked
    fence.py         a fence
    polygon.py       a polygon with holes
    ring.py          inside a ring, near its border
    band.py          bands of altitudes
    index.py         many fences at once
    rule.py          settings of a rule
    places.py        the positions of a record
    comparisons.py   what each kind of rule compares
    overlap.py       footprints and polygons, with shapely
    watch.py         the state of a stream and a rule
    track.py         the state of one subject
    status.py        what a watch says
    metres.py        metres of a degree
"""

from klvrelay.geofences.band import AltitudeBand, Altitudes, Datum
from klvrelay.geofences.fence import Fence
from klvrelay.geofences.geojson import parse_fences, read_fences
from klvrelay.geofences.index import FenceIndex
from klvrelay.geofences.places import SUBJECTS, Outline, Place, Places, Subject, places_of
from klvrelay.geofences.rule import FenceRule, When
from klvrelay.geofences.status import FenceEvent, FenceSighting, FenceStatus
from klvrelay.geofences.watch import MOST_TARGETS, FenceWatch

__all__ = [
    "MOST_TARGETS",
    "SUBJECTS",
    "AltitudeBand",
    "Altitudes",
    "Datum",
    "Fence",
    "FenceEvent",
    "FenceIndex",
    "FenceRule",
    "FenceSighting",
    "FenceStatus",
    "FenceWatch",
    "Outline",
    "Place",
    "Places",
    "Subject",
    "When",
    "parse_fences",
    "places_of",
    "read_fences",
]
