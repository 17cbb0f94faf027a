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
from klvrelay.health import SinkHealth, SpoolHealth
from klvrelay.health.diagnosis import no_klv
from klvrelay.outcome import Sums
from klvrelay.relay.notices import Notices
from klvrelay.relay.sink_input import SinkInput
from klvrelay.relay.sink_task import SinkTask
from klvrelay.relay.stream import Stream
from klvrelay.relay.stream_input import StreamInput
from klvrelay.relay.supervise import contain
from klvrelay.sources.datagrams.schedule import COALESCE, set_coalesce
from klvrelay.spool.contract import Log
from klvrelay.spool.memory import WAITING, WAITING_SIZE, MemoryLog
from klvrelay.text import counted

LOG = logging.getLogger("klvrelay.relay")

TICK = 0.25
"""Seconds between two checks of the streams."""
STATES = 4
"""Checks between two publications of the latest values of a stream."""
SLOTS, STREAMS_PER_SLOT = 5, 8
"""TICK is divided into at most SLOTS parts, one for every STREAMS_PER_SLOT streams."""
LAST_SOURCES, LAST_DELIVERY, LAST_SINKS, LAST_TASKS = 1.7, 2.3, 1.8, 0.2
"""Seconds of a stop: sources must end by LAST_SOURCES, and sinks must acknowledge the waiting records by LAST_DELIVERY.
Then sinks have LAST_SINKS to disconnect, and tasks that were cancelled a second time have LAST_TASKS. The sum is below
five."""

LAST_SUMS = 0.1
"""Seconds in which the last sums must be published, before the sinks disconnect."""


def new_boot() -> str:
    """The id of this run of the relay: six hex digits, in every record."""
    return secrets.token_hex(3)


