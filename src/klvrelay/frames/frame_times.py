"""The times of video frames: precision time stamps (MISB ST 0603) inside the video itself (ST 0604)."""

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
from klvrelay.sources.libav.damage import DamageMarks
from klvrelay.sources.libav.demuxer import Demuxer, libav_options
from klvrelay.sources.libav.source import pts_of
from klvrelay.text import printable

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet as AvPacket
    from av.stream import Stream
    from av.video.stream import VideoStream

    from klvrelay.transports.http.client import Web

LOG = logging.getLogger("klvrelay.frames")

NOT_LOCKED, DISCONTINUITY, REVERSE = 0x80, 0x40, 0x20
OPENED = ("file", "stdin", "bytes", "rtsp", "rtsps", "http", "https")


class Stamp(NamedTuple):
    """The time stamp of a frame (ST 0603); leap seconds are not applied, as in item 2 of ST 0601.

    time_us      microseconds since 1970
    time_ns      nanoseconds since 1970 if the sender used them, else None
    status       the status byte: bits 7, 6 and 5 are the properties below, the standard sets the others to one
    nanoseconds  sent in a field for microseconds, recognised by a time past the year 5138
    odd          the bytes that prevent start code emulation are wrong or missing: the time may be damaged
    """

    time_us: int
    time_ns: int | None
    status: int
    nanoseconds: bool
    odd: bool

    @property
    def locked(self) -> bool:
        """The clock is locked to an absolute time reference."""
        return not self.status & NOT_LOCKED

    @property
    def discontinuity(self) -> bool:
        """The time has jumped since the previous frame."""
        return bool(self.status & DISCONTINUITY)

    @property
    def reverse(self) -> bool:
        """The jump was backwards."""
        return bool(self.status & REVERSE)

    @property
    def time(self) -> datetime | None:
        """The time in UTC; None past the year 9999."""
        return utc(self.time_us)


def find(frame: Any, codec: str) -> Stamp | None:
    """The first time stamp in a buffer that holds one video frame, or its beginning; None if there is none.

    codec   "h264", "hevc", "mpeg2video" or "mpeg1video", as named by libav; other codecs have no time stamps

    The units of H.264 and H.265 may have start codes (MPEG-TS) or lengths of 4 bytes (mp4, mkv).
    """
    found = core.stamp(frame, codec)
    if found is None:
        return None
    time_us, beside, status, nanoseconds, odd = found
    return Stamp(time_us, None if beside is None else time_us * 1000 + beside, status, nanoseconds, odd)


