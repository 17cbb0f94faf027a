"""One source of the relay: its packets become records in the log, and it is reopened when it fails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace

from klvrelay.backoff import Backoff
from klvrelay.decoder import Decoder
from klvrelay.errors import ConfigError, KlvrelayError, SourceDown, SourceError
from klvrelay.health import StreamHealth
from klvrelay.record import Record
from klvrelay.relay.channel import Channel
from klvrelay.relay.feed import Feed
from klvrelay.relay.notices import Notices
from klvrelay.relay.oversize import Oversize
from klvrelay.relay.patience import HANGS, Patience
from klvrelay.relay.supervise import Standing, contained, standing_of, supervise
from klvrelay.relay.totals import Totals
from klvrelay.sources.contract import Source
from klvrelay.spool.memory import MemoryLog

LOG = logging.getLogger("klvrelay.relay")

BREATH = 64
"""Records after which other tasks get a turn: a packet of a flood can hold thousands of records."""
CLOSING, LAST_CLOSING = 15.0, 1.5
"""Seconds in which a source must end, before it is reopened and when the relay stops; one that hangs is abandoned."""


class Stream:
    """One source, kept running until the relay stops or, if it is a file, until its end.

    channels   its KLV elementary streams by name: the first, those that the settings name, and others as they appear
    failed     the fault that ended it; None at its regular end
    """

    def __init__(self, feed: Feed, boot: str, log: MemoryLog, notices: Notices) -> None:
        self.name = feed.name
        self.decoder = Decoder(feed.name, boot, packet_limit=feed.packet_limit, choice=feed.choice)
        self.failed: SourceError | None = None
        self._feed = feed
        self._open = feed.open
        self._boot = boot
        self._log = log
        self._notices = notices
        self.channels: dict[str, Channel] = {}
        for name in dict.fromkeys((feed.name, *feed.choice.names.values())):
            self._add_channel(name)
        self._was_live = False
        self._is_held = False  # the log is full, and the source waits
        # Nothing else is known before the first opening.
        self._standing = Standing.LASTING if "://" in feed.url else Standing.UNREAD
        self._source: Source | None = None
        self._totals = Totals()
        self._renewal: asyncio.Future[str] | None = None
        self._patience = Patience(feed.stall, feed.hung)
        self._oversize = Oversize(feed.name, feed.packet_limit)

    @property
    def health(self) -> StreamHealth:
        """The health of the first stream."""
        return self.channels[self.name].health

    @property
    def healths(self) -> list[StreamHealth]:
        return [channel.health for channel in self.channels.values()]

    def _add_channel(self, name: str) -> Channel:
        health = StreamHealth(name, self._feed.url, self._feed.stall)
        if self.channels:  # the openings of the source count for each of its streams
            health.openings = self.health.openings
        channel = self.channels[name] = Channel(health, self._boot, self._notices, self.count)
        return channel

    async def keep(self) -> None:
        """Run the source, and reopen it whenever it fails, until its end."""
        try:
            await supervise(
                self._attempt, name=self.name, backoff=Backoff(), standing=lambda: self._standing, down=self._down
            )
        except SourceError as fault:
            self.failed = fault
        except ConfigError as fault:  # found at the opening only
            self.failed = SourceError(str(fault))
        except KlvrelayError as fault:
            self.failed = SourceError(f"{self._feed.url}: {fault}")
        contained(self._finish, self.name)

    def _finish(self) -> None:
        if self.failed is not None:
            for health in self.healths:
                health.down(str(self.failed), again=False)
        self._end(said=self.failed is not None)

    async def _attempt(self, up: Callable[[], None]) -> None:
        """One opening: returns at the end of a file, raises what ended a live source."""
        up()
        source = self._source = self._open()
        self._standing = self._standing_of(source)
        for health in self.healths:
            health.opened()
        try:
            await self._one_opening(source)
        finally:
            self._standing = self._standing_of(source)
            self._settle(source)
        if self._standing is Standing.LASTING:
            raise SourceDown("ended")

    def _standing_of(self, source: Source) -> Standing:
        """Whether this source can be read again; see `Standing`."""
        read = source.link.size > 0
        self._was_live |= source.live and read  # a server cannot end a live stream by calling it a recording later
        return standing_of(source.url.scheme, live=source.live or self._was_live, read=read)

    def _down(self, fault: KlvrelayError) -> None:
        if isinstance(fault, _Renewed):
            LOG.info("%s: opened again: %s", self.name, fault)
            return
        for health in self.healths:
            health.down(str(fault))
        self.tell()

    async def _one_opening(self, source: Source) -> None:
        """Read until the source ends or must be reopened; raises what ended it."""
        renewal = self._renewal = asyncio.get_running_loop().create_future()
        carrying = asyncio.create_task(self._carry(source), name=f"source {self.name}")
        carrying.add_done_callback(_seen)
        try:
            await asyncio.wait({carrying, renewal}, return_when=asyncio.FIRST_COMPLETED)
            if not carrying.done():
                await self._let_go(carrying, CLOSING)
        except asyncio.CancelledError:
            await self._let_go(carrying, LAST_CLOSING)
            raise
        finally:
            self._renewal = None
        if carrying.done() and not carrying.cancelled():
            carrying.result()
        if renewal.done():
            raise _Renewed(renewal.result())

    async def _let_go(self, carrying: asyncio.Task[None], patience: float) -> None:
        carrying.cancel()
        _, hanging = await asyncio.wait({carrying}, timeout=patience)
        if hanging:
            LOG.warning("%s: its source does not end, and is abandoned", self.name)

    async def _carry(self, source: Source) -> None:
        """The path of a packet: source -> decoder -> log."""
        decoder = self.decoder
        try:
            async with aclosing(source.packets()) as packets:
                async for packet in packets:
                    if records := decoder.feed(packet):
                        await self._accept(records, wait=not source.live)
        except BaseException:
            await self._accept(decoder.flush(), wait=False)
            raise
        await self._accept(decoder.flush(), wait=not source.live)

    async def _accept(self, records: list[Record], *, wait: bool) -> None:
        """Append records to the log; a record that has a number is appended even if the task is cancelled meanwhile."""
        came = False
        asked: asyncio.CancelledError | None = None
        waited = wait or not self._is_live
        for number, record in enumerate(records, 1):
            try:
                if asked is None and number % BREATH == 0:
                    await asyncio.sleep(0)
                if asked is None and wait:
                    self._is_held = True
                    await self._log.room(record.stream)
            except asyncio.CancelledError as to_end:
                asked = to_end
            self._is_held = False
            came |= self._take(record)
            self._log.append(record, waited=waited)
        if came:
            contained(self.tell, self.name)  # the next check reports it again; the records are in the log
        if asked is not None:
            raise asked

    @property
    def _is_live(self) -> bool:
        """Is the current source live, so that it cannot wait?"""
        return self._source is None or self._source.live

    def _take(self, record: Record) -> bool:
        """Count a record; true if its stream was not live before."""
        channel = self.channels.get(record.stream) or self._add_channel(record.stream)
        return channel.take(record)

    def look(self) -> None:
        """A few times a second: check for silence, count, and publish what changed."""
        source, renewal = self._source, self._renewal
        if self.health.state == "ended":
            return
        if source is not None and source.live:
            self._take_overdue()
        healths = self.healths
        if all(health.barren for health in healths):
            self.count()  # the counts explain why there is no KLV
        beside = self._beside()
        size = self._totals.size(source)
        for health in healths:
            health.heard(size)
            if self._is_held:
                health.held()
            health.look(beside=beside)
        if self._oversize.is_due(self.health.clock()):
            self.count()
            self._oversize.look(self.health.link.lane.too_large)
        if source is not None and renewal is not None and not renewal.done():
            why = self._worth_renewing(source)
            if why:
                renewal.set_result(why)
        self.tell()

    def _take_overdue(self) -> None:
        for record in self.decoder.overdue():
            self._take(record)
            self._log.append(record)

    def _worth_renewing(self, source: Source) -> str:
        """Why the source must be reopened; "" if it need not."""
        if not (source.live and source.fixed):
            return ""
        why = self._patience.ended(max(self.healths, key=lambda one: one.last_record))
        if why == HANGS:
            self._set_apart()
        return why

    def _set_apart(self) -> None:
        """Move the source to a separate process: a thread that hangs cannot be ended, a process can."""
        apart = self._feed.apart
        if apart is not None and self._open is not apart:
            self._open = apart
            LOG.warning("%s: its reader hangs; it is read in a separate process from now on", self.name)

    def count(self) -> None:
        """Pass the counts of all openings to the health."""
        source = self._source
        link = self._totals.link(source)
        link = replace(link, lane=link.lane + self.decoder.counters)
        places = self.decoder.streams.places()
        for name, channel in self.channels.items():
            health = channel.health
            health.link = link
            health.dropped = self._totals.dropped(source)
            health.pid, health.program = places.get(name, (None, None))
        self.health.refused = self.decoder.streams.refused

    def _settle(self, source: Source) -> None:
        """Keep the counts of an opening that has ended."""
        self._source = None
        size = self._totals.settle(source)
        for health in self.healths:
            health.heard(size)
        contained(self.count, self.name)

    def stop(self) -> None:
        """The relay stops: report its streams as ended."""
        self._end(said=True)

    def _end(self, *, said: bool) -> None:
        """Report all streams as ended, and that there was no KLV if none contained any."""
        beside = self._beside()
        for health in self.healths:
            health.ended(said=said, beside=beside)
        self.tell()

    def _beside(self) -> str | None:
        """Where there is KLV that no stream selects; see `StreamHealth.look`."""
        if any(health.records for health in self.healths):
            return ""
        return self.decoder.streams.missed or None

    def tell(self) -> None:
        """Publish availability and link of each stream, where they changed."""
        for channel in self.channels.values():
            channel.tell()

    def tell_state(self) -> None:
        """Publish the latest values of each stream, where they changed."""
        for channel in self.channels.values():
            channel.tell_state()


def _seen(carrying: asyncio.Task[None]) -> None:
    """Retrieve the exception of an abandoned task, which asyncio would report otherwise."""
    if not carrying.cancelled():
        carrying.exception()


class _Renewed(SourceDown):
    """The relay reopens the source."""
