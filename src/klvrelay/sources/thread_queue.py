"""The bounded way from a source's thread to the loop; `libav.py` is who walks it."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from contextlib import suppress

from klvrelay.errors import KlvrelayError
from klvrelay.record import Packet

MOST = 4096
"""Packets that may wait: a burst comes faster than the loop gets its turn, since the thread holds the interpreter."""
MOST_BYTES = 16 << 20
"""Bytes of these packets."""


class ThreadQueue:
    """Packets from one thread to one task: a live source drops the oldest, another waits for room.

    The thread calls `put` and `end`, the task `batch` and `stop`. A packet that was dropped leaves a mark: an
    empty packet, damaged.
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

    def put(self, packet: Packet, *, newest_wins: bool) -> bool:
        """Hand a packet over, from the thread; false once nobody wants any more."""
        size = len(packet.data)
        with self._room:
            while newest_wins and not self._has_room(size):
                self._bytes -= len(self._packets.popleft().data)
                self._gap = True
                self.dropped += 1
            self._room.wait_for(lambda: self.stopped or self._has_room(size))
            self._packets.append(packet)
            self._bytes += size
            self._wake()
            return not self.stopped

    def _has_room(self, size: int) -> bool:
        """For a packet of this size; where none waits there is room for any."""
        waiting = len(self._packets)
        return not waiting or (waiting < self._most and self._bytes + size <= self._most_bytes)

    def end(self, fault: KlvrelayError | None) -> None:
        """Say, from the thread, that no more will come, and why."""
        with self._room:
            self._ended, self._fault = True, fault
            self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(settle, waiting)

    async def batch(self) -> list[Packet]:
        """All packets that wait, at least one; none at the end. Raises what ended the source."""
        while True:
            with self._room:
                if self._packets:
                    return self._taken()
                if self._ended:
                    if self._fault is not None:
                        raise self._fault
                    return []
                waiting = self._waiting = self._loop.create_future()
            await waiting

    def _taken(self) -> list[Packet]:
        batch = [Packet(b"", damaged=True)] if self._gap else []
        batch.extend(self._packets)
        self._packets.clear()
        self._bytes = 0
        self._gap = False
        self._room.notify_all()
        return batch

    def stop(self) -> None:
        """Want no more; the thread learns of it at its next packet."""
        with self._room:
            self.stopped = True
            self._room.notify_all()


def settle(waiting: asyncio.Future[None]) -> None:
    """Let the task go on that waits for this; it may have been cancelled meanwhile."""
    if not waiting.done():
        waiting.set_result(None)
