"""When the datagram sockets of a loop are read: at each datagram, or, where many come, every few milliseconds.

    directly   epoll wakes the loop as soon as one socket has something
    gathered   a timer wakes the loop, which then reads all sockets that have something

A loop that wakes up costs several times what it takes to receive a datagram. Gathering divides that by the number of
sockets that a look finds ready, and delays a datagram until the next look; its time of arrival is the kernel's in
any case. Where few sockets are busy there is little to gather, and no datagram is delayed: `pause_of` decides, once a
WINDOW.

`inlet.py` reads the sockets, `inbox.py` takes what came of each.
"""

from __future__ import annotations

import asyncio
import os
from contextvars import ContextVar
from weakref import WeakKeyDictionary, WeakValueDictionary

from klvrelay.core.receiver import Load, Receiver, ReceiverSet, Took, timer_of

COALESCE = 0.008
"""Seconds from one look to the next at most, where sockets are gathered."""
SHORTEST = 0.002
"""Seconds from one look to the next where few sockets are gathered, unless less is the most."""
WINDOW = 0.1
"""Seconds between two decisions: three frames of a camera that sends each frame at once."""
FEW = 6
"""Busy sockets below which nothing is gathered."""
WORTH, STILL_WORTH = 16.0, 6.0
"""Wake-ups that a look must replace, to begin to gather and to go on. Between the two nothing changes, so that a load
near a limit does not switch to and fro."""
CROWD = 32.0
"""Sockets that a look finds ready, to wait twice as long; twice as many, to wait four times as long, and so on. Most of
them have a single datagram, and receiving it costs up to twice what it costs beside others of its socket."""
LONGER = (32, 16, 8, 4, 2)
"""Times SHORTEST."""
STILL = 0.75
"""The share of these that is enough to go on so."""

_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, WeakValueDictionary[float, ReadSchedule]] = WeakKeyDictionary()
_coalesce: ContextVar[float] = ContextVar("coalesce", default=COALESCE)


def set_coalesce(seconds: float) -> None:
    """How long the sockets are gathered at most that this task opens, and those that it starts from now on."""
    _coalesce.set(seconds)


def schedule_of(loop: asyncio.AbstractEventLoop) -> ReadSchedule:
    """The one for this loop and this task's `coalesce`. Who uses it holds it: a loop that was closed is let go."""
    coalesce = _coalesce.get()
    hubs = _hubs.setdefault(loop, WeakValueDictionary())
    hub = hubs.get(coalesce)
    if hub is None:
        hub = hubs[coalesce] = ReadSchedule(loop, coalesce)
    return hub


def pause_of(load: Load, seconds: float, coalesce: float, *, pause: float, shortest: float = SHORTEST) -> float:
    """Seconds from one look to the next, after such a load for so many seconds: 0 (directly), `shortest` or a multiple
    of it, and never more than `coalesce`.

    pause   what it was meanwhile
    """
    if coalesce <= 0 or seconds <= 0 or load.busy < FEW:
        return 0.0
    shortest = min(shortest, coalesce)
    replaced = load.ready / seconds * max(pause, shortest)
    if replaced < (STILL_WORTH if pause else WORTH):
        return 0.0
    if pause:  # else most looks were for one socket
        crowd = load.ready / max(load.looks, 1)
        for times in LONGER:
            longer = min(times * shortest, coalesce)
            if crowd >= CROWD * times / 2 * (STILL if pause >= longer else 1.0):
                return longer
    return shortest


class ReadSchedule:
    """Reads each socket that has something; holds descriptors while it has sockets.

    coalesce   seconds from one look to the next at most, where sockets are gathered; 0: nothing is gathered
    shortest   the same at the least, unless `coalesce` is less
    pause      the same at present; 0 where epoll wakes the loop
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, coalesce: float = COALESCE) -> None:
        self.coalesce, self.shortest = coalesce, SHORTEST
        self.pause = 0.0
        self._loop = loop
        self._inlets: ReceiverSet | None = None
        self._timer = -1
        self._again = False
        self._since = 0.0

    def add(self, inlet: Receiver, took: Took) -> None:
        """From now on, until `remove`, read it when it has something, and call `took` where something came of it."""
        if self._inlets is None:
            self._inlets = ReceiverSet()
            self._since = self._loop.time()
            self._loop.add_reader(self._inlets.fileno(), self.look)
        try:
            self._inlets.add(inlet, took)
        finally:
            self._close_if_empty(self._inlets)

    def remove(self, inlet: Receiver) -> None:
        """Nothing happens if it is not there."""
        if self._inlets is None:
            return
        self._inlets.remove(inlet)
        self._close_if_empty(self._inlets)

    def _close_if_empty(self, inlets: ReceiverSet) -> None:
        if not inlets:
            self._stop_timer()
            self._loop.remove_reader(inlets.fileno())
            inlets.close()
            self._inlets = None

    def look(self) -> None:
        """Read every socket that has something; once a WINDOW, decide when to look again."""
        more = self._inlets is not None and self._inlets.look(gathered=self.pause > 0)
        if more and self.pause and not self._again:  # a flood would outgrow the kernel's buffer until the next look
            self._again = True
            self._loop.call_soon(self._look_again)
        now = self._loop.time()
        if self._inlets is not None and now - self._since >= WINDOW:
            load, seconds = self._inlets.load(), now - self._since
            pause = pause_of(load, seconds, self.coalesce, pause=self.pause, shortest=self.shortest)
            self._since = now
            if pause != self.pause:
                self._change(self._inlets, pause)

    def _look_again(self) -> None:
        self._again = False
        if self.pause:  # else epoll wakes the loop
            self.look()

    def _change(self, inlets: ReceiverSet, pause: float) -> None:
        try:
            timer = timer_of(pause) if pause else -1
        except OSError:  # EMFILE: no descriptor is left for it
            return
        self._stop_timer()
        if pause:
            self._loop.remove_reader(inlets.fileno())
            self._loop.add_reader(timer, self._tick)
        else:
            self._loop.add_reader(inlets.fileno(), self.look)
        self.pause, self._timer = pause, timer

    def _tick(self) -> None:
        os.read(self._timer, 8)  # or the timer would stay readable
        self.look()

    def _stop_timer(self) -> None:
        self.pause = 0.0
        if self._timer >= 0:
            self._loop.remove_reader(self._timer)
            os.close(self._timer)
            self._timer = -1
