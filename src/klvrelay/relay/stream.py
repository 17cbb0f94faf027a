"""One source of the relay: its packets become records in the log, and it is reopened if it fails."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Mapping
from contextlib import aclosing, nullcontext
from dataclasses import replace

from klvrelay.backoff import Backoff
from klvrelay.decoder import Decoder
from klvrelay.errors import ConfigError, KlvrelayError, SourceDown, SourceError
from klvrelay.health import StreamHealth
from klvrelay.health.board import Board
from klvrelay.record import Record
from klvrelay.relay.channels import Channels
from klvrelay.relay.notices import Notices
from klvrelay.relay.opening import Opening, Reopened
from klvrelay.relay.oversize import Oversize
from klvrelay.relay.reopen_policy import HANGS, ReopenPolicy
from klvrelay.relay.stream_input import StreamInput
from klvrelay.relay.supervise import Standing, contain, standing_of, supervise
from klvrelay.relay.totals import Totals
from klvrelay.sources.contract import Source
from klvrelay.sources.progress import Progress
from klvrelay.spool.contract import Log

LOG = logging.getLogger("klvrelay.relay")

TURN = 64
"""Records after which other tasks run: one packet may contain thousands of records."""


class Stream:
    """One source, kept running until the relay stops or, if it is a file, until its end.

    channels   its KLV elementary streams
    failed     the fault that ended it; None after a regular end
    next_seqs  numbers of the next records by stream, if streams of these names had records before
    """

    def __init__(
        self, source_input: StreamInput, boot: str, log: Log, notices: Notices, board: Board,
        next_seqs: Mapping[str, int] | None = None,
    ) -> None:  # fmt: skip
        self.name = source_input.name
        limit, choice = source_input.packet_limit, source_input.choice
        self.decoder = Decoder(self.name, boot, next_seqs=next_seqs, packet_limit=limit, choice=choice)
        self.failed: SourceError | None = None
        self._input = source_input
        self._open = source_input.open
        self._log = log
        self.channels = Channels(source_input, boot, notices, board, self.count)
        self._was_live = False
        self._is_held = False  # the log is full, and the source waits
        self._is_retired = False
        # Nothing else is known before the first opening.
        self._standing = Standing.LASTING if "://" in source_input.url else Standing.UNREAD
        self._source: Source | None = None
        self._totals = Totals()
        self._opening: Opening | None = None
        self._progress: Progress | None = None
        self._reopen_policy = ReopenPolicy(source_input.stall, source_input.hang_timeout)
        self._oversize = Oversize(source_input.name, source_input.packet_limit)
        self._recording = None if source_input.recording is None else source_input.recording()

    @property
    def input(self) -> StreamInput:
        return self._input

    def retire(self) -> dict[str, int]:
        """The task has ended, and another stream may follow: report all streams as ended, and append no further record
        even if the source was abandoned. Returns the numbers of the next records by stream.
        """
        self.stop()
        self._is_retired = True
        return self.decoder.streams.seqs()

    @property
    def health(self) -> StreamHealth:
        """The health of the first stream."""
        return self.channels.health

    @property
    def healths(self) -> list[StreamHealth]:
        return self.channels.healths

    async def keep(self) -> None:
        """Run the source, and reopen it whenever it fails, until its end."""
        try:
            async with self._recording or nullcontext():
                await supervise(
                    self._attempt, name=self.name, backoff=Backoff(), standing=lambda: self._standing, down=self._down
                )
        except SourceError as fault:
            self.failed = fault
        except ConfigError as fault:  # found at the opening only
            self.failed = SourceError(str(fault))
        except KlvrelayError as fault:
            self.failed = SourceError(f"{self._input.url}: {fault}")
            self.failed.__cause__ = fault
        contain(self._finish, self.name)

    def _finish(self) -> None:
        if self.failed is not None:
            self.channels.mark_down(self.failed, again=False)
        self._end(is_logged=self.failed is not None)

    async def _attempt(self, up: Callable[[], None]) -> None:
        """One opening: returns at the end of a file, raises what ended a live source."""
        up()
        source = self._source = self._open()
        self._standing = self._standing_of(source)
        for health in self.healths:
            health.add_opening()
        opening = self._opening = Opening(self.name)
        self._progress = Progress()
        self._progress.use()
        try:
            await opening.run(self._carry(source))
        finally:
            self._opening = self._progress = None
            self._standing = self._standing_of(source)
            self._close(source)
            if self._recording is not None:
                self._recording.cut()
        if self._standing is Standing.LASTING:
            raise SourceDown("ended")

    @property
    def was_opened(self) -> bool:
        """Is the source open, or was it before, or has it failed once?"""
        return self.health.state != "connecting" or (self._progress is not None and self._progress.opened)

    @property
    def due(self) -> float:
        """When the reader of the source must have returned from its call, in seconds of the monotonic clock; infinite
        without a time limit, in back-off, and once it has ended.
        """
        return math.inf if self._progress is None else self._progress.due

    def _standing_of(self, source: Source) -> Standing:
        """Whether this source can be read again; see `Standing`."""
        read = source.link.size > 0
        self._was_live |= source.live and read  # a server cannot end a live stream by calling it a recording later
        return standing_of(source.url.scheme, live=source.live or self._was_live, read=read)

    def _down(self, fault: KlvrelayError) -> None:
        if isinstance(fault, Reopened):
            LOG.info("%s: source reopened: reason=%r", self.name, str(fault))
            return
        self.channels.mark_down(fault)
        self.publish_health()

    async def _carry(self, source: Source) -> None:
        """The path of a packet: source -> decoder -> log. A source that is not live waits for room in the log."""
        try:
            async with aclosing(source.packets()) as packets:
                async for packet in packets:
                    if self._recording is not None:
                        self._recording.take(packet)
                    if records := self.decoder.feed(packet):
                        await self._append(records, wait=not source.live)
        except asyncio.CancelledError:
            is_stopping = self._opening is None or not self._opening.reopening
            await self._append(self.decoder.stop() if is_stopping else self.decoder.flush(), wait=False)
            raise
        except BaseException:
            await self._append(self.decoder.flush(), wait=False)
            raise
        await self._append(self.decoder.flush(), wait=not source.live)

    async def _append(self, records: list[Record], *, wait: bool) -> None:
        """Append records to the log, all of them even if the task is cancelled meanwhile: their numbers are taken."""
        if self._is_retired:
            return  # another stream has these numbers
        cancelled: asyncio.CancelledError | None = None
        is_back = False
        waited = wait or not self._is_live
        for number, record in enumerate(records, 1):
            try:
                if cancelled is None and number % TURN == 0:
                    await asyncio.sleep(0)
                if cancelled is None and wait:
                    self._is_held = True
                    await self._log.wait_for_room(record.stream)
            except asyncio.CancelledError as request:
                cancelled = request
            self._is_held = False
            is_back |= self._count_record(record)
            self._log.append(record, waited=waited)
        if is_back:
            contain(self.publish_health, self.name)  # the next check publishes it again; the records are in the log
        if cancelled is not None:
            raise cancelled

    @property
    def _is_live(self) -> bool:
        """Is the current source live, so that it cannot wait?"""
        return self._source is None or self._source.live

    def _count_record(self, record: Record) -> bool:
        """Count a record. Returns true if its stream was not live before."""
        return self.channels.add_record(record)

    def check(self) -> None:
        """Check for silence, count, and publish what changed. Call it a few times per second."""
        source, opening = self._source, self._opening
        if self.health.state == "ended":
            return
        if source is not None and source.live:
            self._append_overdue()
        healths = self.healths
        if all(health.without_klv for health in healths) or any(health.is_pausing for health in healths):
            self.count()  # the counts explain why there is no KLV
        unselected = self._unselected()
        size = self._totals.size(source)
        for health in healths:
            health.set_size(size)
            if self._is_held:
                health.hold()
            health.check(unselected=unselected)
        if self._oversize.is_due(self.health.clock()):
            self.count()
            self._oversize.check(self.health.link.lane.too_large)
        if source is not None and opening is not None and (reason := self._reason_to_reopen(source)):
            opening.reopen(reason)
        self.publish_health()

    def _append_overdue(self) -> None:
        """Append the records that have waited long enough for the name of their stream."""
        for record in self.decoder.overdue():
            self._count_record(record)
            self._log.append(record)

    def _reason_to_reopen(self, source: Source) -> str:
        """Why the source must be reopened; "" if it need not."""
        if not (source.live and source.fixed):
            return ""
        if self.due < time.monotonic():  # its thread did not return from a call in time
            reason = HANGS
        else:
            reason = self._reopen_policy.reason(max(self.healths, key=lambda one: one.last_record))
        if reason == HANGS:
            self._isolate()
        return reason

    def _isolate(self) -> None:
        """Read the source in a separate process from now on: a process that hangs can be killed, a thread cannot."""
        open_isolated = self._input.open_isolated
        if open_isolated is not None and self._open is not open_isolated:
            self._open = open_isolated
            LOG.warning("%s: reader hangs, source moved to a separate process", self.name)

    def count(self) -> None:
        """Pass the counts of all openings to the health."""
        source = self._source
        link = self._totals.link(source)
        link = replace(link, lane=link.lane + self.decoder.counters)
        self.channels.note_counts(link, self._totals.dropped(source), self.decoder.streams.places())
        self.health.refused = self.decoder.streams.refused

    def _close(self, source: Source) -> None:
        """Keep the counts of an opening that has ended."""
        self._source = None
        size = self._totals.close(source)
        for health in self.healths:
            health.set_size(size)
        contain(self.count, self.name)

    def stop(self) -> None:
        """The relay stops: report all streams as ended."""
        self._end(is_logged=True)

    def _end(self, *, is_logged: bool) -> None:
        """Report all streams as ended. Unless the reason `is_logged`, log that the source had no KLV, if so."""
        unselected = self._unselected()
        for health in self.healths:
            health.end(is_logged=is_logged, unselected=unselected)
        self.publish_health()

    def _unselected(self) -> str | None:
        """Where there is KLV that no stream selects; see `StreamHealth.check`."""
        if any(health.records for health in self.healths):
            return ""
        return self.decoder.streams.missed or None

    def publish_health(self) -> None:
        """Publish availability and link of each stream, where they changed."""
        self.channels.publish_health()

    def publish_state(self) -> None:
        """Publish the latest values of each stream, where they changed."""
        self.channels.publish_state()
