"""An import that can begin: the telemetry, what the video is, and the time of the first frame."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from klvrelay.core import stamp as read_stamp
from klvrelay.errors import ConfigError
from klvrelay.importing.clock import StartTime, VideoClock, length_note, start_of
from klvrelay.importing.csv_table import read_csv
from klvrelay.importing.derive import Derivation
from klvrelay.importing.dji_srt import is_srt, read_dji_srt
from klvrelay.importing.packets import PacketWriter
from klvrelay.importing.request import ImportRequest
from klvrelay.importing.telemetry import FlightTelemetry
from klvrelay.importing.text_lines import text_lines
from klvrelay.importing.timeline import ValueTimeline
from klvrelay.importing.times import LATEST
from klvrelay.importing.video import VideoFile, open_video
from klvrelay.multiplex.frame_stamp import Codec

EARLY_US = 1500
"""Microseconds by which a row may begin after its frame: cues are rounded to milliseconds."""
HEAD_LINES = 20
_FINDERS: dict[Codec, str] = {"h264": "h264", "h265": "hevc"}


class PacketTime(NamedTuple):
    """When a packet is due: PTS in the output (0 without a video), time of day, time since the first frame in µs."""

    pts: int
    time_us: int
    since_us: int


@dataclass(slots=True)
class Prepared:
    """What an import needs."""

    request: ImportRequest
    telemetry: FlightTelemetry
    video: VideoFile | None
    start: StartTime
    derivation: Derivation
    writer: PacketWriter
    timeline: ValueTimeline

    def items_at(self, instant: PacketTime) -> dict[str, Any]:
        """The items that hold at an instant, by path; empty if the telemetry has none. Instants are in order."""
        us = instant.since_us if self.telemetry.relative else instant.time_us
        early = 0 if self.request.interpolate else EARLY_US
        values = self.timeline.at(us - self.start.shift_us + early)
        return self.derivation.items({**values, **self.request.constants}) if values else {}


def prepare(request: ImportRequest) -> Prepared:
    """Read the telemetry, and what the video is. Raises ConfigError or SourceError."""
    request.check()
    telemetry = read_telemetry(request)
    video = None if request.video is None else open_video(request.video)
    clock = VideoClock()
    if video is not None:
        clock = VideoClock(_first_stamp(video), video.created_us, video.seconds)
    start = start_of(telemetry, clock, request.start_us, request.offset_us, request.shift_us)
    start = start._replace(notes=start.notes + length_note(telemetry, start, clock.seconds))
    setup = request.setup._replace(size=None if video is None else (video.width, video.height))
    timeline = ValueTimeline(telemetry.rows, round(request.max_age * 1e6), interpolate=request.interpolate)
    return Prepared(request, telemetry, video, start, Derivation(setup), PacketWriter(), timeline)


def read_telemetry(request: ImportRequest) -> FlightTelemetry:
    """Subtitles if the first lines have the times of a cue, otherwise a table."""
    if is_srt(islice(text_lines(request.telemetry), HEAD_LINES)):
        if request.wishes:
            raise ConfigError("--map: has an effect with a table only; DJI subtitles need no mapping")
        return read_dji_srt(request.telemetry, request.gps_order)
    return read_csv(request.telemetry, request.wishes)


def stamp_of(codec: Codec, data: bytes) -> int | None:
    """The time stamp in a frame (ST 0604); None if it has none, or one that may be damaged."""
    found = read_stamp(data, _FINDERS[codec])
    return None if found is None or found[4] or not 0 < found[0] <= LATEST else found[0]


def _first_stamp(video: VideoFile) -> int | None:
    first = next(video.read(), None)
    return None if first is None else stamp_of(video.codec, first.data)
