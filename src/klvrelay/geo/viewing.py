"""How the sensor looks at the ground: its orientation and fields of view, from the items of a record."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

from klvrelay.geo.attitude import Orientation, orientation, rotation, sensor_axes, turned
from klvrelay.geo.camera import PinholeCamera, camera_at, half_tangent
from klvrelay.geo.positions import LocatedPoint
from klvrelay.geo.quantity import Items, first_number, number
from klvrelay.geo.wgs84 import Axes, GeoPoint, Vector, dot, north_east_down, to_ecef, to_world

_PITCH = "platform_pitch_angle_full", "platform_pitch_angle"
_ROLL = "platform_roll_angle_full", "platform_roll_angle"
_FIELDS = 1e-3, 179.0
_MOST_TURN = math.cos(math.radians(20))
"""Cosine of the largest angle between attitude and frame centre."""

Method = Literal["attitude", "angle to north", "level picture"]


class SensorView(NamedTuple):
    """A sensor in space, always derived.

    place         its position, with HAE
    axes          forward, right and down of the picture, in north, east, down at that position
    hfov, vfov    fields of view in degrees; None where unknown
    method        "attitude": from the platform and sensor angles of ST 0601
                  "angle to north": from this and the obliquity angle of EG 0104
                  "level picture": without angles, towards the reported frame centre
    aligned       turned by the smallest angle so that the line of sight leads to the reported frame centre
    """

    place: GeoPoint
    axes: Axes
    hfov: float | None
    vfov: float | None
    method: Method
    aligned: bool

    @property
    def orientation(self) -> Orientation:
        """Azimuth from true north, elevation above the horizontal, and roll of the line of sight, in degrees."""
        return orientation(self.axes)

    @property
    def ray(self) -> Vector:
        """The line of sight in ECEF."""
        return to_world(north_east_down(self.place.lat, self.place.lon), self.axes[0])

    def camera(self) -> PinholeCamera | None:
        """The camera; None unless both fields of view are known."""
        if self.hfov is None or self.vfov is None:
            return None
        return camera_at(self.place, self.axes, self.hfov, self.vfov)


def sensor_view(items: Items, platform: LocatedPoint | None, centre: LocatedPoint | None) -> SensorView | None:
    """The view by the first method that the items suffice for. `centre`: as reported. None without a height (HAE).

    A missing sensor roll (item 20) counts as 0. A missing pitch or roll of the platform does not: that would shift the
    ground by hundreds of metres. Angles serve for what the reported frame centre leaves open, the roll; where they
    contradict it by more than 20 degrees, they are not used.
    """
    if platform is None or platform.hae is None:
        return None
    place = GeoPoint(platform.lat, platform.lon, platform.hae.value)
    method: Method = "attitude"
    axes = _by_attitude(items)
    if axes is None:
        method, axes = "angle to north", _by_angle_to_north(items)
    sight = _sight(place, centre)
    if sight is not None:
        agree = axes is not None and dot(axes[0], sight) > _MOST_TURN
        method, axes = (method, turned(axes, sight)) if axes and agree else ("level picture", _level(sight))
    return None if axes is None else SensorView(place, axes, *fields_of_view(items), method, sight is not None)


def fields_of_view(items: Items) -> tuple[float | None, float | None]:
    """Items 16 and 17 in degrees. A missing item 17 follows from the frame of the VMTI set, with square pixels."""
    hfov = number(items, "sensor_horizontal_field_of_view", *_FIELDS)
    vfov = number(items, "sensor_vertical_field_of_view", *_FIELDS)
    if vfov is None and hfov is not None and (size := frame_size(items)):
        vfov = 2 * math.degrees(math.atan(half_tangent(hfov) * size[1] / size[0]))
    return hfov, vfov


def frame_size(items: Items) -> tuple[int, int] | None:
    """Width and height of the frame in pixels, from the VMTI set (item 74)."""
    vmti = items.get("vmti_local_set")
    if not isinstance(vmti, dict):
        return None
    width, height = number(vmti, "frame_width", 1, 1e6), number(vmti, "frame_height", 1, 1e6)
    return None if width is None or height is None else (int(width), int(height))


def _by_attitude(items: Items) -> Axes | None:
    heading = number(items, "platform_heading_angle", 0, 360)
    azimuth = number(items, "sensor_relative_azimuth_angle", 0, 360)
    elevation = number(items, "sensor_relative_elevation_angle", -180, 180)
    pitch, roll = first_number(items, _PITCH, -90, 90), first_number(items, _ROLL, -90, 90)
    if heading is None or azimuth is None or elevation is None or pitch is None or roll is None:
        return None
    twist = number(items, "sensor_relative_roll_angle", 0, 360) or 0.0
    return sensor_axes(Orientation(heading, pitch.value, roll.value), Orientation(azimuth, elevation, twist))


def _by_angle_to_north(items: Items) -> Axes | None:
    """EG 0104: azimuth of the line of sight, and its elevation (the depression, negated)."""
    azimuth = number(items, "angle_to_north", -360, 360)
    elevation = number(items, "obliquity_angle", -90, 0)
    if azimuth is None or elevation is None:
        return None
    return rotation(azimuth, elevation, number(items, "sensor_roll_angle", -360, 360) or 0.0)


def _sight(place: GeoPoint, centre: LocatedPoint | None) -> Vector | None:
    """The direction of the frame centre in north, east, down, with length 1."""
    if centre is None or centre.hae is None:
        return None
    eye, point = to_ecef(*place), to_ecef(centre.lat, centre.lon, centre.hae.value)
    away = point[0] - eye[0], point[1] - eye[1], point[2] - eye[2]
    length = math.sqrt(dot(away, away))
    if length < 1:
        return None
    north, east, down = north_east_down(place.lat, place.lon)
    return dot(north, away) / length, dot(east, away) / length, dot(down, away) / length


def _level(sight: Vector) -> Axes | None:
    """The axes of a level picture; None straight down, where every direction is level."""
    north, east, down = sight
    across = math.hypot(north, east)
    if across < 1e-3:
        return None
    return rotation(math.degrees(math.atan2(east, north)), math.degrees(math.atan2(-down, across)), 0.0)
