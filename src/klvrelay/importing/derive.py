"""Items of ST 0601 from the values of a row: angles relative to the platform, fields of view, the ground in sight."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from klvrelay.geo import GeoPoint, Orientation, msl_to_hae, relative, sensor_axes
from klvrelay.geo.wgs84 import wrapped
from klvrelay.importing.field_of_view import fields_of_view, other_field_of_view
from klvrelay.importing.level_ground import GroundView, ground_items
from klvrelay.importing.telemetry import FOCAL_LENGTH, GIMBAL, HEIGHT, MEASURES

AltitudeReference = Literal["msl", "hae"]

ALTITUDE, ELLIPSOID = "sensor_true_altitude", "sensor_ellipsoid_height"
_PLATFORM = ("platform_heading_angle", "platform_pitch_angle", "platform_roll_angle")
_SENSOR = ("sensor_relative_azimuth_angle", "sensor_relative_elevation_angle", "sensor_relative_roll_angle")
_HORIZONTAL, _VERTICAL = "sensor_horizontal_field_of_view", "sensor_vertical_field_of_view"
_POSITION = ("sensor_latitude", "sensor_longitude")

HEADING_ASSUMED = "the platform's heading is taken to be the gimbal's yaw: the telemetry has none"
LEVEL_ASSUMED = "the platform's pitch and roll are taken to be 0: the telemetry has none"
GROUND_ASSUMED = "centre and corners of the picture are those on level ground at the height of the take-off"
MOUNT_ASSUMED = "the focal length is taken as 35 mm equivalent over the diagonal of the picture"


class ImportSetup(NamedTuple):
    """What is known besides the telemetry.

    size               width and height of the picture in pixels; None without a video
    sensor_width       in millimetres: focal lengths are then true ones, not those of a 36 x 24 mm camera
    takeoff_altitude   of the place of take-off, in metres
    ground             height of the level ground in metres
    reference          what altitudes are relative to: mean sea level, or the ellipsoid
    measured_only      write no item that rests on an assumption
    """

    size: tuple[int, int] | None = None
    sensor_width: float | None = None
    takeoff_altitude: float | None = None
    ground: float | None = None
    reference: AltitudeReference = "msl"
    measured_only: bool = False


class Derivation:
    """Derives items; `assumptions` are those on which some item rests."""

    def __init__(self, setup: ImportSetup) -> None:
        self._setup = setup
        self.assumptions: dict[str, None] = {}

    def items(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The items by path that follow from the values, which keep precedence; without measures."""
        found = dict(values)
        self._add_altitude(found)
        self._add_angles(found)
        self._add_fields_of_view(found)
        self._add_ground(found)
        return {path: value for path, value in found.items() if path not in MEASURES}

    def _may(self, assumption: str) -> bool:
        """Whether an assumption is allowed; it is noted."""
        if not self._setup.measured_only:
            self.assumptions[assumption] = None
        return not self._setup.measured_only

    def _add_altitude(self, found: dict[str, Any]) -> None:
        setup = self._setup
        if setup.takeoff_altitude is not None and HEIGHT in found:
            found[ALTITUDE] = setup.takeoff_altitude + found[HEIGHT]
        if setup.reference == "hae" and ALTITUDE in found:
            found.setdefault(ELLIPSOID, found.pop(ALTITUDE))

    def _add_angles(self, found: dict[str, Any]) -> None:
        """Items 18 to 20 by the gimbal's orientation in north, east, down, and that of the platform."""
        if not all(name in found for name in GIMBAL[:2]) or any(name in found for name in _SENSOR):
            return
        camera = Orientation(found[GIMBAL[0]], found[GIMBAL[1]], found.get(GIMBAL[2], 0.0))
        if not self._complete_platform(found, camera):
            return
        platform = Orientation(*(_angle(found, name) for name in _PLATFORM))
        angles = relative(platform, camera)
        found |= zip(_SENSOR, (angles.azimuth, angles.elevation, angles.roll % 360), strict=True)

    def _complete_platform(self, found: dict[str, Any], camera: Orientation) -> bool:
        """Add assumed angles of the platform where it has none; false if it has none and none may be assumed."""
        if _PLATFORM[0] not in found:
            if not self._may(HEADING_ASSUMED):
                return False
            found[_PLATFORM[0]] = camera.azimuth % 360
        if not self._is_level_or_known(found):
            return False
        for name in _PLATFORM[1:]:
            if f"{name}_full" not in found:
                found.setdefault(name, 0.0)
        return True

    def _is_level_or_known(self, found: Mapping[str, Any]) -> bool:
        """Whether pitch and roll of the platform are known, or may be assumed to be 0."""
        return all(name in found or f"{name}_full" in found for name in _PLATFORM[1:]) or self._may(LEVEL_ASSUMED)

    def _add_fields_of_view(self, found: dict[str, Any]) -> None:
        size = self._setup.size
        if size is None:
            return
        focal = found.get(FOCAL_LENGTH, 0)
        if _HORIZONTAL not in found and _VERTICAL not in found and focal > 0:
            if self._setup.sensor_width is None and not self._may(MOUNT_ASSUMED):
                return
            angles = fields_of_view(focal, *size, self._setup.sensor_width)
            found |= zip((_HORIZONTAL, _VERTICAL), angles, strict=True)
        elif _HORIZONTAL in found and _VERTICAL not in found and 0 < found[_HORIZONTAL] < 180:
            found[_VERTICAL] = other_field_of_view(found[_HORIZONTAL], *size)
        elif _VERTICAL in found and _HORIZONTAL not in found and 0 < found[_VERTICAL] < 180:
            found[_HORIZONTAL] = other_field_of_view(found[_VERTICAL], size[1], size[0])

    def _add_ground(self, found: dict[str, Any]) -> None:
        """Items 21 to 33 and 82 to 89, unless the telemetry has the centre of the picture."""
        needed = (*_POSITION, *_SENSOR, _PLATFORM[0], _HORIZONTAL, _VERTICAL)
        altitude = found.get(ALTITUDE, found.get(f"{ELLIPSOID}_extended", found.get(ELLIPSOID)))
        if "frame_center_latitude" in found or altitude is None or not all(name in found for name in needed):
            return
        if not (0 < found[_HORIZONTAL] < 180 and 0 < found[_VERTICAL] < 180 and abs(found[_POSITION[0]]) <= 90):
            return
        ground = self._ground(found, altitude)
        if ground is None or not self._is_level_or_known(found):
            return
        platform = Orientation(*(_angle(found, name) for name in _PLATFORM))
        axes = sensor_axes(platform, Orientation(*(found[name] for name in _SENSOR)))
        lat, lon, is_msl = found[_POSITION[0]], wrapped(found[_POSITION[1]]), ALTITUDE in found
        place = GeoPoint(lat, lon, msl_to_hae(altitude, lat, lon) if is_msl else altitude)
        items = ground_items(GroundView(place, axes, found[_HORIZONTAL], found[_VERTICAL], altitude - ground))
        if items:
            items["frame_center_elevation" if is_msl else "frame_center_height_above_ellipsoid"] = ground
        found |= {path: value for path, value in items.items() if path not in found}

    def _ground(self, found: Mapping[str, Any], altitude: float) -> float | None:
        if self._setup.ground is not None:
            return self._setup.ground
        if HEIGHT not in found or not self._may(GROUND_ASSUMED):
            return None
        return float(altitude - found[HEIGHT])


def _angle(found: Mapping[str, Any], name: str) -> float:
    """An angle of the platform, by the item of the wider range if there is one; 0 if it has none."""
    return float(found.get(f"{name}_full", found.get(name, 0.0)))
