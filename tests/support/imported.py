"""Small flights for the tests of `klvrelay import`: DJI subtitles in each dialect, tables, and videos of them."""

from __future__ import annotations

import asyncio
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

import klvrelay
from klvrelay.importing.prepared import prepare
from klvrelay.importing.recording import ImportCounts, write_recording
from klvrelay.importing.request import ImportRequest
from klvrelay.probe.analysis import analyse
from klvrelay.probe.report import Report
from klvrelay.record import Record
from klvrelay.sources.open import open_source

RATE = Fraction(30000, 1001)
START_US = 1_682_937_296_789_000  # 2023-05-01T10:34:56.789Z

BRACKETS = (
    '<font size="28">FrameCnt: {n}, DiffTime: 33ms\n{day} {time}.{ms:03}\n[iso: 100] [shutter: 1/400.0] [fnum: 2.8]'
    " [ev: 0] [color_md : default] [focal_len: 24.00] [dzoom_ratio: 1.00], [latitude: {lat:.6f}]"
    " [longitude: {lon:.6f}] [rel_alt: 100.100 abs_alt: 620.400] [gb_yaw: {yaw:.1f} gb_pitch: -60.0 gb_roll: 0.0]"
    " </font>"
)
"""The dialect of the Mavic 3."""
DRONE = (
    '<font size="36">SrtCnt : {n}, DiffTime : 33ms\n{day} {time},{ms:03},123\n[iso : 100] [shutter : 1/2000.0]'
    " [fnum : 280] [ct : 5028] [focal_len : 240] [dzoom_ratio: 10000, delta:0],[latitude: {lat:.6f}]"
    " [longtitude: {lon:.6f}] [altitude: 620.400] [Drone: Yaw:90.4, Pitch:0.8, Roll:-1.6] </font>"
)
"""With the aircraft's attitude, and a misspelling of the firmware."""
OLD = "HOME(11.5000,48.2000) {dots} {time}\nGPS({lon:.4f},{lat:.4f},17) BAROMETER:40.1\nISO:100 Shutter:60 EV:0"
"""The dialect of the Mavic Pro: whole seconds, longitude first."""
OLD_METRES = "{dots} {time}\nGPS({lat:.4f},{lon:.4f},0.0M) BAROMETER:40.1M"
"""The dialect of the Matrice 300: latitude first."""
FLAT = (
    "F/2.8, SS 206.14, ISO 150, EV 0, GPS ({lon:.4f}, {lat:.4f}, 15), D 24.10m, H 40.10m, H.S 3.60m/s, V.S -0.50m/s,"
    " F.PRY (1.0°, -0.3°, 60.0°), G.PRY (-20.0°, 0.5°, 61.0°)"
)
"""The dialect of the Phantom 4 RTK: no date; pitch, roll, yaw."""


def stamp_text(ms: int) -> str:
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02},{ms % 1000:03}"


def latitude(number: int) -> float:
    return 48.2 + number * 1e-5


def longitude(number: int) -> float:
    return 11.5 - number * 1e-5


def yaw(number: int) -> float:
    return -175.0 - number * 0.3 + (360 if number > 16 else 0)


def cue_text(form: str, number: int, every_ms: float = 1001 / 30) -> str:
    """The text of a cue, whose clock is local time, two hours ahead of UTC."""
    ms = 56_789 + int(number * every_ms)
    time = f"12:{34 + ms // 60_000}:{ms // 1000 % 60:02}"
    return form.format(
        n=number + 1, day="2023-05-01", dots="2023.05.01", time=time, ms=ms % 1000,
        lat=latitude(number), lon=longitude(number), yaw=yaw(number),
    )  # fmt: skip


def srt(form: str, count: int, every_ms: float = 1001 / 30) -> str:
    """Subtitles with a cue every so many milliseconds."""
    cues = []
    for number in range(count):
        start, end = stamp_text(int(number * every_ms)), stamp_text(int((number + 1) * every_ms))
        cues.append(f"{number + 1}\n{start} --> {end}\n{cue_text(form, number, every_ms)}\n")
    return "\n".join(cues)


def make_video(
    path: Path, frames: int = 30, *, codec: str = "libx264", b_frames: int = 2, created: str | None = None,
    audio: bool = False, gaps: dict[int, int] | None = None,
) -> Path:  # fmt: skip
    """A small video; `gaps`: milliseconds by which all frames from a number on are later."""
    metadata = {} if created is None else {"creation_time": created}
    options = {"movflags": "+faststart"} if path.suffix in (".mp4", ".mov") else {}
    with av.open(str(path), "w", options=options) as container:
        container.metadata.update(metadata)
        stream: Any = container.add_stream(codec, rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 128, 72, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 30000)
        quiet = {"x265-params": f"log-level=none:bframes={b_frames}:frame-threads=1:pools=none"}
        stream.options = {"preset": "ultrafast", "bf": str(b_frames), "threads": "1"} | (
            quiet if codec == "libx265" else {"b-adapt": "0"}
        )
        stream.codec_context.gop_size = 12
        sound: Any = container.add_stream("aac", rate=48000) if audio else None
        later = 0
        for number in range(frames):
            picture = np.full((108, 128), 16 + number * 4 % 200, np.uint8)
            picture[number % 72, :] = 235
            frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
            later += (gaps or {}).get(number, 0) * 30
            frame.pts, frame.time_base = number * 1001 + later, Fraction(1, 30000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound is not None:
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            silence.sample_rate, silence.pts = 48000, 0
            container.mux(sound.encode(silence))
            container.mux(sound.encode(None))
    return path


def imported(telemetry: Path, video: Path | None, target: Path, **options: Any) -> ImportCounts:
    """Import with the options of `ImportRequest`."""
    return write_recording(prepare(ImportRequest(telemetry, video, target, **options)), lambda done, total: None)


def probe_of(path: Path) -> Report:
    return asyncio.run(analyse(open_source(path)))


def records_of(path: Path) -> list[Record]:
    return klvrelay.decode(path.read_bytes())
