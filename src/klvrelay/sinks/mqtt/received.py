"""Messages between the socket and who reads them: where they pile up, the socket is left alone until they are fewer.

`paho_connection.py` fills it from `incoming.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from klvrelay.sinks.mqtt.connection import Received

HIGH, LOW = 4 << 20, 1 << 20
"""Bytes at which the socket is no longer read, and at which it is again."""
OVERHEAD = 256
"""Bytes that a message takes besides its text."""


class ReceivedMessages:
    """First in, first out; `pause` and `resume` say whether more may come."""

    def __init__(self, pause: Callable[[], None], resume: Callable[[], None]) -> None:
        self._messages: asyncio.Queue[Received | None] = asyncio.Queue()
        self._pause = pause
        self._resume = resume
        self._size = 0
        self._paused = False

    def put(self, message: Received) -> None:
        self._messages.put_nowait(message)
        self._size += _size(message)
        if self._size > HIGH and not self._paused:
            self._paused = True
            self._pause()

    def end(self) -> None:
        """No more will come."""
        self._messages.put_nowait(None)

    async def get(self) -> Received | None:
        """The next message; None, again and again, once there will be no more."""
        message = await self._messages.get()
        if message is None:
            self.end()
            return None
        self._size -= _size(message)
        if self._paused and self._size < LOW:
            self._paused = False
            self._resume()
        return message


def _size(message: Received) -> int:
    return len(message.topic) + len(message.payload) + OVERHEAD
