"""The geometries of GeoJSON that are fences, checked."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from klvrelay.errors import ConfigError
from klvrelay.geofences.polygon import FencePolygon, seen_from_180
from klvrelay.geofences.ring import LonLat
from klvrelay.text import printable

MOST_POSITIONS = 100_000
MOST_POINTS = 1000

_CUT = (
    "a line across the antimeridian continues beyond 180 (179, 181), or the polygon is cut there in two; round a pole, "
    "follow the ring to 180, then to the pole and back; a long line needs a position in its middle"
)


class Geometry(NamedTuple):
    """Polygons by their places in -180 to 180; points as latitude and longitude."""

    polygons: tuple[FencePolygon, ...] = ()
    points: tuple[tuple[float, float], ...] = ()


def shown(value: object) -> str:
    """A value of a file for a message: short, on one line."""
    return "nothing" if value is None else printable(_SHORT.repr(value))


_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxdict, _SHORT.maxlist, _SHORT.maxstring = 2, 3, 4, 40


def number(value: object) -> float | None:
    """JSON has no NaN, and orjson refuses what a double cannot hold."""
    return float(value) if type(value) is float or type(value) is int else None


class GeometryReader:
    """Reads the geometries of one file, within the limits of the file. `where` begins each message."""

    def __init__(self) -> None:
        self._positions = 0
        self._points = 0

    def read(self, geometry: object, where: str) -> Geometry:
        if not isinstance(geometry, dict):
            raise ConfigError(f"{where}: geometry: expected a Polygon or Point, not {shown(geometry)}")
        kind, coordinates = geometry.get("type"), geometry.get("coordinates")
        if kind == "Polygon":
            return Geometry(self._polygon(coordinates, where))
        if kind == "MultiPolygon":
            parts = enumerate(_list(coordinates, where, "polygons"), 1)
            return Geometry(tuple(one for n, part in parts for one in self._polygon(part, f"{where}, polygon {n}")))
        if kind == "Point":
            return Geometry(points=(self._point(coordinates, where),))
        if kind == "MultiPoint":
            places = enumerate(_list(coordinates, where, "points"), 1)
            return Geometry(points=tuple(self._point(place, f"{where}, point {n}") for n, place in places))
        raise ConfigError(f"{where}: geometry {shown(kind)}: {_advice(geometry)}")

    def _point(self, value: object, where: str) -> tuple[float, float]:
        self._points += 1
        if self._points > MOST_POINTS:
            raise ConfigError(f"{where}: more than {MOST_POINTS:,} points in the file")
        lon, lat = self._position(value, where)
        return lat, lon

    def _polygon(self, value: object, where: str) -> tuple[FencePolygon, ...]:
        rings = [self._ring(ring, f"{where}, ring {n}") for n, ring in enumerate(_list(value, where, "rings"), 1)]
        holes = [_beside(rings[0], hole) for hole in rings[1:]]
        return tuple(FencePolygon(turned) for turned in seen_from_180([rings[0], *holes]))

    def _ring(self, value: object, where: str) -> list[LonLat]:
        positions = _list(value, where, "positions")
        points = [self._position(one, f"{where}, position {n}") for n, one in enumerate(positions, 1)]
        _check_closed(points, where)
        _check_lines(points, where)
        _check_area(points, where)
        return points

    def _position(self, value: object, where: str) -> LonLat:
        self._positions += 1
        if self._positions > MOST_POSITIONS:
            raise ConfigError(f"{where}: more than {MOST_POSITIONS:,} positions in the file; simplify the polygons")
        if not isinstance(value, list) or not 2 <= len(value) <= 4:
            raise ConfigError(f"{where}: expected [longitude, latitude], not {shown(value)}")
        lon, lat = number(value[0]), number(value[1])
        if lon is None or lat is None:
            raise ConfigError(f"{where}: expected two numbers, longitude and latitude, not {shown(value)}")
        if not -90 <= lat <= 90:
            swapped = "; the order is longitude, latitude" if abs(lon) <= 90 else ""
            raise ConfigError(f"{where}: latitude {lat:g}: expected -90 to 90{swapped}")
        if not -360 <= lon <= 360:
            raise ConfigError(f"{where}: longitude {lon:g}: expected -180 to 180, or to 360 across the antimeridian")
        return lon, lat


def _list(value: object, where: str, what: str) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise ConfigError(f"{where}: expected a list of {what}, not {shown(value)}")
    return value


def _check_closed(points: Sequence[LonLat], where: str) -> None:
    if points[0] != points[-1]:
        raise ConfigError(
            f"{where}: not closed: repeat the first position, [{points[0][0]:.12g}, {points[0][1]:.12g}], at its end"
        )
    if len(set(points)) < 3:
        raise ConfigError(f"{where}: fewer than 3 different positions; a ring has 4 or more, and ends with its first")


def _check_lines(points: Sequence[LonLat], where: str) -> None:
    for place, ((start, _), (end, _)) in enumerate(pairwise(points), 1):
        if 180 < abs(end - start) < 360:
            raise ConfigError(
                f"{where}, position {place}: the line from longitude {start:g} to {end:g} is longer than 180 degrees: "
                f"{_CUT}"
            )
    lons = [lon for lon, _ in points]
    if max(lons) - min(lons) > 360:
        raise ConfigError(f"{where}: extends over more than 360 degrees of longitude")


def _check_area(points: Sequence[LonLat], where: str) -> None:
    (x0, y0), distinct = points[0], [point for point in points if point != points[0]]
    x1, y1 = distinct[0]
    if all((x1 - x0) * (y - y0) == (y1 - y0) * (x - x0) for x, y in distinct):
        raise ConfigError(f"{where}: all positions are on one line: the ring has no area")


def _beside(outer: Sequence[LonLat], hole: Sequence[LonLat]) -> Sequence[LonLat]:
    """The hole turned by 360 degrees if only then it meets the ring that it is in."""
    west, east = min(lon for lon, _ in outer), max(lon for lon, _ in outer)
    low, high = min(lon for lon, _ in hole), max(lon for lon, _ in hole)
    for turn in (0.0, 360.0, -360.0):
        if low + turn < east and high + turn > west:
            return [(lon + turn, lat) for lon, lat in hole]
    return hole


def _advice(geometry: Mapping[str, Any]) -> str:
    kind = geometry.get("type")
    if kind in ("LineString", "MultiLineString"):
        return "a line has no inside; draw a Polygon around it"
    if kind == "GeometryCollection":
        return "write each of its geometries as a feature"
    return "expected Polygon, MultiPolygon, Point or MultiPoint"
