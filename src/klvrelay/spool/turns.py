"""The callers that wait for a batch, served in order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable


class Turns:
    """Wakes one waiting caller at a time, once `is_ready` says so."""

    __slots__ = ("_is_ready", "_woken", "waiters")

    def __init__(self, is_ready: Callable[[], bool]) -> None:
        self._is_ready = is_ready
        self.waiters: deque[asyncio.Future[None]] = deque()
        self._woken = False

    async def wait(self) -> None:
        """Return once it is the caller's turn and, when it was woken, a batch was ready."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiters.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if not waiter.cancelled():
                self._woken = False
                self.wake()  # wake the next one instead
            raise
        self._woken = False

    def wake(self) -> None:
        """Call it when a batch may be ready."""
        while self.waiters and not self._woken and self._is_ready():
            waiter = self.waiters.popleft()
            if not waiter.done():
                self._woken = True
                waiter.set_result(None)
