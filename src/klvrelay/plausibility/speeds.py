"""The speed that a platform reports."""

from __future__ import annotations

import math

from klvrelay.geo.quantity import Items, number

WIND = 50.0
"""m/s by which the ground speed may exceed the airspeed."""
_GROUND, _TRUE, _INDICATED = "platform_ground_speed", "platform_true_airspeed", "platform_indicated_airspeed"
_NORTH, _EAST = "sensor_north_velocity", "sensor_east_velocity"
_MOST = 254.0  # items 8, 9 and 56 end at 255 m/s, which also means "or more"
_MOST_VELOCITY = 326.9  # items 79 and 80 end at 327 m/s

ITEMS = (_GROUND, _TRUE, _INDICATED, _NORTH, _EAST)
"""Keys of the items read here."""


def ground_speed(items: Items) -> float | None:
    """m/s over ground by items 79 and 80 or 56, the lower of both; None if not reported.

    The highest values of these items count as "this or more" and are used as they are.
    """
    found = [speed for speed in (number(items, _GROUND, 0, 255), _velocity(items)) if speed is not None]
    return min(found, default=None)


def airspeed(items: Items) -> float | None:
    """m/s through the air by item 8, else 9; None if not reported."""
    true = number(items, _TRUE, 0, 255)
    return number(items, _INDICATED, 0, 255) if true is None else true


def fastest(items: Items) -> float | None:
    """The most that the platform may move over ground by any of these items, m/s; None if unknown or beyond them.

    The true airspeed may be three times the indicated one at great height.
    """
    velocity = _velocity(items)
    if velocity is not None and velocity >= _MOST_VELOCITY:
        return None
    found = [velocity] if velocity is not None else []
    for key, factor, more in ((_GROUND, 1, 0.0), (_TRUE, 1, WIND), (_INDICATED, 3, WIND)):
        if (speed := number(items, key, 0, 255)) is not None:
            if speed > _MOST:
                return None
            found.append(factor * speed + more)
    return max(found, default=None)


def _velocity(items: Items) -> float | None:
    north, east = number(items, _NORTH, -327, 327), number(items, _EAST, -327, 327)
    return None if north is None or east is None else math.hypot(north, east)
