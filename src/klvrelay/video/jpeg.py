"""Decodes video and encodes its pictures as JPEG."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

if TYPE_CHECKING:
    from klvrelay.video.access_units import AccessUnit

QUALITY = 4
"""Quantiser scale of the JPEG encoder, from 2 (best) to 31."""
MOST_DELAYED = 64
"""Access units that a decoder may hold back; H.264 and H.265 allow 16."""
LARGEST = 16384
"""Maximum width and height in pixels."""


class JpegTranscoder:
    """The pictures of one video stream in order of presentation. Broken pictures are left out."""

    def __init__(self, codec: str) -> None:
        decoder = av.CodecContext.create(codec, "r")
        assert isinstance(decoder, VideoCodecContext)
        decoder.thread_count = 1
        self._decoder = decoder
        self._encoder: VideoCodecContext | None = None
        self._waiting: OrderedDict[int, AccessUnit] = OrderedDict()
        self._count = 0

    def pictures(self, unit: AccessUnit | None) -> Iterator[tuple[AccessUnit, bytes]]:
        """The pictures that this access unit completes, each with its own access unit. None: the rest."""
        packet = None
        if unit is not None:
            packet = av.Packet(unit.data)
            self._count += 1
            packet.pts = packet.dts = self._count
            self._waiting[self._count] = unit
            if len(self._waiting) > MOST_DELAYED:
                self._waiting.popitem(last=False)
        for frame in self._decoded(packet):
            found = self._waiting.pop(frame.pts or 0, None)
            if found is not None and not frame.is_corrupt and (data := self._encoded(frame)):
                yield found, data

    def _decoded(self, packet: Any) -> list[VideoFrame]:
        try:
            return list(self._decoder.decode(packet))
        except av.FFmpegError:  # this access unit is broken
            return []

    def _encoded(self, frame: VideoFrame) -> bytes:
        if not 0 < max(frame.width, frame.height) <= LARGEST:
            return b""
        try:
            plain = frame.reformat(format="yuvj420p")
            plain.pts = None
            return b"".join(bytes(packet) for packet in self._encoder_for(plain).encode(plain))
        except av.FFmpegError:
            self._encoder = None
            return b""

    def _encoder_for(self, frame: VideoFrame) -> VideoCodecContext:
        encoder = self._encoder
        if encoder is None or (encoder.width, encoder.height) != (frame.width, frame.height):
            made = av.CodecContext.create("mjpeg", "w")
            assert isinstance(made, VideoCodecContext)
            made.width, made.height, made.pix_fmt = frame.width, frame.height, "yuvj420p"
            made.qmin = made.qmax = QUALITY
            made.thread_count = 1
            encoder = self._encoder = made
        return encoder
