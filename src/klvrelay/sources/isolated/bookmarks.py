"""How far a playlist was read, told to the relay when what was read is on its way there; for `cell.py`.

The reader's thread is ahead of what was sent. So each change is kept, with the bytes that the thread had handed on
before it, and follows the first packet behind those: a process that dies loses nothing, and repeats nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress

from klvrelay.record import Packet, Units
from klvrelay.sources.contract import Source
from klvrelay.sources.web.position import Position


class Bookmarks:
    """Of one source, which notes in `place` how far it is; `put` sends."""

    def __init__(self, source: Source, place: Position, put: Callable[[bytes], None]) -> None:
        self._source, self._place, self._put = source, place, put
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._size = 0
        place.moved = self._moved

    def _moved(self) -> None:
        """In the reader's thread. Of the changes between two packets the last one counts."""
        size = self._source.link.size
        if self._waiting and self._waiting[-1][0] == size:
            with suppress(IndexError):  # it was sent meanwhile
                self._waiting.pop()
        self._waiting.append((size, self._place.packed()))

    def sent(self, packet: Packet | Units) -> None:
        """A packet is on its way."""
        if isinstance(packet, Units):
            return
        self._size += len(packet.data)
        # What libav took out of a container are not the bytes that came.
        self._send(None if packet.pid is not None else self._size)

    def rest(self) -> None:
        """All packets are."""
        self._send(None)

    def _send(self, size: int | None) -> None:
        latest = None
        with suppress(IndexError):  # the thread took the last one back, for a later one
            while self._waiting and (size is None or self._waiting[0][0] < size):
                latest = self._waiting.popleft()[1]
        if latest is not None:
            self._put(latest)
