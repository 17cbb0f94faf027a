"""Names and order of the segments in a folder, as written by `klvrelay record`.

{stream}-20261122T181500.123456Z.ts       MPEG-TS, or .klv for bare KLV; UTC of its first byte
{stream}-20261122T181500.123456Z.ts.part  the segment that is being written
"""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from klvrelay.config.url import Url
from klvrelay.errors import NotMedia
from klvrelay.record import Carriage, utc
from klvrelay.text import printable

PART = ".part"

_KINDS: dict[str, Carriage] = {"ts": "ts", "klv": "klv"}
_NAME = re.compile(r"(?P<stream>.+)-(?P<time>\d{8}T\d{6}\.\d{6})Z\.(?P<kind>ts|klv)(?P<part>\.part)?", re.ASCII)
_RECORDING = re.compile(r".+\.(?P<kind>ts|klv)(\.part)?", re.DOTALL)
_TIME = "%Y%m%dT%H%M%S.%fZ"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class RecordedSegment(NamedTuple):
    """A segment's name; sorts by stream, then by time.

    stream, time_us, kind   stream name, start (microseconds since 1970 UTC) and content: "ts" or "klv"
    part                    still being written, or left by a recorder that was killed
    """

    stream: str
    time_us: int
    kind: Carriage
    part: bool = False

    @property
    def name(self) -> str:
        """The file name."""
        time = utc(self.time_us) or _EPOCH
        return f"{self.stream}-{time.strftime(_TIME)}.{self.kind}{PART if self.part else ''}"

    @classmethod
    def of(cls, name: str) -> RecordedSegment | None:
        """Parse a file name; None if no recorder wrote it."""
        found = _NAME.fullmatch(name)
        if found is None:
            return None
        try:
            day, hour = found["time"].split("T")
            time = datetime.fromisoformat(f"{day[:4]}-{day[4:6]}-{day[6:]}T{hour[:2]}:{hour[2:4]}:{hour[4:]}+00:00")
        except ValueError:
            return None
        return cls(
            found["stream"], (time - _EPOCH) // timedelta(microseconds=1), _KINDS[found["kind"]], bool(found["part"])
        )


def segments(folder: str, stream: str | None = None) -> list[RecordedSegment]:
    """The segments in a folder, of one stream or of all, oldest first; raises OSError."""
    found = (RecordedSegment.of(name) for name in os.listdir(folder))
    return sorted(segment for segment in found if segment and stream in (None, segment.stream))


def recordings_in(url: Url) -> list[str]:
    """Paths of all MPEG-TS files, or else of all KLV files, in a folder, by name; read in order they are one stream.

    Raises NotMedia if there are none, or if the folder holds several streams.
    """
    try:
        names = sorted(name for name in os.listdir(url.path) if _RECORDING.fullmatch(name))
    except OSError as fault:
        raise NotMedia(f"{url}: the folder can't be read: {os.strerror(fault.errno or 0)}") from fault
    if not names:
        raise NotMedia(f"{url} is a folder without a .ts or .klv file: give a file, or a folder of segments")
    check_one_stream(url, [segment for name in names if (segment := RecordedSegment.of(name))])
    if len({_RECORDING.sub(r"\g<kind>", name) for name in names}) > 1:
        raise NotMedia(f"{url} contains both MPEG-TS and bare KLV files: give one file, or separate them")
    return [os.path.join(url.path, name) for name in names]


def check_one_stream(url: Url, found: list[RecordedSegment]) -> None:
    """Raise NotMedia if the segments of a folder belong to several streams."""
    streams = sorted({segment.stream for segment in found})
    if len(streams) > 1:
        shown = printable(", ".join(streams[:4])) + (", ..." if len(streams) > 4 else "")
        raise NotMedia(f"{url} contains segments of {len(streams)} streams ({shown}): put each in a separate folder")
