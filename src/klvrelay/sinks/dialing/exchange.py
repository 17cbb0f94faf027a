"""Requests and answers on a connection: what waits for an answer notices the end of the connection, and silence."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any, TypeVar

from klvrelay.errors import SinkDown, SinkError
from klvrelay.sinks.dialing.faults import lost
from klvrelay.sinks.dialing.link import Link
from klvrelay.sinks.dialing.reachable import Reachable

T = TypeVar("T")

IDLE = 10.0
"""Seconds without received bytes after which a ping is due."""


class Exchange:
    """A connected socket, with TLS or without.

    on_data   is called with received bytes; raises SinkDown or SinkRefused if the connection must end
    received  bytes so far
    """

    def __init__(self, sock: socket.socket, far_end: Reachable, on_data: Callable[[bytes], None]) -> None:
        self._far_end, self._on_data = far_end, on_data
        self._over: asyncio.Future[SinkError] = asyncio.get_running_loop().create_future()
        self.received = 0
        self._waiting: set[asyncio.Future[Any]] = set()
        self._check: asyncio.TimerHandle | None = None
        self._link = Link(sock, self._read, lambda: None, self._end)

    @property
    def fault(self) -> SinkError | None:
        """What ended the connection."""
        return self._over.result() if self._over.done() else None

    @property
    def idle(self) -> float:
        """Seconds since bytes were received."""
        return asyncio.get_running_loop().time() - self._link.last_in

    def write(self, data: bytes) -> None:
        """Send bytes after all earlier ones."""
        self._link.add(data)
        self._link.flush()

    async def wait(self, answer: asyncio.Future[T]) -> T:
        """An answer. Raises what ended the connection, SinkDown or SinkRefused: SinkDown once nothing was sent or
        received for the time limit.
        """
        if answer.done():
            return answer.result()
        if (fault := self.fault) is not None:
            raise _copy(fault)
        self._waiting.add(answer)
        if self._check is None:
            self._check_later()
        try:
            return await answer
        finally:
            self._waiting.discard(answer)

    def _check_later(self) -> None:
        loop, sums = asyncio.get_running_loop(), (self._link.sent, self.received)
        self._check = loop.call_later(self._far_end.timeout, self._check_progress, sums)

    def _check_progress(self, before: tuple[int, int]) -> None:
        self._check = None
        if self._waiting and before == (self._link.sent, self.received):
            self.fail(lost(self._far_end, TimeoutError()))
        elif self._waiting:
            self._check_later()

    async def ended(self) -> SinkDown:
        """Wait until the connection ends. Returns the cause."""
        await asyncio.wait({self._over})
        return SinkDown(str(self.fault))

    def fail(self, fault: SinkError) -> None:
        """End the connection. What waits for an answer raises the fault."""
        if not self._over.done():
            self._over.set_result(fault)
        if self._check is not None:
            self._check.cancel()
            self._check = None
        for answer in self._waiting:
            if not answer.done():
                answer.set_exception(_copy(self._over.result()))
        self._link.abort()

    def close(self) -> None:
        """Close the socket at once, if the connection has not ended."""
        self.fail(SinkDown(f"{self._far_end.url}: closed"))

    def _read(self, data: bytes) -> None:
        self.received += len(data)
        try:
            self._on_data(data)
        except SinkError as fault:
            self.fail(fault)

    def _end(self) -> None:
        self.fail(lost(self._far_end))


def _copy(fault: SinkError) -> SinkError:
    """Each waiter raises its own, so that they share no traceback."""
    return type(fault)(str(fault))
