"""All datagram sockets of a loop behind one descriptor; next door, `inbox.py` is what each of them wakes.

A loop that wakes up costs several times what it takes to receive a datagram, so where many come the hub looks every
millisecond for what all sockets got meanwhile. Stamps are the kernel's, and know nothing of that.
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import Callable
from weakref import WeakKeyDictionary

TICK = 0.001
"""Seconds from one look to the next where many datagrams come."""

_CLOSE = 0.0005
"""Seconds within which the next wake-up comes where many do,"""
_MANY = 8
"""as often as this in a row."""
_FEW = 8
"""Looks in a row with no more than one socket that has something: waking up for each is as good again."""

_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub_of(loop: asyncio.AbstractEventLoop) -> Hub:
    """The one of this loop."""
    hub = _hubs.get(loop)
    if hub is None:
        hub = _hubs[loop] = Hub(loop)
    return hub


class Hub:
    """Looks into each socket that has something to read; holds a descriptor while it has sockets."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._sockets: dict[int, tuple[Callable[[], int], Callable[[int], None]]] = {}
        self._epoll: select.epoll | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._last = 0.0
        self._in_a_row = 0

    def add(self, fd: int, look: Callable[[], int], wake: Callable[[int], None]) -> None:
        """From now on, until `remove`, call `look` when there is something to read, and `wake` with what it gives where
        that is not 0.
        """
        if self._epoll is None:
            self._epoll = select.epoll()
            self._loop.add_reader(self._epoll.fileno(), self._wake_up)
        self._epoll.register(fd, select.EPOLLIN)
        self._sockets[fd] = look, wake

    def remove(self, fd: int) -> None:
        """Nothing happens if it is not there."""
        if self._sockets.pop(fd, None) is None or self._epoll is None:
            return
        self._epoll.unregister(fd)
        if not self._sockets:
            self._stop_looking()
            self._loop.remove_reader(self._epoll.fileno())
            self._epoll.close()
            self._epoll = None

    def _wake_up(self) -> None:
        now = self._loop.time()
        self._in_a_row = self._in_a_row + 1 if now - self._last < _CLOSE else 0
        self._last = now
        self._look()
        if self._in_a_row >= _MANY and self._epoll is not None:
            self._in_a_row = 0
            self._loop.remove_reader(self._epoll.fileno())
            self._timer = self._loop.call_later(TICK, self._tick)

    def _tick(self) -> None:
        self._timer = self._loop.call_later(TICK, self._tick)
        self._in_a_row = self._in_a_row + 1 if self._look() < 2 else 0
        if self._in_a_row >= _FEW and self._epoll is not None:
            self._stop_looking()
            self._loop.add_reader(self._epoll.fileno(), self._wake_up)

    def _stop_looking(self) -> None:
        self._in_a_row = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> int:
        """Look into every socket that has something to read: how many had."""
        if self._epoll is None:
            return 0
        ready, sockets = self._epoll.poll(0), self._sockets
        for fd, _ in ready:
            look, wake = sockets[fd]  # none goes meanwhile: only its own `wake` takes a socket away
            if status := look():
                wake(status)
        return len(ready)
