"""An isolated process whose source exceeds its memory limit in a task, a thread or a callback: `glutton.py task FD`.

`test_cell.py` starts it.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncGenerator

from klvrelay.config.url import Url
from klvrelay.link_stats import LinkStats
from klvrelay.record import Packet
from klvrelay.sources.isolated import child
from klvrelay.sources.thread_queue import ThreadQueue

PIECE, PIECES = 8 << 20, 48
"""1.5 times the limit: then it stops allocating, and a test that waits for the limit fails."""


def eat() -> None:
    eaten = []
    for _ in range(PIECES):
        eaten.append(bytearray(b"x") * PIECE)


class Glutton:
    """Outputs one packet, then allocates memory."""

    live, fixed, dropped = True, True, 0

    def __init__(self, url: Url, way: str) -> None:
        self.url, self.link, self._way = url, LinkStats(), way

    async def packets(self) -> AsyncGenerator[Packet, None]:
        yield Packet(b"G" * 188, 5)
        await asyncio.sleep(0.05)
        if self._way == "task":
            eat()
        bridge = ThreadQueue()
        if self._way == "thread":
            threading.Thread(target=self._in_thread, args=(bridge,), name="klvrelay-glutton").start()
        else:
            asyncio.get_running_loop().call_soon(eat)
        for packet in await bridge.batch():
            yield packet

    def _in_thread(self, bridge: ThreadQueue) -> None:
        try:
            eat()
        finally:
            bridge.end(child.SourceDown("its reader stopped unexpectedly"))


way = sys.argv.pop(1)
child.open_source = lambda url, **options: Glutton(url, way)
child.main()
