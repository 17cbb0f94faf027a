"""Exports records in tests, and says what the files must contain."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conftest import ROOT

import klvrelay
from klvrelay import geo
from klvrelay.encode import encode
from klvrelay.exports.contract import WriterOptions
from klvrelay.exports.formats import open_writer
from klvrelay.record import Record

ORBIT = ROOT / "samples" / "orbit.ts"
DEGREES = 2e-8
"""Files have 8 decimals."""
TIME_US = 1_780_000_000_000_000


def export(form: str, records: Iterable[Record], **options: Any) -> bytes:
    """The file of these records."""
    file = io.BytesIO()
    writer = open_writer(form, file, WriterOptions(**options))
    for record in records:
        writer.write(record)
    writer.finish()
    return file.getvalue()


def layer_of(path: Path, layer: str | None = None) -> Any:
    """A layer of a file, as geopandas reads it."""
    import geopandas  # takes 0.4 s: only in the processes that read one

    return geopandas.read_file(path, layer=layer)


def exported(folder: Path, form: str, records: Iterable[Record], **options: Any) -> Path:
    """The same in a file."""
    path = folder / f"flight.{form}"
    path.write_bytes(export(form, records, **options))
    return path


def skipped_by(form: str, records: Iterable[Record], **options: Any) -> int:
    """The records that the writer counts as skipped."""
    writer = open_writer(form, io.BytesIO(), WriterOptions(**options))
    for record in records:
        writer.write(record)
    count = writer.skipped
    writer.abandon()
    return count


def flight(positions: Sequence[tuple[float, float]], step_us: int = 1_000_000, **items: Any) -> list[Record]:
    """A record for each longitude and latitude, one second apart (without time if `step_us` is 0), with these items."""
    packets = []
    for n, (lon, lat) in enumerate(positions):
        time = {"precision_time_stamp": TIME_US + n * step_us} if step_us else {}
        packets.append(encode({**time, "sensor_latitude": lat, "sensor_longitude": lon, **items}))
    return klvrelay.decode(b"".join(packets), stream="uav1")


@dataclass(frozen=True, slots=True)
class Tape:
    """A recording: its good records, and what its JSON says about positions: (longitude, latitude)."""

    name: str
    records: list[Record]

    @property
    def items(self) -> list[dict[str, Any]]:
        return [record.items for record in self.records]

    @property
    def platforms(self) -> list[tuple[float, float]]:
        return [(items["sensor_longitude"], items["sensor_latitude"]) for items in self.items]

    @property
    def centers(self) -> list[tuple[float, float]]:
        return [(items["frame_center_longitude"], items["frame_center_latitude"]) for items in self.items]

    @property
    def heights(self) -> list[float]:
        """Of the platform, metres above the ellipsoid: as sent, else sea level and EGM96."""
        return [
            items["sensor_ellipsoid_height_extended"]
            if "sensor_ellipsoid_height_extended" in items
            else geo.msl_to_hae(items["sensor_true_altitude"], items["sensor_latitude"], items["sensor_longitude"])
            for items in self.items
        ]


def tape(path: Path) -> Tape:
    """The good records of a recording, each with a position and a frame centre."""
    return Tape(path.stem, [record for record in klvrelay.open(path) if record.good])
