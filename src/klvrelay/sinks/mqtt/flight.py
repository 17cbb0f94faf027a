"""What both implementations share for messages in flight: the time in which the oldest must be answered, and the
senders that wait for room.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class AnswerDeadline:
    """Calls `late` if the oldest message in flight is not answered in time.

    timeout  seconds, from the answer to the message before it
    """

    def __init__(self, timeout: float, late: Callable[[], object]) -> None:
        self._timeout = timeout
        self._late = late
        self._loop = asyncio.get_running_loop()
        self._since: float | None = None  # None: no message is in flight
        self._alarm: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """The first message is in flight."""
        self._since = self._loop.time()
        if self._alarm is None:
            self._alarm = self._loop.call_at(self._since + self._timeout, self._look)

    def move(self, *, remaining: bool) -> None:
        """The oldest message was answered. `remaining`: others are in flight."""
        self._since = self._loop.time() if remaining else None

    def end(self) -> None:
        """No more answers will arrive."""
        self._since = None
        if self._alarm is not None:
            self._alarm.cancel()

    def _look(self) -> None:
        self._alarm = None
        if self._since is None:
            return
        due = self._since + self._timeout
        if self._loop.time() >= due:
            self._late()
        else:
            self._alarm = self._loop.call_at(due, self._look)


class Rooms:
    """The senders that wait for room: at most one of messages that go ahead, and one of others."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[bool, asyncio.Future[None]] = {}

    async def wait(self, *, ahead: bool) -> None:
        """Return at the next `wake`."""
        room = self._waiting[ahead] = self._loop.create_future()
        await room

    def wake(self) -> None:
        """Let the waiting senders look for room, those of messages that go ahead first."""
        if not self._waiting:
            return
        for ahead in (True, False):
            room = self._waiting.pop(ahead, None)
            if room is not None and not room.done():
                room.set_result(None)
