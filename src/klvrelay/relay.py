"""The corridor: packets of every source to records, records to every sink. It alone knows all the rooms, starts
their tasks and restarts what fell.

    carry   source -> decoder -> spools           one task a stream, in `intake.py`
    drain   spool -> sink, until confirmed        one task a sink, in `outlet.py`
    tick    silence and states                    here
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable, Sequence
from typing import Any

from klvrelay.backoff import Backoff
from klvrelay.diagnosis import no_klv
from klvrelay.errors import KlvrelayError, NoKlv, SourceError, blunder
from klvrelay.health import SinkHealth
from klvrelay.intake import Feed, Stream
from klvrelay.outlet import Outlet
from klvrelay.sinks import Sink
from klvrelay.sources.datagrams.hub import COALESCE, hub_of
from klvrelay.spool import Spool

LOG = logging.getLogger("klvrelay")

TICK = 0.25
"""Seconds between two looks at the streams."""
STATES = 4
"""Looks between two tellings of a stream's latest values."""
LAST_CALL = 2.5
"""Seconds that sinks get on stop to confirm what waits."""


def new_boot() -> str:
    """The id of this run of the relay: six hex digits, in every record."""
    return secrets.token_hex(3)


class Relay:
    """Runs until its sources end or it is stopped.

    feeds     (name, what opens its source, the source's address for messages[, stall])
    sinks     (name for messages, sink)
    waiting   records that may wait for a sink
    coalesce  seconds from one look at the datagram sockets to the next at most, where many are busy; see `hub.py`
    """

    def __init__(
        self, feeds: Sequence[Feed], sinks: Sequence[tuple[str, Sink]], *, boot: str, waiting: int = 10_000,
        coalesce: float = COALESCE,
    ) -> None:  # fmt: skip
        self._coalesce = coalesce
        self.outlets = [Outlet(sink, Spool(waiting), SinkHealth(name)) for name, sink in sinks]
        self.streams = [Stream(Feed(*feed), boot, self.outlets) for feed in feeds]
        self._blunders: set[tuple[str, str]] = set()

    def summary(self) -> str:
        """What went through, on one line."""
        for stream in self.streams:
            self._contained(stream, stream.count)
        streams = [health for s in self.streams for health in s.healths]
        records, rejected = sum(h.records for h in streams), sum(h.bad + h.damaged for h in streams)
        dropped = sum(s.health.dropped for s in self.streams)
        sinks = (
            f"{o.spool.delivered} to {o.health.name}, {o.spool.shed} shed, {len(o.spool)} left" for o in self.outlets
        )
        lanes = [s.health.link.lane for s in self.streams]
        gaps = sum(lane.discontinuities + lane.sync_losses for lane in lanes)
        lost = f"{dropped} packets dropped, {gaps} gaps in the transport" if gaps else f"{dropped} packets dropped"
        outages = sum(h.outages for h in streams)
        away = f", {outages} outages of {sum(h.away_so_far for h in streams):.1f} s" if outages else ""
        return f"{records} records, {rejected} bad or damaged, {lost}{away}; {'; '.join(sinks)}"

    async def run(self) -> None:
        """Carry until every source has ended and what they gave is delivered. Cancel to stop.

        Raises SinkRefused if a sink refuses the relay at its first try. What is wrong with a source is said when
        it happens and spoils that stream only; `fault` has it afterwards.
        """
        hub_of(asyncio.get_running_loop()).coalesce = self._coalesce
        carriers = [asyncio.create_task(self._keep(s), name=f"keep {s.name}") for s in self.streams]
        drains = [asyncio.create_task(o.drain(), name=f"drain {o.health.name}") for o in self.outlets]
        ticker = asyncio.create_task(self._tick(), name="tick")
        sources: asyncio.Future[Any] = asyncio.gather(*carriers)
        everything: list[asyncio.Future[Any]] = [sources, *carriers, *drains, ticker]
        try:
            await asyncio.wait([sources, *drains, ticker], return_when=asyncio.FIRST_COMPLETED)
            if sources.done():
                sources.result()
                for stream in self.streams:
                    self._contained(stream, stream.tell_state)
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
        if failed is None and self.streams and not any(h.records for s in self.streams for h in s.healths):
            missed = next((s.decoder.streams.missed for s in self.streams if s.decoder.streams.missed), "")
            return NoKlv(f"no KLV was received: {missed or no_klv(self.streams[0].health.link.lane).sentence}")
        return failed

    @property
    def lost(self) -> int:
        """Records that came in and that some sink will not have: shed, or not confirmed when it ended."""
        return sum(o.spool.shed + len(o.spool) for o in self.outlets)

    @property
    def losses(self) -> str:
        """How they were lost, for the log."""
        return "; ".join(
            f"sink={o.health.name} shed={o.spool.shed} unconfirmed={len(o.spool)}"
            for o in self.outlets
            if o.spool.shed or len(o.spool)
        )

    async def _stop(self, carriers: list[asyncio.Task[None]], drains: list[asyncio.Task[None]]) -> None:
        """Sources first, then what waits, then the sinks."""
        await _cancelled(carriers)
        for stream in self.streams:
            self._contained(stream, stream.tell_state, stream.stop)
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

    async def _tick(self) -> None:
        looks = 0
        while True:
            await asyncio.sleep(TICK)
            looks += 1
            for stream in self.streams:
                self._contained(stream, stream.look, *([stream.tell_state] if looks % STATES == 0 else []))

    async def _keep(self, stream: Stream) -> None:
        """Carry a stream until its source ends; a fault of ours ends no other stream, and none whose source is live."""
        backoff = Backoff()
        while True:
            try:
                return await stream.keep()
            except Exception as error:  # noqa: BLE001 (an internal error in one stream ends no other)
                self._log_once(stream, error)
                if not stream.live:
                    stream.failed = SourceError(f"{stream.name}: {blunder(error)}")
                    return
            await asyncio.sleep(backoff.next())

    def _contained(self, stream: Stream, *steps: Callable[[], None]) -> None:
        """What is done for one stream: a fault of ours in it costs that step, and is said once."""
        for step in steps:
            try:
                step()
            except Exception as error:  # noqa: BLE001 (an internal error in one stream ends no other)
                self._log_once(stream, error)

    def _log_once(self, stream: Stream, error: Exception) -> None:
        """Log a fault of a stream, the first of its kind only."""
        said = stream.name, blunder(error)
        if said not in self._blunders:
            self._blunders.add(said)
            LOG.error("%s: %s", *said)
            LOG.debug("%s", stream.name, exc_info=error)


async def _cancelled(tasks: Sequence[asyncio.Future[Any]]) -> None:
    """Cancel tasks and wait for their end; what they raise was seen before or doesn't matter any more."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
