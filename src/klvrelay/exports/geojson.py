"""GeoJSON (RFC 7946): one FeatureCollection.

    footprints     Polygon, counter-clockwise, or MultiPolygon at 180 degrees; `time`
    positions      with `points`: Point for each record, with its items as properties
    tracks         of the platform and of the frame centre: LineString or MultiLineString; `coordTimes`

Coordinates are longitude, latitude (WGS84), and the height above the ellipsoid where it is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, BinaryIO

from klvrelay.exports.contract import WriterOptions
from klvrelay.exports.lines import TrackLine, position
from klvrelay.exports.positions import LonLat, Sighting, ground_of
from klvrelay.exports.rings import cut_ring
from klvrelay.exports.sightings import Sightings
from klvrelay.exports.times import iso_time
from klvrelay.json_output import dumps
from klvrelay.record import Record


class GeoJsonWriter:
    """Footprints and points are written as they come; tracks, of any length, at the end."""

    def __init__(self, file: BinaryIO, options: WriterOptions) -> None:
        self._file, self._name, self._points = file, options.name, options.points
        self._sightings = Sightings(footprint_every=options.footprint_every, elevation=ground_of(options))
        self._platform = TrackLine("platform", options.folder)
        self._center = TrackLine("frame_center", options.folder)
        self._features = 0
        file.write(b'{"type":"FeatureCollection","name":' + dumps(options.name) + b',"features":[')

    @property
    def skipped(self) -> int:
        return self._sightings.skipped

    def write(self, record: Record) -> None:
        found = self._sightings.read(record)
        if found is None:
            return
        self._platform.add(found.platform, found.time_us)
        if found.frame_center is not None:
            self._center.add(found.frame_center, found.time_us)
        if self._points:
            self._point(record, found)
        if found.footprint is not None and (geometry := polygon(found.footprint)):
            self._footprint(found, geometry)

    def _point(self, record: Record, found: Sighting) -> None:
        plain = {key: value for key, value in record.items.items() if not isinstance(value, dict | list)}
        properties = {"name": self._name, "kind": "position", "time": iso_time(found.time_us), "seq": record.seq}
        self._begin_feature()
        self._file.write(
            b'{"type":"Feature","properties":%s,"geometry":{"type":"Point","coordinates":%s}}'
            % (dumps(properties | plain), position(found.platform).encode())
        )

    def _footprint(self, found: Sighting, geometry: dict[str, Any]) -> None:
        properties = {
            "name": self._name, "kind": "footprint", "time": iso_time(found.time_us), "source": found.source,
        }  # fmt: skip
        self._begin_feature()
        self._file.write(dumps({"type": "Feature", "properties": properties, "geometry": geometry}))

    def _begin_feature(self) -> None:
        self._file.write(b",\n" if self._features else b"\n")
        self._features += 1

    def finish(self) -> None:
        for track in (self._platform, self._center):
            if track.count:
                self._begin_feature()
                track.copy_to(self._file, self._name)
        self._file.write(b"\n]}\n")
        self.abandon()

    def abandon(self) -> None:
        self._platform.close()
        self._center.close()


def polygon(footprint: Sequence[LonLat]) -> dict[str, Any] | None:
    """A footprint as a Polygon, or as a MultiPolygon at 180 degrees; None without area, and around a pole."""
    rings = [[_rounded(corner) for corner in [*ring, ring[0]]] for ring in cut_ring(footprint)]
    if not rings:
        return None
    if len(rings) == 1:
        return {"type": "Polygon", "coordinates": rings}
    return {"type": "MultiPolygon", "coordinates": [[ring] for ring in rings]}


def _rounded(corner: LonLat) -> list[float]:
    return [round(corner[0], 8), round(corner[1], 8)]
