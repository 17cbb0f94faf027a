"""Replay a file or a folder of segments at its own pace, as if it were live."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing

from klvrelay.config.url import Url
from klvrelay.errors import ConfigError
from klvrelay.link_stats import LinkStats
from klvrelay.record import Packet
from klvrelay.recordings.sniff import sniff
from klvrelay.recordings.timeline import KLV_GAP, MODULUS, PACED_BY, TICKS, Clock, KlvClock, Timeline
from klvrelay.recordings.ts_clock import TsClock
from klvrelay.sources.files.file import container, pieces
from klvrelay.sources.parts import SMALL, in_turns
from klvrelay.transports.arrival_clock import now_us

LOG = logging.getLogger("klvrelay.sources")

QUANTUM = 0.005
"""Seconds of sending that form one packet."""
LATE = 1.0
"""Seconds of delay beyond which lost time is skipped, rather than made up for by a burst."""
ROUND_LEAST = 1.0
"""Minimum seconds per round of a loop if the file contains no times."""


class ReplaySource:
    """Replays a file at `speed` times its own pace, once or in a loop; nothing is dropped.

    The segments of a folder are one stream; gaps between them take no time.
    """

    live = False
    fixed = False
    dropped = 0

    def __init__(self, url: Url, *, speed: float = 1.0, loop: bool = False) -> None:
        if not speed > 0 or speed == float("inf"):
            raise ConfigError(f"speed {speed}: give a number above 0; 1 is the file's own pace")
        if loop and url.scheme == "stdin":
            raise ConfigError("standard input cannot be replayed in a loop: give a file")
        self.url = url
        self.link = LinkStats()
        self._speed = speed
        self._loop = loop
        self._logged: set[str] = set()

    async def packets(self) -> AsyncGenerator[Packet, None]:
        """Packets stamped with their time of output; an empty one before each further round."""
        pacer = _Pacer(self._speed)
        while True:
            sent = 0
            async with aclosing(self._round()) as dues:
                async for due, packet in dues:
                    await pacer.until(due)
                    sent += 1
                    self.link.size += len(packet.data)
                    packet = packet._replace(received_us=now_us())
                    if len(packet.data) <= SMALL:
                        yield packet
                        continue
                    async for part in in_turns(packet):
                        yield part
            if not (self._loop and sent):
                return
            await pacer.next_round()
            yield Packet(b"", now_us())

    async def _round(self) -> AsyncGenerator[tuple[float, Packet], None]:
        async with aclosing(pieces(self.url)) as found:
            carriage, piece = await sniff(self.url, found)
            if carriage is not None:
                clock: Clock = TsClock(QUANTUM * self._speed) if carriage == "ts" else KlvClock()
                while piece:
                    for due, data in clock.slices(piece):
                        self._log_pacing(clock)
                        yield due, Packet(data, None, carriage)
                    piece = await anext(found, b"")
                for due, data in clock.rest():
                    self._log_pacing(clock)
                    yield due, Packet(data, None, carriage)
                return
        async with aclosing(_by_pts(self.url, piece)) as packets:
            async for due, packet in packets:
                yield due, packet

    def _log_pacing(self, clock: Clock) -> None:
        """Log once what paces the replay, unless it is a clock of the stream."""
        if clock.by in PACED_BY and clock.by not in self._logged:
            self._logged.add(clock.by)
            LOG.info("%s: %s", self.url, PACED_BY[clock.by])


async def _by_pts(url: Url, head: bytes) -> AsyncGenerator[tuple[float, Packet], None]:
    """The packets of a container, each due at its presentation time."""
    timelines: dict[int | None, Timeline] = {}
    async with aclosing(container(url, head).packets()) as packets:
        async for packet in packets:
            timeline = timelines.setdefault(packet.pid, Timeline(TICKS, MODULUS, KLV_GAP))
            yield (timeline.seconds if packet.pts is None else timeline.at(packet.pts)), packet


class _Pacer:
    """Waits on the monotonic clock until something is due."""

    def __init__(self, speed: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._speed = speed
        self._start: float | None = None
        self._last = 0.0

    async def until(self, due: float) -> None:
        if self._start is None:
            self._start = self._loop.time() - due / self._speed
        self._last = due
        ahead = self._start + due / self._speed - self._loop.time()
        if ahead < -LATE:
            self._start -= ahead
        await asyncio.sleep(max(0.0, ahead))

    async def next_round(self) -> None:
        """Start a new round; a round without times lasts a minimum, because a loop would flood otherwise."""
        if self._last == 0.0:
            await asyncio.sleep(ROUND_LEAST / self._speed)
        self._start, self._last = None, 0.0
