"""The corridor: packets of every source to records, records to every sink. It alone knows all the rooms, starts
their tasks and restarts what fell.

    carry   source -> decoder -> spools           one task a stream, here
    drain   spool -> sink, until confirmed        one task a sink, in `outlet.py`
    tick    silence, states, once a second        here
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from klvrelay.backoff import Backoff
from klvrelay.errors import KlvrelayError, NoKlv, SourceDown, SourceError
from klvrelay.health import SinkHealth, StreamHealth
from klvrelay.klv import Decoder
from klvrelay.latest import Latest
from klvrelay.outlet import Outlet
from klvrelay.record import Record
from klvrelay.sinks import Notice, Sink
from klvrelay.sources import Source
from klvrelay.spool import Spool

LOG = logging.getLogger("klvrelay")

SILENCE = 5.0
"""Seconds without a packet after which a stream counts as offline."""
NO_KLV = 10.0
"""Seconds of a stream without KLV after which that is said."""
STEADY = 10.0
"""Seconds that a source must have lasted before the next try comes quickly again."""
LAST_CALL = 2.5
"""Seconds that sinks get on stop to confirm what waits."""


@dataclass(slots=True)
class Stream:
    """One source under its name: how to open it, and what is known of it."""

    name: str
    open: Callable[[], Source]
    health: StreamHealth
    decoder: Decoder
    latest: Latest = field(default_factory=Latest)
    failed: SourceError | None = None


def new_boot() -> str:
    """The id of this run of the relay: six hex digits, in every record."""
    return secrets.token_hex(3)


class Relay:
    """Runs until its sources end or it is stopped.

    streams   (name, what opens its source, the source's address for messages)
    sinks     (name for messages, sink)
    """

    def __init__(
        self,
        streams: Sequence[tuple[str, Callable[[], Source], str]],
        sinks: Sequence[tuple[str, Sink]],
        *,
        boot: str,
        waiting: int = 10_000,
    ) -> None:
        self.streams = [
            Stream(name, opener, StreamHealth(name, url), Decoder(name, boot)) for name, opener, url in streams
        ]
        self.outlets = [Outlet(sink, Spool(waiting), SinkHealth(name)) for name, sink in sinks]

    def summary(self) -> str:
        """What went through, on one line."""
        streams = [s.health for s in self.streams]
        records, rejected = sum(h.records for h in streams), sum(h.bad + h.damaged for h in streams)
        dropped = sum(h.dropped for h in streams)
        sinks = (
            f"{o.spool.delivered} to {o.health.name}, {o.spool.shed} shed, {len(o.spool)} left" for o in self.outlets
        )
        gaps = sum(s.decoder.counters.discontinuities + s.decoder.counters.sync_losses for s in self.streams)
        lost = f"{dropped} packets dropped, {gaps} gaps in the transport" if gaps else f"{dropped} packets dropped"
        return f"{records} records, {rejected} bad or damaged, {lost}; {'; '.join(sinks)}"

    async def run(self) -> None:
        """Carry until every source has ended and what they gave is delivered. Cancel to stop.

        Raises SinkRefused if a sink refuses the relay at its first try. What is wrong with a source is said when
        it happens and spoils that stream only; `fault` has it afterwards.
        """
        carriers = [asyncio.create_task(self._keep(s), name=f"carry {s.name}") for s in self.streams]
        drains = [asyncio.create_task(o.drain(), name=f"drain {o.health.name}") for o in self.outlets]
        ticker = asyncio.create_task(self._tick(), name="tick")
        sources: asyncio.Future[Any] = asyncio.gather(*carriers)
        everything: list[asyncio.Future[Any]] = [sources, *carriers, *drains, ticker]
        try:
            await asyncio.wait([sources, *drains, ticker], return_when=asyncio.FIRST_COMPLETED)
            if sources.done():
                sources.result()
                self._tell_all()
                await self._drained(drains)
            for task in (*drains, ticker):
                if task.done():
                    task.result()
        except asyncio.CancelledError:
            await self._stop(carriers, drains)
            raise
        finally:
            await _cancelled(everything)

    @property
    def fault(self) -> KlvrelayError | None:
        """What kept a source from being read to its end, or NoKlv where none had any; each was said when found."""
        failed = next((s.failed for s in self.streams if s.failed is not None), None)
        if failed is None and self.streams and not any(s.health.records for s in self.streams):
            return NoKlv("no KLV was received")
        return failed

    @property
    def left(self) -> int:
        """Records that no sink has confirmed."""
        return sum(len(outlet.spool) for outlet in self.outlets)

    async def _stop(self, carriers: list[asyncio.Task[None]], drains: list[asyncio.Task[None]]) -> None:
        """Sources first, then what waits, then the sinks."""
        await _cancelled(carriers)
        for stream in self.streams:
            stream.health.ended(said=True)
        self._tell_all()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_CALL):
                await self._drained(drains, only_up=True)

    async def _drained(self, drains: list[asyncio.Task[None]], *, only_up: bool = False) -> None:
        outlets = [o for o in self.outlets if o.health.up or not only_up]
        if not outlets:
            return
        waiting: asyncio.Future[Any] = asyncio.gather(*(o.settled() for o in outlets))
        try:
            await asyncio.wait([waiting, *drains], return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _cancelled([waiting])

    async def _keep(self, stream: Stream) -> None:
        """Carry one source, and open it again whenever it falls."""
        backoff = Backoff()
        while True:
            source = stream.open()
            fault = "ended"
            begun = time.monotonic()
            try:
                await self._carry(stream, source)
            except SourceError as error:
                fault = str(error)
                if not _may_come_back(source, error):
                    stream.failed = error
                    stream.health.down(fault, again=False)
                    break
            except Exception as error:  # a fault of ours in one stream must not end the others
                fault = f"a fault of klvrelay's own: {type(error).__name__} in {_where(error)}"
                LOG.debug("%s", fault, exc_info=True)
                if not _may_come_back(source, None):
                    stream.failed = SourceError(f"{source.url}: {fault}")
                    stream.health.down(fault, again=False)
                    break
            if not _may_come_back(source, None):
                break
            if time.monotonic() - begun > STEADY:  # what comes and goes is not asked for ever faster
                backoff.reset()
            stream.health.down(fault)
            self._tell_availability(stream)
            await asyncio.sleep(backoff.next())
        stream.health.ended(said=stream.failed is not None)
        self._tell_availability(stream)
        self._tell_state(stream)

    async def _carry(self, stream: Stream, source: Source) -> None:
        """The way of a packet: source -> decoder -> spools."""
        health, decoder = stream.health, stream.decoder
        try:
            async with aclosing(source.packets()) as packets:
                async for packet in packets:
                    if health.saw(packet, time.monotonic()):
                        self._tell_availability(stream)
                    if records := decoder.feed(packet):
                        await self._accept(stream, records, wait=not source.live)
        except BaseException:
            await self._accept(stream, decoder.flush(), wait=False)
            raise
        finally:
            health.dropped += source.dropped
        await self._accept(stream, decoder.flush(), wait=not source.live)

    async def _accept(self, stream: Stream, records: list[Record], *, wait: bool) -> None:
        for record in records:
            stream.health.decoded(record)
            stream.latest.add(record)
            for outlet in self.outlets:
                if wait:
                    await outlet.spool.room()
                outlet.spool.put(record)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            now = time.monotonic()
            for stream in self.streams:
                stream.health.look_for_klv(now, NO_KLV)
                stream.health.look_for_packets(now, SILENCE)
                if stream.health.silent(now, SILENCE):
                    self._tell_availability(stream)
                self._tell_state(stream)

    def _tell_all(self) -> None:
        for stream in self.streams:
            self._tell_state(stream)
            self._tell_availability(stream)

    def _tell_state(self, stream: Stream) -> None:
        document = stream.latest.document()
        if document is not None:
            self._everywhere(Notice("state", stream.name, document))

    def _tell_availability(self, stream: Stream) -> None:
        document = b"online" if stream.health.online else b"offline"
        self._everywhere(Notice("availability", stream.name, document))

    def _everywhere(self, notice: Notice) -> None:
        for outlet in self.outlets:
            outlet.tell(notice)


def _where(error: BaseException) -> str:
    """File and line where it was raised: what a report needs, without any of the data."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{os.path.basename(frame.filename)}:{frame.lineno}"


def _may_come_back(source: Source, error: SourceError | None) -> bool:
    """A live source is worth another try; a file has come to its end, or is not there."""
    if getattr(source.url, "scheme", "file") in ("file", "stdin"):
        return False
    return source.live or isinstance(error, SourceDown)


async def _cancelled(tasks: Sequence[asyncio.Future[Any]]) -> None:
    """Cancel tasks and wait for their end; what they raise was seen before or doesn't matter any more."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
