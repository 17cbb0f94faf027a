"""The verb `record`: records a source, shows progress and prints a summary."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from functools import partial
from typing import Any

from klvrelay.cli.silence import hint_of_silence
from klvrelay.config.names import safe_level, stream_name
from klvrelay.config.units import size_text
from klvrelay.config.url import Url
from klvrelay.errors import ConfigError, KlvrelayError
from klvrelay.recording import Recorder
from klvrelay.recordings.limits import RecordingLimits
from klvrelay.sources.open import open_source
from klvrelay.text import counted

LOG = logging.getLogger("klvrelay.cli")

REFRESH = 0.5
WINDOW = 5.0
"""Seconds over which the displayed rate is averaged."""

# Remultiplexing by libav would make a damaged packet look whole, change the stream type (0x15 becomes 0x06 with
# stream_id 0xFC, AU cells are removed), and fail for KLV without a PTS.
_RTSP = "`ffmpeg -copyts -i URL -map 0 -c copy -mpegts_copyts 1 -f mpegts - | klvrelay record - DIR`"
_HTTP = "`curl -sN URL | klvrelay record - DIR` (for HLS use ffmpeg: see klvrelay record --help)"
_PIPES = {"rtsp": _RTSP, "rtsps": _RTSP, "http": _HTTP, "https": _HTTP}

LimitTexts = tuple[str | None, str | None, str | None, str | None]


async def record(
    source: str | Url, folder: str, stream: str | None, limits: LimitTexts, *, quiet: bool, **options: Any
) -> None:
    """Record until the source ends or the task is cancelled.

    Raises ConfigError, SourceError, or KlvrelayError if data could not be written to disk.

    limits    --segment-seconds, --segment-size, --keep-size, --keep-age; None for the default
    options   those of `sources.open.open_source`
    """
    url = Url.parse(source)
    if (pipe := _PIPES.get(url.scheme)) is not None:
        raise ConfigError(
            f"{url}: cannot be recorded directly; pipe it in: {pipe}"
        )
    opened = partial(open_source, url, **options)
    opened()  # opens nothing; reports wrong schemes and options before anything starts
    name = stream_name(url) if stream is None else safe_level(stream)
    recorder = Recorder(opened, folder, name, RecordingLimits.parse(*limits))
    try:
        progress = nullcontext() if quiet or not sys.stderr.isatty() else _progress(recorder)
        async with progress, hint_of_silence(url, lambda: recorder.state == "waiting"):
            await recorder.run()
    except asyncio.CancelledError:
        if not recorder.lost:
            raise
    finally:
        LOG.info("%s", recorder.summary())
    if recorder.lost:
        raise KlvrelayError(f"{size_text(recorder.lost)} from {url} were lost: they could not be written to disk")


@asynccontextmanager
async def _progress(recorder: Recorder) -> AsyncIterator[None]:
    """The progress line on standard error."""
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
        kept = f"{size_text(recorder.size)} in {counted(recorder.kept, 'segment')}"
        show(
            f"{recorder.state}: {rate / 1e6:.2f} Mbit/s, {kept}"
            + (f", {counted(recorder.dropped, 'packet')} dropped" if recorder.dropped else "")
            + (f", {size_text(recorder.lost)} lost: {recorder.disk_fault}" if recorder.lost else "")
        )
        await asyncio.sleep(REFRESH)
