"""Distance and bearing along the ellipsoid, and the point at a distance and bearing: Vincenty's formulas (1975).

They are exact to 0.5 mm on any line, except between points that are almost antipodal, where the inverse does not
converge: there the great circle on a sphere is used, with an error up to 0.6 %.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from klvrelay.geo.wgs84 import EQUATORIAL_RADIUS, FLATTENING, POLAR_RADIUS, wrapped

_MEAN_RADIUS = (2 * EQUATORIAL_RADIUS + POLAR_RADIUS) / 3
_MOST_STEPS = 100
_CLOSE = 1e-12  # radians: 0.006 mm


class Geodesic(NamedTuple):
    """A line on the ellipsoid: length in metres; bearings at start and end, degrees from true north, 0 to 360."""

    distance: float
    bearing: float
    final_bearing: float


class _Arc(NamedTuple):
    """A line on the auxiliary sphere; `middle` is the cosine of twice the arc from the equator to its middle."""

    sin: float
    cos: float
    angle: float
    sin_alpha: float
    cos2_alpha: float
    middle: float


def between(lat1: float, lon1: float, lat2: float, lon2: float) -> Geodesic:
    """The geodesic from the first point to the second, in degrees. Of equal points: length 0, bearings 0."""
    u1, u2 = _reduced(lat1), _reduced(lat2)
    east = math.radians(wrapped(lon2 - lon1))
    turn = east
    for _ in range(_MOST_STEPS):
        arc = _arc(u1, u2, turn)
        if arc is None:
            return Geodesic(0.0, 0.0, 0.0)
        before, turn = turn, east + _longitude_excess(arc)
        if abs(turn) > math.pi:
            break
        if abs(turn - before) < _CLOSE:
            return Geodesic(_length(arc), *_bearings(u1, u2, turn))
    arc = _arc(u1, u2, east)
    return Geodesic(_MEAN_RADIUS * arc.angle if arc else 0.0, *_bearings(u1, u2, east))


def destination(lat: float, lon: float, bearing: float, distance: float) -> tuple[float, float]:
    """Latitude and longitude at a distance in metres along the geodesic that starts with this bearing."""
    alpha, (su, cu) = math.radians(bearing), _reduced(lat)
    sa, ca = math.sin(alpha), math.cos(alpha)
    start = math.atan2(su, cu * ca)
    sin_alpha = cu * sa
    cos2_alpha = 1 - sin_alpha**2
    scale, series = _series(cos2_alpha)
    angle = straight = distance / (POLAR_RADIUS * scale)
    for _ in range(_MOST_STEPS):
        middle = math.cos(2 * start + angle)
        before = angle
        angle = straight + _correction(series, math.sin(angle), math.cos(angle), middle)
        if abs(angle - before) < _CLOSE:
            break
    s, c, middle = math.sin(angle), math.cos(angle), math.cos(2 * start + angle)
    away = su * s - cu * c * ca
    lat2 = math.atan2(su * c + cu * s * ca, (1 - FLATTENING) * math.hypot(sin_alpha, away))
    turn = math.atan2(s * sa, cu * c - su * s * ca)
    arc = _Arc(s, c, angle, sin_alpha, cos2_alpha, middle)
    return math.degrees(lat2), wrapped(lon + math.degrees(turn - _longitude_excess(arc)))


def _reduced(lat: float) -> tuple[float, float]:
    """Sine and cosine of the reduced latitude."""
    phi = math.radians(lat)
    u = math.atan2((1 - FLATTENING) * math.sin(phi), math.cos(phi))
    return math.sin(u), math.cos(u)


def _arc(u1: tuple[float, float], u2: tuple[float, float], turn: float) -> _Arc | None:
    """The arc between two reduced latitudes with this difference of longitude; None of length 0."""
    (s1, c1), (s2, c2) = u1, u2
    s = math.hypot(c2 * math.sin(turn), c1 * s2 - s1 * c2 * math.cos(turn))
    if s == 0:
        return None
    c = s1 * s2 + c1 * c2 * math.cos(turn)
    sin_alpha = c1 * c2 * math.sin(turn) / s
    cos2_alpha = 1 - sin_alpha**2
    middle = c - 2 * s1 * s2 / cos2_alpha if cos2_alpha > 1e-15 else 0.0  # a line along the equator
    return _Arc(s, c, math.atan2(s, c), sin_alpha, cos2_alpha, middle)


def _bearings(u1: tuple[float, float], u2: tuple[float, float], turn: float) -> tuple[float, float]:
    (s1, c1), (s2, c2), s, c = u1, u2, math.sin(turn), math.cos(turn)
    first = math.atan2(c2 * s, c1 * s2 - s1 * c2 * c)
    last = math.atan2(c1 * s, c1 * s2 * c - s1 * c2)
    return math.degrees(first) % 360, math.degrees(last) % 360


def _longitude_excess(arc: _Arc) -> float:
    """Radians by which the longitude on the auxiliary sphere exceeds the one on the ellipsoid."""
    c = FLATTENING / 16 * arc.cos2_alpha * (4 + FLATTENING * (4 - 3 * arc.cos2_alpha))
    inner = arc.middle + c * arc.cos * (2 * arc.middle**2 - 1)
    return (1 - c) * FLATTENING * arc.sin_alpha * (arc.angle + c * arc.sin * inner)


def _series(cos2_alpha: float) -> tuple[float, float]:
    """Vincenty's A and B, in Helmert's form."""
    u2 = cos2_alpha * (EQUATORIAL_RADIUS**2 - POLAR_RADIUS**2) / POLAR_RADIUS**2
    root = math.sqrt(1 + u2)
    k = (root - 1) / (root + 1)
    return (1 + k * k / 4) / (1 - k), k * (1 - 3 * k * k / 8)


def _correction(b: float, s: float, c: float, middle: float) -> float:
    twice = c * (2 * middle**2 - 1) - b / 6 * middle * (4 * s * s - 3) * (4 * middle**2 - 3)
    return b * s * (middle + b / 4 * twice)


def _length(arc: _Arc) -> float:
    scale, series = _series(arc.cos2_alpha)
    return POLAR_RADIUS * scale * (arc.angle - _correction(series, arc.sin, arc.cos, arc.middle))
