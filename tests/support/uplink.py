"""An emulated uplink: a TCP proxy with a rate and a delay in each direction, a small buffer, and counts of what passed.

    klvrelay -- kernel --> [socket buffer] --> serialised at `up` bytes/s --> `delay` --> broker
             <----------------- `delay` <-- serialised at `down` bytes/s <-- [socket buffer] ---

The link carries the headers of IP and TCP as well: the kernel reports how many segments a socket has received.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

from broker_proxy import BrokerProxy

SEGMENT = 1400
"""Maximum payload of a segment, as on a real link: loopback has 65 kB."""
BUFFER = 32 << 10
"""Bytes that wait in the socket of the proxy, with what the kernel adds to each segment."""
HEADERS = 52
"""Bytes of IP and TCP of each segment."""
SEGMENTS_IN = 140
"""Offset of `segs_in` in TCP_INFO."""


@dataclass(slots=True)
class Passed:
    """What passed in one direction.

    payload   bytes of TCP payload
    wire      with the headers of each segment, and the segments that only acknowledge
    seconds   bytes on the wire by second since the first
    """

    payload: int = 0
    wire: int = 0
    seconds: dict[int, int] = field(default_factory=dict)

    def add(self, payload: int, wire: int, now: float) -> None:
        self.payload += payload
        self.wire += wire
        self.seconds[int(now)] = self.seconds.get(int(now), 0) + wire

    def most(self, window: int) -> int:
        """Most bytes in any `window` whole seconds that follow each other."""
        if not self.seconds:
            return 0
        first, last = min(self.seconds), max(self.seconds)
        return max(
            sum(self.seconds.get(second, 0) for second in range(begin, begin + window))
            for begin in range(first, max(first, last - window + 1) + 1)
        )


class Uplink(BrokerProxy):
    """A thin link to the broker at `to`. The rates may change at any time.

    up, down   bytes per second on the wire; None: not limited
    delay      seconds in each direction: half of the round trip
    """

    def __init__(self, to: int, up: float | None = None, down: float | None = None, delay: float = 0.0) -> None:
        super().__init__(to)
        self.up, self.down, self.delay = up, down, delay
        self.sent, self.returned = Passed(), Passed()
        self._segments: dict[asyncio.StreamWriter, int] = {}
        self._free: dict[bool, float] = {True: 0.0, False: 0.0}  # when the link has sent what it took

    async def __aenter__(self) -> Self:
        listener = socket.socket(proto=socket.IPPROTO_TCP)  # asyncio sets TCP_NODELAY only then
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        listener.bind(("127.0.0.1", 0))
        self._server = await asyncio.start_server(self._welcome, sock=listener, limit=SEGMENT)
        self.port = listener.getsockname()[1]
        return self

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, up: bool) -> None:
        loop, passed = asyncio.get_running_loop(), self.sent if up else self.returned
        travelling: deque[bytes] = deque()  # timers of the same time fire in any order
        with suppress(OSError):
            while piece := await reader.read(SEGMENT):
                await self._passes.wait()
                wire = len(piece) + HEADERS * (self._new_segments() if up else 1)
                if (rate := self.up if up else self.down) is not None:
                    self._free[up] = max(self._free[up], loop.time()) + wire / rate
                    await asyncio.sleep(self._free[up] - loop.time())
                passed.add(len(piece), wire, loop.time())
                if up or not self.swallowing:
                    travelling.append(piece)
                    loop.call_later(self.delay, _arrive, writer, travelling)
        await asyncio.sleep(self.delay)
        writer.close()

    def _new_segments(self) -> int:
        """Segments that clients have sent since the last call, with those that only acknowledge."""
        new = 0
        for writer in self._writers:
            with suppress(OSError):
                data = writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
                count = int.from_bytes(data[SEGMENTS_IN : SEGMENTS_IN + 4], "little")
                new += count - self._segments.get(writer, 0)
                self._segments[writer] = count
        return new


def _arrive(writer: asyncio.StreamWriter, travelling: deque[bytes]) -> None:
    piece = travelling.popleft()
    if not writer.is_closing():
        writer.write(piece)
