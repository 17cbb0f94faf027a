"""The pictures of one video stream as viewers show them: access units unchanged, or JPEG.

Viewers decode H.264 and H.265 access unit by access unit. They need key frames (IDR, IRAP) with parameter sets, and no
picture that is presented before an earlier one (B-frames). Whether a stream is such is decided at its beginning:

    held        until FIRST access units from a key frame on, or MOST_HELD in all, are known
    unchanged   there is a key frame, and presentation times do not step back
    JPEG        anything else; also from the next key frame on, if the times step back later
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, NamedTuple

from klvrelay.video.clock import PTS_RANGE, apart_pts
from klvrelay.video.units import NAL_CODECS, ParameterSets

if TYPE_CHECKING:
    from klvrelay.video.access_units import AccessUnit
    from klvrelay.video.jpeg import JpegTranscoder

LOG = logging.getLogger("klvrelay.video")

FIRST = 32
"""Access units from the first key frame on in which B-frames would appear."""
MOST_HELD, MOST_HELD_BYTES = 300, 16 << 20
NEAR = 300
"""Access units; two steps back within them are B-frames, a single one is a jump of the clock."""
LONGEST_STEP = 90_000
"""Largest step back of a B-frame, and largest step between two pictures: a second at 90 kHz."""
USUAL_STEP = 3003
"""Between two pictures, 90 kHz, until it is known."""

PictureForm = Literal["h264", "h265", "jpeg"]
_FORMS: dict[str, PictureForm] = {"h264": "h264", "hevc": "h265"}


class VideoPicture(NamedTuple):
    """One picture that a viewer can show.

    form      "h264", "h265": an access unit (Annex B); "jpeg"
    pts       90 kHz presentation time, 33 bits, or None
    pid       of its stream
    stamp_us  its time stamp (ST 0604): microseconds since 1970, or None
    at        where it begins in the bytes of MPEG-TS, or None
    """

    form: PictureForm
    data: bytes
    pts: int | None
    pid: int
    stamp_us: int | None
    at: int | None


class PictureStream:
    """The pictures of one video stream.

    left_out   access units without a picture: damaged, incomplete, or before the first key frame
    """

    def __init__(self, codec: str) -> None:
        self._codec = codec
        self._sets = ParameterSets(codec) if codec in NAL_CODECS else None
        self._order, self._times = _Order(), _Times()
        self._held: list[AccessUnit] = []
        self._held_bytes = 0
        self._from_key = 0
        self._is_decided = self._sets is None
        self._jpeg = None if self._sets is not None else _transcoder(codec)
        self._begun = False
        self.left_out = 0

    def take(self, unit: AccessUnit) -> Iterator[VideoPicture]:
        """The pictures that are complete with this access unit."""
        unit = unit._replace(pts=self._times.filled(unit.pts))
        if unit.damaged:
            self.left_out += 1
            return
        self._order.note(unit.pts)
        if self._is_decided:
            yield from self._converted(unit)
            return
        self._held.append(unit)
        self._held_bytes += len(unit.data)
        if self._from_key or _has_key(unit):
            self._from_key += 1
        if self._order.steps_back or self._from_key >= FIRST or self._is_full():
            yield from self._decide()

    def rest(self) -> Iterator[VideoPicture]:
        """The last pictures."""
        if not self._is_decided:
            yield from self._decide()
        if self._jpeg is not None:
            yield from self._encoded(None)

    def _is_full(self) -> bool:
        return len(self._held) >= MOST_HELD or self._held_bytes >= MOST_HELD_BYTES

    def _decide(self) -> Iterator[VideoPicture]:
        self._is_decided = True
        if self._order.steps_back or not self._from_key:
            cause = "B-frames" if self._order.steps_back else "no key frames"
            LOG.info("video is converted to JPEG: codec=%s cause=%s", self._codec, cause)
            self._jpeg = _transcoder(self._codec)
        held, self._held = self._held, []
        for unit in held:
            yield from self._converted(unit)

    def _converted(self, unit: AccessUnit) -> Iterator[VideoPicture]:
        if self._jpeg is not None:
            yield from self._encoded(unit)
            return
        assert self._sets is not None
        complete = self._sets.complete(unit.data)
        if complete is None or not (complete[1] or self._begun):
            self.left_out += 1
            return
        data, is_key = complete
        self._begun = True
        if is_key and self._order.steps_back:
            LOG.info("video is converted to JPEG: codec=%s cause=%s", self._codec, "B-frames")
            self._jpeg = _transcoder(self._codec)
            yield from self._encoded(unit._replace(data=data))
            return
        yield VideoPicture(_FORMS[self._codec], data, unit.pts, unit.pid, unit.stamp_us, unit.at)

    def _encoded(self, unit: AccessUnit | None) -> Iterator[VideoPicture]:
        assert self._jpeg is not None
        for found, data in self._jpeg.pictures(unit):
            yield VideoPicture("jpeg", data, found.pts, found.pid, found.stamp_us, found.at)


def _has_key(unit: AccessUnit) -> bool:
    complete = ParameterSets(unit.codec).complete(unit.data)
    return complete is not None and complete[1]


def _transcoder(codec: str) -> JpegTranscoder:
    from klvrelay.video.jpeg import JpegTranscoder  # here, because it loads the decoders

    return JpegTranscoder(codec)


class _Times:
    """Presentation times for the access units without one: a PES packet may have several, and one time."""

    def __init__(self) -> None:
        self._known: int | None = None
        self._since, self._step = 0, USUAL_STEP

    def filled(self, pts: int | None) -> int | None:
        """The time of the next access unit: as sent, else from the last one and the usual step."""
        if pts is None:
            self._since += 1
            return None if self._known is None else (self._known + self._since * self._step) % PTS_RANGE
        if self._known is not None and 0 < (apart := apart_pts(pts, self._known)) <= LONGEST_STEP:
            self._step = apart // (self._since + 1)
        self._known, self._since = pts, 0
        return pts


class _Order:
    """Whether presentation times step back, as they do with B-frames.

    steps_back   they did, twice within NEAR access units
    """

    def __init__(self) -> None:
        self._latest: int | None = None
        self._since = NEAR
        self.steps_back = False

    def note(self, pts: int | None) -> None:
        self._since += 1
        if pts is None:
            return
        if self._latest is not None and -LONGEST_STEP <= apart_pts(pts, self._latest) < 0:
            self.steps_back = self.steps_back or self._since < NEAR
            self._since = 0
            return
        self._latest = pts
