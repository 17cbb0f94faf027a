"""The bounded way from a source's thread to the loop; `libav.py` is who walks it."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from contextlib import suppress

from klvrelay.errors import KlvrelayError
from klvrelay.record import Packet

MOST = 256
"""Packets that may wait."""


class Bridge:
    """Packets from one thread to one task: a live source drops the oldest, another waits for room.

    The thread calls `put` and `end`, the task `batch` and `stop`. A packet that was dropped leaves a mark: an
    empty packet, damaged.
    """

    def __init__(self, most: int = MOST) -> None:
        self._loop = asyncio.get_running_loop()
        self._most = most
        self._room = threading.Condition()
        self._packets: deque[Packet] = deque()
        self._gap = False
        self._waiting: asyncio.Future[None] | None = None
        self._ended = False
        self._fault: KlvrelayError | None = None
        self.stopped = False
        self.dropped = 0

    def put(self, packet: Packet, *, newest_wins: bool) -> bool:
        """Hand a packet over, from the thread; false once nobody wants any more."""
        with self._room:
            if newest_wins and len(self._packets) >= self._most:
                self._packets.popleft()
                self._gap = True
                self.dropped += 1
            self._room.wait_for(lambda: self.stopped or len(self._packets) < self._most)
            self._packets.append(packet)
            self._wake()
            return not self.stopped

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
