"""GPX 1.1: the tracks of the platform and of the frame centre.

`ele` is the height above sea level, and `geoidheight` what to add for the height above the ellipsoid.
"""

from __future__ import annotations

from typing import BinaryIO

from klvrelay.exports.contract import WriterOptions
from klvrelay.exports.numbers_text import degrees, metres
from klvrelay.exports.positions import TrackPoint, ground_of
from klvrelay.exports.sightings import Sightings
from klvrelay.exports.spill import Spill
from klvrelay.exports.times import iso_time
from klvrelay.exports.xml_text import xml_text
from klvrelay.record import Record

BEGIN = """\
<?xml version="1.0" encoding="UTF-8"?>
<gpx version="1.1" creator="klvrelay" xmlns="http://www.topografix.com/GPX/1/1">
"""


class GpxWriter:
    """The track of the platform is written as it comes, that of the frame centre at the end."""

    def __init__(self, file: BinaryIO, options: WriterOptions) -> None:
        self._file, self._name = file, options.name
        self._sightings = Sightings(elevation=ground_of(options))
        self._center = Spill(options.folder)
        file.write((BEGIN + _track_begin(options.name)).encode())

    @property
    def skipped(self) -> int:
        return self._sightings.skipped

    def write(self, record: Record) -> None:
        found = self._sightings.read(record)
        if found is None:
            return
        self._file.write(track_point(found.platform, found.time_us).encode())
        if found.frame_center is not None:
            self._center.write(track_point(found.frame_center, found.time_us))

    def finish(self) -> None:
        self._file.write(TRACK_END)
        if self._center.size:
            self._file.write(_track_begin(f"{self._name}: frame centre").encode())
            self._center.copy_to(self._file)
            self._file.write(TRACK_END)
        self._file.write(b"</gpx>\n")
        self.abandon()

    def abandon(self) -> None:
        self._center.close()


TRACK_END = b"</trkseg></trk>\n"


def _track_begin(name: str) -> str:
    return f"<trk><name>{xml_text(name)}</name><trkseg>\n"


def track_point(point: TrackPoint, time_us: int | None) -> str:
    """A `trkpt`. Longitudes of GPX are below 180 degrees."""
    longitude = degrees(point.longitude)
    geoid = None if point.msl is None or point.hae is None else point.hae - point.msl
    time = iso_time(time_us)
    return (
        f'<trkpt lat="{degrees(point.latitude)}" lon="{"-180" if longitude == "180" else longitude}">'
        + (f"<ele>{metres(point.msl)}</ele>" if point.msl is not None else "")
        + (f"<time>{time}</time>" if time else "")
        + (f"<geoidheight>{metres(geoid)}</geoidheight>" if geoid is not None else "")
        + "</trkpt>\n"
    )
