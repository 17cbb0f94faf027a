"""The verb `record`: its options read, a line of progress, what was recorded; next door, `recording/` does it."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from functools import partial
from typing import Any

from klvrelay.config.names import safe_level, stream_name
from klvrelay.config.url import Url
from klvrelay.errors import ConfigError, KlvrelayError
from klvrelay.recording import Recorder
from klvrelay.recording.limits import RecordingLimits, counted, shown
from klvrelay.sources.open import open_source

LOG = logging.getLogger("klvrelay")

REFRESH = 0.5
WINDOW = 5.0
"""Seconds that the rate shown is an average of."""

# libav's muxer could write MPEG-TS of what its demuxer found, but that would make a damaged packet look whole, change
# the labels (0x15 becomes 0x06 with stream_id 0xFC, AU cells go), and can't hold KLV without a PTS.
_RTSP = "`ffmpeg -copyts -i URL -map 0 -c copy -mpegts_copyts 1 -f mpegts - | klvrelay record - DIR`"
_HTTP = "`curl -sN URL | klvrelay record - DIR` (of HLS, ffmpeg's way: see klvrelay record --help)"
_PIPES = {"rtsp": _RTSP, "rtsps": _RTSP, "http": _HTTP, "https": _HTTP}

LimitTexts = tuple[str | None, str | None, str | None, str | None]


async def record(
    source: str | Url, folder: str, stream: str | None, limits: LimitTexts, *, quiet: bool, **options: Any
) -> None:
    """The whole verb, until the source ends or it is cancelled. Raises ConfigError, SourceError, or KlvrelayError
    where the disk did not take all that came.

    limits    --segment-seconds, --segment-size, --keep-size, --keep-age; None for the default
    options   those of `sources.open_source`
    """
    url = Url.parse(source)
    if (pipe := _PIPES.get(url.scheme)) is not None:
        raise ConfigError(
            f"{url}: it is not recorded as bytes; pipe them in: {pipe}"
        )
    opened = partial(open_source, url, **options)
    opened()  # nothing is opened yet: wrong schemes and options are found before anything starts
    name = stream_name(url) if stream is None else safe_level(stream)
    recorder = Recorder(opened, folder, name, RecordingLimits.parse(*limits))
    try:
        async with nullcontext() if quiet or not sys.stderr.isatty() else _progress(recorder):
            await recorder.run()
    except asyncio.CancelledError:
        if not recorder.lost:
            raise
    finally:
        LOG.info("%s", recorder.summary())
    if recorder.lost:
        raise KlvrelayError(f"{shown(recorder.lost)} that came from {url} were lost: the disk did not take them")


@asynccontextmanager
async def _progress(recorder: Recorder) -> AsyncIterator[None]:
    """One line on standard error."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    with Live(Text(), console=Console(stderr=True), auto_refresh=False, transient=True) as live:
        painting = _paint(recorder, lambda line: live.update(Text(line), refresh=True))
        task = asyncio.create_task(painting, name="record progress")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _paint(recorder: Recorder, show: Callable[[str], None]) -> None:
    seen = [(time.monotonic(), 0)]
    while True:
        now = time.monotonic()
        seen = [point for point in seen if now - point[0] <= WINDOW] + [(now, recorder.size)]
        seconds = now - seen[0][0]
        rate = (recorder.size - seen[0][1]) * 8 / seconds if seconds else 0.0
        show(
            f"{recorder.state}: {rate / 1e6:.2f} Mbit/s, {shown(recorder.size)} in {counted(recorder.kept, 'segment')}"
            + (f", {recorder.dropped} packets dropped" if recorder.dropped else "")
            + (f", {shown(recorder.lost)} lost: {recorder.disk_fault}" if recorder.lost else "")
        )
        await asyncio.sleep(REFRESH)
