"""The times of video frames: precision time stamps (MISB ST 0603) inside the video itself (ST 0604).

Next door: `wire.py` finds them in a frame's bytes, `sources/libav/demuxer.py` opens what they are in.
"""

from __future__ import annotations

import io
import logging
import os
import select
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from os import PathLike
from typing import TYPE_CHECKING, Any, NamedTuple

from klvrelay import core
from klvrelay.config.url import Url
from klvrelay.errors import ConfigError, NotMedia, SourceDown, SourceError
from klvrelay.record import utc
from klvrelay.recordings import contents
from klvrelay.sources.files.faults import explain
from klvrelay.sources.libav.demuxer import Demuxer, libav_options
from klvrelay.sources.libav.source import pts_of
from klvrelay.text import printable

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet as AvPacket
    from av.stream import Stream
    from av.video.stream import VideoStream

    from klvrelay.transports.http.client import Web

LOG = logging.getLogger("klvrelay")

NOT_LOCKED, DISCONTINUITY, REVERSE = 0x80, 0x40, 0x20
OPENED = ("file", "stdin", "bytes", "rtsp", "rtsps", "http", "https")


class Stamp(NamedTuple):
    """When a frame was taken, by its own account (ST 0603); leap seconds are not applied, as in item 2 of ST 0601.

    time_us      microseconds since 1970
    time_ns      nanoseconds since 1970 where they are what was sent, else None
    status       the status byte: bits 7, 6 and 5 are below, the others are ones by the standard
    nanoseconds  they were sent in a field of microseconds, which a time past the year 5138 gives away
    odd          the bytes that keep the time from looking like a start code are wrong or missing: may be damaged
    """

    time_us: int
    time_ns: int | None
    status: int
    nanoseconds: bool
    odd: bool

    @property
    def locked(self) -> bool:
        """The clock is known to follow an absolute reference."""
        return not self.status & NOT_LOCKED

    @property
    def discontinuity(self) -> bool:
        """The time has jumped since the frame before."""
        return bool(self.status & DISCONTINUITY)

    @property
    def reverse(self) -> bool:
        """The jump was backwards."""
        return bool(self.status & REVERSE)

    @property
    def time(self) -> datetime | None:
        """The time in UTC, or None past the year 9999."""
        return utc(self.time_us)


def find(frame: Any, codec: str) -> Stamp | None:
    """The first time stamp in a buffer that holds one video frame, or its beginning; None where there is none.

    codec   "h264", "hevc", "mpeg2video" or "mpeg1video", as libav names them; others have no time stamps

    H.264 and H.265 may have start codes (MPEG-TS) or lengths of 4 bytes (mp4, mkv) before their units.
    """
    found = core.stamp(frame, codec)
    if found is None:
        return None
    time_us, beside, status, nanoseconds, odd = found
    return Stamp(time_us, None if beside is None else time_us * 1000 + beside, status, nanoseconds, odd)


class FrameTime(NamedTuple):
    """A video frame that tells its time.

    stamp    what it says
    pts      90 kHz presentation time, 33 bits, or None
    stream   the video stream's place in its container, from 0
    pid      its PID in MPEG-TS, its number in another container
    codec    "h264", "hevc", "mpeg2video" or "mpeg1video"
    damaged  the transport lost or reordered something inside the frame: its stamp is not to be trusted
    """

    stamp: Stamp
    pts: int | None
    stream: int
    pid: int
    codec: str
    damaged: bool

    @property
    def time_us(self) -> int:
        """Microseconds since 1970."""
        return self.stamp.time_us

    @property
    def time(self) -> datetime | None:
        """The time in UTC, or None past the year 9999."""
        return self.stamp.time


def frame_times(
    source: str | PathLike[str] | Url | bytes, *, timeout: float = 5.0, ca_file: str | None = None
) -> Iterator[FrameTime]:
    """The time of every video frame that has one, in the order of the frames' bytes (not of their `pts`).

    source   a path, `-`, a URL of rtsp, rtsps, http or https, or the bytes of a file
    timeout  seconds to wait for a connection, and for bytes
    ca_file  certificates to trust for rtsps:// and https://, instead of the system's

    Raises ConfigError, SourceDown or NotMedia. A frame without a stamp is passed over.
    """
    url = Url("bytes") if isinstance(source, bytes) else Url.parse(source)
    if url.scheme not in OPENED:
        raise ConfigError(f"{url}: the times of frames are read from a file, -, rtsp://, rtsps://, http://, https://")
    _refuse_other_file(url)
    demuxer = Demuxer(url, timeout, libav_options(url, ca_file), ca_file)
    if url.scheme in ("http", "https"):
        from klvrelay.transports.http.client import Web  # here, since it loads the clients of urllib and http

        return _fetched(demuxer, Web(url, timeout=timeout, ca_file=ca_file))
    if isinstance(source, bytes):
        return _demuxed(demuxer, io.BytesIO(source))
    if url.scheme == "stdin":
        return _demuxed(demuxer, _Pipe(sys.stdin.fileno()))
    return _piped(demuxer) if _is_special(url) else _demuxed(demuxer, None)


