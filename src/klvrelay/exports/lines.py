"""A track as a GeoJSON feature, of any length: its coordinates and times wait in temporary files."""

from __future__ import annotations

from typing import BinaryIO

from klvrelay.exports.numbers_text import degrees, metres
from klvrelay.exports.positions import TrackPoint
from klvrelay.exports.rings import crosses, crossing
from klvrelay.exports.spill import Spill
from klvrelay.exports.times import iso_time
from klvrelay.json_output import dumps

BREAK = "],["
"""Between two lines of a MultiLineString, and between their times."""


class TrackLine:
    """Positions in order, as a LineString, or as a MultiLineString if they cross 180 degrees (RFC 7946, 3.1.9).

    `coordTimes` and `msl` (height above sea level) of the properties have one element per position. Positions have a
    third number, the height above the ellipsoid, where it is known.
    """

    def __init__(self, kind: str, folder: str | None) -> None:
        self._kind = kind
        self._places, self._times, self._heights = (Spill(folder) for _ in range(3))
        self._last: tuple[TrackPoint, int | None] | None = None
        self._ends: tuple[str | None, str | None] = None, None
        self._has_heights = False
        self.count = 0
        self._cuts = 0

    def add(self, point: TrackPoint, time_us: int | None) -> None:
        if self._last is not None and crosses(self._last[0].longitude, point.longitude):
            self._cut(*self._last, point, time_us)
        self._put(point, iso_time(time_us))
        self._last = point, time_us
        self.count += 1

    def _cut(self, before: TrackPoint, before_us: int | None, after: TrackPoint, after_us: int | None) -> None:
        """End the line at 180 degrees, and continue on the other side."""
        near, far, part = crossing(before.longitude, after.longitude)
        latitude = before.latitude + part * (after.latitude - before.latitude)
        hae, msl = _between(before.hae, after.hae, part), _between(before.msl, after.msl, part)
        moment = _between(before_us, after_us, part)
        time = iso_time(None if moment is None else round(moment))
        self._put(TrackPoint(near, latitude, hae, msl), time)
        for spill in (self._places, self._times, self._heights):
            spill.write(BREAK)
        self._cuts += 1
        self._put(TrackPoint(far, latitude, hae, msl), time, first=True)

    def _put(self, point: TrackPoint, time: str | None, *, first: bool = False) -> None:
        comma = "" if first or not self._places.size else ","
        self._places.write(f"{comma}{position(point)}")
        self._times.write(f'{comma}"{time}"' if time else f"{comma}null")
        self._heights.write(f"{comma}{metres(point.msl) or 'null'}")
        self._has_heights = self._has_heights or point.msl is not None
        self._ends = self._ends[0] or time, time or self._ends[1]

    def copy_to(self, out: BinaryIO, name: str) -> None:
        """Write the feature."""
        begin, end = self._ends
        properties = dumps({"name": name, "kind": self._kind, "begin": begin, "end": end, "positions": self.count})
        out.write(b'{"type":"Feature","properties":' + properties[:-1] + b',"coordTimes":')
        _list(out, self._times, self._cuts)
        if self._has_heights:
            out.write(b',"msl":')
            _list(out, self._heights, self._cuts)
        out.write(b'},"geometry":')
        self._geometry(out)
        out.write(b"}")
        self.close()

    def _geometry(self, out: BinaryIO) -> None:
        """A LineString needs two positions: one alone is a Point."""
        if self.count == 1:
            out.write(b'{"type":"Point","coordinates":')
            self._places.copy_to(out)
        else:
            out.write(b'{"type":"%sLineString","coordinates":' % (b"Multi" if self._cuts else b""))
            _list(out, self._places, self._cuts)
        out.write(b"}")

    def close(self) -> None:
        for spill in (self._places, self._times, self._heights):
            spill.close()


def position(point: TrackPoint) -> str:
    """A GeoJSON position: longitude, latitude, and the height above the ellipsoid if known."""
    height = metres(point.hae)
    return f"[{degrees(point.longitude)},{degrees(point.latitude)}{f',{height}' if height else ''}]"


def _list(out: BinaryIO, spill: Spill, cuts: int) -> None:
    begin, end = (b"[[", b"]]") if cuts else (b"[", b"]")
    out.write(begin)
    spill.copy_to(out)
    out.write(end)


def _between(one: float | None, two: float | None, part: float) -> float | None:
    return None if one is None or two is None else one + part * (two - one)
