"""Writes the recording: the video's frames as they are, and a packet of metadata for each."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from itertools import chain
from typing import NamedTuple

from klvrelay.errors import ConfigError
from klvrelay.importing.prepared import PacketTime, Prepared, stamp_of
from klvrelay.importing.times import LATEST, date_text
from klvrelay.importing.video import TICKS, VideoFile, VideoFrame
from klvrelay.multiplex.frame_stamp import delimited, stamp
from klvrelay.multiplex.mux import DELAY, ByteOutput, Mux
from klvrelay.multiplex.whole_file import whole_file

ImportProgress = Callable[[int, int], None]

FIRST_DTS = TICKS + DELAY
TABLES_TICKS = 9000
MODE = 0o640
REORDERED_MOST = 4096
"""Maximum number of frames that wait for the packet of an earlier one."""
NOT_LOCKED = 0x9F
"""Time status of ST 0603: the clock was not locked to an absolute reference, as far as is known."""


class ImportCounts(NamedTuple):
    """The result: frames, packets, frames without telemetry, bytes."""

    frames: int
    packets: int
    bare: int
    size: int


class PacketSchedule:
    """Puts the instants of frames into the order of presentation, and selects those that are due at a rate."""

    def __init__(self, rate: float | None) -> None:
        self._rate = rate
        self._last: int | None = None
        self._waiting: list[PacketTime] = []

    def add(self, instant: PacketTime) -> None:
        heappush(self._waiting, instant)

    def due(self, until: int | None) -> Iterator[PacketTime]:
        """The instants with a PTS up to `until` (None: all): no frame that is decoded later is presented earlier."""
        waiting = self._waiting
        while waiting and (until is None or waiting[0].pts <= until or len(waiting) > REORDERED_MOST):
            if self.has_packet((instant := heappop(waiting)).since_us):
                yield instant

    def has_packet(self, since_us: int) -> bool:
        """Whether this is the first instant at or after a multiple of the period; ask in order of time."""
        if self._rate is None:
            return True
        number = math.floor(since_us * self._rate / 1e6 + 1e-6)
        if self._last is not None and number <= self._last:
            return False
        self._last = number
        return True


def write_recording(prepared: Prepared, progress: ImportProgress) -> ImportCounts:
    """Write the target; it appears when it is complete. `progress` gets frames or rows done, and their number or 0.

    Raises ConfigError if no packet was due, SourceError, or KlvrelayError if the disk is full.
    """
    target = prepared.request.target
    if target is None:
        raise ConfigError("OUT.ts: give the name of the file to write")
    with whole_file(target, MODE) as out:
        if prepared.video is None:
            counts = _write_bare(prepared, out, progress)
        else:
            counts = _write_stream(prepared, prepared.video, out, progress)
        if not counts.packets:
            raise ConfigError(_no_overlap(prepared))
    return counts


def instants(prepared: Prepared) -> Iterator[PacketTime]:
    """When packets are due, in order."""
    schedule = PacketSchedule(prepared.request.rate)
    if prepared.video is None:
        found = (_instant_of_row(prepared, row.at_us) for row in prepared.telemetry.rows)
        yield from (instant for instant in found if schedule.has_packet(instant.since_us))
        return
    for frame, instant in _placed(prepared.video, prepared.start.us):
        schedule.add(_with_own_time(prepared.video, frame, instant))
        yield from schedule.due(frame.dts)
    yield from schedule.due(None)


def _write_bare(prepared: Prepared, out: ByteOutput, progress: ImportProgress) -> ImportCounts:
    """Packets alone, one for each row, or at the rate."""
    packets = size = 0
    total = len(prepared.telemetry.rows)
    for instant in instants(prepared):
        if items := prepared.items_at(instant):
            packet = prepared.writer.packet(items, instant.time_us)
            out.write(packet)
            packets, size = packets + 1, size + len(packet)
        progress(min(packets, total), total)
    return ImportCounts(0, packets, 0, size)


def _write_stream(prepared: Prepared, video: VideoFile, out: ByteOutput, progress: ImportProgress) -> ImportCounts:
    """Frames and packets; a packet follows its frame, or with B-frames the frame that is decoded when it is shown."""
    request = prepared.request
    mux = Mux(out, video.codec, "sync", min(video.frame_ticks, TABLES_TICKS), request.klv_pid, request.program)
    schedule = PacketSchedule(request.rate)
    frames = packets = bare = 0
    for frame, instant in _placed(video, prepared.start.us):
        timed = _with_own_time(video, frame, instant)
        data = delimited(video.codec, frame.data)
        if request.stamp and stamp_of(video.codec, frame.data) is None:
            data = stamp(video.codec, data, timed.time_us, NOT_LOCKED)
        mux.video(timed.pts, frame.dts, data, frame.is_key)
        schedule.add(timed)
        frames += 1
        for due in schedule.due(frame.dts):
            sent = _send(prepared, mux, due)
            packets, bare = packets + sent, bare + (not sent)
        progress(frames, video.frames)
    for due in schedule.due(None):
        sent = _send(prepared, mux, due)
        packets, bare = packets + sent, bare + (not sent)
    return ImportCounts(frames, packets, bare, mux.size)


def _send(prepared: Prepared, mux: Mux, instant: PacketTime) -> bool:
    """Write the packet of an instant; false if there is no telemetry for it."""
    items = prepared.items_at(instant)
    if items:
        mux.metadata(instant.pts, prepared.writer.packet(items, instant.time_us))
    return bool(items)


def _instant_of_row(prepared: Prepared, at_us: int) -> PacketTime:
    start = prepared.start
    at_us += start.shift_us
    if prepared.telemetry.relative:
        return PacketTime(0, start.us + at_us, at_us)
    return PacketTime(0, at_us, at_us - start.us)


def _placed(video: VideoFile, start_us: int) -> Iterator[tuple[VideoFrame, PacketTime]]:
    """The frames with their times in the output, and their instants."""
    frames = video.read()
    first = next(frames, None)
    if first is None:
        raise ConfigError(f"--video {video.path}: no frame in this file")
    offset = FIRST_DTS - first.dts
    for frame in chain([first], frames):
        since_us = round((frame.pts - first.pts) * 100 / 9)
        time_us = min(max(start_us + since_us, 0), LATEST)
        yield frame._replace(dts=frame.dts + offset), PacketTime(frame.pts + offset, time_us, since_us)


def _with_own_time(video: VideoFile, frame: VideoFrame, instant: PacketTime) -> PacketTime:
    """The instant with the time stamp that the frame carries, if it has one."""
    own_us = stamp_of(video.codec, frame.data)
    return instant if own_us is None else instant._replace(time_us=own_us)


def _no_overlap(prepared: Prepared) -> str:
    """Why no packet was due."""
    rows, shift, start = prepared.telemetry.rows, prepared.start.shift_us, prepared.start.us
    base = start if prepared.telemetry.relative else 0
    first, last = date_text(rows[0].at_us + shift + base), date_text(rows[-1].at_us + shift + base)
    return (
        f"no telemetry for any frame: it is from {first} to {last}, and the video begins at {date_text(start)};"
        " check --start, --utc-offset and --shift"
    )
