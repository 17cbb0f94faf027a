"""The pictures of a recording, in step with the packets that its source yields."""

from __future__ import annotations

from collections.abc import Iterator

from klvrelay.config.url import Url
from klvrelay.record import Packet
from klvrelay.video.access_units import AccessUnit, PushedUnits, access_units
from klvrelay.video.clock import apart_pts
from klvrelay.video.pictures import Picture, PictureStream

UNTIMED = 8
"""Access units read with a KLV packet that has no presentation time."""


class RecordingPictures:
    """The pictures of all video streams of a recording: of MPEG-TS from the bytes of its packets, else from the file.

    left_out     access units without a picture
    newest_pts   presentation time of the newest access unit, or None

    Within `with`, which ends the thread of libav.
    """

    def __init__(self, url: Url) -> None:
        self._url = url
        self._streams: dict[int, PictureStream] = {}
        self._pushed: PushedUnits | None = None
        self._file: Iterator[AccessUnit] | None = None
        self.newest_pts: int | None = None

    def __enter__(self) -> RecordingPictures:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pushed is not None:
            self._pushed.close()

    @property
    def left_out(self) -> int:
        return sum(stream.left_out for stream in self._streams.values())

    def after(self, packet: Packet) -> Iterator[Picture]:
        """The pictures up to this packet of the recording's source."""
        if packet.carriage == "ts":
            self._pushed = self._pushed or PushedUnits(self._url)
            for unit in self._pushed.push(bytes(packet.data)) if packet.data else ():
                yield from self._taken(unit)
        elif packet.pid is not None:
            yield from self._until(packet.pts)

    def rest(self) -> Iterator[Picture]:
        """The last pictures."""
        for unit in self._pushed.push(b"") if self._pushed is not None else self._file or ():
            yield from self._taken(unit)
        for stream in self._streams.values():
            yield from stream.rest()

    def _until(self, pts: int | None) -> Iterator[Picture]:
        self._file = self._file or access_units(self._url)
        for number, unit in enumerate(self._file, 1):
            yield from self._taken(unit)
            if number >= UNTIMED if pts is None else unit.pts is not None and apart_pts(unit.pts, pts) > 0:
                return

    def _taken(self, unit: AccessUnit) -> Iterator[Picture]:
        stream = self._streams.get(unit.pid)
        if stream is None:
            stream = self._streams[unit.pid] = PictureStream(unit.codec)
        if unit.pts is not None:
            self.newest_pts = unit.pts
        yield from stream.take(unit)
