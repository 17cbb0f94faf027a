"""The usual outputs: the settings that a preset gives to an output, which its own settings override."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from klvrelay.shape.home_assistant import KEYS
from klvrelay.shape.output import Output, Preset

OSD_ITEMS = (
    "mission_id", "platform_tail_number", "platform_call_sign", "platform_heading_angle", "platform_pitch_angle",
    "platform_roll_angle", "platform_ground_speed", "image_source_sensor", "sensor_latitude", "sensor_longitude",
    "sensor_true_altitude", "sensor_ellipsoid_height", "sensor_horizontal_field_of_view",
    "sensor_vertical_field_of_view", "sensor_relative_azimuth_angle", "sensor_relative_elevation_angle", "slant_range",
    "frame_center_latitude", "frame_center_longitude", "frame_center_elevation", "target_location_latitude",
    "target_location_longitude", "security_local_set",
)  # fmt: skip
"""What an operator's display shows."""

PRESETS: Mapping[Preset, Mapping[str, Any]] = MappingProxyType(
    {
        "telemetry": {"topic": "{prefix}/{stream}/telemetry"},
        "osd": {"topic": "{prefix}/{stream}/osd", "items": OSD_ITEMS, "rate": 1.0},
        "state": {"topic": "{prefix}/{stream}/state", "rate": 1.0, "retain": True, "content": "state"},
        "items": {"topic": "{prefix}/{stream}/items/{item}", "on_change": True, "retain": True, "content": "items"},
        "homeassistant": {
            "topic": "{prefix}/{stream}/homeassistant",
            "items": tuple(sorted(KEYS)),
            "rate": 1.0,
            "retain": True,
            "content": "homeassistant",
        },
    }
)


def preset_output(preset: Preset) -> Output:
    """The output of a preset, unchanged."""
    return Output(name=preset, preset=preset, **PRESETS[preset])


DEFAULTS = (preset_output("telemetry"), preset_output("state"))
"""The outputs of a sink without others."""
RAW = Output("raw", "{prefix}/{stream}/raw", format="klv")
"""The output that the setting `raw` adds."""
