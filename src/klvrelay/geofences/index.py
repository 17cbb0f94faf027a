"""Many fences: which of them contain a position, without a look at each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from klvrelay.geofences.fence import Fence, on_the_map
from klvrelay.geofences.metres import metres_per_degree
from klvrelay.geofences.polygon import FencePolygon
from klvrelay.geofences.ring import Box

_VECTORS_FROM = 32
"""Polygons from which numpy takes less time than a loop over boxes."""


class FenceIndex:
    """The polygons of fences by their boxes. Fences are named by their place in the sequence."""

    __slots__ = ("_boxes", "_parts")

    def __init__(self, fences: Sequence[Fence]) -> None:
        self._parts = [(number, part) for number, fence in enumerate(fences) for part in fence.polygons]
        self._boxes = np.array([part.box for _, part in self._parts], float).reshape(-1, 4).T.copy()

    def containing(self, lat: float, lon: float) -> list[int]:
        """The fences that contain a position, in order, whatever its altitude."""
        lon, lat = on_the_map(lon, lat)
        if len(self._parts) < _VECTORS_FROM:
            found = (number for number, part in self._parts if part.contains(lon, lat))
        else:
            found = (number for number, part in self.near_box(Box(lon, lat, lon, lat)) if part.contains(lon, lat))
        return list(dict.fromkeys(found))

    def is_within(self, number: int, lat: float, lon: float, metres: float) -> bool:
        """Is a position in a fence, or at most so far outside? For distances up to 10 km."""
        close = self._close(number, lat, lon, metres)
        return any(part.contains(x, y) or part.is_near(x, y, metres) for part, x, y in close)

    def is_near(self, number: int, lat: float, lon: float, metres: float) -> bool:
        """Is the border of a fence within this distance? For distances up to 10 km."""
        return any(part.is_near(x, y, metres) for part, x, y in self._close(number, lat, lon, metres))

    def _close(self, number: int, lat: float, lon: float, metres: float) -> Iterator[tuple[FencePolygon, float, float]]:
        """The polygons of a fence whose boxes are so near, with the position as longitude and latitude beside them."""
        lon, lat = on_the_map(lon, lat)
        east, north = metres_per_degree(lat)
        wide, high = metres / east, metres / north
        for x in (lon, lon - 360, lon + 360):
            if x + wide >= -180 and x - wide <= 180:
                box = Box(x - wide, lat - high, x + wide, lat + high)
                yield from ((part, x, lat) for place, part in self.near_box(box) if place == number)

    def near_box(self, box: Box) -> Iterator[tuple[int, FencePolygon]]:
        """The polygons whose boxes meet `box`, each with the place of its fence."""
        west, south, east, north = self._boxes
        met = (south <= box.north) & (north >= box.south) & (west <= box.east) & (east >= box.west)
        return (self._parts[place] for place in np.flatnonzero(met).tolist())
