"""CZML for Cesium: a clock, the moving aircraft with its orientation, the frame centre, and the footprint.

Times are seconds from the first record. Heights are above the ellipsoid, as Cesium expects; 0 if unknown. Samples are
written in packets of PIECE, which Cesium joins by their `id`, so that a flight of any length takes the memory of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO

from klvrelay.exports.contract import WriterOptions
from klvrelay.exports.orientation import orientation
from klvrelay.exports.positions import LonLat, Sighting, TrackPoint, ground_of
from klvrelay.exports.sightings import Sightings
from klvrelay.exports.spill import Spill
from klvrelay.exports.times import iso_time
from klvrelay.json_output import dumps
from klvrelay.record import Record

PIECE = 500
LAST_US = 1_000_000
"""Microseconds for which the last footprint is shown."""
ORANGE, CYAN = [255, 165, 0, 255], [0, 255, 255, 255]
AIRCRAFT, CENTER, FOOTPRINT = "aircraft", "frame_center", "footprint"


class Samples:
    """Samples of one moving object that wait for the next packet."""

    def __init__(self) -> None:
        self.places: list[float] = []
        self.turns: list[float] = []
        self.count = 0

    def add(self, second: float, point: TrackPoint) -> None:
        self.places += second, round(point.longitude, 8), round(point.latitude, 8), round(point.hae or 0.0, 3)
        self.count += 1


class CzmlWriter:
    """Everything is written at the end: the document begins with the time span of the flight."""

    def __init__(self, file: BinaryIO, options: WriterOptions) -> None:
        self._file, self._name = file, options.name
        every, ground = options.footprint_every, ground_of(options)
        self._sightings = Sightings(footprint_every=every, needs_time=True, elevation=ground)
        self._spill = Spill(options.folder)
        self._samples = {AIRCRAFT: Samples(), CENTER: Samples()}
        self._shown: tuple[tuple[LonLat, ...], int] | None = None
        self._epoch_us: int | None = None
        self._ends = 0, 0

    @property
    def skipped(self) -> int:
        return self._sightings.skipped

    def write(self, record: Record) -> None:
        found = self._sightings.read(record)
        if found is None or found.time_us is None:
            return
        if self._epoch_us is None:
            self._epoch_us, self._ends = found.time_us, (found.time_us, found.time_us)
        self._ends = min(self._ends[0], found.time_us), max(self._ends[1], found.time_us)
        self._add(found, (found.time_us - self._epoch_us) / 1e6)
        if found.footprint is not None:
            self._end_footprint(found.time_us)
            self._shown = found.footprint, found.time_us

    def _add(self, found: Sighting, second: float) -> None:
        aircraft = self._samples[AIRCRAFT]
        aircraft.add(second, found.platform)
        if found.angles is not None:
            turn = orientation(found.platform, found.angles)
            aircraft.turns += second, *(round(part, 9) for part in turn)
        if found.frame_center is not None:
            self._samples[CENTER].add(second, found.frame_center)
        if aircraft.count >= PIECE:
            self._end_piece()

    def _end_piece(self) -> None:
        for name, samples in self._samples.items():
            if samples.count:
                self._packet({"id": name, **self._sampled(samples)})
                self._samples[name] = Samples()

    def _sampled(self, samples: Samples) -> dict[str, Any]:
        epoch = iso_time(self._epoch_us)
        found: dict[str, Any] = {"position": {"epoch": epoch, "cartographicDegrees": samples.places}}
        if samples.turns:
            found["orientation"] = {"epoch": epoch, "unitQuaternion": samples.turns}
        return found

    def _end_footprint(self, time_us: int) -> None:
        """The footprint shown so far ends at this time; one second later if the clock steps back."""
        if self._shown is None:
            return
        corners, since = self._shown
        end = iso_time(time_us if time_us > since else since + LAST_US)
        if end is not None:
            flat = [part for lon, lat in corners for part in (round(lon, 8), round(lat, 8), 0)]
            interval = f"{iso_time(since)}/{end}"
            self._packet({
                "id": FOOTPRINT,
                "polygon": {"positions": {"interval": interval, "cartographicDegrees": flat},
                            "show": {"interval": interval, "boolean": True}},
            })  # fmt: skip

    def _packet(self, packet: Mapping[str, Any]) -> None:
        self._spill.write(f",\n{dumps(packet).decode()}")

    def finish(self) -> None:
        if self._shown is not None:
            self._end_footprint(self._shown[1] + LAST_US)
        self._end_piece()
        first, last = (iso_time(moment) for moment in self._ends)
        interval = f"{first}/{last}" if self._epoch_us is not None else None
        packets = [document_packet(self._name, interval)]
        if interval is not None:
            packets += object_packets(self._name, interval)
        self._file.write(b"[\n" + b",\n".join(map(dumps, packets)))
        self._spill.copy_to(self._file)
        self._file.write(b"\n]\n")

    def abandon(self) -> None:
        self._spill.close()


def document_packet(name: str, interval: str | None) -> dict[str, Any]:
    """The first packet; its clock runs through the flight once."""
    packet: dict[str, Any] = {"id": "document", "name": name, "version": "1.0"}
    if interval is not None:
        packet["clock"] = {
            "interval": interval, "currentTime": interval.partition("/")[0], "multiplier": 1, "range": "CLAMPED",
            "step": "SYSTEM_CLOCK_MULTIPLIER",
        }  # fmt: skip
    return packet


def object_packets(name: str, interval: str) -> list[dict[str, Any]]:
    """What the objects look like; their samples follow in further packets."""
    path = {"material": {"solidColor": {"color": {"rgba": ORANGE}}}, "width": 2, "resolution": 1}
    return [
        {"id": AIRCRAFT, "name": name, "availability": interval, "path": path, "point": _point(ORANGE)},
        {"id": CENTER, "name": "frame centre", "availability": interval, "point": _point(CYAN)},
        {"id": FOOTPRINT, "name": "footprint", "availability": interval, "polygon": {
            "material": {"solidColor": {"color": {"rgba": [*CYAN[:3], 60]}}}, "show": False,
        }},
    ]  # fmt: skip


def _point(color: list[int]) -> dict[str, Any]:
    return {"color": {"rgba": color}, "pixelSize": 8}
