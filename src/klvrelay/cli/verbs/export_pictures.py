"""The pictures of one stream's file: each gets its time from the stream's KLV, and its channel."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from klvrelay.record import Record
from klvrelay.video.clock import PictureClock

if TYPE_CHECKING:
    from klvrelay.video.pictures import VideoPicture

MOST_HELD_BYTES = 16 << 20
"""Of pictures before the first record with a time."""
MOST_UNPLACED = 4096
"""Records without a presentation time that may be ahead of the video."""

WritePicture = Callable[[str, str, bytes, int], None]


class HeldPictures:
    """The newest pictures, as many as fit into MOST_HELD_BYTES.

    dropped   pictures that did not fit
    """

    def __init__(self) -> None:
        self._held: deque[VideoPicture] = deque()
        self._size = self.dropped = 0

    def add(self, picture: VideoPicture) -> None:
        self._held.append(picture)
        self._size += len(picture.data)
        while self._size > MOST_HELD_BYTES:
            self._size -= len(self._held.popleft().data)
            self.dropped += 1

    def all(self) -> list[VideoPicture]:
        """They remain held."""
        return list(self._held)

    def release(self) -> list[VideoPicture]:
        """They are no longer held."""
        held, self._held, self._size = list(self._held), deque(), 0
        return held


class PictureTrack:
    """Writes the pictures of a flight to the file of one stream.

    counts     pictures written, and those that are JPEG
    untimed    pictures left out, because neither a time stamp nor the KLV gives their time
    """

    def __init__(self, write: WritePicture) -> None:
        self._write = write
        self._clock = PictureClock()
        self._held = HeldPictures()
        self._names: dict[tuple[str, int], str] = {}
        self._unplaced: deque[tuple[int, int]] = deque(maxlen=MOST_UNPLACED)
        self._newest_pts: int | None = None
        self._untimed = self._written = self._jpegs = 0

    @property
    def counts(self) -> tuple[int, int]:
        return self._written, self._jpegs

    @property
    def untimed(self) -> int:
        return self._untimed + self._held.dropped

    def note(self, record: Record, at: int) -> None:
        """A record of the stream, read at this byte of MPEG-TS: without a presentation time, it is of that picture."""
        time_us = record.clock_us
        if time_us is None:
            return
        if record.pts is None:
            self._unplaced.append((at, time_us))
        else:
            self._set(record.pts, time_us)

    def _set(self, pts: int, time_us: int) -> None:
        self._clock.note(pts, time_us)
        for picture in self._held.release():
            self._write_timed(picture)

    def take(self, picture: VideoPicture) -> None:
        """A picture of the flight."""
        while self._unplaced and picture.at is not None and self._unplaced[0][0] < picture.at:
            self._place()
        self._newest_pts = picture.pts
        self._write_timed(picture)

    def _place(self) -> None:
        _, time_us = self._unplaced.popleft()
        if self._newest_pts is not None:
            self._set(self._newest_pts, time_us)

    def _write_timed(self, picture: VideoPicture) -> None:
        time_us = self._clock.time_us(picture.pts, picture.stamp_us)
        if time_us is not None and (self._clock.is_set or picture.pts is None):
            self._put(picture, time_us)
        elif not self._clock.is_set:
            self._held.add(picture)
        else:
            self._untimed += 1

    def finish(self) -> None:
        """Write what is held: with the records after the last picture, else with its time stamps."""
        while self._unplaced:
            self._place()
        for picture in self._held.release():
            if picture.stamp_us is None:
                self._untimed += 1
            else:
                self._put(picture, picture.stamp_us)

    def _put(self, picture: VideoPicture, time_us: int) -> None:
        self._write(self._name(picture), picture.form, picture.data, time_us)
        self._written += 1
        self._jpegs += picture.form == "jpeg"

    def _name(self, picture: VideoPicture) -> str:
        """Of the channel: "video" or "image", for further streams with the PID."""
        kind = "image" if picture.form == "jpeg" else "video"
        key = kind, picture.pid
        if key not in self._names:
            is_first = all(known != kind for known, _ in self._names)
            self._names[key] = kind if is_first else f"{kind}_{picture.pid:#x}"
        return self._names[key]
