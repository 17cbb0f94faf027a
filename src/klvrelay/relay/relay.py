"""The relay: starts the tasks of the pipeline, and stops them in order.

    stream      source -> decoder -> log             one task per source (`Stream.keep`)
    sink        log -> sink, until acknowledged      one task per sink (`SinkTask.drain`)
    tick        silence, states and latest values    one task (`Relay._tick`)

`supervise` restarts streams and sinks; no fault of one ends another.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import secrets
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any

from klvrelay.errors import KlvrelayError, NoKlv
from klvrelay.health import SinkHealth
from klvrelay.health.diagnosis import no_klv
from klvrelay.relay.feed import Feed
from klvrelay.relay.notices import Notices
from klvrelay.relay.sink_task import SinkTask
from klvrelay.relay.stream import Stream
from klvrelay.relay.supervise import contained
from klvrelay.sinks.contract import Sink
from klvrelay.sources.datagrams.schedule import COALESCE, set_coalesce
from klvrelay.spool.memory import WAITING, WAITING_SIZE, MemoryLog

LOG = logging.getLogger("klvrelay.relay")

TICK = 0.25
"""Seconds between two checks of the streams."""
STATES = 4
"""Checks between two publications of the latest values of a stream."""
SLOTS, CROWD = 5, 8
"""TICK is divided into at most SLOTS parts, each for some of the streams; CROWD streams justify one more part."""
LAST_SOURCES, LAST_CALL, LAST_SINKS, PARTING = 1.7, 2.3, 1.8, 0.2
"""Seconds of a stop: sources must have ended by LAST_SOURCES, and sinks must have acknowledged what waits by LAST_CALL;
then sinks have LAST_SINKS to disconnect, and tasks that were cancelled again have PARTING. The sum is below five."""

LAST_SUMS = 0.1
"""Seconds in which the last sums must be published, before the sinks disconnect."""


def new_boot() -> str:
    """The id of this run of the relay: six hex digits, in every record."""
    return secrets.token_hex(3)


class Relay:
    """Runs until its sources end or it is stopped.

    feeds         the streams, as tuples or `Feed`
    sinks         (name for messages, sink)
    waiting       maximum number of records that wait for a sink
    waiting_size  maximum number of bytes of these records
    coalesce      longest time in seconds between two reads of the datagram sockets, where many are busy
    """

    def __init__(
        self, feeds: Sequence[Feed], sinks: Sequence[tuple[str, Sink]], *, boot: str, waiting: int = WAITING,
        waiting_size: int = WAITING_SIZE, coalesce: float = COALESCE,
    ) -> None:  # fmt: skip
        self._coalesce = coalesce
        self._log, self._notices = MemoryLog(waiting, waiting_size), Notices()
        self.sink_tasks = [
            SinkTask(sink, self._log.cursor(name), self._notices.cursor(), SinkHealth(name)) for name, sink in sinks
        ]
        self.streams = [Stream(Feed(*feed), boot, self._log, self._notices) for feed in feeds]
        self._blunders: set[tuple[str, str]] = set()

    def summary(self) -> str:
        """What went through, on one line."""
        for stream in self.streams:
            self._contained(stream, stream.count)
        streams = [health for s in self.streams for health in s.healths]
        records, bad = sum(h.records for h in streams), sum(h.unfit for h in streams)
        dropped = sum(s.health.dropped for s in self.streams)
        sinks = (outlet.sums().told(outlet.health.name) for outlet in self.sink_tasks)
        lanes = [s.health.link.lane for s in self.streams]
        gaps = sum(lane.discontinuities + lane.sync_losses for lane in lanes)
        lost = f"{dropped} packets dropped, {gaps} gaps in the transport" if gaps else f"{dropped} packets dropped"
        outages = sum(h.outages for h in streams)
        away = f", {outages} outages of {sum(h.away_so_far for h in streams):.1f} s" if outages else ""
        return f"{records} records, {bad} bad or damaged, {lost}{away}; {'; '.join(sinks)}"

    async def run(self) -> None:
        """Run until every source has ended and its records are delivered. Cancel to stop: within five seconds.

        Raises the SinkRefused or ConfigError of the first connection of a sink. A fault of a source is logged when it
        happens and affects that stream only; `fault` contains it afterwards.
        """
        set_coalesce(self._coalesce)
        carriers = [asyncio.create_task(s.keep(), name=f"keep {s.name}") for s in self.streams]
        drains = [asyncio.create_task(o.drain(), name=f"drain {o.health.name}") for o in self.sink_tasks]
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
                await self._say_sums(drains)
            for task in (*drains, ticker):
                if task.done():
                    task.result()
        except asyncio.CancelledError:
            # In another task: in one that was cancelled, time-outs of Python before 3.11.3 end it instead.
            await _ended(asyncio.create_task(self._stop(carriers, drains), name="stop"))
            raise
        finally:
            await _cancelled(everything, LAST_SINKS)

    @property
    def fault(self) -> KlvrelayError | None:
        """Why a source was not read to its end, or NoKlv if no source contained KLV; it has been logged already."""
        failed = next((s.failed for s in self.streams if s.failed is not None), None)
        if failed is None and self.streams and not any(h.records for s in self.streams for h in s.healths):
            missed = next((s.decoder.streams.missed for s in self.streams if s.decoder.streams.missed), "")
            return NoKlv(f"no KLV was received: {missed or no_klv(self.streams[0].health.link.lane).sentence}")
        return failed

    @property
    def lost(self) -> int:
        """Records that came in and that some sink will not have: shed, refused, left out, or unconfirmed at the end."""
        return sum(outlet.sums().lost for outlet in self.sink_tasks)

    @property
    def losses(self) -> str:
        """How they were lost, for the log."""
        found = ((outlet.health.name, outlet.sums()) for outlet in self.sink_tasks)
        return "; ".join(
            f"sink={name} shed={sums.shed} rejected={sums.rejected} left_out={sums.left_out} unconfirmed={sums.waiting}"
            for name, sums in found
            if sums.lost
        )

    async def _stop(self, carriers: list[asyncio.Task[None]], drains: list[asyncio.Task[None]]) -> None:
        """Stop the sources, deliver what waits, then stop the sinks."""
        loop = asyncio.get_running_loop()
        last_call = loop.time() + LAST_CALL
        await _cancelled(carriers, LAST_SOURCES)
        for stream in self.streams:
            self._contained(stream, stream.tell_state, stream.stop)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(last_call):
                await self._drained(drains, only_up=True)
        await self._say_sums(drains)

    async def _drained(self, drains: list[asyncio.Task[None]], *, only_up: bool = False) -> None:
        """Wait until the sinks have answered for all records, or a task of a sink has ended."""
        await _first_of([o.settled() for o in self.sink_tasks if o.health.up or not only_up], drains)

    async def _say_sums(self, drains: list[asyncio.Task[None]]) -> None:
        """Let each connected sink publish what became of its records."""
        for outlet in self.sink_tasks:
            outlet.put_sums()
        await _first_of([outlet.published(LAST_SUMS) for outlet in self.sink_tasks], drains)

    async def _tick(self) -> None:
        slots = max(1, min(SLOTS, len(self.streams) // CROWD))
        for turn in turns(len(self.streams), slots, STATES):
            await asyncio.sleep(TICK / slots)
            for outlet in self.sink_tasks:
                contained(outlet.sums, outlet.health.name)
            for number, is_due in turn:
                stream = self.streams[number]
                self._contained(stream, stream.look, *([stream.tell_state] if is_due else []))

    def _contained(self, stream: Stream, *steps: Callable[[], None]) -> None:
        """Run steps of one stream; an internal error ends that step only, and is logged once."""
        for step in steps:
            if (fault := contained(step, stream.name)) is not None:
                self._log_once(stream, str(fault))

    def _log_once(self, stream: Stream, fault: str) -> None:
        """Log a fault of a stream, the first of its kind only."""
        if (said := (stream.name, fault)) not in self._blunders:
            self._blunders.add(said)
            LOG.error("%s: %s", *said)


def turns(count: int, slots: int, states: int) -> Iterator[list[tuple[int, bool]]]:
    """For one slot after the other: the streams to look at, by number, and whether their latest values are to go out.

    Each stream is in every `slots`th slot, and its values are due at every `states`th look. The streams are spread
    evenly over both, so that a hundred of them don't make all their documents at the same moment.
    """
    for look in itertools.count(1):
        for slot in range(slots):
            yield [(number, (look + number // slots) % states == 0) for number in range(slot, count, slots)]


async def _ended(task: asyncio.Task[None]) -> None:
    """Wait for a task, and cancel it where the wait is cancelled."""
    try:
        await asyncio.wait({task})
    finally:
        task.cancel()
    task.result()


async def _cancelled(tasks: Sequence[asyncio.Future[Any]], patience: float = 1.0) -> None:
    """Cancel tasks and wait for their end; what they raise is ignored.

    A task that hangs in its clean-up is cancelled once more, and then abandoned.
    """
    left = set(tasks)
    for seconds in (patience, PARTING):
        for task in left:
            task.cancel()
        if left:
            _, left = await asyncio.wait(left, timeout=seconds)
    if left:
        LOG.warning("tasks do not end, and are abandoned: count=%d", len(left))
    await asyncio.gather(*set(tasks) - left, return_exceptions=True)


async def _all_of(waits: Sequence[Coroutine[Any, Any, None]]) -> None:
    async with asyncio.TaskGroup() as tasks:
        for wait in waits:
            tasks.create_task(wait)


async def _first_of(waits: Sequence[Coroutine[Any, Any, None]], tasks: Sequence[asyncio.Future[Any]]) -> None:
    """Wait until all of `waits` have ended, or one of `tasks` has."""
    if not waits:
        return
    # No `gather`: asyncio reports the cancellation of one that nobody retrieves, a task's it does not.
    waiting = asyncio.create_task(_all_of(waits), name="wait")
    try:
        await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _cancelled([waiting])
