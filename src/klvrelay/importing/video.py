"""Reads the frames of a video file as they are: H.264 or H.265 in Annex B, with their times. Nothing is decoded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from klvrelay.errors import ConfigError, SourceError
from klvrelay.importing.times import read_date
from klvrelay.multiplex.frame_stamp import Codec
from klvrelay.text import counted

if TYPE_CHECKING:
    from av.bitstream import BitStreamFilterContext
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream

TICKS = 90_000
WAITING_MOST = 64
"""Maximum number of frames before the first one with a decoding time."""
GAP_MOST = 3600
"""Seconds between two frames from which the time stamps are considered faulty."""
BACK_MOST = 1
"""Seconds by which decoding times may go back; they are moved behind the frame before."""

_CODECS: dict[str, Codec] = {"h264": "h264", "hevc": "h265"}
_FILTERS = {"h264": "h264_mp4toannexb", "h265": "hevc_mp4toannexb"}
_OPTIONS = {
    "protocol_whitelist": "file",
    "format_whitelist": "mpegts,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm",
    "codec_whitelist": "h264,hevc",
}
_TS_OPTIONS = {"fflags": "+nofillin", "codec_whitelist": "none"}
"""For MPEG-TS. If a PID changes its codec, assertions of libav would abort the process where it computes times or opens
decoders; a transport stream has all times. Other containers, whose codecs don't change, have no decoding times."""
_SYNC = b"\x47"
_CUT_OFF = "an mp4 without its index, as after a recording that was cut off, has to be repaired first"
_REMUX = "remux it: ffmpeg -i IN -c copy OUT.mp4"


class VideoFrame(NamedTuple):
    """A frame in the order of decoding: its times in 90 kHz ticks, its bytes (Annex B), whether it is a key frame."""

    pts: int
    dts: int
    data: bytes
    is_key: bool


@dataclass(slots=True)
class VideoFile:
    """A video file.

    frames       number of frames by the container; 0 if it does not say
    seconds      duration; None if unknown
    created_us   creation time by the container, microseconds since 1970; None if unknown
    notes        what a user should know; complete when all frames were read
    """

    path: Path
    codec: Codec
    width: int
    height: int
    rate: float
    frames: int
    seconds: float | None
    created_us: int | None
    notes: list[str] = field(default_factory=list)

    @property
    def frame_ticks(self) -> int:
        """The usual time between two frames."""
        return round(TICKS / self.rate)

    def read(self) -> Iterator[VideoFrame]:
        """The frames. Damage ends them with a note; raises SourceError if times are missing."""
        with closing(_open(self.path)) as container:
            stream = _stream_of(container, self.path)
            convert = _converter(stream, self)
            count = 0
            packets = _packets(container, stream, convert, self.notes)
            for frame in _in_steps(_timed(packets, self), self):
                count += 1
                yield frame
        if count < self.frames:
            self.notes.append(f"the video ends after {count} of {counted(self.frames, 'frame')}: the file is truncated")


def open_video(path: Path) -> VideoFile:
    """What a video file holds. Raises ConfigError for a wrong name, SourceError, with the remedy, for other files."""
    if not path.is_file():
        raise ConfigError(f"--video {path}: {'not a file' if path.exists() else 'no such file'}")
    with closing(_open(path)) as container:
        stream = _stream_of(container, path)
        context = stream.codec_context
        codec = _CODECS[context.name]
        rate = float(getattr(stream, "average_rate", None) or 30)
        seconds = container.duration / 1e6 if container.duration else None
        created = _created(stream.metadata) or _created(container.metadata)
        width, height = getattr(context, "width", 0), getattr(context, "height", 0)
        frames = stream.frames  # here: a stream ends with its container
        notes = _dropped(container, stream)
        is_mov = "mp4" in container.format.name
    if not width or not height:
        raise SourceError(f"{path}: no picture size in its video; {_REMUX}")
    rotation = _rotation(path) if is_mov else 0
    if rotation:
        notes.append(f"players show the output without the rotation of the file, by {rotation} degrees")
    rate = min(max(rate, 1.0), 1000.0)
    return VideoFile(path, codec, width, height, rate, frames, seconds, created, notes)


def _open(path: Path) -> InputContainer:
    import av
    from av.error import FFmpegError

    from klvrelay.sources.libav.demuxer import lenient_metadata
    try:
        with path.open("rb") as file:
            options = _OPTIONS | (_TS_OPTIONS if _SYNC in file.read(5)[::4] else {})
        found: InputContainer = av.open(f"file:{path.absolute()}", options=options, **lenient_metadata())
    except FFmpegError as fault:
        raise SourceError(f"{path}: not a readable video ({fault.strerror or fault}); {_CUT_OFF}") from fault
    return found


