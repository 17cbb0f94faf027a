"""The transport stream that libav reads as a file: filled from the event loop, emptied by the thread of libav."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from contextlib import suppress
from typing import NamedTuple

from klvrelay.core import Lane
from klvrelay.record import Packet
from klvrelay.sources.thread_queue import wake
from klvrelay.threads import Pulse

WAITING_MOST = 4 << 20
"""Maximum bytes that wait for libav: 6 s of a stream of 5 Mbit/s."""
COMPUTING = 10.0
"""Seconds within which libav must ask for more bytes, or return a packet."""
REMEMBERED = 4096
"""Number of pieces whose arrival time is kept: more than libav queues while it opens a stream."""


class Span(NamedTuple):
    """The offset of a piece in the bytes read by libav, its arrival time, and whether bytes are missing before it."""

    start: int
    received_us: int | None
    behind_gap: bool


class LibavInput:
    """The file that libav reads: filled from the event loop, emptied by the thread.

    Each read returns bytes of one piece only. So libav has never read more than it needed for its output, and it is
    known for each packet whether bytes are missing.

    tables   the same bytes parsed by the C core: libav does not report the program of a stream
    pulse    of the thread: it rests while libav waits for bytes
    """

    def __init__(self, *, newest_wins: bool, most: int = WAITING_MOST, pulse: Pulse | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._newest_wins, self._most = newest_wins, most
        self._pulse = Pulse() if pulse is None else pulse
        self._changed = threading.Condition()
        self._pieces: deque[Packet] = deque()
        self._size = 0
        self._gap = False
        self._left = memoryview(b"")
        self._taken = 0
        self._spans: deque[Span] = deque(maxlen=REMEMBERED)
        self._space: asyncio.Future[None] | None = None
        self._ended = False
        self.dropped = 0
        self.tables = Lane(ts=True)

    async def put(self, piece: Packet) -> bool:
        """Add a piece: drop the oldest if the newest wins, else wait; false once reading has stopped."""
        while (space := self._put(piece)) is not None:
            await space
        return not self._ended

    def _put(self, piece: Packet) -> asyncio.Future[None] | None:
        """None, or a future to wait for."""
        with self._changed:
            while self._newest_wins and self._size > self._most and self._pieces:
                self._drop_oldest()
            if self._size > self._most and not self._ended:
                self._space = self._loop.create_future()
                return self._space
            self._pieces.append(piece)
            self._size += len(piece.data)
            self._changed.notify()
            return None

    def _drop_oldest(self) -> None:
        lost = self._pieces.popleft()
        self._size -= len(lost.data)
        self.dropped += 1
        if self._pieces:
            self._pieces[0] = self._pieces[0]._replace(damaged=True)
        else:
            self._gap = True

    def end(self, *, now: bool = False) -> None:
        """No more data will be added; `now`: discard waiting data as well."""
        with self._changed:
            self._ended = True
            if now:
                self._pieces.clear()
                self._left = memoryview(b"")
            self._changed.notify()
            self._wake()

    def _wake(self) -> None:
        space, self._space = self._space, None
        if space is not None:
            with suppress(RuntimeError):  # the loop is closed: no task waits any more
                self._loop.call_soon_threadsafe(wake, space)

    def read(self, size: int) -> bytes:
        """At most `size` bytes, as soon as there are any; empty at the end. On libav's thread."""
        self._pulse.rest()
        try:
            return self._read(size)
        finally:
            self._pulse.expect(COMPUTING)

    def _read(self, size: int) -> bytes:
        with self._changed:
            while not self._left:
                self._changed.wait_for(lambda: self._pieces or self._ended)
                if not self._pieces:
                    return b""
                self._begin(self._pieces.popleft())
            data = bytes(self._left[:size])
            self._left = self._left[size:]
            self._taken += len(data)
            return data

    def _begin(self, piece: Packet) -> None:
        self._size -= len(piece.data)
        self._gap = self._gap or piece.damaged
        if piece.data:
            self._spans.append(Span(self._taken, piece.received_us, self._gap))
            self._gap = False
            self._left = memoryview(piece.data).cast("B")
            self.tables.packets(piece.data)
        self._wake()

    def origin(self, place: int) -> tuple[int | None, bool]:
        """When the byte at `place` arrived, and whether bytes are missing between it and the last one read."""
        gap, received_us = False, None
        for span in reversed(self._spans):
            received_us = span.received_us
            if span.start <= place:
                break
            gap = gap or span.behind_gap
        return received_us, gap
