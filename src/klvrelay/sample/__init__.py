"""Generates synthetic drone recordings with matching video and metadata: `klvrelay sample OUT.ts`.

    flight.py     drone, camera and target       picture.py    draws the video frames
    metadata.py   the KLV packets                video.py      encodes H.264 or H.265
    settings.py   parameters                     geodesy.py    WGS-84 positions and axes
    ground.py     heights and the ring road      terrain.py    paints the ground (canvas.py, village.py)
    overlay.py    text in the picture            font.py       its letters
    camera.py     a pinhole camera              faults.py     deliberate faults
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from klvrelay.multiplex.frame_stamp import stamp
from klvrelay.multiplex.mux import ByteOutput, Mux
from klvrelay.multiplex.tables import KLV_PID
from klvrelay.multiplex.whole_file import whole_file
from klvrelay.sample.faults import distorted
from klvrelay.sample.flight import Flight, Instant
from klvrelay.sample.metadata import CALL_SIGN, Metadata
from klvrelay.sample.overlay import read_counter
from klvrelay.sample.picture import Picture
from klvrelay.sample.settings import FIRST_PTS, START, Rate, Settings, check, fast_enough
from klvrelay.sample.video import Encoded, access_units

__all__ = ["Summary", "packets", "read_counter", "write"]

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Summary:
    """The result: path (None for an open file), frames, KLV packets, bytes, duration, carriage and codec."""

    path: Path | None
    frames: int
    packets: int
    size: int
    seconds: float
    carriage: str
    codec: str


def write(
    path: str | os.PathLike[str] | ByteOutput,
    *,
    seconds: float = 30.0,
    size: tuple[int, int] | str = (640, 360),
    fps: Rate = 30,
    klv_rate: Rate | None = None,
    codec: str = "h264",
    carriage: str = "sync",
    bit_rate: int | None = None,
    seed: int = 1,
    start: datetime | int | str = START,
    first_pts: int = FIRST_PTS,
    klv_pid: int = KLV_PID,
    program: int = 1,
    fault: str | None = None,
    fault_at: float | None = None,
    progress: Progress | None = None,
) -> Summary:
    """Write a recording. Equal arguments give equal bytes; an interrupted recording leaves no file.

    path       file name, or an object with `write` for bytes
    size       width and height in pixels, also as "640x360"
    fps        frames per second, 10 to 60; 29.97 means 30000/1001
    klv_rate   ST 0601 packets per second, at most `fps` (the default); each belongs to a frame
    codec      "h264" or "h265"
    carriage   "sync" (stream type 0x15, AU cells, PTS) or "async" (0x06, no PTS)
    bit_rate   of the video in bits per second; default 1 Mbit/s for 640x360 at 30
    seed       selects the flight and the landscape
    start      time of the first frame: aware datetime, ISO 8601 text or microseconds since 1970
    first_pts  PTS of the first frame in 90 kHz ticks; near 2**33 the PTS wrap during the recording
    klv_pid    PID of the KLV
    program    program number
    fault      a key of `faults.FAULTS`, for recordings whose metadata cannot be true
    fault_at   second from which on it is there; default half of the duration
    progress   called with the number of frames done and the total

    Raises ConfigError for an invalid argument or file name; KlvrelayError if the disk is full or fails; OSError from an
    open file that was passed in.
    """
    settings = check(
        seconds=seconds, size=size, fps=fps, klv_rate=klv_rate, codec=codec, carriage=carriage,
        bit_rate=bit_rate, seed=seed, start=start, first_pts=first_pts, klv_pid=klv_pid, program=program,
        fault=fault, fault_at=fault_at,
    )  # fmt: skip
    if isinstance(path, str | os.PathLike):
        target = Path(path)
        with whole_file(target) as out:
            count, written = _record(out, settings, progress)
    else:
        target = None
        count, written = _record(path, settings, progress)
    seconds = settings.seconds(settings.frames)
    return Summary(target, settings.frames, count, written, seconds, settings.carriage, settings.codec)


def packets(*, seconds: float = 30.0, klv_rate: Rate = 30, seed: int = 1, start: datetime | int | str = START,
            size: tuple[int, int] | str = (640, 360), fault: str | None = None,
            fault_at: float | None = None) -> Iterator[bytes]:  # fmt: skip
    """The KLV packets of such a recording without its video, one at a time."""
    settings = check(
        seconds=seconds, size=size, fps=fast_enough(klv_rate), klv_rate=klv_rate, codec="h264", carriage="sync",
        bit_rate=None, seed=seed, start=start, first_pts=FIRST_PTS, fault=fault, fault_at=fault_at,
    )  # fmt: skip
    flight = Flight(settings.seed, settings.width, settings.height)
    metadata = Metadata(settings.seed, settings.start_us)
    for number in filter(settings.has_klv, range(settings.frames)):
        yield _packet(metadata, settings, flight.at(settings.seconds(settings.scene(number))), number)


def _record(out: ByteOutput, settings: Settings, progress: Progress | None) -> tuple[int, int]:
    """Generate, encode and multiplex all frames; return the number of KLV packets and of bytes."""
    waiting: dict[int, bytes] = {}
    size = settings.width, settings.height
    ticks = round(90_000 / settings.fps)
    mux = Mux(out, settings.codec, settings.carriage, ticks, settings.klv_pid, settings.program)
    count = 0
    frames = _frames(settings, waiting)
    for encoded in access_units(frames, settings.codec, size, settings.fps, settings.bit_rate):
        klv = waiting.pop(encoded.number, None)
        count += klv is not None
        _carry(mux, settings, encoded, klv)
        if progress:
            progress(encoded.number + 1, settings.frames)
    return count, mux.size


def _frames(settings: Settings, waiting: dict[int, bytes]) -> Iterator[NDArray[np.uint8]]:
    """Draw frame by frame; store the KLV of each in `waiting` until the encoder returns the frame."""
    flight = Flight(settings.seed, settings.width, settings.height)
    picture = Picture(settings.seed, flight, settings.width, settings.height)
    metadata = Metadata(settings.seed, settings.start_us)
    for number in range(settings.frames):
        scene = settings.scene(number)
        instant = flight.at(settings.seconds(scene))
        if settings.has_klv(number):
            waiting[number] = _packet(metadata, settings, instant, number)
        yield picture.draw(instant, settings.time_us(scene), scene, CALL_SIGN)


def _packet(metadata: Metadata, settings: Settings, instant: Instant, number: int) -> bytes:
    """The KLV packet of a frame, with the fault if there is one."""
    if number >= settings.first:
        instant = distorted(settings.fault, instant)
    return metadata.packet(instant, settings.time_us(number))


def _carry(mux: Mux, settings: Settings, encoded: Encoded, klv: bytes | None) -> None:
    number = encoded.number
    unit = stamp(settings.codec, encoded.data, settings.time_us(number))
    mux.frame(settings.pts(number), unit, encoded.key, klv)
