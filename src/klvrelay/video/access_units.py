"""Demultiplexes video with libav: one access unit for each picture, without decoding it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator, Iterator
from contextlib import suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple

from klvrelay.config.url import Url
from klvrelay.frames.frame_times import Stamp, find
from klvrelay.sources.libav.damage import DamageMarks
from klvrelay.sources.libav.demuxer import Demuxer, libav_options
from klvrelay.sources.libav.source import pts_of
from klvrelay.text import printable

if TYPE_CHECKING:
    from av.bitstream import BitStreamFilterContext
    from av.container import InputContainer
    from av.video.stream import VideoStream

LOG = logging.getLogger("klvrelay.video")

TIMEOUT = 5.0
TO_ANNEX_B = {"h264": "h264_mp4toannexb", "hevc": "hevc_mp4toannexb"}
"""Filters of libav that turn the units of mp4 and mkv into those of MPEG-TS; they leave the latter as they are."""


class AccessUnit(NamedTuple):
    """The bytes of one compressed picture, in decoding order.

    data      H.264 and H.265: units with start codes (Annex B)
    codec     as named by libav: "h264", "hevc", "mpeg2video", ...
    pts       90 kHz presentation time, 33 bits, or None
    pid       its PID in MPEG-TS, its number in other containers
    stamp_us  its time stamp (ST 0604): microseconds since 1970, or None
    damaged   the transport lost part of it, or its units cannot be separated: then `data` is empty
    at        where it begins in pushed bytes, or None
    """

    data: bytes
    codec: str
    pts: int | None
    pid: int
    stamp_us: int | None
    damaged: bool
    at: int | None


def access_units(url: Url, file: PushedFile | None = None) -> Generator[AccessUnit]:
    """The access units of a file, or of pushed bytes, in byte order. What cannot be read ends them, with a warning."""
    import av

    demuxer = Demuxer(url, TIMEOUT, libav_options(Url("bytes") if file else url))
    try:
        with demuxer.open(file) as container:
            yield from _units(container, demuxer, file)
    except (av.FFmpegError, ValueError, OSError) as fault:
        if (reason := demuxer.explain(fault, live=False)) is not None:
            LOG.warning("no further video: reason=%s", printable(str(reason)))


def _units(container: InputContainer, demuxer: Demuxer, file: PushedFile | None) -> Iterator[AccessUnit]:
    from av.stream import Discard

    form = container.format.name
    readers = {stream.index: _StreamReader(stream, form) for stream in container.streams.video if _is_video(stream)}
    for stream in container.streams:
        if stream.index not in readers:
            stream.discard = Discard.all
    videos = [reader.stream for reader in readers.values()]
    while videos:
        with suppress(IndexError):  # of PyAV, at a packet of a stream that appeared later
            for packet in container.demux(videos):
                demuxer.restart_timeout()
                if packet.size:
                    yield from readers[packet.stream_index].read(packet)
            return
        if file is None or file.has_ended:
            return


def _is_video(stream: VideoStream) -> bool:
    from av.stream import Disposition

    return stream.codec_context is not None and not stream.disposition & Disposition.attached_pic


class _StreamReader:
    """Reads the packets of one video stream."""

    def __init__(self, stream: VideoStream, container_format: str) -> None:
        self.stream = stream
        self._damage = DamageMarks(container_format)
        self._codec = stream.codec_context.codec.canonical_name
        self._filter: BitStreamFilterContext | None = None
        if self._codec in TO_ANNEX_B:
            from av.bitstream import BitStreamFilterContext

            self._filter = BitStreamFilterContext(TO_ANNEX_B[self._codec], stream)

    def read(self, packet: Any) -> Iterator[AccessUnit]:
        found: Stamp | None = find(packet, self._codec)
        stamp_us = None if found is None or found.odd else found.time_us
        pts, damaged, at = pts_of(packet), self._damage.is_damaged(packet), packet.pos  # the filter empties the packet
        parts = self._annex_b(packet)
        for data in parts or [b""]:
            yield AccessUnit(data, self._codec, pts, self.stream.id, stamp_us, damaged or not parts, at)

    def _annex_b(self, packet: Any) -> list[bytes]:
        if self._filter is None:
            return [bytes(packet)]
        import av

        try:
            return [bytes(part) for part in self._filter.filter(packet)]
        except av.FFmpegError:  # its units are damaged; the next packet is not affected
            self._filter.flush()
            return []


class PushedFile:
    """Bytes that libav reads in a thread while the caller pushes them. Each waits for the other: no bytes are queued.

    has_ended   libav has been given all bytes
    """

    def __init__(self) -> None:
        self._pushed: SimpleQueue[bytes] = SimpleQueue()
        self._wanted: SimpleQueue[bool] = SimpleQueue()
        self._rest = b""
        self.has_ended = False

    def read(self, size: int) -> bytes:
        """Called by libav."""
        if not self._rest and not self.has_ended:
            self._wanted.put(True)
            self._rest = self._pushed.get()
            self.has_ended = not self._rest
        part, self._rest = self._rest[:size], self._rest[size:]
        return part

    def push(self, data: bytes) -> bool:
        """Returns when the bytes are read; no bytes: when the reader has ended. False: it wants no more."""
        self._pushed.put(data)
        return self._wanted.get()

    def wait(self) -> bool:
        """Wait until the reader wants the first bytes; false if it has ended before."""
        return self._wanted.get()

    def end(self) -> None:
        """Called when the reader ends."""
        self._wanted.put(False)


class PushedUnits:
    """The access units in bytes of MPEG-TS that the caller pushes: demultiplexed in a thread, in step with it."""

    def __init__(self, url: Url) -> None:
        self._file, self._found = PushedFile(), list[AccessUnit]()
        self._thread = threading.Thread(target=self._run, args=(url,), name="klvrelay-video", daemon=True)
        self._thread.start()
        self._is_reading = self._file.wait()

    def push(self, data: bytes) -> list[AccessUnit]:
        """The access units that end in these bytes; no bytes: the rest."""
        if self._is_reading:
            self._is_reading = self._file.push(data)
        found, self._found = self._found, []
        return found

    def close(self) -> None:
        """End the thread."""
        if self._is_reading:
            self.push(b"")
        self._thread.join()

    def _run(self, url: Url) -> None:
        try:
            for unit in access_units(url, self._file):
                self._found.append(unit)
        finally:
            self._file.end()
