"""One source in the relay: its packets are decoded and handed on, and it is opened again when it falls."""

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

LOG = logging.getLogger("klvrelay")

BREATH = 64
"""Records after which other streams and the sinks have a turn: a piece of a flood holds thousands."""
CLOSING, LAST_CLOSING = 15.0, 1.5
"""Seconds that a source gets to end, before it is opened again and where the relay stops; one that hangs is left
behind."""


class Stream:
    """One source, kept going until the relay stops: or, where it is a file, until its end.

    channels   its KLV elementary streams by name: the first and those that the settings name, and more as they come
    failed     what ended it, where that was not its end
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
        # Until it has been opened nothing else is known of it.
        self._standing = Standing.LASTING if "://" in feed.url else Standing.UNREAD
        self._source: Source | None = None
        self._totals = Totals()
        self._renewal: asyncio.Future[str] | None = None
        self._patience = Patience(feed.stall, feed.hung)
        self._oversize = Oversize(feed.name, feed.packet_limit)

    @property
    def health(self) -> StreamHealth:
        """That of the first stream."""
        return self.channels[self.name].health

    @property
    def healths(self) -> list[StreamHealth]:
        return [channel.health for channel in self.channels.values()]

    def _add_channel(self, name: str) -> Channel:
        health = StreamHealth(name, self._feed.url, self._feed.stall)
        if self.channels:  # what the source has seen so far, it has seen of this stream too
            health.openings = self.health.openings
        channel = self.channels[name] = Channel(health, self._boot, self._notices, self.count)
        return channel

    async def keep(self) -> None:
        """Carry the source, and open it again whenever it falls, until it has come to its end."""
        try:
            await supervise(
                self._attempt, name=self.name, backoff=Backoff(), standing=lambda: self._standing, down=self._down
            )
        except SourceError as fault:
            self.failed = fault
        except ConfigError as fault:  # found only when it was opened
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
        """One opening: returns at the end of what has one, raises what ended anything else."""
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
        """`Standing` says what each means."""
        read = source.link.size > 0
        self._was_live |= source.live and read  # no server can end it for good then by calling it a recording
        return standing_of(source.url.scheme, live=source.live or self._was_live, read=read)

    def _down(self, fault: KlvrelayError) -> None:
        if isinstance(fault, _Renewed):
            LOG.info("%s: opened again: %s", self.name, fault)
            return
        for health in self.healths:
            health.down(str(fault))
        self.tell()

    async def _one_opening(self, source: Source) -> None:
        """Carry until the source ends or is to be renewed; raises what ended it."""
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
            LOG.warning("%s: its source does not end, and is left behind", self.name)

    async def _carry(self, source: Source) -> None:
        """The way of a packet: source -> decoder -> spools."""
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
        """Append records to the log; what was numbered is appended even where this is to end meanwhile."""
        came = False
        asked: asyncio.CancelledError | None = None
        waited = wait or not self._is_live
        for number, record in enumerate(records, 1):
            try:
                if asked is None and number % BREATH == 0:
                    await asyncio.sleep(0)
                if asked is None and wait:
                    await self._log.room(record.stream)
            except asyncio.CancelledError as to_end:
                asked = to_end
            came |= self._take(record)
            self._log.append(record, waited=waited)
        if came:
            contained(self.tell, self.name)  # the next look reports it; the records are sound
        if asked is not None:
            raise asked

    @property
    def _is_live(self) -> bool:
        """Is the source that is read now one that waits for nobody?"""
        return self._source is None or self._source.live

    def _take(self, record: Record) -> bool:
        """Count a record of one of the streams; is that one there now, and was not?"""
        channel = self.channels.get(record.stream) or self._add_channel(record.stream)
        return channel.take(record)

    def look(self) -> None:
        """A few times a second: what the line tells, what should have come and did not, who is to know."""
        source, renewal = self._source, self._renewal
        if self.health.state == "ended":
            return
        if source is not None and source.live:
            self._take_overdue()
        healths = self.healths
        if all(health.barren for health in healths):
            self.count()  # what came instead says why
        beside = self._beside()
        size = self._totals.size(source)
        for health in healths:
            health.heard(size)
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
        """Why this opening is given up for another one; "" while it is not."""
        if not (source.live and source.fixed):
            return ""
        why = self._patience.ended(max(self.healths, key=lambda one: one.last_record))
        if why == HANGS:
            self._set_apart()
        return why

    def _set_apart(self) -> None:
        """Its thread can't be ended, and may be one more each time: from now on it is a process, which can."""
        apart = self._feed.apart
        if apart is not None and self._open is not apart:
            self._open = apart
            LOG.warning("%s: its reader hangs; from now on it gets a process of its own", self.name)

    def count(self) -> None:
        """The counts of all openings, to the health."""
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
        """An opening is over: what it counted is kept."""
        self._source = None
        size = self._totals.settle(source)
        for health in self.healths:
            health.heard(size)
        contained(self.count, self.name)

    def stop(self) -> None:
        """The relay stops: its streams are told as ended."""
        self._end(said=True)

    def _end(self, *, said: bool) -> None:
        """No more will come of any stream; that there was no KLV is said where none had any."""
        beside = self._beside()
        for health in self.healths:
            health.ended(said=said, beside=beside)
        self.tell()

    def _beside(self) -> str | None:
        """Where KLV comes that no stream has: see `StreamHealth.look`."""
        if any(health.records for health in self.healths):
            return ""
        return self.decoder.streams.missed or None

    def tell(self) -> None:
        """Availability and link of each stream, where there is something new of them."""
        for channel in self.channels.values():
            channel.tell()

    def tell_state(self) -> None:
        """The latest values of each stream, where there are newer ones."""
        for channel in self.channels.values():
            channel.tell_state()


def _seen(carrying: asyncio.Task[None]) -> None:
    """One that was left behind may fail when nobody waits for it any more, which asyncio would report."""
    if not carrying.cancelled():
        carrying.exception()


class _Renewed(SourceDown):
    """The relay itself gave this opening up for another one."""
