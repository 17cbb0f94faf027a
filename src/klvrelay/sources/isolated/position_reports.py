"""Report to the relay how far a playlist was read, once the data read up to there has been sent.

The reader's thread is ahead of the data sent. Each change of position is therefore stored with the number of bytes that
the thread had passed on before it, and is sent after the first packet behind these bytes. So a process that dies loses
nothing and repeats nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress

from klvrelay.record import Packet, Units
from klvrelay.sources.contract import Source
from klvrelay.sources.web.position import Position


class PositionReports:
    """The reported positions of one source, which updates `position`; `put` sends."""

    def __init__(self, source: Source, position: Position, put: Callable[[bytes], None]) -> None:
        self._source, self._position, self._put = source, position, put
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._size = 0
        position.on_change = self._on_change

    def _on_change(self) -> None:
        """Runs on the reader's thread. Of several changes between two packets, only the last counts."""
        size = self._source.link.size
        if self._waiting and self._waiting[-1][0] == size:
            with suppress(IndexError):  # already sent by the loop
                self._waiting.pop()
        self._waiting.append((size, self._position.pack()))

    def sent(self, packet: Packet | Units) -> None:
        """A packet was sent."""
        if isinstance(packet, Units):
            return
        self._size += len(packet.data)
        # Packets that libav demultiplexed from a container differ in size from the bytes received.
        self._send(None if packet.pid is not None else self._size)

    def rest(self) -> None:
        """All packets were sent."""
        self._send(None)

    def _send(self, size: int | None) -> None:
        latest = None
        with suppress(IndexError):  # the thread replaced the last one
            while self._waiting and (size is None or self._waiting[0][0] < size):
                latest = self._waiting.popleft()[1]
        if latest is not None:
            self._put(latest)
