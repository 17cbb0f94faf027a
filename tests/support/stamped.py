"""Video frames with time stamps (ST 0604) and files of them, for the tests of `frames.frame_times`.

H.264 7.3.1 and 7.3.2.3, H.265 7.3.1 and 7.3.2.4 (alike but for the unit's header), H.262 6.2.2.2.2.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from fractions import Fraction

import av

MICROSECONDS = b"MISPmicrosectime"
MICROSECONDS_H265 = bytes.fromhex("a8687dd4d7593758a5cef0338b6545f1")
NANOSECONDS = bytes.fromhex("cf848278ee23306c9265e8fef22fb8b8")
IDENTIFIERS = {"h264": MICROSECONDS, "hevc": MICROSECONDS_H265, "mpeg2video": MICROSECONDS}
USER_DATA_UNREGISTERED = 5
START, HZ = 1340977512123456, 30

_DELIMITER = {"h264": b"\x09\xf0", "hevc": b"\x46\x01\x50"}
_SEI = {"h264": b"\x06", "hevc": b"\x4e\x01"}
_SLICE = {"h264": b"\x65\x88\x84\x3f", "hevc": b"\x26\x01\xaf\x08"}


def body(time: int, status: int = 0x1F) -> bytes:
    """A status and a time, with FF between its pairs of bytes (ST 0604, clause 7.4)."""
    raw = time.to_bytes(8, "big")
    return bytes([status]) + b"\xff".join(raw[at : at + 2] for at in range(0, 8, 2))


def escaped(payload: bytes) -> bytes:
    """A unit's bytes with an 03 wherever three of them would look like a start code."""
    out = bytearray()
    for byte in payload:
        if out[-2:] == b"\0\0" and byte <= 3:
            out.append(3)
        out.append(byte)
    return bytes(out)


def message(kind: int, payload: bytes) -> bytes:
    """An SEI message: type and size, each as FF for every 255 of it and then the rest."""
    return b"".join(b"\xff" * (n // 255) + bytes([n % 255]) for n in (kind, len(payload))) + payload


def sei(codec: str, messages: Sequence[bytes]) -> bytes:
    """An SEI unit as in the stream."""
    return _SEI[codec] + escaped(b"".join(messages) + b"\x80")


def units(codec: str, *seis: bytes) -> list[bytes]:
    """The units of a frame: a delimiter, these units, a slice."""
    return [_DELIMITER[codec], *seis, _SLICE[codec]]


def by_codes(parts: Sequence[bytes], code: bytes = b"\0\0\0\1") -> bytes:
    """Units with start codes, as in a transport stream."""
    return b"".join(code + part for part in parts)


def by_lengths(parts: Sequence[bytes]) -> bytes:
    """Units with lengths, as in mp4 and mkv."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def picture(*user_data: bytes) -> bytes:
    """A frame of MPEG-2: a picture's header, user data, a slice."""
    data = b"".join(b"\0\0\1\xb2" + each for each in user_data)
    return b"\0\0\1\0\0\x0b\xff\xf8" + data + b"\0\0\1\1\x13\xf8\x7d"


def frame(codec: str, time: int, status: int = 0x1F) -> bytes:
    """A frame with its time in microseconds, with start codes."""
    stamp = IDENTIFIERS[codec] + body(time, status)
    if codec == "mpeg2video":
        return picture(stamp)
    return by_codes(units(codec, sei(codec, [message(USER_DATA_UNREGISTERED, stamp)])))


# ---- files of frames, made by libav ----


def encoded(codec: str, frames: int) -> list[bytes]:
    """Frames of a grey picture."""
    encoder = av.CodecContext.create(codec, "w")
    encoder.width, encoder.height, encoder.pix_fmt = 64, 64, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, HZ), Fraction(HZ)
    encoder.max_b_frames = 0
    pictures = [av.VideoFrame(64, 64, "yuv420p") for _ in range(frames)]
    for number, picture in enumerate(pictures):
        picture.pts = number
        for plane in picture.planes:
            plane.update(bytes([128]) * plane.buffer_size)
    return [bytes(packet) for picture in [*pictures, None] for packet in encoder.encode(picture)]


def muxed(codec: str, frames: list[bytes], form: str = "mpegts") -> bytes:
    """Frames, 30 a second, in a container."""
    out = io.BytesIO()
    with av.open(out, "w", format=form) as container:
        stream = container.add_stream(codec, rate=HZ)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for number, data in enumerate(frames):
            packet = av.Packet(data)
            packet.stream, packet.time_base = stream, Fraction(1, 90_000)
            packet.pts = packet.dts = 90_000 + number * 90_000 // HZ
            container.mux(packet)
    return out.getvalue()


def mpeg2(user_data: bytes = b"") -> bytes:
    """Ten frames of MPEG-2 whose user data have their times, or what `user_data` holds."""
    frames = []
    for number, frame in enumerate(encoded("mpeg2video", 10)):
        at = frame.index(b"\0\0\1\1")
        stamp = b"\0\0\1\xb2" + MICROSECONDS + (user_data or body(START + number))
        frames.append(frame[:at] + stamp + frame[at:])
    return muxed("mpeg2video", frames)
