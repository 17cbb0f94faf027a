"""Reads the telemetry in a DJI subtitle file (.srt): a cue for each frame, or for each second.

    1
    00:00:00,000 --> 00:00:00,033
    <font size="28">FrameCnt: 1, DiffTime: 33ms
    2023-05-01 12:34:56.789
    [latitude: 48.2] [longitude: 11.5] ... </font>
    (an empty line)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

from klvrelay.errors import SourceError
from klvrelay.importing.dji_text import GpsOrder, clock_of, values_of
from klvrelay.importing.telemetry import FlightTelemetry, RowFaults, TelemetryRow, check_room, in_order
from klvrelay.importing.text_lines import TextLine, text_lines
from klvrelay.text import counted

CUE_MOST = 1 << 13
"""Maximum characters of a cue; the rest is ignored."""
COORDINATES = "Geodetic WGS84"
PACE = 0.02
"""Difference of speed between the aircraft's clock and the cues from which it is reported."""

_STAMP = r"(\d{1,3}):(\d{2}):(\d{2})[,.](\d{1,3})"
_CUE = re.compile(rf"\s*{_STAMP}\s*-->\s*{_STAMP}")


class SubtitleCue(NamedTuple):
    """A cue: its start in microseconds, the line of its times, its text."""

    start_us: int
    line: int
    text: str


class _Offset(NamedTuple):
    """A cue's start, and how far the clock in it is ahead of the start; microseconds."""

    start_us: int
    ahead_us: int
    is_fine: bool


def is_srt(lines: Iterable[TextLine]) -> bool:
    """Do these first lines hold the times of a cue?"""
    return any(_CUE.match(line.text) for line in lines)


def read_dji_srt(path: Path, order: GpsOrder | None = None) -> FlightTelemetry:
    """The telemetry of a subtitle file, at its cues' times relative to the video. Raises SourceError if there is none.

    order   of the numbers in `GPS(...)`; None: by the form
    """
    rows: list[TelemetryRow] = []
    offsets: list[_Offset] = []
    faults = RowFaults("cue")
    keys: dict[tuple[str, ...], tuple[str, ...]] = {}
    for cue in cues_of(text_lines(path)):
        check_room(rows, path)
        clock = clock_of(cue.text)
        if clock is not None:
            offsets.append(_Offset(cue.start_us, clock.time_us - cue.start_us, clock.is_fine))
        if values := values_of(cue.text, order):
            names = (*values, "image_coordinate_system")
            names = keys.setdefault(names, names)
            rows.append(TelemetryRow(cue.start_us, cue.line, names, (*values.values(), COORDINATES)))
        else:
            faults.add(cue.line, "no telemetry in this cue")
    if not rows:
        raise SourceError(f"{path}: no DJI telemetry in {counted(faults.count, 'cue')}; are these ordinary subtitles?")
    notes = [*in_order(rows, "cue"), *faults.describe(), *_no_fix(rows), *_pace(offsets)]
    columns = [(key, key) for key in dict.fromkeys(key for names in keys for key in names)]
    clock_us = _clock_at_zero(offsets)
    return FlightTelemetry("DJI subtitles", rows, True, clock_us, clock_us is not None, columns, (), notes)


def cues_of(lines: Iterable[TextLine]) -> Iterator[SubtitleCue]:
    """The cues of a subtitle file. Empty lines and numbers between them may be missing."""
    start: tuple[int, int] | None = None
    text: list[str] = []
    for line in lines:
        if found := _CUE.match(line.text):
            if start is not None:
                yield SubtitleCue(*start, _joined(text[:-1] if text and text[-1].strip().isdecimal() else text))
            start, text = (_microseconds(found), line.number), []
        elif start is not None and not line.text.strip():
            if text:
                yield SubtitleCue(*start, _joined(text))
                start = None
        elif start is not None and len(text) < 32:
            text.append(line.text)
    if start is not None:
        yield SubtitleCue(*start, _joined(text))


def _joined(text: list[str]) -> str:
    return "\n".join(text)[:CUE_MOST]


def _microseconds(found: re.Match[str]) -> int:
    hours, minutes, seconds = (int(found[number]) for number in (1, 2, 3))
    return ((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + int(found[4].ljust(3, "0")) * 1000


def _clock_at_zero(offsets: list[_Offset]) -> int | None:
    """The clock at cue time 0: the median; whole seconds are rounded down, so of those the latest near the median."""
    if not offsets:
        return None
    middle = round(median(offset.ahead_us for offset in offsets))
    if any(offset.is_fine for offset in offsets):
        return middle
    return max(offset.ahead_us for offset in offsets if offset.ahead_us - middle <= 1_000_000)


def _pace(offsets: list[_Offset]) -> list[str]:
    """A note if the clock runs at another speed than the cues."""
    if len(offsets) < 2:
        return []
    (start, ahead, _), (end, later, _) = min(offsets), max(offsets)
    grown = later - ahead
    if end - start < 5_000_000 or abs(grown) < max(2_000_000, PACE * (end - start)):
        return []
    speed = 1 + grown / (end - start)
    return [f"the clock in the cues runs {speed:.3g} times as fast as the video (time lapse?); times follow the video"]


def _no_fix(rows: list[TelemetryRow]) -> list[str]:
    without = sum("sensor_latitude" not in row.keys for row in rows)
    return [f"no position in {without} of {counted(len(rows), 'cue')} (no GPS fix?)"] if without else []


