"""A bounded queue from a source's thread to the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from contextlib import suppress

from klvrelay.errors import KlvrelayError
from klvrelay.record import Packet
from klvrelay.sources.progress import progress

MOST = 4096
"""Maximum packets that wait: a burst arrives faster than the loop gets its turn, because the thread holds the GIL."""
MOST_BYTES = 16 << 20
"""Maximum bytes of these packets."""


class ThreadQueue:
    """Packets from one thread to one task: a live source drops the oldest, any other waits for space.

    The thread calls `put` and `end`, the task `batch` and `stop`. A dropped packet leaves an empty, damaged packet.

    pulse   of the thread: it rests while the thread waits for space
    """

    def __init__(self, most: int = MOST, most_bytes: int = MOST_BYTES) -> None:
        self._loop = asyncio.get_running_loop()
        self._most, self._most_bytes = most, most_bytes
        self._room = threading.Condition()
        self._packets: deque[Packet] = deque()
        self._bytes = 0
        self._gap = False
        self._waiting: asyncio.Future[None] | None = None
        self._ended = False
        self._fault: KlvrelayError | None = None
        self.stopped = False
        self.dropped = 0
        self.pulse = progress().pulse()

    def put(self, packet: Packet, *, newest_wins: bool) -> bool:
        """Add a packet, from the thread; false once the reader has stopped."""
        size = len(packet.data)
        with self._room:
            while newest_wins and not self._has_room(size):
                self._bytes -= len(self._packets.popleft().data)
                self._gap = True
                self.dropped += 1
            if not (self.stopped or self._has_room(size)):
                self._wait_for_room(size)
            self._packets.append(packet)
            self._bytes += size
            self._wake()
            return not self.stopped

    def _wait_for_room(self, size: int) -> None:
        self.pulse.rest()
        self._room.wait_for(lambda: self.stopped or self._has_room(size))
        self.pulse.resume()

    def _has_room(self, size: int) -> bool:
        """Is there space for a packet of this size? An empty queue takes any size."""
        waiting = len(self._packets)
        return not waiting or (waiting < self._most and self._bytes + size <= self._most_bytes)

    def end(self, fault: KlvrelayError | None) -> None:
        """Mark the end, from the thread, with the fault that caused it."""
        self.pulse.rest()
        with self._room:
            self._ended, self._fault = True, fault
            self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            with suppress(RuntimeError):  # the loop is closed: no task waits any more
                self._loop.call_soon_threadsafe(wake, waiting)

    async def batch(self) -> list[Packet]:
        """All waiting packets, at least one; empty at the end. Raises the fault that ended the source."""
        while True:
            with self._room:
                if self._packets:
                    return self._take()
                if self._ended:
                    if self._fault is not None:
                        raise self._fault
                    return []
                waiting = self._waiting = self._loop.create_future()
            await waiting

    def _take(self) -> list[Packet]:
        batch = [Packet(b"", damaged=True)] if self._gap else []
        batch.extend(self._packets)
        self._packets.clear()
        self._bytes = 0
        self._gap = False
        self._room.notify_all()
        return batch

    def stop(self) -> None:
        """Stop reading; the thread notices at its next packet."""
        with self._room:
            self.stopped = True
            self._room.notify_all()


def wake(waiting: asyncio.Future[None]) -> None:
    """Wake the task that waits for this; it may have been cancelled meanwhile."""
    if not waiting.done():
        waiting.set_result(None)