def _fetched(demuxer: Demuxer, web: Web) -> Iterator[FrameTime]:
    from klvrelay.sources.web.source import file_at
    from klvrelay.transports.http.faults import WebFault

    try:
        yield from _demuxed(demuxer, file_at(demuxer.url, web))
    except WebFault as found:
        fault = SourceDown(f"{demuxer.url}: {found}", wait=found.wait)
    else:
        return
    finally:
        web.close()
    raise fault


def _refuse_other_file(url: Url) -> None:
    """Raise NotMedia for a file that is known by its first bytes to hold no video at all."""
    if url.scheme != "file" or not os.path.isfile(url.path):
        return
    with suppress(OSError), open(url.path, "rb") as file:
        head = file.read(contents.LOOKED_AT)
        refused = contents.refusal(str(url), head) if head else f"{url} is empty"
        if refused is not None:
            raise NotMedia(refused)


def _is_special(url: Url) -> bool:
    """A named pipe, a device or a socket: libav would wait for a pipe's writer where no signal comes through."""
    with suppress(OSError):
        mode = os.stat(url.path).st_mode if url.scheme == "file" else stat.S_IFREG
        return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))
    return False


def _piped(demuxer: Demuxer) -> Iterator[FrameTime]:
    """Waits for the first bytes of a descriptor that is open, which a signal ends as it would not end an opening."""
    url = demuxer.url
    try:
        fd = os.open(url.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as fault:
        raise explain(url, fault) from fault
    try:
        waiting = select.poll()
        waiting.register(fd, select.POLLIN)
        waiting.poll()
        os.set_blocking(fd, True)
        yield from _demuxed(demuxer, _Pipe(fd))
    finally:
        os.close(fd)


class _Pipe:
    """What can't be wound back, for libav, through which no Ctrl-C comes: it ends the input, and is raised behind."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self.interrupted = False

    def read(self, size: int) -> bytes:
        try:
            return b"" if self.interrupted else os.read(self._fd, size)
        except KeyboardInterrupt:
            self.interrupted = True
            return b""


def _demuxed(demuxer: Demuxer, file: Any) -> Iterator[FrameTime]:
    import av

    fault: SourceError | None = None
    try:
        with demuxer.open(file) as container:
            yield from _stamped(container, demuxer)
    except (av.FFmpegError, ValueError, OSError) as error:
        fault = demuxer.explained(error, live=demuxer.url.scheme not in ("file", "stdin", "bytes"))
    if isinstance(file, _Pipe) and file.interrupted:
        raise KeyboardInterrupt
    # Out here, so that libav's own error does not come with it.
    if isinstance(fault, NotMedia):
        raise NotMedia(f"{demuxer.url}: holds no video that klvrelay reads")
    if fault is not None:
        raise fault


def _stamped(container: InputContainer, demuxer: Demuxer) -> Iterator[FrameTime]:
    from av.stream import Discard

    codecs = {s.index: codec for s in container.streams.video if (codec := _codec_of(s, demuxer.url))}
    for stream in container.streams:
        if stream.index not in codecs:
            stream.discard = Discard.all
    streams = [stream for stream in container.streams.video if stream.index in codecs]
    for packet in _packets(container, streams):
        demuxer.heard()
        if not packet.size:  # at the end libav gives an empty one a stream, under no index of its own
            continue
        stream, codec = packet.stream, codecs[packet.stream_index]
        if (stamp := find(packet, codec)) is not None:
            yield FrameTime(stamp, pts_of(packet), stream.index, stream.id, codec, packet.is_corrupt)


def _packets(container: InputContainer, streams: list[VideoStream]) -> Iterator[AvPacket[Stream]]:
    if streams:
        # How PyAV ends where a stream appeared after the opening: behind the last packet, at the empty ones.
        with suppress(IndexError):
            yield from container.demux(streams)


def _codec_of(stream: VideoStream, url: Url) -> str:
    """The codec of a stream whose frames may have time stamps; "" for another, which is said of a moving picture."""
    from av.stream import Disposition

    codec = stream.codec_context.codec.canonical_name if stream.codec_context else "of a codec that libav does not know"
    if codec in core.STAMPED_CODECS:
        return codec
    if not stream.disposition & Disposition.attached_pic:
        LOG.warning("%s: stream %d is passed over: its video is %s, in which klvrelay finds no time stamps",
                    url, stream.id, printable(codec))  # fmt: skip
    return ""
