"""When the datagram sockets of an event loop are read: at each datagram, or, under load, every few milliseconds.

    directly   epoll wakes the loop as soon as one socket is readable
    gathered   a timer wakes the loop, which then reads all readable sockets

Waking the loop costs several times as much as receiving a datagram. Gathering divides that cost by the number of
readable sockets, and delays a datagram until the next read; its arrival time is the kernel's in either case. With few
busy sockets there is little to gather, and no datagram is delayed: `pause_of` decides, once per WINDOW.
"""

from __future__ import annotations

import asyncio
import os
from contextvars import ContextVar
from weakref import WeakValueDictionary

from klvrelay.core.receiver import Receiver
from klvrelay.core.receiver_set import Load, OnResults, ReceiverSet, timer_of

COALESCE = 0.008
"""Maximum seconds between reads of gathered sockets."""
SHORTEST = 0.002
"""Seconds between reads while few sockets are gathered, unless the maximum is lower."""
WINDOW = 0.1
"""Seconds between two decisions: three frames of a camera that sends each frame as a burst."""
FEW = 6
"""Busy sockets below which nothing is gathered."""
WORTH, STILL_WORTH = 16.0, 6.0
"""Wake-ups that one read must replace to start gathering, and to continue. The gap between the two prevents a load near
the limit from switching back and forth.
"""
CROWD = 32.0
"""Readable sockets per read at which the pause is doubled; at twice as many it is quadrupled, and so on. Most of these
sockets hold a single datagram, which costs up to twice as much to receive as one of several.
"""
LONGER = (32, 16, 8, 4, 2)
"""Multiples of SHORTEST."""
STILL = 0.75
"""The fraction of the above that is enough to keep the current multiple."""


class Coalesce:
    """The maximum gathering time of a group of sockets, in seconds; `change` applies to open sockets too."""

    def __init__(self, seconds: float = COALESCE) -> None:
        self.seconds = seconds
        self._schedules: WeakValueDictionary[int, ReadSchedule] = WeakValueDictionary()  # by id of the loop in them

    def use(self) -> None:
        """Apply it to sockets opened by this task, and by tasks that it starts later."""
        _coalesce.set(self)

    def change(self, seconds: float) -> None:
        self.seconds = seconds
        for schedule in list(self._schedules.values()):
            schedule.coalesce = seconds

    def schedule(self, loop: asyncio.AbstractEventLoop) -> ReadSchedule:
        """The schedule of this loop. Only its users hold references to it."""
        schedule = self._schedules.get(id(loop))
        if schedule is None:
            schedule = self._schedules[id(loop)] = ReadSchedule(loop, self.seconds)
        return schedule


_coalesce: ContextVar[Coalesce] = ContextVar("coalesce", default=Coalesce())  # noqa: B039 (shared on purpose)


def schedule_of(loop: asyncio.AbstractEventLoop) -> ReadSchedule:
    """The schedule of this loop and this task's `Coalesce`."""
    return _coalesce.get().schedule(loop)


def pause_of(load: Load, seconds: float, coalesce: float, *, pause: float, shortest: float = SHORTEST) -> float:
    """Seconds from one read to the next, after such a load for `seconds`: 0 (directly), `shortest` or a multiple of it,
    and never more than `coalesce`.

    pause   its value during that time
    """
    if coalesce <= 0 or seconds <= 0 or load.busy < FEW:
        return 0.0
    shortest = min(shortest, coalesce)
    replaced = load.ready / seconds * max(pause, shortest)
    if replaced < (STILL_WORTH if pause else WORTH):
        return 0.0
    if pause:  # otherwise most reads were for one socket
        crowd = load.ready / max(load.looks, 1)
        for times in LONGER:
            longer = min(times * shortest, coalesce)
            if crowd >= CROWD * times / 2 * (STILL if pause >= longer else 1.0):
                return longer
    return shortest


class ReadSchedule:
    """Reads every readable socket; holds descriptors while it has sockets.

    coalesce   maximum seconds from one read to the next of gathered sockets; 0: no gathering
    shortest   the minimum, unless `coalesce` is lower
    pause      the current value; 0 while epoll wakes the loop
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, coalesce: float = COALESCE) -> None:
        self.coalesce, self.shortest = coalesce, SHORTEST
        self.pause = 0.0
        self._loop = loop
        self._receivers: ReceiverSet | None = None
        self._timer = -1
        self._again = False
        self._since = 0.0

    def add(self, receiver: Receiver, on_results: OnResults) -> None:
        """Read it whenever it is readable, until `remove`, and call `on_results` with results."""
        if self._receivers is None:
            self._receivers = ReceiverSet()
            self._since = self._loop.time()
            self._loop.add_reader(self._receivers.fileno(), self.look)
        try:
            self._receivers.add(receiver, on_results)
        finally:
            self._close_if_empty(self._receivers)

    def remove(self, receiver: Receiver) -> None:
        """Stop reading it; no effect if it was not added."""
        if self._receivers is None:
            return
        self._receivers.remove(receiver)
        self._close_if_empty(self._receivers)

    def _close_if_empty(self, receivers: ReceiverSet) -> None:
        if not receivers:
            self._stop_timer()
            self._loop.remove_reader(receivers.fileno())
            receivers.close()
            self._receivers = None

    def look(self) -> None:
        """Read every readable socket; once per WINDOW, decide when to read again."""
        more = self._receivers is not None and self._receivers.look(gathered=self.pause > 0)
        if more and self.pause and not self._again:  # a flood would overflow the kernel's buffer before the next read
            self._again = True
            self._loop.call_soon(self._look_again)
        now = self._loop.time()
        if self._receivers is not None and now - self._since >= WINDOW:
            load, seconds = self._receivers.load(), now - self._since
            pause = pause_of(load, seconds, self.coalesce, pause=self.pause, shortest=self.shortest)
            self._since = now
            if pause != self.pause:
                self._change(self._receivers, pause)

    def _look_again(self) -> None:
        self._again = False
        if self.pause:  # otherwise epoll wakes the loop
            self.look()

    def _change(self, receivers: ReceiverSet, pause: float) -> None:
        try:
            timer = timer_of(pause) if pause else -1
        except OSError:  # EMFILE: no descriptor is available
            return
        self._stop_timer()
        if pause:
            self._loop.remove_reader(receivers.fileno())
            self._loop.add_reader(timer, self._tick)
        else:
            self._loop.add_reader(receivers.fileno(), self.look)
        self.pause, self._timer = pause, timer

    def _tick(self) -> None:
        os.read(self._timer, 8)  # otherwise the timer would stay readable
        self.look()

    def _stop_timer(self) -> None:
        self.pause = 0.0
        if self._timer >= 0:
            self._loop.remove_reader(self._timer)
            os.close(self._timer)
            self._timer = -1
