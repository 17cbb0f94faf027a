"""GeoJSON of fences, and random polygons."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from random import Random
from typing import Any

from klvrelay import geofences

Ring = list[tuple[float, float]]


def collection(*geometries: dict[str, Any], **properties: Any) -> bytes:
    """A file with these geometries; each has the properties."""
    features = [{"type": "Feature", "properties": properties, "geometry": one} for one in geometries]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def polygon(*rings: Sequence[Sequence[float]]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": rings}


def point(lat: float, lon: float) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [lon, lat]}


def square(west: float, south: float, east: float, north: float) -> list[list[float]]:
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def fences(*geometries: dict[str, Any], **properties: Any) -> tuple[geofences.Fence, ...]:
    return geofences.parse_fences(collection(*geometries, **properties))


def area(west: float, south: float, east: float, north: float, **properties: Any) -> geofences.Fence:
    (found,) = fences(polygon(square(west, south, east, north)), **properties)
    return found


def is_near(fence: geofences.Fence, lat: float, lon: float, metres: float) -> bool:
    return geofences.FenceIndex([fence]).is_near(0, lat, lon, metres)


def star(dice: Random, lon: float, lat: float, size: float, corners: int) -> Ring:
    """A ring that does not cross itself, around a position; either winding order."""
    angles = [2 * math.pi * (n + dice.uniform(0, 0.4)) / corners for n in range(corners)]
    places = [(angle, size * dice.uniform(0.3, 1)) for angle in angles]
    if dice.random() < 0.5:
        places.reverse()
    ring = [(lon + far * math.cos(angle), lat + far * math.sin(angle)) for angle, far in places]
    return [*ring, ring[0]]


def tangle(dice: Random, lon: float, lat: float, size: float, corners: int) -> Ring:
    """A ring that crosses itself."""
    ring = [(lon + dice.uniform(-size, size), lat + dice.uniform(-size, size)) for _ in range(corners)]
    return [*ring, ring[0]]
