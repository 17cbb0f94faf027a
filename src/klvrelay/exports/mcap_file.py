"""MCAP for Foxglove and Lichtblick: channels of JSON messages.

    /{stream}/position       foxglove.LocationFix       where the aircraft is, on the map
    /{stream}/frame_center   foxglove.LocationFix       where it looks
    /{stream}/footprint      foxglove.GeoJSON           the picture on the ground
    /{stream}/scene          foxglove.SceneUpdate       the flight in space
    /{stream}/transforms     foxglove.FrameTransforms   its frames of reference
    /{stream}/record         klvrelay/1                 the record's JSON: every item, to plot
    /{stream}/video          foxglove.CompressedVideo   pictures as recorded, H.264 and H.265
    /{stream}/image          foxglove.CompressedImage   pictures of other video, JPEG

Messages have the time of the record or picture, in chunks of CHUNK bytes compressed with zstd, which also removes what
base64 adds to the pictures. A channel exists if it has messages.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any, BinaryIO, cast

from mcap.writer import Writer as ChunkWriter

from klvrelay.exports import mcap_shapes
from klvrelay.exports.contract import WriterOptions
from klvrelay.exports.counted_file import CountedFile
from klvrelay.exports.geojson import polygon
from klvrelay.exports.mcap_scene import Scene
from klvrelay.exports.mcap_schemas import SCHEMAS
from klvrelay.exports.positions import Sighting, TrackPoint, ground_of, time_of
from klvrelay.exports.sightings import Sightings
from klvrelay.json_output import dumps
from klvrelay.record import Record

CHUNK = 1 << 20
END_US = 1 << 53
"""Times from here on, in the year 2255, are none that a viewer shows."""
CONTENT = {
    "position": "foxglove.LocationFix", "frame_center": "foxglove.LocationFix", "footprint": "foxglove.GeoJSON",
    "scene": "foxglove.SceneUpdate", "transforms": "foxglove.FrameTransforms", "record": "klvrelay/1",
    "video": "foxglove.CompressedVideo", "image": "foxglove.CompressedImage",
}  # fmt: skip
"""Schemas by the first part of a channel's name."""


class McapWriter:
    """Records without a time are skipped; those without a position are on the channel `record` only."""

    def __init__(self, file: BinaryIO, options: WriterOptions) -> None:
        self._out = ChunkWriter(cast("BinaryIO", CountedFile(file)), chunk_size=CHUNK)
        self._stream = options.name
        self._sightings = Sightings(footprint_every=options.footprint_every, elevation=ground_of(options))
        self._scene = Scene(options.name, options.footprint_every)
        self._numbers = options.numbers
        self._schemas: dict[str, int] = {}
        self._channels: dict[str, int] = {}
        self._out.start(profile="", library="klvrelay")
        self.skipped = 0

    def write(self, record: Record) -> None:
        time_us = time_of(record)
        if not _is_shown(time_us):
            self.skipped += 1
            return
        assert time_us is not None
        self._add("record", time_us, record.seq, record.json(numbers=self._numbers))
        found = self._sightings.read(record)
        if found is not None:
            self._add_places(found, time_us, record.seq)
            self._add_scene(record, time_us)

    def write_picture(self, name: str, form: str, data: bytes, time_us: int) -> None:
        if _is_shown(time_us):
            fields = {"timestamp": mcap_shapes.time(time_us), "frame_id": f"{self._stream}/camera"}
            self._add(name, time_us, 0, dumps({**fields, "format": form, "data": b64encode(data).decode()}))

    def _add_places(self, found: Sighting, time_us: int, seq: int) -> None:
        self._add("position", time_us, seq, dumps(self._location_fix(found.platform, time_us, "platform")))
        if found.frame_center is not None:
            fix = self._location_fix(found.frame_center, time_us, "frame_center")
            self._add("frame_center", time_us, seq, dumps(fix))
        if found.footprint is not None and (geometry := polygon(found.footprint)):
            feature = {"type": "Feature", "properties": {"name": "footprint"}, "geometry": geometry}
            self._add("footprint", time_us, seq, dumps({"geojson": dumps(feature).decode()}))

    def _add_scene(self, record: Record, time_us: int) -> None:
        updates = self._scene.update(record, time_us)
        if updates is not None:
            for name, message in zip(("scene", "transforms"), updates, strict=True):
                self._add(name, time_us, record.seq, dumps(message))

    def _add(self, name: str, time_us: int, seq: int, message: bytes) -> None:
        channel = self._channels.get(name)
        if channel is None:
            channel = self._channels[name] = self._registered(name)
        self._out.add_message(channel, time_us * 1000, message, time_us * 1000, seq & 0xFFFFFFFF)

    def _registered(self, name: str) -> int:
        schema = CONTENT[name.partition("_0x")[0]]
        if schema not in self._schemas:
            document = dumps(SCHEMAS[schema])
            self._schemas[schema] = self._out.register_schema(name=schema, encoding="jsonschema", data=document)
        return self._out.register_channel(f"/{self._stream}/{name}", "json", self._schemas[schema])

    def _location_fix(self, point: TrackPoint, time_us: int, frame: str) -> dict[str, Any]:
        """A foxglove.LocationFix. Its accuracy is not known."""
        return {
            "timestamp": mcap_shapes.time(time_us),
            "frame_id": f"{self._stream}/{frame}",
            "latitude": point.latitude,
            "longitude": point.longitude,
            "altitude": point.hae or 0.0,
            "position_covariance": [0.0] * 9,
            "position_covariance_type": 0,
        }

    def finish(self) -> None:
        self._out.finish()  # type: ignore[no-untyped-call]

    def abandon(self) -> None:
        """The chunk in memory is released with the writer."""


def _is_shown(time_us: int | None) -> bool:
    return time_us is not None and 0 <= time_us < END_US
