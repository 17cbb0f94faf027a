"""The JSON Schemas of the messages in MCAP files: those of Foxglove that its panels show, and the record.

Viewers accept a part of JSON Schema only: each property has one `type`, or is a `oneOf` of numbers; bytes are base64.
"""

from __future__ import annotations

from typing import Any

from klvrelay.core.columns import is_numeric
from klvrelay.standards.spec import SETS, Item

Schema = dict[str, Any]

_NUMBER: Schema = {"type": "number"}
_TEXT: Schema = {"type": "string"}
_BYTES: Schema = {"type": "string", "contentEncoding": "base64"}
_BOOLEAN: Schema = {"type": "boolean"}
_WHOLE: Schema = {"type": "integer"}


def _object(title: str, **properties: Schema) -> Schema:
    return {"title": title, "type": "object", "properties": properties}


def _array(items: Schema, **limits: int) -> Schema:
    return {"type": "array", "items": items, **limits}


def _choice(title: str, *names: str) -> Schema:
    return {"title": title, "oneOf": [{"title": name, "const": value} for value, name in enumerate(names)]}


_NANOSECONDS: Schema = {"type": "integer", "minimum": 0, "maximum": 999_999_999}
_TIME = _object("time", sec={"type": "integer", "minimum": 0}, nsec=_NANOSECONDS)
_DURATION = _object("duration", sec=_WHOLE, nsec=_NANOSECONDS)
_VECTOR = _object("foxglove.Vector3", x=_NUMBER, y=_NUMBER, z=_NUMBER)
_POINT = _object("foxglove.Point3", x=_NUMBER, y=_NUMBER, z=_NUMBER)
_QUATERNION = _object("foxglove.Quaternion", x=_NUMBER, y=_NUMBER, z=_NUMBER, w=_NUMBER)
_POSE = _object("foxglove.Pose", position=_VECTOR, orientation=_QUATERNION)
_COLOR = _object("foxglove.Color", r=_NUMBER, g=_NUMBER, b=_NUMBER, a=_NUMBER)
_PICTURE = {"timestamp": _TIME, "frame_id": _TEXT, "data": _BYTES, "format": _TEXT}

_ARROW = _object(
    "foxglove.ArrowPrimitive", pose=_POSE, shaft_length=_NUMBER, shaft_diameter=_NUMBER, head_length=_NUMBER,
    head_diameter=_NUMBER, color=_COLOR,
)  # fmt: skip
_SPHERE = _object("foxglove.SpherePrimitive", pose=_POSE, size=_VECTOR, color=_COLOR)
_LINE = _object(
    "foxglove.LinePrimitive", type=_choice("foxglove.LineType", "LINE_STRIP", "LINE_LOOP", "LINE_LIST"), pose=_POSE,
    thickness=_NUMBER, scale_invariant=_BOOLEAN, points=_array(_POINT), color=_COLOR, colors=_array(_COLOR),
    indices=_array(_WHOLE),
)  # fmt: skip
_TRIANGLES = _object(
    "foxglove.TriangleListPrimitive", pose=_POSE, points=_array(_POINT), color=_COLOR, colors=_array(_COLOR),
    indices=_array(_WHOLE),
)  # fmt: skip
_LABEL = _object(
    "foxglove.TextPrimitive", pose=_POSE, billboard=_BOOLEAN, font_size=_NUMBER, scale_invariant=_BOOLEAN, color=_COLOR,
    text=_TEXT,
)  # fmt: skip
_DELETION = _object(
    "foxglove.SceneEntityDeletion", timestamp=_TIME, id=_TEXT,
    type=_choice("foxglove.SceneEntityDeletionType", "MATCHING_ID", "ALL"),
)  # fmt: skip
_ENTITY = _object(
    "foxglove.SceneEntity", timestamp=_TIME, frame_id=_TEXT, id=_TEXT, lifetime=_DURATION, frame_locked=_BOOLEAN,
    metadata=_array(_object("foxglove.KeyValuePair", key=_TEXT, value=_TEXT)), arrows=_array(_ARROW),
    spheres=_array(_SPHERE), lines=_array(_LINE), triangles=_array(_TRIANGLES), texts=_array(_LABEL),
)  # fmt: skip
_TRANSFORM = _object(
    "foxglove.FrameTransform", timestamp=_TIME, parent_frame_id=_TEXT, child_frame_id=_TEXT, translation=_VECTOR,
    rotation=_QUATERNION,
)  # fmt: skip


def record_schema() -> Schema:
    """The record's JSON, `klvrelay/1`, with the fields and items that can be plotted. Any value may be null."""
    items = {item.key: _item(item) for item in SETS["ST0601"].values() if is_numeric(item.tag) or item.kind == "utf8"}
    return _object(
        "klvrelay/1", stream=_TEXT, seq=_WHOLE, time=_TEXT, time_us=_WHOLE, pts=_WHOLE, pid=_WHOLE, set=_TEXT,
        quality=_object("quality", checksum=_TEXT, transport=_TEXT), items=_object("items", **items),
    )  # fmt: skip


def _item(item: Item) -> Schema:
    kind = "string" if item.kind == "utf8" else "number"
    return {"type": kind, "description": f"{item.name}, {item.units}" if item.units else item.name}


SCHEMAS: dict[str, Schema] = {
    schema["title"]: schema
    for schema in (
        _object(
            "foxglove.LocationFix", timestamp=_TIME, frame_id=_TEXT,
            latitude=_NUMBER | {"description": "degrees, WGS84"}, longitude=_NUMBER | {"description": "degrees, WGS84"},
            altitude=_NUMBER | {"description": "metres above the ellipsoid; 0 if unknown"},
            position_covariance=_array(_NUMBER, minItems=9, maxItems=9),
            position_covariance_type=_choice(
                "foxglove.PositionCovarianceType", "UNKNOWN", "APPROXIMATED", "DIAGONAL_KNOWN", "KNOWN"
            ),
        ),
        _object("foxglove.GeoJSON", geojson=_TEXT | {"description": "GeoJSON, UTF-8"}),
        _object("foxglove.SceneUpdate", deletions=_array(_DELETION), entities=_array(_ENTITY)),
        _object("foxglove.FrameTransforms", transforms=_array(_TRANSFORM)),
        _object("foxglove.CompressedVideo", **_PICTURE),
        _object("foxglove.CompressedImage", **_PICTURE),
        record_schema(),
    )
}  # fmt: skip
"""By name."""
