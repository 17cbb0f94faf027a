"""The relay: starts the tasks of the pipeline, changes them at a reload, and stops them in order.

    stream      source -> decoder -> log             one task per source (`Stream.keep`)
    sink        log -> sink, until acknowledged      one task per sink (`SinkTask.drain`)
    tick        silence, states and latest values    one task (`keep_checking`)

`supervise` restarts streams and sinks; no fault of one ends another.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from klvrelay.errors import KlvrelayError
from klvrelay.health import SinkHealth
from klvrelay.health.board import Board
from klvrelay.incidents.ledger_service import Incidents
from klvrelay.json_output import dumps
from klvrelay.outcome import Sums
from klvrelay.relay.change import SettingsChange
from klvrelay.relay.health_report import HealthReport
from klvrelay.relay.heartbeat import heartbeat_of
from klvrelay.relay.notices import Notices
from klvrelay.relay.running import Running
from klvrelay.relay.sink_input import SinkInput
from klvrelay.relay.sink_task import SinkTask
from klvrelay.relay.stream import Stream
from klvrelay.relay.stream_input import StreamInput
from klvrelay.relay.stuck import Stuck, stuck_parts
from klvrelay.relay.summary import Removed, StreamCounts, counts_of, describe_losses, fault_of, lost_of, total
from klvrelay.relay.supervise import contain
from klvrelay.relay.tasks import cancel, finish, wait_all
from klvrelay.relay.tick import keep_checking
from klvrelay.sinks.contract import AnswerRequest, Notice
from klvrelay.sources.datagrams.schedule import COALESCE, Coalesce
from klvrelay.spool.contract import Log
from klvrelay.spool.memory import WAITING, WAITING_SIZE, MemoryLog

if TYPE_CHECKING:
    from klvrelay.alerts.running import Alerting
    from klvrelay.config.settings import RelaySettings

LOG = logging.getLogger("klvrelay.relay")

LAST_SOURCES, LAST_DELIVERY, LAST_SINKS = 1.7, 2.3, 1.8
"""Seconds of a stop: sources must end by LAST_SOURCES, and sinks must acknowledge the waiting records by LAST_DELIVERY.
Then sinks have LAST_SINKS to disconnect, and tasks that were cancelled a second time have LAST_TASKS. The sum is below
five. What a reload removes has the same times."""
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
    on_reload     functions that apply changed settings, after `apply`
    alerting      its alerts, if it has some
    coalesce      longest time in seconds between two reads of the datagram sockets, where many are busy

    `loop` is the heartbeat of its event loop; see `LoopHealth`.
    """

    def __init__(
        self, inputs: Sequence[StreamInput], sinks: Sequence[SinkInput], *, boot: str, log: Log | None = None,
        waiting: int = WAITING, waiting_size: int = WAITING_SIZE, age: float | None = None, coalesce: float = COALESCE,
    ) -> None:  # fmt: skip
        self.boot = boot
        self.on_reload: list[Callable[[RelaySettings], Awaitable[None]]] = []
        self.alerting: Alerting | None = None
        self._coalesce = Coalesce(coalesce)
        self._log: Log = MemoryLog(waiting, waiting_size, age) if log is None else log
        self._notices = Notices()
        self._next_seqs: dict[str, int] = {}  # of streams that a reload removed or replaced
        self._removed = Removed()
        self._running = Running()
        self.board = Board(boot, contain)
        self.incidents: Incidents | None = None
        self._answer_request: AnswerRequest | None = None
        self._report = HealthReport(self.board, self._notices)
        self.loop = self.board.loop = heartbeat_of(lambda: self.streams)
        self.sink_tasks = [self._sink_task(each) for each in itertools.starmap(SinkInput, sinks)]
        self.streams = [self._stream(StreamInput(*each)) for each in inputs]
        self._logged: set[tuple[str, str]] = set()
        self.board.has_spool = self._log.condition is not None
        self.board.streams = lambda: [health for stream in self.streams for health in stream.healths]
        self.board.sinks = lambda: [task.health for task in self.sink_tasks]
        self.board.refresh = self._refresh
        self.board.latest = self._notices.latest_state

    def answer_requests(self, answer: AnswerRequest) -> None:
        """Have the sinks pass requests to acknowledge incidents on. Call it before `run`."""
        self._answer_request = answer
        for task in self.sink_tasks:
            task.answer_requests(answer)

    def put(self, notice: Notice) -> None:
        """Have each sink publish a latest value."""
        self._notices.put(notice)

    def _stream(self, source_input: StreamInput) -> Stream:
        return Stream(source_input, self.boot, self._log, self._notices, self.board, self._next_seqs)

    def _sink_task(self, each: SinkInput) -> SinkTask:
        cursor = self._log.cursor(each.name, file=each.cursor, replay_rate=each.rate)
        health = SinkHealth(each.name, key=each.key, publish=self.board.changes.publish)
        task = SinkTask(
            each.sink, cursor, self._notices.cursor(), health, each.key, is_lasting=self._running.has_begun,
            patience=each.patience,
        )  # fmt: skip
        task.answer_requests(self._answer_request)
        return task

    def summary(self) -> str:
        """The counts of the run, on one line."""
        for stream in self.streams:
            self._contain(stream, stream.count)
        return "; ".join([self._counts().describe(), *(sums.describe(name) for name, sums in self._sums())])

    def _counts(self) -> StreamCounts:
        return total((self._removed.streams, *map(counts_of, self.streams)))

    async def run(self) -> None:
        """Run until every source has ended and its records are delivered. Cancel to stop: within five seconds.

        Raises the SinkRefused or ConfigError of the first connection of a sink. A fault of a source is logged when it
        happens and affects that stream only; `fault` contains it afterwards.
        """
        running = self._running
        self._coalesce.use()
        self.board.relay.enter("running")
        self.loop.start()
        running.begin(keep_checking(lambda: self.streams, self._check_outputs, self._check_stream))
        self._start(self.streams, self.sink_tasks)
        try:
            await running.until_ended(self._end)
        except asyncio.CancelledError:
            running.is_stopping = True
            # In another task: before Python 3.11.3, a timeout in a cancelled task raises CancelledError.
            await finish(asyncio.create_task(self._stop(), name="stop"))
            raise
        finally:
            running.is_stopping = True
            await cancel(running.tasks, LAST_SINKS)
            self.loop.stop()

    def _start(self, streams: Sequence[Stream], sink_tasks: Sequence[SinkTask]) -> None:
        for stream in streams:
            self._running.start_stream(stream.name, stream.keep())
        for task in sink_tasks:
            self._running.start_sink(task.name, task.drain())

    async def _end(self) -> None:
        """Every source has ended: deliver what waits, and publish the last values."""
        for stream in self.streams:
            self._contain(stream, stream.publish_state)
        await self._drain()
        await self._publish_sums()

    @property
    def fault(self) -> KlvrelayError | None:
        """Why a source was not read to its end, or NoKlv if no source contained KLV. It has been logged already."""
        return fault_of(self.streams, self._counts())

    @property
    def lost(self) -> int:
        """Number of records that a sink did not confirm: rejected, shed, left out, or waiting in memory only."""
        return sum(lost_of(sums, keeps=self._log.keeps) for _, sums in self._sums(with_best_effort=False))

    def _sums(self, *, with_best_effort: bool = True) -> list[tuple[str, Sums]]:
        """The names and sums of all sinks, those removed last."""
        tasks = [task for task in self.sink_tasks if with_best_effort or not task.is_best_effort]
        return [*((task.health.name, task.sums()) for task in tasks), *self._removed.sums(with_best_effort)]

    @property
    def losses(self) -> str:
        """The counts of lost records by cause, for the log."""
        return describe_losses(self._sums(with_best_effort=False), keeps=self._log.keeps)

    async def apply(self, change: SettingsChange) -> None:
        """Remove, replace and add streams and sinks while `run` runs; all others continue. One call at a time.

        Streams with earlier names continue their numbers. A replaced sink continues with its cursor. What is removed
        has the times of a stop. No record of a new stream reaches a sink that is replaced or removed. Without effect
        if the relay stops.
        """
        if self._running.is_stopping:
            return
        with self._running.changing():
            self._coalesce.use()
            # A new sink has a cursor before a new stream has records.
            replaced = [each for each in change.sinks if self._sink_of(each.key) is not None]
            added = [self._sink_task(each) for each in change.sinks if each not in replaced]
            self.sink_tasks = [*self.sink_tasks, *added]
            self._start((), added)
            async with asyncio.TaskGroup() as tasks:
                for each in replaced:
                    tasks.create_task(self._replace_sink(each), name=f"replace {each.key}")
                for name in change.gone_sinks:
                    tasks.create_task(self._remove_sink(name), name=f"remove {name}")
            # Last: earlier sources are read on while sinks disconnect, and the new ones may not be meant for those.
            await self._change_streams(change)

    @property
    def is_stopping(self) -> bool:
        """Is it being stopped, or has it ended?"""
        return self._running.is_stopping

    def stuck(self) -> list[Stuck]:
        """The parts that make no progress now."""
        return stuck_parts(self.streams, self.sink_tasks, self._running)

    @property
    def owner(self) -> str | None:
        """Name of the relay to which the log on disk belongs; None without one."""
        return self._log.owner

    def restore(self) -> None:
        """End what was changed at run time, other than by `apply`."""
        for task in self.sink_tasks:
            task.restore()

    def set_limits(self, waiting: int, waiting_size: int, age: float | None, coalesce: float) -> None:
        """Change the limits of what waits, and the time between reads; see `Relay`."""
        self._log.set_limits(waiting, waiting_size)
        self._log.set_age(age)
        self._coalesce.change(coalesce)

    def publish_status(self, **members: object) -> None:
        """Add members to the status that each sink publishes."""
        self._notices.put(Notice("status", None, dumps(members)))

    def publish_alerts(self, stream: str | None, document: bytes) -> None:
        """Have each sink publish the alerts of a stream, or of the relay."""
        self._notices.put(Notice("alert", stream, document))

    def count(self, part: int = 0, parts: int = 1) -> None:
        """Pass the transport counters of one of so many parts of the streams to their health."""
        for stream in self.streams[part::parts]:
            self._contain(stream, stream.count)

    async def _change_streams(self, change: SettingsChange) -> None:
        new = {each.name: each for each in change.streams}
        for stream in self.streams:
            if stream.name not in {*new, *change.gone_streams} and stream.found & change.taken:
                LOG.info("%s: source reopened: reason='a name of a PID is now that of another stream'", stream.name)
                choice = stream.input.choice.beside(change.taken)
                new[stream.name] = stream.input._replace(choice=choice)
        gone = [stream for stream in self.streams if stream.name in {*new, *change.gone_streams}]
        await self._running.stop_streams([stream.name for stream in gone], LAST_SOURCES)
        if self._running.is_stopping:
            return
        kept = [stream for stream in self.streams if stream not in gone]
        for stream in gone:
            self._retire(stream)
        for stream in kept:
            stream.decoder.streams.taken = change.taken
        added = [self._stream(each) for each in new.values()]
        self.streams = [*kept, *added]
        self._start(added, ())

    def _retire(self, stream: Stream) -> None:
        """Keep the counts and numbers of a stream that has ended, and publish that it has."""
        self._contain(stream, stream.publish_state, lambda: self._next_seqs.update(stream.retire()))
        self._removed.add_stream(stream)
        for name in stream.channels:
            self._notices.forget_state(name)
            for task in self.sink_tasks:
                task.health.lead_times.forget(name)

    def _sink_of(self, name: str) -> SinkTask | None:
        return next((task for task in self.sink_tasks if task.name == name), None)

    async def _replace_sink(self, each: SinkInput) -> None:
        """Disconnect a sink, and start its successor with the same cursor."""
        (old,) = [task for task in self.sink_tasks if task.name == each.key]
        await self._running.stop_sink(old.name, LAST_SINKS)
        if self._running.is_stopping:
            return
        self._notices.remove(old.notices)
        cursor = self._log.reorder(old.cursor, each.rate)
        cursor.name = each.name
        health = SinkHealth(
            each.name, outages=old.health.outages, sums=old.sums(), key=each.key, publish=self.board.changes.publish,
            lead_times=old.health.lead_times,
        )  # fmt: skip
        new = SinkTask(
            each.sink, cursor, self._notices.cursor(), health, each.key, is_lasting=True, patience=each.patience
        )
        new.answer_requests(self._answer_request)
        self.sink_tasks = [new if task is old else task for task in self.sink_tasks]
        self._start((), [new])

    async def _remove_sink(self, name: str) -> None:
        """Have a sink deliver what waits, within the time of a stop, and disconnect it; discard the rest."""
        gone = self._sink_of(name)
        if gone is None:
            return
        if gone.health.up:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LAST_DELIVERY):
                    await wait_all([gone.settle()], self._running.sinks.values())
        await self._running.stop_sink(name, LAST_SINKS)
        if self._running.is_stopping:
            return
        sums = gone.sums()
        gone.health.mark_ended()
        self._notices.remove(gone.notices)
        self._log.remove(gone.cursor)
        self._removed.add_sink(gone.health.name, sums, is_best_effort=gone.is_best_effort)
        self.sink_tasks = [task for task in self.sink_tasks if task is not gone]
        if sums.waiting:
            LOG.warning("%s: sink removed, waiting records discarded: count=%d", gone.health.name, sums.waiting)

    async def _stop(self) -> None:
        """Stop the sources, then deliver the waiting records and the last latest values."""
        self.board.relay.enter("stopping")
        last_delivery = asyncio.get_running_loop().time() + LAST_DELIVERY
        await self._running.stop_streams(list(self._running.streams), LAST_SOURCES)
        for stream in self.streams:
            self._contain(stream, stream.publish_state, stream.stop)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(last_delivery):
                await self._drain(only_up=True)
        await self._publish_sums()

    async def _drain(self, *, only_up: bool = False) -> None:
        """Wait until the sinks have answered for all records, or the task of a sink has ended."""
        waits = [task.settle() for task in self.sink_tasks if task.health.up or not only_up]
        await wait_all(waits, self._running.sinks.values())

    async def _publish_sums(self) -> None:
        """Have each connected sink publish the counts of its records in `status`."""
        for task in self.sink_tasks:
            task.put_sums()
        while self.board.ending:
            contain(self.board.ending.pop(), "end")
        contain(self._report.publish, "health")
        await wait_all([task.publish_notices(LAST_SUMS) for task in self.sink_tasks], self._running.sinks.values())

    def _refresh(self) -> None:
        """Update the counters of all streams and sinks."""
        for stream in self.streams:
            self._contain(stream, stream.count)
        for task in self.sink_tasks:
            contain(task.sums, task.health.name)

    def check_spool(self) -> None:
        """Note the condition of the spool, and have it published if it changed."""
        condition = self._log.condition
        if condition is not None and self.board.spool.check(*condition):
            self.publish_status(spool=self.board.spool.document())

    def _check_outputs(self) -> None:
        """Check the spool and the sinks."""
        contain(self.check_spool, "spool")
        for task in self.sink_tasks:
            contain(task.check, task.health.name)
        contain(self._report.check, "health")

    def _check_stream(self, stream: Stream, is_due: bool) -> None:
        """Check a stream, and publish its latest values if they are due."""
        self._contain(stream, stream.check, *([stream.publish_state] if is_due else []))

    def _contain(self, stream: Stream, *steps: Callable[[], None]) -> None:
        """Run steps of one stream. An internal error ends that step only, and is logged once."""
        for step in steps:
            fault = contain(step, stream.name)
            if fault is not None and (line := (stream.name, str(fault))) not in self._logged:
                self._logged.add(line)
                LOG.error("%s: %s", *line)
