"""SIGINT and SIGTERM end a verb cleanly, with or without an event loop.

The process ends within 5 s of the first signal, even if a file system or a library blocks. On an event loop later
signals have no effect: `timeout -s INT` and some process managers send two, which must not spoil an orderly stop.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from klvrelay.log import logger

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")

SIGNALS = (signal.SIGINT, signal.SIGTERM)

SAME = 0.5
"""Seconds in which further signals repeat the first one."""
GRACE = 4.5
"""Maximum seconds from the first signal to the end of the process."""
CUT_OFF = 1
"""Exit code of a process that did not stop in time."""


class Interrupt:
    """A handler that raises KeyboardInterrupt once: a second one could interrupt the handling of the first."""

    def __init__(self) -> None:
        self.is_spent = False

    def __call__(self, number: int, frame: object) -> None:
        if not self.is_spent:
            self.is_spent = True
            raise KeyboardInterrupt


class Deadline:
    """After `set`, the process exits in GRACE seconds unless `lift` is called first."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._is_set = False

    @property
    def is_set(self) -> bool:
        return self._is_set

    def set(self) -> None:
        if not self._is_set:
            self._is_set = True
            threading.Thread(target=self._watch, name="klvrelay-deadline", daemon=True).start()

    def lift(self) -> None:
        self._stopped.set()

    def _watch(self) -> None:
        if self._stopped.wait(GRACE):
            return
        # In a thread: standard error itself may block.
        saying = threading.Thread(target=_say_cut_off, daemon=True)
        saying.start()
        saying.join(0.2)
        os._exit(CUT_OFF)


def _say_cut_off() -> None:
    logger().error("stop timed out, a blocked operation was abandoned: seconds=%g", GRACE)


@contextmanager
def stop_asked() -> Iterator[Callable[[], bool]]:
    """Inside, the first signal interrupts nothing; the yielded function returns whether one arrived.

    A signal more than SAME seconds later raises KeyboardInterrupt, once: a write blocks while the reader of the output
    does not read.
    """
    came: list[float] = []
    interrupt = Interrupt()

    def note(number: int, frame: object) -> None:
        came.append(time.monotonic())
        deadline.set()
        if came[-1] - came[0] > SAME:
            interrupt(number, frame)

    deadline = Deadline()
    before: dict[signal.Signals, Any] = {number: signal.signal(number, note) for number in SIGNALS}
    try:
        yield lambda: bool(came)
    finally:
        deadline.lift()
        _restore(before, spent=bool(came))


def on_loop(verb: Callable[[], Coroutine[Any, Any, T]]) -> T | None:
    """Run a verb on an event loop. The first signal cancels it, and the result is None. Later ones have no effect."""
    import asyncio  # here, since loading it takes as long as decoding a small file

    from klvrelay.threads import DaemonExecutor

    logger()  # set up logging before any task or thread logs

    async def ended(task: asyncio.Task[T]) -> T | None:
        try:
            return await task
        except asyncio.CancelledError:
            return None

    deadline = Deadline()

    def stop() -> None:
        if not deadline.is_set:  # a second cancellation would interrupt the clean-up of the first
            deadline.set()
            task.cancel()

    before: dict[signal.Signals, Any] = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        with asyncio.Runner() as runner:
            loop = runner.get_loop()
            loop.set_default_executor(DaemonExecutor())
            with _held():  # a signal between these steps would leave a coroutine unawaited
                task = loop.create_task(verb())
                for number in SIGNALS:
                    loop.add_signal_handler(number, stop)
            try:
                return runner.run(ended(task))
            finally:
                _detach(loop, deadline)
    finally:
        deadline.lift()
        _restore(before, spent=deadline.is_set)


def _detach(loop: asyncio.AbstractEventLoop, deadline: Deadline) -> None:
    """From here on a signal only limits the time for closing the loop, which would install Python's handlers."""
    with _held():
        for number in SIGNALS:
            loop.remove_signal_handler(number)
            signal.signal(number, lambda *_: deadline.set())


def _restore(before: dict[signal.Signals, Any], *, spent: bool) -> None:
    """Install the earlier handlers. `spent`: the verb was stopped, so a late signal must not change the exit code."""
    for number, handler in before.items():
        if spent and isinstance(handler, Interrupt):
            handler.is_spent = True
        signal.signal(number, signal.SIG_DFL if handler is None else handler)


@contextmanager
def _held() -> Iterator[None]:
    """Defer signals until the end of the block."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
