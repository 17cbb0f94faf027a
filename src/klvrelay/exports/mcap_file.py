"""MCAP for Foxglove and Lichtblick: channels of JSON messages.

    /{stream}/position       foxglove.LocationFix    where the aircraft is, on the map
    /{stream}/frame_center   foxglove.LocationFix    where it looks
    /{stream}/footprint      foxglove.GeoJSON        the picture on the ground
    /{stream}/record         klvrelay/1              the record's JSON: every item, to plot

Video is not in the file. Messages have the time of the record, in chunks of CHUNK bytes compressed with zstd.
"""

from __future__ import annotations

from typing import Any, BinaryIO, cast

from mcap.writer import Writer as ChunkWriter

from klvrelay.exports.contract import WriterOptions
from klvrelay.exports.counted_file import CountedFile
from klvrelay.exports.geojson import polygon
from klvrelay.exports.mcap_schemas import GEOJSON, LOCATION_FIX, record_schema
from klvrelay.exports.positions import Sighting, TrackPoint, ground_of, time_of
from klvrelay.exports.sightings import Sightings
from klvrelay.json_output import dumps
from klvrelay.record import Record

CHUNK = 1 << 20


class McapWriter:
    """Records without a time are skipped; those without a position are on the channel `record` only."""

    def __init__(self, file: BinaryIO, options: WriterOptions) -> None:
        self._out = ChunkWriter(cast("BinaryIO", CountedFile(file)), chunk_size=CHUNK)
        self._sightings = Sightings(footprint_every=options.footprint_every, elevation=ground_of(options))
        self._numbers = options.numbers
        self._out.start(profile="", library="klvrelay")
        self._channels = self._registered(options.name)
        self.skipped = 0

    def _registered(self, stream: str) -> dict[str, int]:
        schemas = {"foxglove.LocationFix": LOCATION_FIX, "foxglove.GeoJSON": GEOJSON, "klvrelay/1": record_schema()}
        numbers = {
            name: self._out.register_schema(name=name, encoding="jsonschema", data=dumps(schema))
            for name, schema in schemas.items()
        }
        channels = {
            "position": "foxglove.LocationFix", "frame_center": "foxglove.LocationFix",
            "footprint": "foxglove.GeoJSON", "record": "klvrelay/1",
        }  # fmt: skip
        return {
            name: self._out.register_channel(f"/{stream}/{name}", "json", numbers[schema])
            for name, schema in channels.items()
        }

    def write(self, record: Record) -> None:
        time_us = time_of(record)
        if time_us is None or not 0 <= time_us < 1 << 53:
            self.skipped += 1
            return
        self._add("record", time_us, record.seq, record.json(numbers=self._numbers))
        found = self._sightings.read(record)
        if found is not None:
            self._add_places(found, time_us, record.seq)

    def _add_places(self, found: Sighting, time_us: int, seq: int) -> None:
        self._add("position", time_us, seq, dumps(location_fix(found.platform, time_us, "platform")))
        if found.frame_center is not None:
            self._add("frame_center", time_us, seq, dumps(location_fix(found.frame_center, time_us, "frame_center")))
        if found.footprint is not None and (geometry := polygon(found.footprint)):
            feature = {"type": "Feature", "properties": {"name": "footprint"}, "geometry": geometry}
            self._add("footprint", time_us, seq, dumps({"geojson": dumps(feature).decode()}))

    def _add(self, channel: str, time_us: int, seq: int, message: bytes) -> None:
        moment = time_us * 1000
        self._out.add_message(self._channels[channel], moment, message, moment, seq & 0xFFFFFFFF)

    def finish(self) -> None:
        self._out.finish()  # type: ignore[no-untyped-call]

    def abandon(self) -> None:
        """The chunk in memory is released with the writer."""


def location_fix(point: TrackPoint, time_us: int, frame: str) -> dict[str, Any]:
    """A foxglove.LocationFix. Its accuracy is not known."""
    return {
        "timestamp": {"sec": time_us // 1_000_000, "nsec": time_us % 1_000_000 * 1000},
        "frame_id": frame,
        "latitude": point.latitude,
        "longitude": point.longitude,
        "altitude": point.hae or 0.0,
        "position_covariance": [0.0] * 9,
        "position_covariance_type": 0,
    }
