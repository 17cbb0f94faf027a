"""SIGINT and SIGTERM end a verb as if it had come to its end: on a loop, and where there is none.

Whatever blocks, the process ends within 5 s of the first signal: a file system or a library that hangs is left behind.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from klvrelay.log import logger

T = TypeVar("T")

SIGNALS = (signal.SIGINT, signal.SIGTERM)

GRACE = 4.5
"""Seconds from the first signal to the end of the process, at most."""
CUT_OFF = 1
"""The exit code of a process that did not stop in time."""


class Deadline:
    """From `set` on the process has GRACE seconds to stop; then it is cut off, unless `lifted` before."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._is_set = False

    def set(self) -> None:
        if not self._is_set:
            self._is_set = True
            threading.Thread(target=self._watch, name="klvrelay-deadline", daemon=True).start()

    def lift(self) -> None:
        self._stopped.set()

    def _watch(self) -> None:
        if self._stopped.wait(GRACE):
            return
        # In a thread: standard error may be what blocks.
        saying = threading.Thread(target=_say_cut_off, daemon=True)
        saying.start()
        saying.join(0.2)
        os._exit(CUT_OFF)


def _say_cut_off() -> None:
    logger().error("stop timed out seconds=%g; something still blocked, and was left behind", GRACE)


@contextmanager
def stop_asked() -> Iterator[Callable[[], bool]]:
    """Inside, the first signal breaks nothing off: the function says whether one came.

    The second raises KeyboardInterrupt, since a reader of the output that has stopped holds up a write without end.
    """
    came: list[int] = []

    def note(number: int, _: object) -> None:
        came.append(number)
        deadline.set()
        if len(came) > 1:
            raise KeyboardInterrupt

    deadline = Deadline()
    before = {number: signal.signal(number, note) for number in SIGNALS}
    try:
        yield lambda: bool(came)
    finally:
        deadline.lift()
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def on_loop(verb: Callable[[], Coroutine[Any, Any, T]]) -> T | None:
    """Run a verb on a loop; a signal cancels it, which gives None."""
    import asyncio  # here, since it takes as long to load as a small file to decode

    from klvrelay.threads import DaemonExecutor

    logger()  # what runs on a loop may log from anywhere

    async def ended(task: asyncio.Task[T]) -> T | None:
        try:
            return await task
        except asyncio.CancelledError:
            return None

    deadline = Deadline()

    def stop() -> None:
        deadline.set()
        task.cancel()

    try:
        with asyncio.Runner() as runner:
            loop = runner.get_loop()
            loop.set_default_executor(DaemonExecutor())
            with _held():  # else one between these steps would leave a coroutine that nothing awaits
                task = loop.create_task(verb())
                for number in SIGNALS:
                    loop.add_signal_handler(number, stop)
            return runner.run(ended(task))
    finally:
        deadline.lift()


@contextmanager
def _held() -> Iterator[None]:
    """Signals that come inside are delivered behind it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
