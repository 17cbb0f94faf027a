"""Requests and answers on a connection: what waits for an answer notices the end of the connection, and silence."""

from __future__ import annotations

import asyncio
import re
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
CHECKS = 2
"""Checks for progress in the time limit."""


class _Waiter:
    """What waits for an answer."""

    def __init__(self, progress: Callable[[], int]) -> None:
        self._progress = progress
        self._seen, self._idle_checks = progress(), 0

    def is_stalled(self, is_sending: bool) -> bool:
        """One more check: was there no progress for the time limit?"""
        seen = self._progress()
        self._idle_checks = 0 if is_sending or seen != self._seen else self._idle_checks + 1
        self._seen = seen
        return self._idle_checks > CHECKS


class Exchange:
    """A connected socket, with TLS or without.

    on_data   is called with received bytes; raises SinkDown or SinkRefused if the connection must end
    received  bytes so far
    """

    def __init__(self, sock: socket.socket, far_end: Reachable, on_data: Callable[[bytes], None]) -> None:
        self._far_end, self._on_data = far_end, on_data
        self._over: asyncio.Future[SinkError] = asyncio.get_running_loop().create_future()
        self.received = 0
        self._waiters: dict[asyncio.Future[Any], _Waiter] = {}
        self._check: asyncio.TimerHandle | None = None
        self._sent = 0
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

    async def wait(self, answer: asyncio.Future[T], progress: Callable[[], int] = lambda: 0) -> T:
        """An answer. `progress` changes while parts of it arrive.

        Raises what ended the connection, SinkDown or SinkRefused: SinkDown once there was no progress, and nothing was
        sent of what waits, for about the time limit.
        """
        if answer.done():
            return answer.result()
        if (fault := self.fault) is not None:
            raise _copy(fault)
        self._waiters[answer] = _Waiter(progress)
        if self._check is None:
            self._check_later()
        try:
            return await answer
        finally:
            self._waiters.pop(answer, None)

    def _check_later(self) -> None:
        self._sent = self._link.sent
        period = self._far_end.timeout / CHECKS
        self._check = asyncio.get_running_loop().call_later(period, self._check_progress)

    def _check_progress(self) -> None:
        """Pings and the answers to others are no progress: a server may answer these and never store a record."""
        self._check = None
        is_sending = self._link.unsent > 0 and self._link.sent != self._sent
        stalled = [waiter.is_stalled(is_sending) for waiter in self._waiters.values()]
        if any(stalled):
            self.fail(lost(self._far_end, TimeoutError()))
        elif stalled:
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
        for answer in self._waiters:
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


def version_of(text: str) -> str:
    """The version that a server names, for the log; "" if it is no number: it might be what the server was sent."""
    return text if re.fullmatch(r"\d{1,3}(\.\d{1,5}){1,3}", text, re.ASCII) else ""
