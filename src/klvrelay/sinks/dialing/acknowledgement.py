"""Waits until the kernel of the far end has acknowledged all bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from klvrelay.transports.tcp_info import TcpInfo

FIRST_CHECK, LAST_CHECK = 0.0005, 0.02
"""Seconds to the first check whether all is acknowledged, and at most between two."""


async def acknowledged(traffic: Callable[[], TcpInfo | None], timeout: float) -> None:
    """Return once all bytes are acknowledged, or at once if the kernel does not count them.

    traffic   the counts of the connection; what it raises ends the wait
    timeout   seconds without progress after which TimeoutError is raised
    """
    loop = asyncio.get_running_loop()
    pause, before, end = FIRST_CHECK, -1, 0.0
    while (info := traffic()) is not None and (waiting := info.waiting):
        if waiting != before:
            before, end = waiting, loop.time() + timeout
        if loop.time() >= end:
            raise TimeoutError
        await asyncio.sleep(pause)
        pause = min(2 * pause, LAST_CHECK)
