"""A closed ring of positions: is a position inside it, and how far is its border?

Lines are straight in longitude and latitude, as RFC 7946 section 3.1.1 defines them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from klvrelay.geofences.metres import metres_per_degree

LonLat = tuple[float, float]
"""Longitude and latitude in degrees, in the order of GeoJSON."""

_VECTORS_FROM = 250
"""Edges from which numpy takes less time than a loop."""


class Box(NamedTuple):
    """Degrees. `east` is above `west`, and may be beyond 180."""

    west: float
    south: float
    east: float
    north: float


class _Edge(NamedTuple):
    """An edge upwards: from `low` at longitude `lon` to `high`; `dx` and `dy` are its extents. No edge is level."""

    low: float
    high: float
    lon: float
    dx: float
    dy: float


class Ring:
    """Even-odd test, and distance to the border.

    A position on the border may count as inside or outside. Two rings that share an edge never both contain a position
    on it, and leave no gap between them.
    """

    __slots__ = ("_edges", "_points", "_table", "box")

    def __init__(self, points: Sequence[LonLat]) -> None:
        """`points` ends with its first position. Longitudes are continuous: no edge jumps at the antimeridian."""
        lons, lats = [lon for lon, _ in points], [lat for _, lat in points]
        self.box = Box(min(lons), min(lats), max(lons), max(lats))
        self._points = np.array(points)
        self._edges: list[_Edge] | None = _edges(points)
        self._table: np.ndarray | None = None
        if len(self._edges) >= _VECTORS_FROM:
            self._table, self._edges = np.array(self._edges).T.copy(), None

    def contains(self, lon: float, lat: float) -> bool:
        """Does a line to the east cross the ring an odd number of times?"""
        if self._edges is None:
            return self._contains_by_table(lon, lat)
        inside = False
        for low, high, start, dx, dy in self._edges:
            if low > lat:
                break
            if lat < high and lon < start + (lat - low) * dx / dy:
                inside = not inside
        return inside

    def _contains_by_table(self, lon: float, lat: float) -> bool:
        assert self._table is not None
        low, high = self._table[0], self._table[1]
        begun = int(low.searchsorted(lat, "right"))
        met = np.flatnonzero(high[:begun] > lat)
        low, _, start, dx, dy = self._table[:, met]
        return bool(np.count_nonzero(lon < start + (lat - low) * dx / dy) & 1)

    def is_near(self, lon: float, lat: float, metres: float) -> bool:
        """Is the border within this distance? On the plane that touches the earth there: for distances up to 10 km."""
        east, north = metres_per_degree(lat)
        box = self.box
        if not (box.south - metres / north <= lat <= box.north + metres / north
                and (box.west - lon) * east <= metres and (lon - box.east) * east <= metres):  # fmt: skip
            return False
        points = (self._points - (lon, lat)) * (east, north)
        return _distance(points) <= metres


def _edges(points: Sequence[LonLat]) -> list[_Edge]:
    found = []
    for (x1, y1), (x2, y2) in pairwise(points):
        if y1 < y2:
            found.append(_Edge(y1, y2, x1, x2 - x1, y2 - y1))
        elif y2 < y1:
            found.append(_Edge(y2, y1, x2, x1 - x2, y1 - y2))
    return sorted(found, key=itemgetter(0))


def _distance(points: np.ndarray) -> float:
    """From the origin to the nearest edge."""
    start, along = points[:-1], np.diff(points, axis=0)
    squared = np.einsum("ij,ij->i", along, along)
    part = -np.einsum("ij,ij->i", start, along) / np.where(squared > 0, squared, 1.0)
    nearest = start + along * np.clip(part, 0.0, 1.0)[:, np.newaxis]
    return math.sqrt(float(np.einsum("ij,ij->i", nearest, nearest).min()))
