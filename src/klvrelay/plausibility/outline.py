"""`corners`: corners of the picture that do not enclose the frame centre, cross, or are in the wrong order."""

from __future__ import annotations

import math

from klvrelay.geo.corners import Corners, full_corners, offset_corners
from klvrelay.geo.quantity import Items
from klvrelay.geo.wgs84 import dot, north_east_down, to_ecef, wrapped
from klvrelay.plausibility.implausibility import Implausibility, implausible
from klvrelay.plausibility.places import MeasuredPlace

OUTSIDE = 0.5
METRES = 25.0
"""The frame centre may be outside by this share of the longest diagonal, and these metres.

A narrow picture that is slewed moves by its own size between the measurements of its corners and its centre.
"""
SMALL = 20.0
"""Metres: the order of the corners of a smaller picture is not judged, because offsets are in steps of 0.25 m."""
THIN = 0.02
"""Least area relative to the square of the longest diagonal for which the order is judged."""
FAR = 1_500_000.0
"""Metres: no aircraft sees a corner farther from the frame centre."""
NEAR, POLAR = 1.0, 80.0
"""Degrees of latitude and longitude up to which the ground is computed as a plane, and of latitude beyond which not."""
METRES_PER_DEGREE = 111_200.0

ITEMS = tuple(
    f"{corner}_{axis}_point_{number}{form}"
    for corner, form in (("corner", "_full"), ("offset_corner", ""))
    for number in range(1, 5)
    for axis in ("latitude", "longitude")
)
"""Keys of the items read here, beside the frame centre."""

_Point = tuple[float, float]


def check_corners(items: Items, centre: MeasuredPlace | None) -> Implausibility | None:
    """`corners` of a record: of items 82-89, or else of 26-33; None without all corners and the frame centre.

    Poles and antimeridian are places like any other.
    """
    if centre is None:
        return None
    for name, read in (("82-89", full_corners), ("26-33", offset_corners)):
        corners = read(items)
        if corners is not None and (found := _judge(name, corners, centre)) is not None:
            return found
    return None


def _judge(name: str, corners: Corners, centre: MeasuredPlace) -> Implausibility | None:
    points, farthest = _around(corners, centre)
    if _surround(points) and farthest <= FAR:
        return None
    if farthest > FAR:
        what = f"A corner (items {name}) is {farthest / 1000:,.0f} km from the frame centre"
        return implausible("corners", f"{what} (limit: {FAR / 1000:,.0f} km)", farthest, FAR, "m")
    longest = max(math.dist(points[0], points[2]), math.dist(points[1], points[3]))
    return _order(name, points, longest) or _enclosure(name, points, longest)


def _around(corners: Corners, centre: MeasuredPlace) -> tuple[list[_Point], float]:
    """The corners in metres north and east of the frame centre, and the distance of the farthest."""
    if abs(centre.lat) > POLAR:
        return _in_tangent_plane(corners, centre)
    across = METRES_PER_DEGREE * math.cos(math.radians(centre.lat))
    points = []
    for lat, lon in corners:
        north, east = lat - centre.lat, wrapped(lon - centre.lon)
        if not (-NEAR < north < NEAR and -NEAR < east < NEAR):
            return _in_tangent_plane(corners, centre)
        points.append((north * METRES_PER_DEGREE, east * across))
    return points, 0.0


def _in_tangent_plane(corners: Corners, centre: MeasuredPlace) -> tuple[list[_Point], float]:
    x, y, z = to_ecef(centre.lat, centre.lon, 0.0)
    north, east, _ = north_east_down(centre.lat, centre.lon)
    points, farthest = [], 0.0
    for lat, lon in corners:
        cx, cy, cz = to_ecef(lat, lon, 0.0)
        away = cx - x, cy - y, cz - z
        points.append((dot(north, away), dot(east, away)))
        farthest = max(farthest, math.sqrt(dot(away, away)))
    return points, farthest


def _surround(points: list[_Point]) -> bool:
    """Whether the corners run clockwise around the origin: as usual, which saves the other checks."""
    (an, ae), (bn, be), (cn, ce), (dn, de) = points
    return an * be > ae * bn and bn * ce > be * cn and cn * de > ce * dn and dn * ae > de * an


def _order(name: str, points: list[_Point], longest: float) -> Implausibility | None:
    """Sides that cross, or corners that run counterclockwise, seen from above."""
    if longest < SMALL:
        return None
    a, b, c, d = points
    if _cross(a, b, c, d) or _cross(b, c, d, a):
        return implausible("corners", f"The sides between the corners (items {name}) cross: wrong order", 1, 0, "")
    area = sum(_turn((0.0, 0.0), p, q) for p, q in ((a, b), (b, c), (c, d), (d, a))) / 2
    if area < -THIN * longest * longest:
        what = f"The corners (items {name}) run counterclockwise: wrong order, or a sign or axis is exchanged"
        return implausible("corners", what, 1, 0, "")
    return None


def _enclosure(name: str, points: list[_Point], longest: float) -> Implausibility | None:
    """The frame centre (the origin) far outside of the corners."""
    if _encloses(points):
        return None
    outside = min(_distance(points[i - 1], points[i]) for i in range(4))
    limit = OUTSIDE * longest + METRES
    if outside <= limit:
        return None
    what = f"The frame centre is {outside:,.0f} m outside of the corners (items {name})"
    return implausible("corners", f"{what} (limit: {limit:,.0f} m)", outside, limit, "m")


def _turn(a: _Point, b: _Point, c: _Point) -> float:
    """Positive if a, b, c turn clockwise (north, east); twice the area of their triangle."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _cross(a: _Point, b: _Point, c: _Point, d: _Point) -> bool:
    """Whether the line from a to b crosses the one from c to d."""
    return _turn(a, b, c) * _turn(a, b, d) < 0 and _turn(c, d, a) * _turn(c, d, b) < 0


def _encloses(points: list[_Point]) -> bool:
    """Whether the polygon encloses the origin: a ray to the east crosses an odd number of sides."""
    inside = False
    for i in range(4):
        (n1, e1), (n2, e2) = points[i - 1], points[i]
        if (n1 > 0) != (n2 > 0) and e1 - n1 * (e2 - e1) / (n2 - n1) > 0:
            inside = not inside
    return inside


def _distance(a: _Point, b: _Point) -> float:
    """From the origin to the line from a to b."""
    north, east = b[0] - a[0], b[1] - a[1]
    length = north * north + east * east
    share = 0.0 if length == 0 else min(1.0, max(0.0, -(a[0] * north + a[1] * east) / length))
    return math.hypot(a[0] + share * north, a[1] + share * east)
