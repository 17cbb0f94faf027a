"""Queue of received messages. While it is too large, the socket is not read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from klvrelay.sinks.mqtt.protocol.connection import Received

HIGH, LOW = 4 << 20, 1 << 20
"""Bytes at which reading of the socket pauses, and at which it resumes."""
OVERHEAD = 256
"""Bytes of memory of a message in addition to topic and payload."""


class ReceivedMessages:
    """The messages in order of arrival. `pause` and `resume` are called to control the socket."""

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
        """No more messages will arrive."""
        self._messages.put_nowait(None)

    async def get(self) -> Received | None:
        """Wait for the next message. None at the end, also if called again."""
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
