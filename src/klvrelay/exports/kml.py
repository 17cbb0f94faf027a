"""KML 2.2 for Google Earth: the tracks of platform and frame centre, and footprints, all with time.

Tracks are `gx:Track` in pieces of PIECE positions, so that a flight of any length takes the memory of one piece. A
footprint is shown until the next one. Heights are above sea level, as Google Earth expects; 0 if unknown.
"""

from __future__ import annotations

from typing import BinaryIO

from klvrelay.exports import kml_parts
from klvrelay.exports.contract import WriterOptions
from klvrelay.exports.positions import LonLat, PlatformAngles, TrackPoint, ground_of
from klvrelay.exports.sightings import Sightings
from klvrelay.exports.spill import Spill
from klvrelay.exports.times import iso_time
from klvrelay.record import Record

PIECE = 1000
LAST_US = 1_000_000
"""Microseconds for which the last footprint is shown."""


class TrackPieces:
    """One track: pieces in a temporary file, and the positions of the last one."""

    def __init__(self, mode: str, folder: str | None) -> None:
        self._mode = mode
        self._points: list[tuple[str, TrackPoint, PlatformAngles | None]] = []
        self._spill = Spill(folder)

    def add(self, time: str, point: TrackPoint, angles: PlatformAngles | None) -> None:
        self._points.append((time, point, angles))
        if len(self._points) >= PIECE:
            self._end_piece()
            self._points = self._points[-1:]

    def _end_piece(self) -> None:
        if self._points:
            self._spill.write(kml_parts.track_piece(self._mode, self._points))

    def copy_to(self, out: BinaryIO, name: str, style: str) -> None:
        """Write the placemark, if there is any position."""
        self._end_piece()
        if self._spill.size:
            out.write(kml_parts.track_begin(name, style, self._mode).encode())
            self._spill.copy_to(out)
            out.write(kml_parts.TRACK_END.encode())
        self.close()

    def close(self) -> None:
        self._spill.close()


class KmlWriter:
    """Everything is written at the end: the document begins with the time span of the flight."""

    def __init__(self, file: BinaryIO, options: WriterOptions) -> None:
        self._file, self._name = file, options.name
        every, ground = options.footprint_every, ground_of(options)
        self._sightings = Sightings(footprint_every=every, needs_time=True, elevation=ground)
        self._platform = TrackPieces("absolute", options.folder)
        self._center = TrackPieces("clampToGround", options.folder)
        self._footprints = Spill(options.folder)
        self._shown: tuple[tuple[LonLat, ...], int] | None = None
        self._span: tuple[int, int] | None = None

    @property
    def skipped(self) -> int:
        return self._sightings.skipped

    def write(self, record: Record) -> None:
        found = self._sightings.read(record)
        if found is None or found.time_us is None or (time := iso_time(found.time_us)) is None:
            return
        first, last = self._span or (found.time_us, found.time_us)
        self._span = min(first, found.time_us), max(last, found.time_us)
        self._platform.add(time, found.platform, found.angles)
        if found.frame_center is not None:
            self._center.add(time, found.frame_center, None)
        if found.footprint is not None:
            self._end_footprint(found.time_us)
            self._shown = found.footprint, found.time_us

    def _end_footprint(self, time_us: int) -> None:
        """The footprint shown so far ends at this time; one second later if the clock steps back."""
        if self._shown is None:
            return
        corners, since = self._shown
        begin, end = iso_time(since), iso_time(time_us if time_us > since else since + LAST_US)
        if begin and end:
            self._footprints.write(kml_parts.footprint(corners, begin, end))

    def finish(self) -> None:
        if self._shown is not None:
            self._end_footprint(self._shown[1] + LAST_US)
        begin, end = self._span or (None, None)
        self._file.write(kml_parts.document_begin(self._name, iso_time(begin), iso_time(end)).encode())
        self._platform.copy_to(self._file, self._name, "platform")
        self._center.copy_to(self._file, f"{self._name}: frame centre", "center")
        if self._footprints.size:
            self._file.write(b"<Folder><name>footprints</name>\n")
            self._footprints.copy_to(self._file)
            self._file.write(b"</Folder>\n")
        self._file.write(kml_parts.DOCUMENT_END.encode())
        self.abandon()

    def abandon(self) -> None:
        self._platform.close()
        self._center.close()
        self._footprints.close()
