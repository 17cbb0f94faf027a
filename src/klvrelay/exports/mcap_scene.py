"""The flight in space, for the 3D panel: entities and frames of reference.

    {stream}/local       metres east, north and up of the first position with a time
    {stream}/platform    in it: the sensor's position; x forward, y left, z up; without a heading, as `local`
    {stream}/camera      in it: the same position; x right, y down in the picture, z the line of sight; if it is known

Entities, all in `local`: `platform`, `sight` (to the frame centre), `footprint`, `targets` (VMTI). Each message is
complete: it replaces or deletes every entity, so that a viewer may begin anywhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from klvrelay import geo
from klvrelay.exports import mcap_shapes as shapes
from klvrelay.exports.local_frame import Axes, LocalFrame, nose_left_up, right_down_forward, rotation
from klvrelay.exports.mcap_shapes import Message
from klvrelay.exports.orientation import STRAIGHT, Quaternion, Vector
from klvrelay.exports.sightings import Thinner
from klvrelay.record import Record

TARGETS_US = 1_000_000
"""How long targets are shown: VMTI sets are often sent less often than positions."""
LEAST_SIZE, MOST_SIZE = 2.0, 500.0
"""Metres. The arrow of the platform is a twentieth of the distance to the frame centre."""


class Scene:
    """The scene of one stream.

    footprint_every   seconds between two footprints; 0: one per record
    frame             None until the first position
    """

    def __init__(self, stream: str, footprint_every: float) -> None:
        self._stream = stream
        self._due = Thinner(footprint_every)
        self.frame: LocalFrame | None = None
        self._outline: list[Vector] = []
        self._targets: list[tuple[str, Vector]] = []
        self._targets_us = 0

    def update(self, record: Record, time_us: int) -> tuple[Message, Message] | None:
        """A foxglove.SceneUpdate and foxglove.FrameTransforms; None for a record without a position."""
        items = record.items
        found = geo.derive(items)
        if found.platform is None:
            return None
        here = geo.GeoPoint(found.platform.lat, found.platform.lon, _height(found.platform))
        self.frame = frame = self.frame or LocalFrame(here)
        self._take_outline(frame, found, time_us)
        self._take_targets(frame, geo.targets(items, found), found, time_us)
        moment = shapes.time(time_us)
        turns = _turns(frame.axes_at(here.lat, here.lon), _angles(items), found.view)
        place = frame.place(*here)
        return (
            self._scene(frame, place, turns.get("platform"), found.frame_centre, moment),
            {"transforms": [
                shapes.transform(self._name("local"), self._name(child), moment, place, turn)
                for child, turn in {"platform": STRAIGHT, **turns}.items()
            ]},
        )  # fmt: skip

    def _take_outline(self, frame: LocalFrame, found: geo.Situation, time_us: int) -> None:
        if not self._due.would_select(time_us):
            return
        ground = _height(found.frame_centre)
        corners = found.footprint.corners if found.footprint is not None else ()
        self._outline = [frame.place(lat, lon, ground) for lat, lon in corners]
        if corners:
            self._due.is_due(time_us)

    def _take_targets(
        self, frame: LocalFrame, targets: Sequence[geo.TargetPosition], found: geo.Situation, time_us: int
    ) -> None:
        if targets:
            self._targets_us = time_us
            self._targets = [
                (_label(one), frame.place(one.point.lat, one.point.lon, _height(one.point, found)))
                for one in targets
                if one.point is not None
            ]
        elif not 0 <= time_us - self._targets_us < TARGETS_US:
            self._targets = []

    def _scene(
        self, frame: LocalFrame, begin: Vector, turn: Quaternion | None, centre: geo.LocatedPoint | None,
        time: Message,
    ) -> Message:  # fmt: skip
        end = None if centre is None else frame.place(centre.lat, centre.lon, _height(centre))
        size = _size(begin, end)
        parts = {
            "platform": shapes.platform(begin, turn, size),
            "sight": shapes.sight(begin, end) if end is not None else {},
            "footprint": shapes.outline(self._outline) if self._outline else {},
            "targets": shapes.targets(self._targets, size / 4) if self._targets else {},
        }
        return {
            "deletions": [shapes.deletion(name, time) for name, part in parts.items() if not part],
            "entities": [shapes.entity(name, self._name("local"), time, part) for name, part in parts.items() if part],
        }

    def _name(self, frame: str) -> str:
        return f"{self._stream}/{frame}"


def _turns(
    there: Axes, angles: geo.Orientation | None, view: geo.SensorView | None
) -> dict[str, Quaternion]:
    """The rotations of the frames `platform` and `camera` that are known."""
    found = {}
    if angles is not None:
        found["platform"] = rotation(there, nose_left_up(angles))
    if view is not None:
        found["camera"] = rotation(there, right_down_forward(view.axes))
    return found


def _label(target: geo.TargetPosition) -> str:
    return "" if target.target_id is None else str(target.target_id)


def _height(point: geo.LocatedPoint | None, found: geo.Situation | None = None) -> float:
    """Above the ellipsoid; if unknown, that of the frame centre, else 0."""
    if point is not None and point.hae is not None:
        return point.hae.value
    return 0.0 if found is None else _height(found.frame_centre)


def _angles(items: dict[str, Any]) -> geo.Orientation | None:
    """Heading, pitch and roll; pitch and roll that are not sent count as 0."""
    heading = _angle(items, "platform_heading_angle")
    pitch = _angle(items, "platform_pitch_angle_full", "platform_pitch_angle")
    roll = _angle(items, "platform_roll_angle_full", "platform_roll_angle")
    return None if heading is None else geo.Orientation(heading, pitch or 0.0, roll or 0.0)


def _angle(items: dict[str, Any], *keys: str) -> float | None:
    values = (items.get(key) for key in keys)
    return next((float(value) for value in values if isinstance(value, int | float) and abs(value) <= 360), None)


def _size(begin: Vector, end: Vector | None) -> float:
    distance = 0.0 if end is None else math.dist(begin, end)
    return min(max(distance / 20, LEAST_SIZE), MOST_SIZE)