class FrameTime(NamedTuple):
    """A video frame with a time stamp.

    stamp    its time stamp
    pts      90 kHz presentation time, 33 bits, or None
    stream   index of the video stream in its container, from 0
    pid      its PID in MPEG-TS, its number in other containers
    codec    "h264", "hevc", "mpeg2video" or "mpeg1video"
    damaged  the transport lost or reordered part of the frame: do not trust its time stamp
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
        """The time in UTC; None past the year 9999."""
        return self.stamp.time


def frame_times(
    source: str | PathLike[str] | Url | bytes, *, timeout: float = 5.0, ca_file: str | None = None
) -> Iterator[FrameTime]:
    """The time of every video frame that has one, in byte order (not in the order of `pts`).

    source   a path, `-`, a URL of rtsp, rtsps, http or https, or the bytes of a file
    timeout  seconds to wait for a connection, and for bytes
    ca_file  certificates to trust for rtsps:// and https://, instead of the system's

    Raises ConfigError, SourceDown or NotMedia. Frames without a time stamp are skipped.
    """
    url = Url("bytes") if isinstance(source, bytes) else Url.parse(source)
    if url.scheme not in OPENED:
        raise ConfigError(f"{url}: frame times can be read from a file, -, rtsp://, rtsps://, http://, https://")
    _refuse_other_file(url)
    demuxer = Demuxer(url, timeout, libav_options(url, ca_file), ca_file)
    if url.scheme in ("http", "https"):
        from klvrelay.transports.http.client import Web  # here, because it imports urllib and http

        return _fetch(demuxer, Web(url, timeout=timeout, ca_file=ca_file))
    if isinstance(source, bytes):
        return _demux(demuxer, io.BytesIO(source))
    if url.scheme == "stdin":
        return _demux(demuxer, _Pipe(sys.stdin.fileno()))
    return _read_pipe(demuxer) if _is_special(url) else _demux(demuxer, None)


def _fetch(demuxer: Demuxer, web: Web) -> Iterator[FrameTime]:
    from klvrelay.sources.web.source import file_at
    from klvrelay.transports.http.faults import WebFault

    try:
        yield from _demux(demuxer, file_at(demuxer.url, web))
    except WebFault as found:
        fault = SourceDown(f"{demuxer.url}: {found}", wait=found.wait)
    else:
        return
    finally:
        web.close()
    raise fault


def _refuse_other_file(url: Url) -> None:
    """Raise NotMedia for a file whose first bytes show that it holds no video."""
    if url.scheme != "file" or not os.path.isfile(url.path):
        return
    with suppress(OSError), open(url.path, "rb") as file:
        head = file.read(contents.LOOKED_AT)
        refused = contents.refusal(str(url), head) if head else f"{url} is empty"
        if refused is not None:
            raise NotMedia(refused)


def _is_special(url: Url) -> bool:
    """A named pipe, a device or a socket: libav would wait for the writer of a pipe and ignore signals."""
    with suppress(OSError):
        mode = os.stat(url.path).st_mode if url.scheme == "file" else stat.S_IFREG
        return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))
    return False


def _read_pipe(demuxer: Demuxer) -> Iterator[FrameTime]:
    """Wait for the first bytes of an open descriptor, because a signal cannot interrupt the opening of a pipe."""
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
        yield from _demux(demuxer, _Pipe(fd))
    finally:
        os.close(fd)


class _Pipe:
    """A non-seekable input for libav, which swallows KeyboardInterrupt: it ends the input, and is raised afterwards."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self.interrupted = False

    def read(self, size: int) -> bytes:
        try:
            return b"" if self.interrupted else os.read(self._fd, size)
        except KeyboardInterrupt:
            self.interrupted = True
            return b""


def _demux(demuxer: Demuxer, file: Any) -> Iterator[FrameTime]:
    import av

    fault: SourceError | None = None
    try:
        with demuxer.open(file) as container:
            yield from _find_stamps(container, demuxer)
    except (av.FFmpegError, ValueError, OSError) as error:
        fault = demuxer.explain(error, live=demuxer.url.scheme not in ("file", "stdin", "bytes"))
    if isinstance(file, _Pipe) and file.interrupted:
        raise KeyboardInterrupt
    # Raised outside, so that libav's error is not chained to it.
    if isinstance(fault, NotMedia):
        raise NotMedia(f"{demuxer.url}: contains no video that klvrelay can read")
    if fault is not None:
        raise fault


def _find_stamps(container: InputContainer, demuxer: Demuxer) -> Iterator[FrameTime]:
    from av.stream import Discard

    codecs = {s.index: codec for s in container.streams.video if (codec := _codec_of(s, demuxer.url))}
    for stream in container.streams:
        if stream.index not in codecs:
            stream.discard = Discard.all
    streams = [stream for stream in container.streams.video if stream.index in codecs]
    marks = {index: DamageMarks(container.format.name) for index in codecs}
    for packet in _packets(container, streams):
        demuxer.restart_timeout()
        if not packet.size:  # at the end libav returns an empty packet per stream, without an index
            continue
        stream, codec = packet.stream, codecs[packet.stream_index]
        damaged = marks[stream.index].is_damaged(packet)
        if (stamp := find(packet, codec)) is not None:
            yield FrameTime(stamp, pts_of(packet), stream.index, stream.id, codec, damaged)


def _packets(container: InputContainer, streams: list[VideoStream]) -> Iterator[AvPacket[Stream]]:
    if streams:
        # PyAV raises IndexError at the final empty packets if a stream appeared after the file was opened.
        with suppress(IndexError):
            yield from container.demux(streams)


def _codec_of(stream: VideoStream, url: Url) -> str:
    """The codec of a stream whose frames may have time stamps; "" for others, which are logged if they are video."""
    from av.stream import Disposition

    codec = stream.codec_context.codec.canonical_name if stream.codec_context else "of a codec that libav does not know"
    if codec in core.STAMPED_CODECS:
        return codec
    if not stream.disposition & Disposition.attached_pic:
        LOG.warning("%s: video codec without time stamps, skipped: stream=%d codec=%s",
                    url, stream.id, printable(codec))  # fmt: skip
    return ""
