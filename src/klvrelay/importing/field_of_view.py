"""The field of view of a camera by its focal length."""

from __future__ import annotations

import math

FULL_FRAME_DIAGONAL = math.hypot(36, 24)
"""Millimetres: the diagonal to which `35 mm equivalent` focal lengths refer."""


def fields_of_view(
    focal_length: float, width: int, height: int, sensor_width: float | None = None
) -> tuple[float, float]:
    """Horizontal and vertical field of view in degrees (items 16 and 17) of a lens without distortion.

    focal_length   in millimetres; without `sensor_width` that of a 36 x 24 mm camera with the same diagonal
    width, height  of the picture in (square) pixels
    sensor_width   width of the sensor in millimetres; the focal length is then the true one
    """
    across = sensor_width or FULL_FRAME_DIAGONAL * width / math.hypot(width, height)
    return _angle(across, focal_length), _angle(across * height / width, focal_length)


def other_field_of_view(degrees: float, extent: int, other: int) -> float:
    """The field of view along the other side of a picture, by that along the first; sides in pixels."""
    return math.degrees(2 * math.atan(math.tan(math.radians(degrees) / 2) * other / extent))


def _angle(extent: float, focal_length: float) -> float:
    return math.degrees(2 * math.atan(extent / 2 / focal_length))
