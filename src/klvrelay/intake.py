"""One stream in the corridor: its source opened, carried, looked after and opened again; next door, `relay.py` runs
many, `outlet.py` takes the records on, `health/` is told everything.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import NamedTuple

from klvrelay.backoff import STEADY, Backoff
from klvrelay.errors import SourceDown, SourceError
from klvrelay.health import StreamHealth
from klvrelay.health.report import link_document
from klvrelay.health.stream import STALL
from klvrelay.klv import Decoder
from klvrelay.latest import Latest
from klvrelay.outlet import Outlet
from klvrelay.record import Link, Record
from klvrelay.sinks import Notice
from klvrelay.sources import Source, may_come_back

LOG = logging.getLogger("klvrelay")

PATIENCE_MOST = 60.0
"""Seconds at most that a source of fixed streams gets to show KLV before it is opened anew."""
CLOSING = 15.0
"""Seconds that a source gets to end; one that hangs is left behind."""
LINK_EVERY = 10.0
"""Seconds between two reports of a link whose state does not change."""


class Feed(NamedTuple):
    """What a stream is made of: its name, what opens its source, its address for messages.

    stall   seconds without bytes, or without KLV, after which it is stale
    apart   opens the same source in a process of its own, for one that hung
    hung    seconds without a byte after which a source that libav reads, which has timeouts of its own, hangs
    """

    name: str
    open: Callable[[], Source]
    url: str
    stall: float = STALL
    apart: Callable[[], Source] | None = None
    hung: float = 60.0


class Stream:
    """One source under its name, kept going for ever: or, where it is a file, until its end."""

    def __init__(self, feed: Feed, boot: str, outlets: Sequence[Outlet]) -> None:
        self.name = feed.name
        self.health = StreamHealth(feed.name, feed.url, feed.stall)
        self.decoder = Decoder(feed.name, boot)
        self.failed: SourceError | None = None
        self._feed = feed
        self._open = feed.open
        self._boot = boot
        self._outlets = outlets
        self._latest = Latest()
        self._source: Source | None = None
        self._past = Link()
        self._dropped = 0
        self._renewal: asyncio.Future[str] | None = None
        self._patience = feed.stall
        self._told: tuple[bool | None, str, str, float] = (None, "", "", 0.0)

    async def keep(self) -> None:
        """Carry the source, and open it again whenever it falls."""
        backoff = Backoff()
        while True:
            source = self._source = self._open()
            self.health.opened()
            self.health.openings += 1
            begun = time.monotonic()
            fault = await self._one_opening(source)
            self._settle(source)
            if not may_come_back(source, fault):
                break
            if time.monotonic() - begun > STEADY:  # what comes and goes is not asked for ever faster
                backoff.reset()
            if not isinstance(fault, _Renewed):
                self.health.down("ended" if fault is None else str(fault))
                self.tell()
            else:
                LOG.info("%s: opened again: %s", self.name, fault)
            asked = fault.wait if isinstance(fault, SourceDown) else 0.0
            await asyncio.sleep(max(backoff.next(), asked))
        if fault is not None:
            self.failed = fault
            self.health.down(str(fault), again=False)
        self.health.ended(said=fault is not None)
        self.tell()

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
        try:
            if attempt.done() and not attempt.cancelled():
                attempt.result()
            if renewal.done():
                return _Renewed(renewal.result())
        except SourceError as fault:
            return fault
        except Exception as error:  # a fault of ours in one stream must not end the others
            said = f"a fault of klvrelay's own: {type(error).__name__} in {_where(error)}"
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
        health, came = self.health, not self.health.online
        for record in records:
            health.decoded(record)
            self._latest.add(record)
            for outlet in self._outlets:
                if wait:
                    await outlet.spool.room()
                outlet.spool.put(record)
        if records and came:
            self.tell()

    def look(self) -> None:
        """A few times a second: what the line tells, what should have come and did not, who is to know."""
        source, health, renewal = self._source, self.health, self._renewal
        if health.state == "ended":
            return
        if source is not None:
            health.heard(self._past.size + source.link.size)
        health.look()
        if source is not None and renewal is not None and not renewal.done():
            why = self._worth_renewing(source)
            if why:
                renewal.set_result(why)
        self.tell()

    def _worth_renewing(self, source: Source) -> str:
        """Why this opening is given up for another one; "" while it is not."""
        health = self.health
        now = health.clock()
        if not (source.live and source.fixed):
            return ""
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
        source, link = self._source, self._past
        if source is not None:
            link = link + source.link
        self.health.link = replace(link, lane=link.lane + self.decoder.counters)
        self.health.dropped = self._dropped + (0 if source is None else source.dropped)

    def _settle(self, source: Source) -> None:
        """An opening is over: what it counted is kept."""
        self._past += source.link
        self._dropped += source.dropped
        self._source = None
        self.health.heard(self._past.size)
        self.count()

    def stop(self) -> None:
        """The relay stops: the stream is told as ended."""
        self.health.ended(said=True)
        self.tell()

    def tell(self) -> None:
        """Availability where it changed, the link's report where its state did or some time went by."""
        health = self.health
        now = health.clock()
        online, state, reason, at = self._told
        if health.online != online or (health.state == "ended" and state != "ended"):
            self._everywhere(Notice("availability", self.name, b"online" if health.online else b"offline"))
        if (health.state, health.reason) != (state, reason) or now - at >= LINK_EVERY:
            self.count()
            self._everywhere(Notice("link", self.name, link_document(health, self._boot)))
            at = now
        self._told = health.online, health.state, health.reason, at

    def tell_state(self) -> None:
        """The latest value of every item, where there is a newer one."""
        document = self._latest.document()
        if document is not None:
            self._everywhere(Notice("state", self.name, document))

    def _everywhere(self, notice: Notice) -> None:
        for outlet in self._outlets:
            outlet.tell(notice)


class _Renewed(SourceDown):
    """The relay itself gave this opening up for another one."""


def _where(error: BaseException) -> str:
    """File and line where it was raised: what a report needs, without any of the data."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{os.path.basename(frame.filename)}:{frame.lineno}"
