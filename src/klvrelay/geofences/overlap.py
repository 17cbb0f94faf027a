"""Does a footprint overlap a polygon? With shapely, of the extra `geofence`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from klvrelay.errors import ConfigError
from klvrelay.geofences.fence import Fence
from klvrelay.geofences.index import FenceIndex
from klvrelay.geofences.metres import metres_per_degree
from klvrelay.geofences.places import Outline
from klvrelay.geofences.polygon import FencePolygon
from klvrelay.geofences.ring import Box

try:
    import shapely  # type: ignore[import-untyped]
except ImportError:
    raise ConfigError("of: footprint needs a package: pip install 'klvrelay[geofence]'") from None

MOST_CROSSED = 30
"""Positions of a polygon whose borders may cross: repairing a tangle of 30 takes 20 ms, of 300 20 s."""


def prepare(fences: Iterable[Fence]) -> None:
    """Make the polygons ready for `overlapped`. Raises ConfigError for large ones whose borders cross."""
    for fence in fences:
        for polygon in fence.polygons:
            try:
                _prepared(polygon)
            except ConfigError as fault:
                raise ConfigError(f"file: {fence.name}: {fault}") from None


def overlapped(index: FenceIndex, outline: Outline, grow: float = 0.0) -> list[int]:
    """The fences, by their place, that share ground with the outline, in order.

    grow   metres by which the outline is larger; smaller if negative, but unchanged if nothing would remain
    """
    area = _area(outline, grow)
    found = [place for turn in _turns(area) for place in _met(index, _moved(area, turn))]
    return sorted(set(found))


def _met(index: FenceIndex, area: Any) -> list[int]:
    return [place for place, part in index.near_box(Box(*area.bounds)) if _prepared(part).intersects(area)]


def _area(outline: Outline, grow: float) -> Any:
    """Corners in a twisted order give the ground of both parts."""
    area = shapely.make_valid(shapely.Polygon([(lon, lat) for lat, lon in outline]))
    if not grow:
        return area
    lat = outline[0][0]
    east, north = metres_per_degree(lat)
    metres = shapely.transform(area, lambda points: points * (east, north))
    other = metres.buffer(grow, quad_segs=4)
    if other.is_empty:
        return area
    return shapely.transform(other, lambda points: points / (east, north))


def _turns(area: Any) -> Sequence[float]:
    west, _, east, _ = area.bounds
    return [turn for turn in (0.0, -360.0, 360.0) if west + turn <= 180 and east + turn >= -180]


def _moved(area: Any, turn: float) -> Any:
    return shapely.transform(area, lambda points: np.add(points, (turn, 0.0))) if turn else area


def _prepared(polygon: FencePolygon) -> Any:
    """The polygon in shapely, kept with it."""
    if polygon.prepared is None:
        outer, *holes = polygon.rings
        area = shapely.Polygon(outer, holes)
        if not area.is_valid:
            area = _repaired(polygon)
        shapely.prepare(area)
        object.__setattr__(polygon, "prepared", area)
    return polygon.prepared


def _repaired(polygon: FencePolygon) -> Any:
    """A bow tie becomes its two parts."""
    if sum(map(len, polygon.rings)) > MOST_CROSSED:
        raise ConfigError(
            f"borders of more than {MOST_CROSSED} positions cross or touch each other; footprints need them repaired "
            "(QGIS: Fix geometries)"
        )
    outer, *holes = (shapely.make_valid(shapely.Polygon(ring)) for ring in polygon.rings)
    return shapely.difference(outer, shapely.union_all(holes)) if holes else outer