def _stream_of(container: InputContainer, path: Path) -> Stream:
    """The first stream of H.264 or H.265. Raises SourceError."""
    pictures = [stream for stream in container.streams if stream.type == "video"]
    for stream in pictures:
        if _name_of(stream) in _CODECS:
            return stream
    if not pictures:
        raise SourceError(f"{path}: no video in this file; {_CUT_OFF}")
    raise SourceError(
        f"{path}: its video is {_name_of(pictures[0]) or 'of an unknown codec'}; STANAG 4609 needs H.264 or H.265:"
        " ffmpeg -i IN -c:v libx264 OUT.mp4"
    )


def _name_of(stream: Stream) -> str:
    return str(getattr(stream.codec_context, "name", ""))


def _dropped(container: InputContainer, video: Stream) -> list[str]:
    names = [stream.type for stream in container.streams if stream.index != video.index]
    kinds = [counted(names.count(kind), f"{kind} stream") for kind in dict.fromkeys(names)]
    return [f"left out of the output: {', '.join(kinds)}"] if kinds else []


def _created(metadata: dict[str, str]) -> int | None:
    text = metadata.get("creation_time", metadata.get("CREATION_TIME", ""))
    try:
        return read_date(text).us or None
    except ValueError:
        return None


def _rotation(path: Path) -> int:
    """The rotation by the container, which only a decoded frame shows."""
    from av.error import FFmpegError

    with suppress(FFmpegError, SourceError), closing(_open(path)) as container:
        for packet in islice(container.demux(_stream_of(container, path)), WAITING_MOST):
            for frame in packet.decode():
                return int(getattr(frame, "rotation", 0))
    return 0


def _converter(stream: Stream, video: VideoFile) -> BitStreamFilterContext:
    """The filter that converts to Annex B. Raises SourceError if the stream's parameter sets are damaged."""
    from av.bitstream import BitStreamFilterContext
    from av.error import FFmpegError

    try:
        return BitStreamFilterContext(_FILTERS[video.codec], stream)
    except FFmpegError as fault:
        raise SourceError(f"{video.path}: the parameter sets of its video are damaged ({fault.strerror})") from fault


def _packets(
    container: InputContainer, stream: Stream, convert: BitStreamFilterContext, notes: list[str]
) -> Iterator[Packet[Any]]:
    """The packets of the stream in Annex B, until the end or until damage."""
    from av.error import FFmpegError

    try:
        for packet in container.demux(stream):
            if packet.size:
                yield from convert.filter(packet)
    except IndexError:  # PyAV's error at the end, if a stream appeared after the file was opened
        return
    except FFmpegError as fault:
        notes.append(f"the video is damaged ({fault.strerror or fault}); the rest of it is left out")


def _timed(packets: Iterator[Packet[Any]], video: VideoFile) -> Iterator[VideoFrame]:
    """The packets with times in ticks. Decoding times that are missing at the start are filled in at the frame rate."""
    waiting: list[Packet[Any]] = []
    for packet in packets:
        waiting.append(packet)
        if packet.dts is None:
            if len(waiting) > WAITING_MOST:
                raise SourceError(f"{video.path}: its frames have no decoding times; {_REMUX}")
            continue
        step = Fraction(1) / Fraction(video.rate).limit_denominator(100_000) / packet.time_base
        for number, earlier in enumerate(waiting):
            dts = packet.dts - (len(waiting) - 1 - number) * step
            yield _frame(earlier, dts, video)
        waiting.clear()
    if waiting:
        raise SourceError(f"{video.path}: its frames have no decoding times; {_REMUX}")


def _frame(packet: Packet[Any], dts: Fraction | int, video: VideoFile) -> VideoFrame:
    if packet.pts is None:
        raise SourceError(f"{video.path}: a frame has no presentation time; {_REMUX}")
    base = Fraction(packet.time_base) * TICKS
    return VideoFrame(round(packet.pts * base), round(dts * base), bytes(packet), packet.is_keyframe)


def _in_steps(frames: Iterator[VideoFrame], video: VideoFile) -> Iterator[VideoFrame]:
    """Frames with increasing decoding times, none after its presentation; raises SourceError where the times jump."""
    last: int | None = None
    corrected = 0
    for frame in frames:
        pts, dts = frame.pts, frame.dts
        if last is not None and not -BACK_MOST * TICKS <= dts - last <= GAP_MOST * TICKS:
            raise SourceError(f"{video.path}: its time stamps jump by {(dts - last) / TICKS:.0f} s; {_REMUX}")
        if last is not None and dts <= last:
            dts = last + 1
        if (pts, dts) != frame[:2] or pts < dts:
            corrected += 1
        last = dts
        yield frame._replace(pts=max(pts, dts), dts=dts)
    if corrected:
        video.notes.append(f"the times of {counted(corrected, 'frame')} were out of order; they were moved")
