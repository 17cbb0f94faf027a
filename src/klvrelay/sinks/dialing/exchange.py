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
        while not answer.done():
            before = self._link.sent, self.received
            awaited: set[asyncio.Future[Any]] = {answer, self._over}
            await asyncio.wait(awaited, timeout=self._far_end.timeout, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done() and not self._over.done() and before == (self._link.sent, self.received):
                self.fail(lost(self._far_end, TimeoutError()))
            if not answer.done() and (fault := self.fault) is not None:
                raise type(fault)(str(fault))
        return answer.result()

    async def ended(self) -> SinkDown:
        """Wait until the connection ends. Returns the cause."""
        await asyncio.wait({self._over})
        return SinkDown(str(self.fault))

    def fail(self, fault: SinkError) -> None:
        """End the connection."""
        if not self._over.done():
            self._over.set_result(fault)
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
        if not self._over.done():
            self._over.set_result(lost(self._far_end))
        self._link.abort()
