"""Encodes frames with libx264 or libx265, reproducibly: one thread and no B-frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from klvrelay.errors import ConfigError
from klvrelay.multiplex.frame_stamp import Codec

_LIBRARY = {"h264": "libx264", "h265": "libx265"}
_OPTIONS = {
    # The macroblock tree of x264 reads memory that it did not initialise: equal frames gave different bytes.
    "h264": {"preset": "veryfast", "aud": "1", "mbtree": "0"},
    "h265": {
        "preset": "ultrafast",
        "x265-params": "log-level=none:aud=1:bframes=0:frame-threads=1:pools=none:wpp=0",
    },
}
_COLOUR = dict.fromkeys(("colorspace", "color_primaries", "color_trc"), "smpte170m") | {"color_range": "tv"}


@dataclass(frozen=True, slots=True)
class Encoded:
    """One access unit (Annex B), its frame number, and whether it is a key frame."""

    number: int
    data: bytes
    key: bool


def access_units(frames: Iterable[NDArray[np.uint8]], codec: Codec, size: tuple[int, int], fps: Fraction,
           bit_rate: int) -> Iterator[Encoded]:  # fmt: skip
    """Encode frames in order; the output may lag by a few frames."""
    context = _context(codec, size, fps, bit_rate)
    for number, planes in enumerate(frames):
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts = number
        yield from _packets(context, frame)
    yield from _packets(context, None)


def _context(codec: Codec, size: tuple[int, int], fps: Fraction, bit_rate: int) -> VideoCodecContext:
    try:
        context = av.CodecContext.create(_LIBRARY[codec], "w")
    except FFmpegError as fault:
        raise ConfigError(f"codec: this PyAV lacks {_LIBRARY[codec]}; try the other codec") from fault
    assert isinstance(context, VideoCodecContext)
    context.width, context.height = size
    context.pix_fmt = "yuv420p"
    context.framerate = fps
    context.time_base = 1 / fps
    context.bit_rate = bit_rate
    context.gop_size = max(1, round(fps))
    context.max_b_frames = 0
    context.thread_count = 1
    rate = {"maxrate": str(bit_rate * 3 // 2), "bufsize": str(bit_rate)}
    context.options = {**_OPTIONS[codec], **_COLOUR, **rate}
    return context


def _packets(context: VideoCodecContext, frame: av.VideoFrame | None) -> Iterator[Encoded]:
    try:
        packets = context.encode(frame)
    except FFmpegError as fault:
        reason = f"{context.name} rejected these settings ({fault})"
        raise ConfigError(f"{reason}; try another size or bit rate") from fault
    for packet in packets:
        assert packet.pts is not None
        yield Encoded(packet.pts, bytes(packet), packet.is_keyframe)
