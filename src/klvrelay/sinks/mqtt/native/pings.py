"""Pings: sent when the connection is idle, and to find out that the broker has read everything."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from klvrelay.sinks.mqtt.native.link import Link

SHARE = 0.75
"""Share of the keep-alive after which an idle connection is pinged, and in which the answer must arrive. So a silent
loss is noticed after 1.5 times the keep-alive, as by the broker (MQTT 5, 3.1.2.10)."""
PINGREQ = b"\xc0\x00"


class Pings:
    """The unanswered pings of one connection.

    silent   is called once an answer is overdue
    """

    def __init__(self, link: Link, silent: Callable[[], object]) -> None:
        self._link = link
        self._silent = silent
        self._loop = asyncio.get_running_loop()
        self._unanswered: deque[asyncio.Future[None]] = deque()
        self._sent_at = 0.0
        self._sent_end = 0  # value of `Link.sent` once the last ping is sent
        self._interval = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def expected(self) -> bool:
        """May the broker send a PINGRESP?"""
        return bool(self._unanswered)

    def begin(self, keepalive: float) -> None:
        """Send pings while the connection is idle; `keepalive` in seconds."""
        self._interval = SHARE * keepalive
        self._timer = self._loop.call_later(self._interval, self._look)

    def send(self) -> asyncio.Future[None]:
        """Send a ping. The result is done with its answer: the broker has read everything before."""
        answer: asyncio.Future[None] = self._loop.create_future()
        self._unanswered.append(answer)
        self._sent_at = self._loop.time()
        self._sent_end = self._link.write(PINGREQ)
        return answer

    def note_answer(self) -> None:
        """PINGRESP was received."""
        answer = self._unanswered.popleft()
        if not answer.done():
            answer.set_result(None)

    def end(self) -> None:
        """Send no more pings."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        due = self._due()
        if self._loop.time() >= due:
            if self._unanswered:
                self._silent()
                return
            self.send()
            due = self._due()
        self._timer = self._loop.call_at(due, self._look)

    def _due(self) -> float:
        """When a ping is due, or overdue if one is unanswered."""
        link = self._link
        if not self._unanswered:
            return min(link.last_in, link.last_out) + self._interval
        since = max(self._sent_at, link.last_in)
        if link.sent < self._sent_end:  # a large backlog before the ping
            since = max(since, link.last_out)
        if link.paused:  # the answer may wait in the kernel
            since = self._loop.time()
        return since + self._interval
