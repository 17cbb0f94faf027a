"""The JSON Schemas of the messages in MCAP files: those of Foxglove that its map shows, and the record."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

_TIME = {
    "type": "object",
    "title": "time",
    "properties": {"sec": {"type": "integer", "minimum": 0},
                   "nsec": {"type": "integer", "minimum": 0, "maximum": 999_999_999}},
}  # fmt: skip
_NUMBER = {"type": "number"}

LOCATION_FIX: dict[str, Any] = {
    "title": "foxglove.LocationFix",
    "type": "object",
    "properties": {
        "timestamp": _TIME,
        "frame_id": {"type": "string"},
        "latitude": _NUMBER | {"description": "degrees, WGS84"},
        "longitude": _NUMBER | {"description": "degrees, WGS84"},
        "altitude": _NUMBER | {"description": "metres above the ellipsoid; 0 if unknown"},
        "position_covariance": {"type": "array", "items": _NUMBER, "minItems": 9, "maxItems": 9},
        "position_covariance_type": {"title": "foxglove.PositionCovarianceType", "oneOf": [
            {"title": name, "const": value}
            for value, name in enumerate(("UNKNOWN", "APPROXIMATED", "DIAGONAL_KNOWN", "KNOWN"))
        ]},
    },
}  # fmt: skip
GEOJSON: dict[str, Any] = {
    "title": "foxglove.GeoJSON",
    "type": "object",
    "properties": {"geojson": {"type": "string", "description": "GeoJSON, UTF-8"}},
}


def record_schema() -> dict[str, Any]:
    """The schema of the record's JSON, `klvrelay/1`."""
    schema: dict[str, Any] = json.loads(files("klvrelay").joinpath("record.schema.json").read_bytes())
    return schema
