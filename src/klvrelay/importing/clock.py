"""Decides the time of day of the first frame."""

from __future__ import annotations

from typing import NamedTuple

from klvrelay.errors import ConfigError
from klvrelay.importing.telemetry import FlightTelemetry
from klvrelay.importing.times import date_text, offset_text

QUARTER = 15 * 60 * 1_000_000
CLOSE = 180 * 1_000_000
"""A container is created within so many microseconds of its first frame, or of its last."""
OFFSET_MOST = 14 * 3600 * 1_000_000
APART = 2_000_000
"""Microseconds from which two times are considered different."""

STAMPED = "times are those in the video's frames (ST 0604)"


class VideoClock(NamedTuple):
    """What a video says about its time: the time stamp in its first frame (ST 0604), its creation, its duration."""

    stamp_us: int | None = None
    created_us: int | None = None
    seconds: float | None = None


class StartTime(NamedTuple):
    """The time of the first frame in microseconds since 1970, what to add to times of rows, and how it was found."""

    us: int
    shift_us: int
    notes: tuple[str, ...]
    warnings: tuple[str, ...]


def start_of(
    telemetry: FlightTelemetry, video: VideoClock, start_us: int | None, offset_us: int | None, shift_us: int
) -> StartTime:
    """The time of the first frame: `--start`, the telemetry's, or the video's.

    offset_us   offset of local times from UTC; None: by the container's creation time, else 0 with a warning
    shift_us    what to add to the times of the telemetry

    Raises ConfigError if nothing says what time it was.
    """
    if telemetry.relative:
        return _relative_start(telemetry, video, start_us, offset_us, shift_us)
    offset, notes, warnings = _offset(telemetry, telemetry.rows[0].at_us, video, offset_us)
    shift_us -= offset
    first_us = telemetry.rows[0].at_us + shift_us
    if start_us is not None:
        return StartTime(start_us, shift_us, notes, warnings)
    if video.stamp_us is not None:
        return StartTime(video.stamp_us, shift_us, (*notes, STAMPED), warnings)
    created = video.created_us
    if created is not None and first_us + APART < created <= telemetry.rows[-1].at_us + shift_us:
        return StartTime(created, shift_us, (*notes, _created_note(created)), warnings)
    notes = (*notes, f"the first row, at {date_text(first_us)}, is taken as the first frame; if not, give --start")
    if created is not None and abs(created - first_us) > APART:
        apart = (created - first_us) / 1e6
        notes = (*notes, f"the video's creation time is {date_text(created)}, {apart:+.0f} s from that")
    return StartTime(first_us, shift_us, notes, warnings)


def _created_note(created_us: int) -> str:
    return f"the video begins at its creation time, {date_text(created_us)}; if not, give --start"


def length_note(telemetry: FlightTelemetry, start: StartTime, seconds: float | None) -> tuple[str, ...]:
    """A note if the telemetry begins after the video, or does not end with it."""
    if seconds is None:
        return ()
    zero = (0 if telemetry.relative else start.us) - start.shift_us
    late = (telemetry.rows[0].at_us - zero) / 1e6
    over = (telemetry.rows[-1].at_us - zero) / 1e6 - seconds
    notes = [f"the telemetry begins {late:.1f} s after the video"] if late > APART / 1e6 else []
    if abs(over) > APART / 1e6:
        notes.append(f"the telemetry ends {abs(over):.1f} s {'after' if over > 0 else 'before'} the video")
    return tuple(notes)


def _relative_start(
    telemetry: FlightTelemetry, video: VideoClock, start_us: int | None, offset_us: int | None, shift_us: int
) -> StartTime:
    if start_us is not None:
        return StartTime(start_us, shift_us, (), ())
    if telemetry.clock_us is not None:
        offset, notes, warnings = _offset(telemetry, telemetry.clock_us, video, offset_us)
        return StartTime(telemetry.clock_us - offset, shift_us, notes, warnings)
    if video.stamp_us is not None:
        return StartTime(video.stamp_us, shift_us, (STAMPED,), ())
    if video.created_us is not None:
        return StartTime(video.created_us, shift_us, (_created_note(video.created_us),), ())
    raise ConfigError(
        "the telemetry has no date, and the video no creation time: give the time of the first frame,"
        " --start 2026-06-01T09:30:00Z"
    )


def _offset(
    telemetry: FlightTelemetry, local_us: int, video: VideoClock, offset_us: int | None
) -> tuple[int, tuple[str, ...], tuple[str, ...]]:
    """The offset of the telemetry's clock from UTC, with notes and warnings."""
    if not telemetry.is_local:
        return 0, (), ()
    if offset_us is not None:
        return offset_us, (), ()
    found = _inferred_offset(local_us, video)
    if found is None:
        return 0, (), ("the telemetry's times have no zone and are taken as UTC; if local, give --utc-offset +02:00",)
    return found, (f"UTC offset {offset_text(found)}, by the video's creation time; if wrong, give --utc-offset",), ()


def _inferred_offset(local_us: int, video: VideoClock) -> int | None:
    """The offset in whole quarters of an hour by which a local time is near the creation time; None if it is not."""
    if video.created_us is None:
        return None
    ends = (0, round(video.seconds * 1e6)) if video.seconds else (0,)
    for later in ends:
        ahead = local_us + later - video.created_us
        offset = round(ahead / QUARTER) * QUARTER
        if abs(ahead - offset) <= CLOSE and abs(offset) <= OFFSET_MOST:
            return offset
    return None
