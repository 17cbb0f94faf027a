"""Metres of a degree."""

from __future__ import annotations

import math


def metres_per_degree(lat: float) -> tuple[float, float]:
    """Metres of a degree of longitude, and of one of latitude, on the WGS-84 ellipsoid: within 0.01 %.

    At the poles a degree of longitude counts as 1 mm.
    """
    phi = math.radians(lat)
    east = 111_412.84 * math.cos(phi) - 93.5 * math.cos(3 * phi)
    return max(east, 1e-3), 111_132.95 - 559.82 * math.cos(2 * phi) + 1.18 * math.cos(4 * phi)
