"""CSV for the Video Multiplexer of ArcGIS Pro, which joins it with a video.

The columns have the names of MISB items, as the tool expects: the thirteen from which it computes footprints, then the
frame centre and the corners. The time is in microseconds since 1970, other values in degrees and metres.
"""

from __future__ import annotations

from typing import BinaryIO

from klvrelay.core.selection import select
from klvrelay.exports.contract import WriterOptions
from klvrelay.exports.csv_cells import line_of
from klvrelay.exports.positions import time_of
from klvrelay.record import Record
from klvrelay.standards.spec import SETS

TIME = "precision_time_stamp"
ESSENTIAL = (
    TIME, "sensor_latitude", "sensor_longitude", "sensor_ellipsoid_height_extended", "sensor_true_altitude",
    "platform_heading_angle", "platform_pitch_angle", "platform_roll_angle", "sensor_relative_roll_angle",
    "sensor_relative_elevation_angle", "sensor_relative_azimuth_angle", "sensor_horizontal_field_of_view",
    "sensor_vertical_field_of_view",
)  # fmt: skip
FURTHER = (
    "slant_range", "target_width", "frame_center_latitude", "frame_center_longitude", "frame_center_elevation",
    *(f"corner_{axis}_point_{n}_full" for n in (1, 2, 3, 4) for axis in ("latitude", "longitude")),
)  # fmt: skip
INSTEAD = {
    "sensor_ellipsoid_height_extended": "sensor_ellipsoid_height",
    "platform_pitch_angle": "platform_pitch_angle_full",
    "platform_roll_angle": "platform_roll_angle_full",
}
"""Items that are written in a column if its own is absent."""


class EsriCsvWriter:
    """A row for each record with a time and a position."""

    def __init__(self, file: BinaryIO, _: WriterOptions) -> None:
        self._file = file
        self._columns = ESSENTIAL + FURTHER
        self._items = select(*self._columns[1:], *INSTEAD.values())
        self.skipped = 0
        file.write(line_of(column_names()))

    def write(self, record: Record) -> None:
        time_us = time_of(record)
        items = _items_of(record.json(items=self._items))
        if time_us is None or items.get("sensor_latitude") is None or items.get("sensor_longitude") is None:
            self.skipped += 1
            return
        values = (items.get(key, items.get(INSTEAD.get(key, key))) for key in self._columns[1:])
        self._file.write(line_of([time_us, *values]))

    def finish(self) -> None:
        """Nothing follows the last row."""

    def abandon(self) -> None:
        """Nothing is held."""


def column_names() -> list[str]:
    """The header: the names of the items in ST 0601."""
    names = {item.key: item.name for item in SETS["ST0601"].values()}
    return [names[key] for key in ESSENTIAL + FURTHER]


def _items_of(document: bytes) -> dict[str, object]:
    import orjson

    items: dict[str, object] = orjson.loads(document)["items"]
    return items
