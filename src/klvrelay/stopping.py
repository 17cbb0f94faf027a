"""SIGINT and SIGTERM end a verb as if it had come to its end: on a loop, and where there is none."""

from __future__ import annotations

import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from klvrelay.log import logger

T = TypeVar("T")

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_asked() -> Iterator[Callable[[], bool]]:
    """Inside, the signals break nothing off: the function says whether one came."""
    came: list[int] = []
    before = {number: signal.signal(number, lambda number, _: came.append(number)) for number in SIGNALS}
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def on_loop(work: Coroutine[Any, Any, T]) -> T | None:
    """Run a verb on a loop; a signal cancels it, which gives None."""
    import asyncio  # here, since it takes as long to load as a small file to decode

    logger()  # what runs on a loop may log from anywhere

    async def stoppable() -> T | None:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, task.cancel)
        try:
            return await task
        except asyncio.CancelledError:
            return None

    return asyncio.run(stoppable())
