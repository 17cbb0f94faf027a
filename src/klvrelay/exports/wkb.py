"""Geometry as well-known binary (OGC 06-103r4, ISO numbers for heights), little-endian."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from klvrelay.exports.positions import LonLat, TrackPoint
from klvrelay.exports.rings import Ring, cut_ring

POINT, POLYGON, MULTIPOLYGON, POINT_Z = 1, 3, 6, 1001
NAMES = {POINT: "Point", POLYGON: "Polygon", MULTIPOLYGON: "MultiPolygon", POINT_Z: "Point Z"}
"""As the metadata of GeoParquet names them."""


def point(place: TrackPoint) -> bytes:
    """Point, with the height above the ellipsoid if known."""
    if place.hae is None:
        return struct.pack("<BIdd", 1, POINT, place.longitude, place.latitude)
    return struct.pack("<BIddd", 1, POINT_Z, place.longitude, place.latitude, place.hae)


def footprint(corners: Sequence[LonLat]) -> bytes | None:
    """Polygon, or MultiPolygon at 180 degrees; None without area."""
    parts = [_polygon(ring) for ring in cut_ring(corners)]
    if len(parts) < 2:
        return parts[0] if parts else None
    return struct.pack("<BII", 1, MULTIPOLYGON, len(parts)) + b"".join(parts)


def _polygon(ring: Ring) -> bytes:
    closed = [part for corner in [*ring, ring[0]] for part in corner]
    return struct.pack(f"<BIII{len(closed)}d", 1, POLYGON, 1, len(ring) + 1, *closed)


def kind_of(geometry: bytes) -> str:
    """The name of its type."""
    return NAMES[int.from_bytes(geometry[1:5], "little")]
