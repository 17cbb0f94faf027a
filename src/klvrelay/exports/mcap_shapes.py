"""Parts of the messages of the 3D panel, named as in Foxglove's schemas; lengths in metres, colours from 0 to 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from klvrelay.exports.orientation import STRAIGHT, Quaternion, Vector

Message = dict[str, Any]

_STRIP, _LOOP = 0, 1
_MATCHING_ID = 0


def _color(red: float, green: float, blue: float, opacity: float = 1.0) -> Message:
    return {"r": red, "g": green, "b": blue, "a": opacity}


_WHITE, _BLUE, _RED = _color(1, 1, 1), _color(0.2, 0.6, 1), _color(1, 0.2, 0.2)
_YELLOW, _SHADE = _color(1, 0.85, 0.1), _color(1, 0.85, 0.1, 0.2)


def time(time_us: int) -> Message:
    """A moment since 1970."""
    return {"sec": time_us // 1_000_000, "nsec": time_us % 1_000_000 * 1000}


def vector(place: Vector) -> Message:
    """Metres, to a millimetre."""
    x, y, z = place
    return {"x": round(x, 3) + 0.0, "y": round(y, 3) + 0.0, "z": round(z, 3) + 0.0}  # no -0.0


def turn(rotation: Quaternion) -> Message:
    """A rotation."""
    x, y, z, w = rotation
    return {"x": round(x, 7), "y": round(y, 7), "z": round(z, 7), "w": round(w, 7)}


def pose(place: Vector, rotation: Quaternion = STRAIGHT) -> Message:
    """A place and a rotation."""
    return {"position": vector(place), "orientation": turn(rotation)}


def platform(place: Vector, rotation: Quaternion | None, size: float) -> Message:
    """An arrow forward with its tail at the place; a sphere if the rotation is not known."""
    if rotation is None:
        return {"spheres": [{"pose": pose(place), "size": vector((size / 4,) * 3), "color": _BLUE}]}
    lengths = {"shaft_length": 0.7, "shaft_diameter": 0.15, "head_length": 0.3, "head_diameter": 0.35}
    arrow = {name: round(part * size, 3) for name, part in lengths.items()}
    return {"arrows": [{"pose": pose(place, rotation), **arrow, "color": _BLUE}]}


def sight(begin: Vector, end: Vector) -> Message:
    """The line of sight."""
    return {"lines": [_line(_STRIP, [begin, end], _WHITE)]}


def outline(corners: Sequence[Vector]) -> Message:
    """A quadrilateral: its edges and its area."""
    points = [vector(corner) for corner in corners]
    area = {"pose": pose((0, 0, 0)), "points": points, "color": _SHADE, "colors": [], "indices": [0, 1, 2, 0, 2, 3]}
    return {"lines": [_line(_LOOP, corners, _YELLOW)], "triangles": [area]}


def targets(places: Sequence[tuple[str, Vector]], size: float) -> Message:
    """A sphere for each place, and its text."""
    return {
        "spheres": [{"pose": pose(place), "size": vector((size,) * 3), "color": _RED} for _, place in places],
        "texts": [_label(text, place) for text, place in places if text],
    }


def entity(name: str, frame: str, moment: Message, parts: Message) -> Message:
    """A foxglove.SceneEntity that remains until it is replaced or deleted."""
    return {
        "timestamp": moment, "frame_id": frame, "id": name, "lifetime": {"sec": 0, "nsec": 0}, "frame_locked": False,
        "metadata": [], "arrows": [], "cubes": [], "spheres": [], "cylinders": [], "lines": [], "triangles": [],
        "texts": [], "models": [], **parts,
    }  # fmt: skip


def deletion(name: str, moment: Message) -> Message:
    """A foxglove.SceneEntityDeletion of the entity of that name."""
    return {"timestamp": moment, "type": _MATCHING_ID, "id": name}


def transform(parent: str, child: str, moment: Message, place: Vector, rotation: Quaternion) -> Message:
    """A foxglove.FrameTransform."""
    frames = {"parent_frame_id": parent, "child_frame_id": child}
    return {"timestamp": moment, **frames, "translation": vector(place), "rotation": turn(rotation)}


def _line(kind: int, points: Sequence[Vector], color: Message) -> Message:
    return {
        "type": kind, "pose": pose((0, 0, 0)), "thickness": 2.0, "scale_invariant": True,
        "points": [vector(point) for point in points], "color": color, "colors": [], "indices": [],
    }  # fmt: skip


def _label(text: str, place: Vector) -> Message:
    return {
        "pose": pose(place), "billboard": True, "font_size": 14.0, "scale_invariant": True, "color": _WHITE,
        "text": text,
    }  # fmt: skip
