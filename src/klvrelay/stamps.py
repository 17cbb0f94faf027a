"""The times of video frames: precision time stamps (MISB ST 0603) inside the video itself (ST 0604).

Next door: `wire.py` finds them in a frame's bytes, `record.py` is the metadata that has the same clock.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from klvrelay import wire
from klvrelay.record import utc

NOT_LOCKED, DISCONTINUITY, REVERSE = 0x80, 0x40, 0x20


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
    found = wire.stamp(frame, codec)
    if found is None:
        return None
    time_us, beside, status, nanoseconds, odd = found
    return Stamp(time_us, None if beside is None else time_us * 1000 + beside, status, nanoseconds, odd)
