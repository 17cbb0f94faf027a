"""Finds the latest value that breaks every connection, where the broker does not say which message it refuses.

A broker, of MQTT 3.1.1 above all, closes the connection at a message that is too large or, some of them, forbidden.
Each connection begins with the latest values, so one such value would keep all records from being delivered.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Container, Iterator

from klvrelay.sinks.contract import LatestValues, Notice

FALLS = 2
"""Connections in a row that break with values unanswered, before values are sent one at a time, ahead of records."""
ALONE = 3
"""Connections in a row that one value must break alone, until its topic is suspended."""
PATIENCE = 5.0
"""Seconds that records wait at most for these values."""


class Suspects:
    """The latest values in flight, and what the connections that the broker closed without a reason say of them."""

    def __init__(self) -> None:
        self._sent: set[str] = set()
        self._falls = self._alone = 0
        self._suspect = ""
        self._values_first = asyncio.Event()
        self._values_first.set()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def _careful(self) -> bool:
        return self._falls >= FALLS

    def begin(self) -> None:
        """A new connection."""
        if self._careful:
            self._values_first.clear()
            self._timer = asyncio.get_running_loop().call_later(PATIENCE, self._values_first.set)

    @contextlib.contextmanager
    def sending(self, topic: str, *, qos: int = 1) -> Iterator[None]:
        """Inside, a value is sent and answered; what this raises leaves it unanswered. QoS 0 has no answers."""
        if qos:
            self._sent.add(topic)
        yield
        self._sent.discard(topic)
        if not self._sent and not self._careful:
            self._falls = 0

    async def one_at_a_time(self, notices: LatestValues, publish: Callable[[Notice], Awaitable[None]]) -> None:
        """Publish the values that are due, where one of them may break the connection."""
        if not self._careful:
            return
        while notices.due:
            notice = await notices.next()
            await publish(notice)
            notices.done(notice)
        self._falls = self._alone = 0
        self._values_first.set()

    async def values_first(self) -> None:
        """Return once a record may be sent."""
        await self._values_first.wait()

    def end(self, *, hung_up: bool, suspended: Container[str]) -> list[str]:
        """The connection has ended; gives the topics whose values broke it, if they are known.

        hung_up     the broker ended it without a reason, or because of a message
        suspended   topics that may only have been in flight as a try
        """
        if self._timer is not None:
            self._timer.cancel()
        sent, self._sent = self._sent, set()
        if not hung_up or not sent:
            return []
        if tries := [topic for topic in sent if topic in suspended]:
            return tries
        is_alone = self._careful and not self._values_first.is_set()
        self._falls += 1
        if not is_alone:
            return []
        self._alone = self._alone + 1 if self._suspect in sent else 1
        self._suspect = next(iter(sent))
        return [self._suspect] if self._alone >= ALONE else []
