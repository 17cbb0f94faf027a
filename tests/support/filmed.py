"""Recordings with video and KLV for the tests of exports, and what is in the files they make."""

from __future__ import annotations

import io
import json
from base64 import b64decode
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

import av
import numpy as np
from mcap.reader import make_reader

from klvrelay.encode import encode
from klvrelay.multiplex.frame_stamp import Codec
from klvrelay.multiplex.mux import Carriage, Mux

TIME_US = 1_780_000_000_000_000
FRAME_TICKS, FRAME_US = 3000, 33_333
FIRST_PTS = 90_000
_LIBRARY = {"h264": "libx264", "h265": "libx265", "mpeg2": "mpeg2video"}
_QUIET = {"x265-params": "log-level=none:bframes=0:pools=none:frame-threads=1:wpp=0"}


class Coded(NamedTuple):
    """A compressed picture: its number in order of presentation, its bytes, and whether it is a key frame."""

    number: int
    data: bytes
    is_key: bool


@cache
def coded(codec: str = "h264", count: int = 60, b_frames: int = 0, parameters: bool = True,
          refresh: bool = False) -> tuple[Coded, ...]:  # fmt: skip
    """Pictures with noise and a moving square, each of several transport packets, a key frame every
    fifteen, in decoding order.

    parameters   key frames have their parameter sets; False: only the first one has
    refresh      intra refresh: only the first picture is a key frame of which all later ones are independent (IDR)
    """
    context = av.CodecContext.create(_LIBRARY[codec], "w")
    context.width, context.height, context.pix_fmt = 160, 120, "yuv420p"
    context.time_base, context.framerate = Fraction(1, 30), Fraction(30)
    context.gop_size, context.max_b_frames, context.thread_count = 15, b_frames, 1
    context.options = {"h264": {"x264-params": f"scenecut=0:intra-refresh={refresh:d}"}, "h265": _QUIET}.get(codec, {})
    found = [
        Coded(packet.pts, bytes(packet), packet.is_keyframe)
        for picture in [*(_picture(number) for number in range(count)), None]
        for packet in context.encode(picture)
    ]
    return tuple(found) if parameters else (found[0], *(one._replace(data=_slices(one.data)) for one in found[1:]))


def _picture(number: int) -> av.VideoFrame:
    plane = np.random.default_rng(number).integers(20, 80, (120, 160, 3), np.uint8)
    plane[20:60, number * 2 % 120 : number * 2 % 120 + 30] = 200
    plane[80:110, 10:40] = number * 4 % 256
    picture = av.VideoFrame.from_ndarray(plane, format="rgb24")
    picture.pts = number
    return picture


def _slices(data: bytes) -> bytes:
    """The slices of an access unit of H.264."""
    units = [unit.rstrip(b"\0") for unit in data.split(b"\0\0\1")[1:]]
    return b"".join(b"\0\0\0\1" + unit for unit in units if unit[0] & 31 in (1, 5))


def time_of(number: int) -> int:
    """Of a picture, microseconds since 1970."""
    return TIME_US + number * FRAME_TICKS * 100 // 9


def klv(number: int, **items: Any) -> bytes:
    """The packet of a picture: its time and position."""
    place = {"sensor_latitude": 56.0 + number * 1e-5, "sensor_longitude": 9.0}
    return encode({"precision_time_stamp": time_of(number), **place, **items})


def film(pictures: tuple[Coded, ...], codec: Codec = "h264", carriage: Carriage = "sync", first_klv: int = 0,
         first_pts: int = FIRST_PTS) -> bytes:  # fmt: skip
    """MPEG-TS with these pictures, and a KLV packet with each from number `first_klv` on."""
    out = io.BytesIO()
    mux = Mux(out, codec, carriage, FRAME_TICKS)
    for one in pictures:
        packet = klv(one.number) if one.number >= first_klv else None
        mux.frame(first_pts + one.number * FRAME_TICKS, one.data, one.is_key, packet)
    return out.getvalue()


@dataclass(frozen=True, slots=True)
class Shown:
    """A message with a picture."""

    topic: str
    time_us: int
    form: str
    data: bytes


def documents(data: bytes, *topics: str) -> list[tuple[str, int, Any]]:
    """(topic, time in microseconds, message) of these topics of an MCAP file, else of all, in order of time."""
    messages = make_reader(io.BytesIO(data)).iter_messages(topics=topics or None)
    return [(channel.topic, message.log_time // 1000, json.loads(message.data)) for _, channel, message in messages]


def shown(data: bytes) -> list[Shown]:
    """The pictures in an MCAP file."""
    return [
        Shown(topic, time_us, message["format"], b64decode(message["data"]))
        for topic, time_us, message in documents(data)
        if "data" in message
    ]


def decoded(codec: str, units: list[bytes]) -> list[bytes]:
    """The planes of the pictures in access units, each decoded as it comes, as viewers do."""
    context = av.CodecContext.create({"h265": "hevc"}.get(codec, codec), "r")
    context.thread_count = 1
    context.flags |= av.codec.context.Flags.low_delay
    packets = [*(av.Packet(unit) for unit in units), None]
    return [frame.to_ndarray().tobytes() for packet in packets for frame in context.decode(packet)]


def in_colour(codec: str, units: list[bytes]) -> list[np.ndarray]:
    """The pictures in access units as arrays of red, green and blue."""
    context = av.CodecContext.create(codec, "r")
    packets = [*(av.Packet(unit) for unit in units), None]
    return [frame.to_ndarray(format="rgb24") for packet in packets for frame in context.decode(packet)]


def source_pictures(data: bytes) -> list[bytes]:
    """The planes of the pictures in a recording, as libav plays it."""
    with av.open(io.BytesIO(data)) as container:
        return [frame.to_ndarray().tobytes() for frame in container.decode(container.streams.video[0])]
