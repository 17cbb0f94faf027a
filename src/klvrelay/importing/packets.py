"""Packets of ST 0601 from items by path; a value that cannot be encoded is omitted and counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from klvrelay.encode import encode
from klvrelay.errors import EncodeError
from klvrelay.importing.item_names import ITEMS, item_at
from klvrelay.importing.timeline import circle_of
from klvrelay.multiplex.mux import CELL_MOST

VERSION = 19
"""Revision of ST 0601 (item 65)."""

FINER = {
    "platform_pitch_angle": "platform_pitch_angle_full", "platform_roll_angle": "platform_roll_angle_full",
    "target_width": "target_width_extended", "platform_angle_of_attack": "platform_angle_of_attack_full",
    "platform_sideslip_angle": "platform_sideslip_angle_full",
}  # fmt: skip
"""Items of low resolution or range, and the finer ones that ST 0601 prefers; both are written, for older readers."""
MINIMUM = (
    ("mission_id",), ("platform_designation",), ("image_coordinate_system",),
    ("platform_heading_angle",), ("platform_pitch_angle", "platform_pitch_angle_full"),
    ("platform_roll_angle", "platform_roll_angle_full"), ("image_source_sensor",), ("sensor_latitude",),
    ("sensor_longitude",), ("sensor_true_altitude", "sensor_ellipsoid_height", "sensor_ellipsoid_height_extended"),
    ("sensor_horizontal_field_of_view",), ("sensor_vertical_field_of_view",), ("sensor_relative_azimuth_angle",),
    ("sensor_relative_elevation_angle",), ("sensor_relative_roll_angle",), ("slant_range",),
    ("frame_center_latitude",), ("frame_center_longitude",),
    ("frame_center_elevation", "frame_center_height_above_ellipsoid"), ("security_local_set",),
)  # fmt: skip
"""Items that ST 0902 requires, besides 1, 2 and 65; any one of a tuple suffices."""


class PacketWriter:
    """Encodes items; `written` counts them, `omitted` those that could not be encoded, with the reason of the first."""

    def __init__(self) -> None:
        self.omitted: dict[str, tuple[int, str]] = {}
        self.written: dict[str, int] = {}

    def packet(self, items: Mapping[str, Any], time_us: int) -> bytes:
        """The packet of a time: time stamp first, then items by tag, checksum last. Items are at their paths."""
        document = self.document(items)
        while (packet := self._encoded(document, time_us)) is None:
            pass
        for key in document:
            self.written[key] = self.written.get(key, 0) + 1
        return packet

    def _encoded(self, document: dict[str, Any], time_us: int) -> bytes | None:
        """The packet; None if an item had to be removed first."""
        try:
            packet = encode({"set": "ST0601", "items": document, "time_us": time_us, "version": VERSION})
            if len(packet) > CELL_MOST and document:
                largest = max(document, key=lambda key: len(repr(document[key])))
                raise EncodeError(f"ST0601 {largest}", "...", f"a packet has at most {CELL_MOST} bytes")
        except EncodeError as fault:
            self._omit(document, fault)
            return None
        return packet

    def document(self, items: Mapping[str, Any]) -> dict[str, Any]:
        """The items as a record has them: nested, in their ranges, in the order of tags."""
        flat = {path: _fitted(path, value) for path, value in items.items()}
        nested: dict[str, Any] = {}
        for path, value in _with_finer(flat).items():
            *outer, key = path.split(".")
            place = nested
            for step in outer:
                inner = place.setdefault(step, {})
                place = inner if isinstance(inner, dict) else {}
            place[key] = value
        return {key: nested[key] for key in sorted(nested, key=lambda key: ITEMS[key].tag)}

    def missing(self) -> list[str]:
        """Items of ST 0902's minimum set that no packet has."""
        return [either[0] for either in MINIMUM if not any(key in self.written for key in either)]

    def _omit(self, document: dict[str, Any], fault: EncodeError) -> None:
        """Remove the item that an error names. Raises the error again if it names none."""
        key = fault.path.removeprefix("ST0601").strip().partition(".")[0].partition("[")[0]
        if key not in document:
            raise fault
        del document[key]
        count, reason = self.omitted.get(key, (0, str(fault).removeprefix("ST0601 ")))
        self.omitted[key] = count + 1, reason


def _fitted(path: str, value: Any) -> Any:
    """The value within the circle of an angle, and without a fraction in an item of whole numbers."""
    if not isinstance(value, float):
        return value
    circle = circle_of(path)
    if circle is not None and not circle[0] <= value <= circle[1]:
        return (value - circle[0]) % 360 + circle[0]
    item = item_at(path)
    whole = item is not None and item.mapping == "raw" and item.kind in ("uint", "int", "timestamp")
    return round(value) if whole else value


def _with_finer(flat: dict[str, Any]) -> dict[str, Any]:
    """Both of an item and its finer successor; the coarse one only in its range."""
    for coarse, finer in FINER.items():
        value = flat.get(finer, flat.get(coarse))
        if value is None or not isinstance(value, int | float):
            continue
        item = ITEMS[coarse]
        flat.setdefault(finer, value)
        if item.min is not None and item.max is not None and item.min <= value <= item.max:
            flat.setdefault(coarse, value)
        else:
            flat.pop(coarse, None)
    return flat
