"""Send a recording to a destination, each datagram when it is due."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import aclosing
from itertools import count

from klvrelay.errors import ConfigError
from klvrelay.recordings.timeline import Slice
from klvrelay.sending import Destination
from klvrelay.sending.datagrams import UDP_MOST, Packetizer
from klvrelay.sending.discontinuity import DiscontinuityMarker
from klvrelay.sending.impair import TS_SIZE, Impairer, Impairment, Tally
from klvrelay.sending.playback import Playback
from klvrelay.sources.files.replay import LATE, ROUND_LEAST

PKT_SIZE = 7 * TS_SIZE
"""Bytes of MPEG-TS per datagram: fits into one Ethernet frame."""

_COARSE = 0.0022  # below this, the event loop's millisecond timers are too coarse
_FINE = 0.0012
_SLACK = 0.0001
_YIELD_EVERY = 0.005  # seconds after which the event loop gets a turn even if nothing has to wait


class Pacer:
    """Waits on the monotonic clock until something is due. All due times count from the first, so nothing drifts.

    behind   seconds skipped because sending was late
    """

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._start: float | None = None
        self._yielded = 0.0
        self.behind = 0.0

    async def until(self, due: float) -> None:
        now = time.monotonic()
        if self._start is None:
            self._start = self._yielded = now
        ahead = self._start + due / self._speed - now
        if ahead < -LATE:
            self._start -= ahead
            self.behind -= ahead
        if ahead > _COARSE or now - self._yielded > _YIELD_EVERY:
            await asyncio.sleep(max(0.0, ahead - _FINE))
            self._yielded = time.monotonic()
            ahead = self._start + due / self._speed - self._yielded
        if ahead > _SLACK:
            _sleep(ahead)


def _sleep(seconds: float) -> None:
    """Sleep a millisecond or two on the kernel timer: the event loop's timer is too coarse for datagrams."""
    time.sleep(seconds)


class Transmission:
    """Sends a recording, once or in a loop; its counts continue across connections.

    speed      multiple of the recording's own pace
    pkt_size   maximum bytes of MPEG-TS per datagram
    seconds    seconds of the recording sent so far
    tally      impairment counts so far
    behind     seconds skipped because sending was late
    """

    def __init__(
        self,
        playback: Playback,
        *,
        speed: float = 1.0,
        loop: bool = False,
        pkt_size: int = PKT_SIZE,
        impairment: Impairment | None = None,
    ) -> None:
        if not TS_SIZE <= pkt_size <= UDP_MOST - 12:
            raise ConfigError(f"pkt_size {pkt_size}: give a size from {TS_SIZE} to {UDP_MOST - 12} bytes")
        if not 0 < speed < float("inf"):
            raise ConfigError(f"speed {speed}: give a number above 0; 1 is the file's own pace")
        if loop and not playback.repeatable:
            raise ConfigError(f"{playback.url} cannot be sent in a loop: give a file or a folder")
        self.datagrams = 0
        self.size = 0
        self.seconds = 0.0
        self.tally = Tally()
        self.behind = 0.0
        self._playback, self._speed, self._loop, self._pkt_size = playback, speed, loop, pkt_size
        self._impairer = None if impairment is None else Impairer(impairment)
        if self._impairer is not None:
            self.tally = self._impairer.tally
        self._late: list[tuple[float, int, bytes]] = []
        self._number = count()

    async def run(self, destination: Destination) -> None:
        """Send to an open destination; raises the errors of reading and sending."""
        impairer = self._impairer
        ts_level = impairer is not None and impairer.impairment.level == "ts"
        pacer, base, before = Pacer(self._speed), 0.0, (self.seconds, self.behind)
        marker: DiscontinuityMarker | None = None
        while True:
            last = 0.0
            async with aclosing(self._payloads(impairer if ts_level else None, marker)) as payloads:
                async for due, payload in payloads:
                    last = due
                    datagram = destination.frame(payload, base + due)
                    arriving = self._impair(None if ts_level else impairer, base + due, datagram)
                    await self._send(destination, pacer, arriving)
                    self.seconds, self.behind = before[0] + base + due, before[1] + pacer.behind
            if not self._loop:
                break
            base += last or ROUND_LEAST * self._speed
            marker = DiscontinuityMarker()
        if impairer is not None and not ts_level:
            for _, data in impairer.rest():
                self._late.append((base + last, next(self._number), data))
        await self._send(destination, pacer, ((due, data) for due, _, data in sorted(self._late)))
        self._late.clear()

    async def _payloads(
        self, ts_impairer: Impairer | None, marker: DiscontinuityMarker | None
    ) -> AsyncGenerator[Slice, None]:
        """One pass over the recording, in payloads."""
        packetizer: Packetizer | None = None
        async with aclosing(self._playback.run(self._speed)) as slices:
            async for due, data in slices:
                if packetizer is None:
                    if ts_impairer is not None and self._playback.carriage == "klv":
                        raise ConfigError(f"{self._playback.url} is bare KLV and has no TS packets for level=ts")
                    packetizer = Packetizer(self._playback.carriage, self._pkt_size, ts_impairer, marker)
                for payload in packetizer.push(due, data):
                    yield payload
        if packetizer is not None:
            for payload in packetizer.end():
                yield payload

    def _impair(self, impairer: Impairer | None, due: float, datagram: bytes) -> Iterator[Slice]:
        """What arrives through a bad network by then: delayed datagrams wait for their time."""
        if impairer is None:
            yield due, datagram
            return
        for delay, data in impairer.push(datagram):
            heapq.heappush(self._late, (due + delay * self._speed, next(self._number), data))
        while self._late and self._late[0][0] <= due:
            at, _, data = heapq.heappop(self._late)
            yield at, data

    async def _send(self, destination: Destination, pacer: Pacer, datagrams: Iterable[Slice]) -> None:
        for due, data in datagrams:
            await pacer.until(due)
            await destination.send(data)
            self.datagrams += 1
            self.size += len(data)


def check(destination: Destination, impairment: Impairment) -> None:
    """Raise ConfigError for an impairment that this destination does not support."""
    if destination.lossy or impairment.level == "ts":
        return
    scheme = f"{destination.url.scheme}://"
    if impairment.loss or impairment.reorder or impairment.duplicate:
        raise ConfigError(
            f"--impair: {scheme} delivers everything once and in order, so only flip applies to it;"
            " with level=ts, the TS packets are impaired before they are sent"
        )
    if impairment.delay or impairment.jitter:
        raise ConfigError(f"--impair: delay and jitter apply to datagrams, which {scheme} does not have")
