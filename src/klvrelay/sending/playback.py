"""Reads a file, a folder of segments or standard input as slices, each with the second at which it is due."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing

from klvrelay.config.url import Url
from klvrelay.errors import ConfigError, NotMedia
from klvrelay.record import Carriage
from klvrelay.recordings import contents
from klvrelay.recordings.sniff import sniff
from klvrelay.recordings.timeline import PACED_BY, Clock, KlvClock, Slice
from klvrelay.recordings.ts_clock import RateClock, TsClock
from klvrelay.sources.files.file import pieces

QUANTUM = 0.0003
"""Seconds of sending within which packets are due together."""
CHUNK = 64 << 10
"""Bytes passed to a clock at once; processing them takes no longer than a datagram may be late."""

LOG = logging.getLogger("klvrelay.sending")


class Playback:
    """A recording, which can be played repeatedly.

    rate   bits per second to pace it by instead of its time stamps, or None
    """

    def __init__(self, url: Url, *, rate: float | None = None) -> None:
        if url.scheme not in ("file", "stdin"):
            raise ConfigError(f"{url}: give a file, a folder of segments, or - (standard input)")
        self.url = url
        self.carriage: Carriage = "ts"
        self._rate = rate
        self._logged: set[str] = set()

    @property
    def repeatable(self) -> bool:
        """Can it be played more than once?"""
        return self.url.scheme == "file" and (os.path.isfile(self.url.path) or os.path.isdir(self.url.path))

    def _is_missing(self) -> bool:
        return self.url.scheme == "file" and not os.path.exists(self.url.path)

    async def check(self) -> None:
        """Raise the errors of a run that can be detected before it starts, without waiting."""
        if self.repeatable or self._is_missing():
            async with aclosing(self.run()) as slices:
                await anext(slices, None)

    async def run(self, speed: float = 1.0) -> AsyncGenerator[Slice, None]:
        """The slices of one run; whole TS packets of 188 bytes if it is MPEG-TS. Raises NotMedia, SourceDown.

        speed   multiple of the recording's own pace: it affects how finely the bytes are cut, not when they are due
        """
        async with aclosing(pieces(self.url)) as found:
            carriage, piece = await sniff(self.url, found)
            if carriage is None:
                raise NotMedia(
                    contents.refusal(str(self.url), piece)
                    or f"{self.url} is neither MPEG-TS nor KLV, and `send` sends bytes as they are;"
                    " to make MPEG-TS of another container: ffmpeg -i FILE -map 0 -c copy out.ts"
                )
            self.carriage = carriage
            clock = self._clock(carriage, QUANTUM * speed)
            async with aclosing(self._with_due_times(clock, piece, found)) as slices:
                async for due, data in slices:
                    yield due, data if isinstance(clock, KlvClock) else clock.plain(data)

    def _clock(self, carriage: Carriage, quantum: float) -> TsClock | RateClock | KlvClock:
        if carriage == "klv":
            if self._rate is not None:
                raise ConfigError(f"{self.url}: it is bare KLV, paced by its time stamps: leave out the rate")
            return KlvClock()
        return TsClock(quantum) if self._rate is None else RateClock(self._rate)

    async def _with_due_times(
        self, clock: TsClock | RateClock | KlvClock, piece: bytes, found: AsyncGenerator[bytes, None]
    ) -> AsyncGenerator[Slice, None]:
        while piece:
            for at in range(0, len(piece), CHUNK):
                for due, data in clock.slices(piece[at : at + CHUNK]):
                    self._log_pacing(clock)
                    yield due, data
            piece = await anext(found, b"")
        for due, data in clock.rest():
            self._log_pacing(clock)
            yield due, data

    def _log_pacing(self, clock: Clock) -> None:
        """Log once what paces the recording, unless it is a clock of the stream."""
        if clock.by in PACED_BY and clock.by not in self._logged:
            self._logged.add(clock.by)
            hint = "; --rate gives another" if clock.by == "rate" and isinstance(clock, TsClock) else ""
            LOG.info("%s: %s%s", self.url, PACED_BY[clock.by], hint)
