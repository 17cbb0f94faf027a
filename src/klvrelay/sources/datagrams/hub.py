"""When the datagram sockets of a loop are read: at each datagram, or, where many come, every few milliseconds.

    directly   epoll wakes the loop as soon as one socket has something
    gathered   a timer wakes the loop, which then reads all sockets that have something

A loop that wakes up costs several times what it takes to receive a datagram. Gathering divides that by the number of
sockets, and delays a datagram by `wait` seconds at most; its time of arrival is the kernel's in any case. Where few
sockets are busy there is little to gather, and no datagram is delayed: `gathers` decides.

Next door: `inbox.py` is what a look into each socket calls; `inlet.py` reads them.
"""

from __future__ import annotations

import asyncio
import os
from weakref import WeakKeyDictionary

from klvrelay.inlet import Inlet, Inlets, Load, Took, timer_of

WAIT = 0.002
"""Seconds that a datagram waits at most where they are gathered."""
WINDOW = 0.1
"""Seconds between two decisions: three frames of a camera that sends each frame at once."""
FEW = 6
"""Busy sockets below which nothing is gathered."""
WORTH = 8.0
STILL_WORTH = 3.0
"""Wake-ups that one look must replace: to begin to gather, and to go on. Between the two nothing changes, so that a load
near the limit does not switch to and fro."""

_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub_of(loop: asyncio.AbstractEventLoop) -> Hub:
    """The one of this loop."""
    hub = _hubs.get(loop)
    if hub is None:
        hub = _hubs[loop] = Hub(loop)
    return hub


def gathers(load: Load, seconds: float, wait: float, *, now: bool) -> bool:
    """Is it worthwhile to look every `wait` seconds, after such a load for so many seconds?

    now   it is done already
    """
    if wait <= 0 or seconds <= 0 or load.busy < FEW:
        return False
    replaced = load.ready / seconds * wait
    return replaced >= (STILL_WORTH if now else WORTH)


class Hub:
    """Reads each socket that has something; holds descriptors while it has sockets.

    wait       seconds that a datagram may wait to be gathered; 0: none is gathered
    gathering  is it done now?
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.wait = WAIT
        self._loop = loop
        self._inlets: Inlets | None = None
        self._timer = -1
        self._since = 0.0

    @property
    def gathering(self) -> bool:
        return self._timer >= 0

    def add(self, inlet: Inlet, took: Took) -> None:
        """From now on, until `remove`, read it when it has something, and call `took` where something came of it."""
        if self._inlets is None:
            self._inlets = Inlets()
            self._since = self._loop.time()
            self._loop.add_reader(self._inlets.fileno(), self.look)
        self._inlets.add(inlet, took)

    def remove(self, inlet: Inlet) -> None:
        """Nothing happens if it is not there."""
        if self._inlets is None:
            return
        self._inlets.remove(inlet)
        if not self._inlets:
            self._close_timer()
            self._loop.remove_reader(self._inlets.fileno())
            self._inlets.close()
            self._inlets = None

    def look(self) -> None:
        """Read every socket that has something."""
        if self._inlets is not None:
            self._inlets.look(gathered=self.gathering)
        now = self._loop.time()
        if self._inlets is not None and now - self._since >= WINDOW:
            gather = gathers(self._inlets.load(), now - self._since, self.wait, now=self.gathering)
            self._since = now
            if gather != self.gathering:
                self._turn(self._inlets, gather)

    def _turn(self, inlets: Inlets, gather: bool) -> None:
        if gather:
            self._timer = timer_of(self.wait)
            self._loop.remove_reader(inlets.fileno())
            self._loop.add_reader(self._timer, self._tick)
        else:
            self._close_timer()
            self._loop.add_reader(inlets.fileno(), self.look)

    def _tick(self) -> None:
        os.read(self._timer, 8)
        self.look()

    def _close_timer(self) -> None:
        if self._timer >= 0:
            self._loop.remove_reader(self._timer)
            os.close(self._timer)
            self._timer = -1
