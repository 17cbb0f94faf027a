"""Read a datagram socket on the event loop, with one call into C per wake-up."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from klvrelay.core import LIMIT
from klvrelay.core.receiver import ALL_READ, Found, Receiver
from klvrelay.errors import SourceDown
from klvrelay.link_stats import LinkStats
from klvrelay.record import Packet, Units
from klvrelay.sources.datagrams.schedule import schedule_of
from klvrelay.sources.thread_queue import wake
from klvrelay.transports.address import Address

WAITING_MOST = 4 << 20
"""Maximum bytes that wait for a slow reader; beyond that, the kernel's buffer fills and drops datagrams."""
FOREIGN_LEAST = 4
"""Minimum RTP packets of another sender before it is logged; there are fewer when one sender replaces another."""
REORDER = 0.05
"""Minimum seconds that RTP datagrams are held for a late one."""

_UNIT_OVERHEAD = 512
"""Overhead of a unit, in bytes."""
_LINK_FIELDS = [f.name for f in fields(LinkStats)]


class DatagramReader:
    """Turns datagrams into units or packets. The schedule reads the socket and calls `_wake` with results."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sock: socket.socket,
        sender: Address | None,
        *,
        is_rtp: bool,
        units: bool,
        limit: int = LIMIT,
    ) -> None:
        self._loop = loop
        self._sock = sock
        packed = None if sender is None else sender.packed
        self._receiver = Receiver(sock.fileno(), units=units, rtp=is_rtp, sender=packed, limit=limit)
        self._keep = self._queue_units if units else self._queue_runs
        self._queue: deque[tuple[int, Packet | Units]] = deque()
        self._bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._waiting: asyncio.Future[None] | None = None
        self._fault: Exception | None = None
        self._paused = False
        self._schedule = schedule_of(loop)
        self._schedule.add(self._receiver, self._wake)

    async def next(self) -> Packet | Units:
        """What arrived at the next wake-up that brought something; raises OSError, or the fault passed to `fail`."""
        while not self._queue:
            if self._fault is not None:
                raise self._fault
            if self._paused:
                self._paused = False
                self._schedule.add(self._receiver, self._wake)
            self._waiting = self._loop.create_future()
            await self._waiting
        size, found = self._queue.popleft()
        self._bytes -= size
        return found

    @property
    def received(self) -> int:
        """Bytes of datagrams so far."""
        return self._receiver.size

    @property
    def link(self) -> LinkStats:
        """Transport statistics so far."""
        counted = {name: count for name, count in self._receiver.counts.items() if name in _LINK_FIELDS}
        return LinkStats(**counted, kernel_drops=self._receiver.kernel_drops, lane=self._receiver.counters)

    def watch(self, every: float, check: Callable[[], None], on_foreign: Callable[[], None], seen: int = 0) -> None:
        """Call `check` after every `every` seconds of silence: an error that it raises ends the reader. Call
        `on_foreign` when RTP of another sender has arrived.

        seen   datagrams at the previous call
        """
        counts = self._receiver.counts
        datagrams = counts["datagrams"]
        if counts["rtp_foreign"] >= FOREIGN_LEAST:
            on_foreign()
        if self._watch is not None and datagrams == seen:
            try:
                check()
            except (OSError, SourceDown) as fault:
                self.fail(fault)
                return
        self._watch = self._loop.call_later(every, self.watch, every, check, on_foreign, datagrams)

    def fail(self, fault: Exception) -> None:
        """Fail with this fault once all waiting data is read."""
        self._fault = fault
        self._schedule.remove(self._receiver)
        if held := self._receiver.flush():
            self._put(0, Units(held))
        self._settle()

    def close(self) -> None:
        self._schedule.remove(self._receiver)
        for timer in (self._timer, self._watch):
            if timer is not None:
                timer.cancel()
        self._sock.close()

    def _wake(self, found: list[Found], status: int) -> None:
        """Handle the result of reading the socket."""
        if status != ALL_READ:  # rare: not enough space for all, RTP is held back, or the socket failed
            try:
                found = self._receiver.rest(status, found)
            except OSError as fault:
                if found:  # what arrived before
                    self._keep(found)
                self.fail(fault)
                return
        if status != ALL_READ and self._receiver.holds:
            if self._timer is None:
                self._timer = self._loop.call_later(REORDER, self._overdue)
        elif self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if found:
            self._keep(found)
            self._settle()

    def _overdue(self) -> None:
        self._timer = None
        if self._schedule.pause:  # the late datagram may have arrived since the last read
            self._schedule.look()
        self._wake(*self._receiver.overdue())

    def _queue_units(self, found: list[Any]) -> None:
        size = len(found[0][0]) if len(found) == 1 else sum([len(entry[0]) for entry in found])
        self._put(size + _UNIT_OVERHEAD * len(found), Units(found))

    def _queue_runs(self, found: list[Any]) -> None:
        for data, received_us, pts, ts, damaged in found:
            self._put(len(data), Packet(data, received_us, "ts" if ts else "klv", pts, damaged=damaged))

    def _put(self, size: int, found: Packet | Units) -> None:
        self._queue.append((size, found))
        self._bytes += size

    def _settle(self) -> None:
        if self._bytes > WAITING_MOST and not self._paused:
            self._paused = True
            self._schedule.remove(self._receiver)
        if self._waiting is not None:
            wake(self._waiting)
            self._waiting = None
