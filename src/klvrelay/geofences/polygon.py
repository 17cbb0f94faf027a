"""A polygon with holes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from klvrelay.geofences.ring import Box, LonLat, Ring

Rings = tuple[tuple[LonLat, ...], ...]


@dataclass(frozen=True, slots=True)
class FencePolygon:
    """The ground inside the first ring of `rings` and outside of all others. The winding order has no meaning.

    A ring that crosses itself is inside where a line from there crosses it an odd number of times: both parts of a bow
    tie. Polygons of equal rings are equal.
    """

    rings: Rings
    outer: Ring = field(init=False, repr=False, compare=False)
    holes: tuple[Ring, ...] = field(init=False, repr=False, compare=False)
    prepared: Any = field(init=False, repr=False, compare=False, default=None)
    """The polygon in shapely, once it was needed."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "outer", Ring(self.rings[0]))
        object.__setattr__(self, "holes", tuple(map(Ring, self.rings[1:])))

    @property
    def box(self) -> Box:
        return self.outer.box

    def contains(self, lon: float, lat: float) -> bool:
        """Is the position inside? Longitude -180 to 180."""
        west, south, east, north = self.outer.box
        if not (south <= lat <= north and west <= lon <= east):
            return False
        return self.outer.contains(lon, lat) and not any(hole.contains(lon, lat) for hole in self._holes_at(lon, lat))

    def _holes_at(self, lon: float, lat: float) -> Iterator[Ring]:
        for hole in self.holes:
            west, south, east, north = hole.box
            if south <= lat <= north and west <= lon <= east:
                yield hole

    def is_near(self, lon: float, lat: float, metres: float) -> bool:
        """Is the border of the polygon, or of a hole, within this distance? For distances up to 10 km."""
        return self.outer.is_near(lon, lat, metres) or any(hole.is_near(lon, lat, metres) for hole in self.holes)


def seen_from_180(rings: Sequence[Sequence[LonLat]]) -> tuple[Rings, ...]:
    """A polygon whose longitudes are -360 to 360, at each place that it has in -180 to 180: one, or two if it crosses
    the antimeridian."""
    lons = [lon for lon, _ in rings[0]]
    turns = [turn for turn in (0.0, -360.0, 360.0) if min(lons) + turn < 180 and max(lons) + turn > -180]
    return tuple(_turned(rings, turn) for turn in turns)


def _turned(rings: Sequence[Sequence[LonLat]], turn: float) -> Rings:
    return tuple(tuple((lon + turn, lat) for lon, lat in ring) for ring in rings)