class Relay:
    """Runs until its sources end or it is stopped.

    inputs        the streams, as tuples or `StreamInput`
    sinks         the sinks, as tuples or `SinkInput`
    log           where records wait for the sinks; by default a `MemoryLog` with the two limits
    waiting       maximum number of records that wait for a sink
    waiting_size  maximum number of bytes of these records
    age           maximum age of a waiting record in seconds, without `log`
    coalesce      longest time in seconds between two reads of the datagram sockets, where many are busy
    """

    def __init__(
        self, inputs: Sequence[StreamInput], sinks: Sequence[SinkInput], *, boot: str, log: Log | None = None,
        waiting: int = WAITING, waiting_size: int = WAITING_SIZE, age: float | None = None, coalesce: float = COALESCE,
    ) -> None:  # fmt: skip
        self._coalesce = coalesce
        self._log: Log = MemoryLog(waiting, waiting_size, age) if log is None else log
        self._notices = Notices()
        self.spool = SpoolHealth()
        self.sink_tasks = [
            SinkTask(
                each.sink, self._log.cursor(each.name, file=each.cursor), self._notices.cursor(), SinkHealth(each.name)
            )
            for each in itertools.starmap(SinkInput, sinks)
        ]
        self.streams = [Stream(StreamInput(*each), boot, self._log, self._notices) for each in inputs]
        self._logged: set[tuple[str, str]] = set()

    def summary(self) -> str:
        """The counts of the run, on one line."""
        for stream in self.streams:
            self._contain(stream, stream.count)
        streams = [health for s in self.streams for health in s.healths]
        records, bad = sum(h.records for h in streams), sum(h.unfit for h in streams)
        dropped = sum(s.health.dropped for s in self.streams)
        sinks = (task.sums().describe(task.health.name) for task in self.sink_tasks)
        lanes = [s.health.link.lane for s in self.streams]
        gaps = sum(lane.discontinuities + lane.sync_losses for lane in lanes)
        lost = f"{counted(dropped, 'packet')} dropped"
        if gaps:
            lost += f", {counted(gaps, 'gap')} in the transport"
        outages = sum(h.outages for h in streams)
        away = f", {counted(outages, 'outage')} of {sum(h.away_so_far for h in streams):.1f} s" if outages else ""
        return f"{counted(records, 'record')}, {bad} bad or damaged, {lost}{away}; {'; '.join(sinks)}"

    async def run(self) -> None:
        """Run until every source has ended and its records are delivered. Cancel to stop: within five seconds.

        Raises the SinkRefused or ConfigError of the first connection of a sink. A fault of a source is logged when it
        happens and affects that stream only; `fault` contains it afterwards.
        """
        set_coalesce(self._coalesce)
        streams = [asyncio.create_task(s.keep(), name=f"keep {s.name}") for s in self.streams]
        sinks = [asyncio.create_task(s.drain(), name=f"drain {s.health.name}") for s in self.sink_tasks]
        ticker = asyncio.create_task(self._tick(), name="tick")
        sources: asyncio.Future[Any] = asyncio.gather(*streams)
        sources.add_done_callback(_retrieve)
        everything: list[asyncio.Future[Any]] = [sources, *streams, *sinks, ticker]
        try:
            await asyncio.wait([sources, *sinks, ticker], return_when=asyncio.FIRST_COMPLETED)
            if sources.done():
                sources.result()
                for stream in self.streams:
                    self._contain(stream, stream.publish_state)
                await self._drain(sinks)
                await self._publish_sums(sinks)
            for task in (*sinks, ticker):
                if task.done():
                    task.result()
        except asyncio.CancelledError:
            # In another task: before Python 3.11.3, a timeout in a cancelled task raises CancelledError.
            await _finish(asyncio.create_task(self._stop(streams, sinks), name="stop"))
            raise
        finally:
            await _cancel(everything, LAST_SINKS)

    @property
    def fault(self) -> KlvrelayError | None:
        """Why a source was not read to its end, or NoKlv if no source contained KLV. It has been logged already."""
        failed = next((s.failed for s in self.streams if s.failed is not None), None)
        if failed is None and self.streams and not any(h.records for s in self.streams for h in s.healths):
            missed = next((s.decoder.streams.missed for s in self.streams if s.decoder.streams.missed), "")
            return NoKlv(f"no KLV was received: {missed or no_klv(self.streams[0].health.link.lane).sentence}")
        return failed

    @property
    def lost(self) -> int:
        """Number of records that a sink did not confirm: rejected, shed, left out, or waiting in memory only."""
        return sum(self._lost(task.sums()) for task in self.sink_tasks)

    def _lost(self, sums: Sums) -> int:
        return sums.lost - (sums.waiting if self._log.keeps else 0)

    @property
    def losses(self) -> str:
        """The counts of lost records by cause, for the log."""
        found = ((task.health.name, task.sums()) for task in self.sink_tasks)
        return "; ".join(
            f"sink={name} shed={sums.shed} rejected={sums.rejected} left_out={sums.left_out} waiting={sums.waiting}"
            for name, sums in found
            if self._lost(sums)
        )

    async def _stop(self, streams: list[asyncio.Task[None]], sinks: list[asyncio.Task[None]]) -> None:
        """Stop the sources, then deliver the waiting records and the last latest values."""
        loop = asyncio.get_running_loop()
        last_delivery = loop.time() + LAST_DELIVERY
        await _cancel(streams, LAST_SOURCES)
        for stream in self.streams:
            self._contain(stream, stream.publish_state, stream.stop)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(last_delivery):
                await self._drain(sinks, only_up=True)
        await self._publish_sums(sinks)

    async def _drain(self, sinks: list[asyncio.Task[None]], *, only_up: bool = False) -> None:
        """Wait until the sinks have answered for all records, or the task of a sink has ended."""
        await _wait_all([s.settle() for s in self.sink_tasks if s.health.up or not only_up], sinks)

    async def _publish_sums(self, sinks: list[asyncio.Task[None]]) -> None:
        """Have each connected sink publish the counts of its records in `status`."""
        for task in self.sink_tasks:
            task.put_sums()
        await _wait_all([task.publish_notices(LAST_SUMS) for task in self.sink_tasks], sinks)

    def _check_spool(self) -> None:
        """Note the condition of the spool, and have it published if it changed."""
        condition = self._log.condition
        if condition is not None and self.spool.check(*condition):
            for task in self.sink_tasks:
                task.put_facts(spool=self.spool.document())

    async def _tick(self) -> None:
        slots = max(1, min(SLOTS, len(self.streams) // STREAMS_PER_SLOT))
        for turn in turns(len(self.streams), slots, STATES):
            await asyncio.sleep(TICK / slots)
            contain(self._check_spool, "spool")
            for task in self.sink_tasks:
                contain(task.sums, task.health.name)
            for number, is_due in turn:
                stream = self.streams[number]
                self._contain(stream, stream.check, *([stream.publish_state] if is_due else []))

    def _contain(self, stream: Stream, *steps: Callable[[], None]) -> None:
        """Run steps of one stream. An internal error ends that step only, and is logged once."""
        for step in steps:
            if (fault := contain(step, stream.name)) is not None:
                self._log_once(stream, str(fault))

    def _log_once(self, stream: Stream, fault: str) -> None:
        """Log a fault of a stream, unless the same one was logged before."""
        if (line := (stream.name, fault)) not in self._logged:
            self._logged.add(line)
            LOG.error("%s: %s", *line)


def turns(count: int, slots: int, states: int) -> Iterator[list[tuple[int, bool]]]:
    """For each slot: the numbers of the streams to check, and whether their latest values are due.

    Each stream is in every `slots`th slot, and its values are due at every `states`th check. The streams are spread
    evenly over both, so that a hundred streams do not create all their documents at the same moment.
    """
    for check in itertools.count(1):
        for slot in range(slots):
            yield [(number, (check + number // slots) % states == 0) for number in range(slot, count, slots)]


def _retrieve(sources: asyncio.Future[Any]) -> None:
    """Retrieve the exception of a cancelled `gather`, which asyncio would log if `run` is cancelled twice."""
    if not sources.cancelled():
        sources.exception()


async def _finish(task: asyncio.Task[None]) -> None:
    """Wait for a task. If the wait is cancelled, cancel the task too."""
    try:
        await asyncio.wait({task})
    finally:
        task.cancel()
    task.result()


async def _cancel(tasks: Sequence[asyncio.Future[Any]], timeout: float = 1.0) -> None:
    """Cancel tasks and wait for their end, ignoring their exceptions.

    A task that hangs in its clean-up is cancelled a second time, and then abandoned.
    """
    left = set(tasks)
    for seconds in (timeout, LAST_TASKS):
        for task in left:
            task.cancel()
        if left:
            _, left = await asyncio.wait(left, timeout=seconds)
    if left:
        LOG.warning("tasks do not end, abandoned: count=%d", len(left))
    await asyncio.gather(*set(tasks) - left, return_exceptions=True)


async def _run_all(waits: Sequence[Coroutine[Any, Any, None]]) -> None:
    async with asyncio.TaskGroup() as tasks:
        for wait in waits:
            tasks.create_task(wait)


async def _wait_all(waits: Sequence[Coroutine[Any, Any, None]], tasks: Sequence[asyncio.Future[Any]]) -> None:
    """Wait until all `waits` have ended, or one of `tasks` has."""
    if not waits:
        return
    # A task, not `gather`: asyncio logs the cancellation of a `gather` whose result is not retrieved.
    waiting = asyncio.create_task(_run_all(waits), name="wait")
    try:
        await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _cancel([waiting])
