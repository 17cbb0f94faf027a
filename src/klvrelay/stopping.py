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
    """Inside, the first signal breaks nothing off: the function says whether one came.

    The second raises KeyboardInterrupt, since a reader of the output that has stopped holds up a write without end.
    """
    came: list[int] = []

    def note(number: int, _: object) -> None:
        came.append(number)
        if len(came) > 1:
            raise KeyboardInterrupt

    before = {number: signal.signal(number, note) for number in SIGNALS}
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def on_loop(verb: Callable[[], Coroutine[Any, Any, T]]) -> T | None:
    """Run a verb on a loop; a signal cancels it, which gives None."""
    import asyncio  # here, since it takes as long to load as a small file to decode

    logger()  # what runs on a loop may log from anywhere

    async def ended(task: asyncio.Task[T]) -> T | None:
        try:
            return await task
        except asyncio.CancelledError:
            return None

    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        with _held():  # else one between these steps would leave a coroutine that nothing awaits
            task = loop.create_task(verb())
            for number in SIGNALS:
                loop.add_signal_handler(number, task.cancel)
        return runner.run(ended(task))


@contextmanager
def _held() -> Iterator[None]:
    """Signals that come inside are delivered behind it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
