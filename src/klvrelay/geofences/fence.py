"""A fence: an area or points, with a name, and perhaps a band of altitudes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from klvrelay.geofences.band import AltitudeBand
from klvrelay.geofences.polygon import FencePolygon

_POLE = math.nextafter(90.0, 0.0)


@dataclass(frozen=True, slots=True)
class Fence:
    """One feature of a GeoJSON file.

    name      of the feature, or its place in the file: "feature 3"
    polygons  its area; a polygon that crosses the antimeridian is here once for each side
    points    latitude and longitude in degrees, for "looks at"
    band      altitudes of a platform that is inside; None: any
    """

    name: str
    polygons: tuple[FencePolygon, ...] = ()
    points: tuple[tuple[float, float], ...] = ()
    band: AltitudeBand | None = None

    def contains(self, lat: float, lon: float) -> bool:
        """Is the position in the area, whatever its altitude? Degrees, any longitude."""
        lon, lat = on_the_map(lon, lat)
        return any(polygon.contains(lon, lat) for polygon in self.polygons)


def on_the_map(lon: float, lat: float) -> tuple[float, float]:
    """Longitude -180 (included) to 180 (excluded); latitude below 90: the pole is inside of what reaches it."""
    if not -180 <= lon < 180:
        lon = (lon + 180) % 360 - 180
    return lon, min(lat, _POLE)
