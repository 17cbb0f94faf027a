"""The pictures of a recording, in step with the packets that its source yields."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from klvrelay.config.url import Url
from klvrelay.record import Packet
from klvrelay.video.access_units import AccessUnit, PushedUnits, access_units
from klvrelay.video.clock import apart_pts
from klvrelay.video.pictures import PictureStream, VideoPicture

PUSHED = 64 << 10
"""Bytes that are pushed at once: the thread of libav takes turns with this one."""
UNTIMED = 8
"""Access units read with a KLV packet that has no presentation time."""


class RecordingPictures:
    """The pictures of all video streams of a recording: of MPEG-TS from the bytes of its packets, else from the file.

    left_out   access units without a picture
    size       bytes of MPEG-TS so far

    Within `with`, which ends the thread of libav.
    """

    def __init__(self, url: Url) -> None:
        self._url = url
        self._streams: dict[int, PictureStream] = {}
        self._pushed: PushedUnits | None = None
        self._file: Generator[AccessUnit] | None = None
        self._waiting = bytearray()
        self.size = 0

    def __enter__(self) -> RecordingPictures:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pushed is not None:
            self._pushed.close()
        if self._file is not None:
            self._file.close()

    @property
    def left_out(self) -> int:
        return sum(stream.left_out for stream in self._streams.values())

    def after(self, packet: Packet) -> Iterator[VideoPicture]:
        """The pictures up to this packet of the recording's source, or shortly before it."""
        if packet.carriage == "ts":
            self._waiting += packet.data
            self.size += len(packet.data)
            if len(self._waiting) >= PUSHED:
                yield from self._push()
        elif packet.pid is not None:
            yield from self._until(packet.pts)

    def rest(self) -> Iterator[VideoPicture]:
        """The last pictures."""
        if self._waiting:
            yield from self._push()
        for unit in self._pushed.push(b"") if self._pushed is not None else self._file or ():
            yield from self._taken(unit)
        for stream in self._streams.values():
            yield from stream.rest()

    def _push(self) -> Iterator[VideoPicture]:
        self._pushed = self._pushed or PushedUnits(self._url)
        data, self._waiting = bytes(self._waiting), bytearray()
        for unit in self._pushed.push(data):
            yield from self._taken(unit)

    def _until(self, pts: int | None) -> Iterator[VideoPicture]:
        self._file = self._file or access_units(self._url)
        for number, unit in enumerate(self._file, 1):
            yield from self._taken(unit)
            if number >= UNTIMED if pts is None else unit.pts is not None and apart_pts(unit.pts, pts) > 0:
                return

    def _taken(self, unit: AccessUnit) -> Iterator[VideoPicture]:
        stream = self._streams.get(unit.pid)
        if stream is None:
            stream = self._streams[unit.pid] = PictureStream(unit.codec)
        yield from stream.take(unit)
