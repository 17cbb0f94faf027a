"""One source in the relay: opened, carried, looked after and opened again; next door, `relay.py` runs many,
`channel.py` publishes each of its KLV elementary streams, `outlet.py` takes the records on.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import NamedTuple

from klvrelay.backoff import STEADY, Backoff
from klvrelay.channel import Channel
from klvrelay.elementary import EVERYTHING, Choice
from klvrelay.errors import ConfigError, SourceDown, SourceError, blunder
from klvrelay.health import StreamHealth
from klvrelay.health.stream import STALL
from klvrelay.integers import added
from klvrelay.klv import Decoder
from klvrelay.outlet import Outlet
from klvrelay.record import Link, Record
from klvrelay.sources import Source, may_come_back
from klvrelay.wire import LIMIT

LOG = logging.getLogger("klvrelay")

PATIENCE_MOST = 60.0
"""Seconds at most that a source of fixed streams gets to show KLV before it is opened anew."""
BREATH = 64
"""Records after which other streams and the sinks have a turn: a piece of a flood holds thousands."""
CLOSING = 15.0
"""Seconds that a source gets to end; one that hangs is left behind."""


class Feed(NamedTuple):
    """What streams are made of: the name of the first, what opens their source, its address for messages.

    stall   seconds without bytes, or without KLV, after which it is stale
    apart   opens the same source in a process of its own, for one that hung
    packet_limit  bytes that the value of a KLV packet may have
    hung    seconds without a byte after which a source that libav reads, which has timeouts of its own, hangs
    choice  which of its KLV is wanted, and under which names
    """

    name: str
    open: Callable[[], Source]
    url: str
    stall: float = STALL
    apart: Callable[[], Source] | None = None
    hung: float = 60.0
    packet_limit: int = LIMIT
    choice: Choice = EVERYTHING


class Stream:
    """One source, kept going until the relay stops: or, where it is a file, until its end.

    channels   its KLV elementary streams by name: the first and those that the settings name, and more as they come
    live       the source that was opened last is: its end is no end
    """

    def __init__(self, feed: Feed, boot: str, outlets: Sequence[Outlet]) -> None:
        self.name = feed.name
        self.decoder = Decoder(feed.name, boot, packet_limit=feed.packet_limit, choice=feed.choice)
        self.failed: SourceError | None = None
        self._feed = feed
        self._open = feed.open
        self._boot = boot
        self._outlets = outlets
        self.channels: dict[str, Channel] = {}
        for name in dict.fromkeys((feed.name, *feed.choice.names.values())):
            self._add_channel(name)
        self.live = False
        self._source: Source | None = None
        self._past: Link | None = None
        self._dropped = 0
        self._renewal: asyncio.Future[str] | None = None
        self._patience = feed.stall
        self._too_large, self._counted = 0, 0.0

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
        channel = self.channels[name] = Channel(health, self._boot, self._outlets, self.count)
        return channel

    async def keep(self) -> None:
        """Carry the source, and open it again whenever it falls."""
        backoff, was_live = Backoff(), False
        while True:
            source = self._source = self._open()
            for health in self.healths:
                health.opened()
            begun = time.monotonic()
            fault = await self._one_opening(source)
            self.live = source.live
            self._settle(source)
            if not may_come_back(source, fault, was_live=was_live):
                break
            was_live = was_live or (source.live and source.link.size > 0)
            if time.monotonic() - begun > STEADY:  # what comes and goes is not asked for ever faster
                backoff.reset()
            if not isinstance(fault, _Renewed):
                for health in self.healths:
                    health.down("ended" if fault is None else str(fault))
                self.tell()
            else:
                LOG.info("%s: opened again: %s", self.name, fault)
            asked = fault.wait if isinstance(fault, SourceDown) else 0.0
            await asyncio.sleep(max(backoff.next(), asked))
        if fault is not None:
            self.failed = fault
            for health in self.healths:
                health.down(str(fault), again=False)
        self._end(said=fault is not None)

    async def _one_opening(self, source: Source) -> SourceError | None:
        """Carry until the source ends or is to be renewed; what ended it, or None where that is no fault."""
        renewal = self._renewal = asyncio.get_running_loop().create_future()
        attempt = asyncio.create_task(self._carry(source), name=f"source {self.name}")
        try:
            await asyncio.wait({attempt, renewal}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._renewal = None
            if not attempt.done():
                await self._let_go(attempt)
            elif not attempt.cancelled():
                attempt.exception()  # retrieved: asyncio would report it where a cancellation comes just now
        try:
            if attempt.done() and not attempt.cancelled():
                attempt.result()
            if renewal.done():
                return _Renewed(renewal.result())
        except SourceError as fault:
            return fault
        except ConfigError as fault:  # found only when it was opened
            return SourceDown(str(fault)) if source.live else SourceError(str(fault))
        except Exception as error:  # a fault of ours in one stream must not end the others
            said = blunder(error)
            LOG.debug("%s", said, exc_info=True)
            return SourceDown(said) if source.live else SourceError(f"{source.url}: {said}")
        return None

    async def _let_go(self, attempt: asyncio.Task[None]) -> None:
        attempt.cancel()
        _, hanging = await asyncio.wait({attempt}, timeout=CLOSING)
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
        came = False
        asked: asyncio.CancelledError | None = None
        for number, record in enumerate(records, 1):
            came |= self._take(record)
            for outlet in self._outlets:
                if wait:
                    await outlet.spool.room(record.stream)
                outlet.spool.put(record, waited=wait)
            if number % BREATH == 0 and asked is None:
                try:
                    await asyncio.sleep(0)
                except asyncio.CancelledError as to_end:
                    if wait:
                        raise
                    asked = to_end  # what has come is still taken
        if came:
            self.tell()
        if asked is not None:
            raise asked

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
        size = 0 if source is None else _received(source) + (self._past.size if self._past else 0)
        for health in healths:
            health.heard(size)
            health.look(beside=beside)
        self._warn_of_size()
        if source is not None and renewal is not None and not renewal.done():
            why = self._worth_renewing(source)
            if why:
                renewal.set_result(why)
        self.tell()

    def _warn_of_size(self) -> None:
        """Once a second: packets above the limit, which nothing else would show."""
        now = self.health.clock()
        if now - self._counted < 1.0:
            return
        self._counted = now
        self.count()
        count = self.health.link.lane.too_large
        if count > self._too_large:
            LOG.warning(
                "%s: KLV packets too large: count=%d packet_limit=%d; they are passed over, raise packet_limit",
                self.name, count - self._too_large, self._feed.packet_limit,
            )  # fmt: skip
        self._too_large = count

    def _take_overdue(self) -> None:
        for record in self.decoder.overdue():
            self._take(record)
            for outlet in self._outlets:
                outlet.spool.put(record)

    def _worth_renewing(self, source: Source) -> str:
        """Why this opening is given up for another one; "" while it is not."""
        if not (source.live and source.fixed):
            return ""
        health = max(self.healths, key=lambda one: one.last_record)
        now = health.clock()
        if now - health.last_bytes >= self._feed.hung:
            self._set_apart()
            return "it hangs"
        if health.online and now - health.since >= PATIENCE_MOST:
            self._patience = health.stall
        if health.state not in ("waiting", "stale") or now - health.last_record < self._patience:
            return ""
        # Its KLV may have moved, which it can't see; a slow one gets twice as long the next time.
        waited = self._patience
        self._patience = min(2 * self._patience, max(PATIENCE_MOST, health.stall))
        return f"no KLV for {waited:g} s, and a track that begins later is seen only then"

    def _set_apart(self) -> None:
        """Its thread can't be ended, and may be one more each time: from now on it is a process, which can."""
        apart = self._feed.apart
        if apart is not None and self._open is not apart:
            self._open = apart
            LOG.warning("%s: its reader hangs; from now on it gets a process of its own", self.name)

    def count(self) -> None:
        """What the line told over all openings, to the health."""
        source = self._source
        link = self._line(source)
        link = replace(link, lane=link.lane + self.decoder.counters)
        places = self.decoder.streams.places()
        for name, channel in self.channels.items():
            health = channel.health
            health.link = link
            health.dropped = self._dropped if source is None else added(self._dropped, source.dropped)
            health.pid, health.program = places.get(name, (None, None))
        self.health.refused = self.decoder.streams.refused

    def _line(self, source: Source | None) -> Link:
        """What the line told over all openings, this one included; not to be changed."""
        if source is None:
            return self._past or Link()
        return source.link if self._past is None else self._past + source.link

    def _settle(self, source: Source) -> None:
        """An opening is over: what it counted is kept."""
        self._past = replace(self._line(source))
        self._dropped = added(self._dropped, source.dropped)
        self._source = None
        for health in self.healths:
            health.heard(self._past.size)
        self.count()

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


def _received(source: Source) -> int:
    """Bytes of transport so far: of datagrams without the work that a whole `link` takes."""
    count: int | None = getattr(source, "received", None)
    return source.link.size if count is None else count


class _Renewed(SourceDown):
    """The relay itself gave this opening up for another one."""
