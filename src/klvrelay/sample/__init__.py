"""Synthetic drone recordings whose picture and metadata are one truth: `klvrelay sample OUT.ts`.

A room of its own beside the corridor. `flight.py` says where everything is at an instant; `picture.py` and
`metadata.py` each tell it in their own way; `video.py`, `sei.py` and `mux.py` make a transport stream of it.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from klvrelay.errors import ConfigError, KlvrelayError
from klvrelay.sample.flight import Flight
from klvrelay.sample.metadata import CALL_SIGN, Metadata
from klvrelay.sample.mux import KLV_PID, Mux, Output
from klvrelay.sample.overlay import read_counter
from klvrelay.sample.picture import Picture
from klvrelay.sample.sei import stamp
from klvrelay.sample.settings import FIRST_PTS, START, Rate, Settings, check, fast_enough
from klvrelay.sample.video import Encoded, access_units

__all__ = ["Summary", "packets", "read_counter", "write"]

Progress = Callable[[int, int], None]

_NO_SUCH_PLACE = (
    errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG, errno.ELOOP,
    errno.EINVAL,
)  # fmt: skip
"""What is wrong with a name, rather than with the disk."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What was written: where to (None: to an open file), frames, KLV packets, bytes, and how it is carried."""

    path: Path | None
    frames: int
    packets: int
    size: int
    seconds: float
    carriage: str
    codec: str


def write(
    path: str | os.PathLike[str] | Output,
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
    progress: Progress | None = None,
) -> Summary:
    """Write a recording; the same arguments give the same bytes, and no file is left of one broken off.

    path       a file's name, or what has a `write` for bytes
    size       width and height in pixels, also as "640x360"
    fps        frames a second, 10 to 60; 29.97 is taken as 30000/1001
    klv_rate   ST 0601 packets a second, at most `fps` (the default): each belongs to a frame
    codec      "h264" or "h265"
    carriage   "sync" (stream type 0x15, AU cells, PTS) or "async" (0x06, no PTS)
    bit_rate   of the video, in bits a second; by default 1 Mbit/s for 640x360 at 30
    seed       another flight over another village
    start      the first frame's time: aware datetime, ISO 8601 text or microseconds since 1970
    first_pts  the first frame's PTS in 90 kHz ticks; near 2**33 it wraps on the way
    klv_pid    PID of the KLV
    program    number of the program
    progress   called with the frames done and the frames in all

    Raises ConfigError for an argument that is wrong, also a name that no file can have; KlvrelayError where the disk is
    full or fails; OSError from the open file that was given.
    """
    settings = check(
        seconds=seconds, size=size, fps=fps, klv_rate=klv_rate, codec=codec, carriage=carriage,
        bit_rate=bit_rate, seed=seed, start=start, first_pts=first_pts, klv_pid=klv_pid, program=program,
    )  # fmt: skip
    if isinstance(path, str | os.PathLike):
        target = Path(path)
        with _file(target) as out:
            count, written = _record(out, settings, progress)
    else:
        target = None
        count, written = _record(path, settings, progress)
    seconds = settings.seconds(settings.frames)
    return Summary(target, settings.frames, count, written, seconds, settings.carriage, settings.codec)


def packets(*, seconds: float = 30.0, klv_rate: Rate = 30, seed: int = 1, start: datetime | int | str = START,
            size: tuple[int, int] | str = (640, 360)) -> Iterator[bytes]:  # fmt: skip
    """The KLV packets of such a recording without its video, one at a time."""
    settings = check(
        seconds=seconds, size=size, fps=fast_enough(klv_rate), klv_rate=klv_rate, codec="h264", carriage="sync",
        bit_rate=None, seed=seed, start=start, first_pts=FIRST_PTS,
    )  # fmt: skip
    flight = Flight(settings.seed, settings.width, settings.height)
    metadata = Metadata(settings.seed, settings.start_us)
    for number in filter(settings.has_klv, range(settings.frames)):
        yield metadata.packet(flight.at(settings.seconds(number)), settings.time_us(number))


def part_of(target: Path) -> Path:
    """Where this process writes a file until it is complete."""
    return target.with_name(f".{target.name}.{os.getpid()}.part")


@contextmanager
def _file(target: Path) -> Iterator[BinaryIO]:
    """The file to write, with errors that name it."""
    try:
        with _whole_or_nothing(target) as out:
            yield out
    except OSError as fault:
        text = f"{target}: can't be written ({fault.strerror or fault})"
        raise (ConfigError if fault.errno in _NO_SUCH_PLACE else KlvrelayError)(text) from fault


@contextmanager
def _whole_or_nothing(target: Path) -> Iterator[BinaryIO]:
    """A file to write that takes the target's name only when it is complete."""
    if target.exists() and not target.is_file():
        raise ConfigError(f"{target}: not a file; name one to write")
    part = part_of(target)
    try:
        with part.open("wb") as out:
            yield out
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _record(out: Output, settings: Settings, progress: Progress | None) -> tuple[int, int]:
    """Fly, draw, encode and carry frame after frame; return the number of KLV packets and of bytes."""
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
    """Draw frame after frame, and leave the KLV of each in `waiting` for when it comes out of the encoder."""
    flight = Flight(settings.seed, settings.width, settings.height)
    picture = Picture(settings.seed, flight, settings.width, settings.height)
    metadata = Metadata(settings.seed, settings.start_us)
    for number in range(settings.frames):
        instant, time_us = flight.at(settings.seconds(number)), settings.time_us(number)
        if settings.has_klv(number):
            waiting[number] = metadata.packet(instant, time_us)
        yield picture.draw(instant, time_us, number, CALL_SIGN)


def _carry(mux: Mux, settings: Settings, encoded: Encoded, klv: bytes | None) -> None:
    number = encoded.number
    unit = stamp(settings.codec, encoded.data, settings.time_us(number))
    mux.frame(settings.pts(number), unit, encoded.key, klv)
