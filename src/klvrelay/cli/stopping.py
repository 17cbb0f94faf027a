"""SIGINT and SIGTERM end a verb cleanly, with or without an event loop. While it loads, they end the process at once.

The process ends within 5 s of the first signal, even if a file system or a library blocks. On an event loop later
signals have no effect: `timeout -s INT` and some process managers send two, which must not spoil an orderly stop.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from klvrelay.log import flush_log, logger

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
        logging_thread = threading.Thread(target=_log_cut_off, daemon=True)
        logging_thread.start()
        logging_thread.join(0.2)
        os._exit(CUT_OFF)


def _log_cut_off() -> None:
    logger().error("stop timed out, a blocked operation was abandoned: seconds=%g", GRACE)
    flush_log()


@contextmanager
def watch_signals(*, interrupts: bool = False) -> Iterator[Callable[[], bool]]:
    """Inside, the first signal interrupts nothing; the yielded function returns whether one arrived.

    A signal more than SAME seconds later raises KeyboardInterrupt, once: a write blocks while the reader of the output
    does not read.

    interrupts   the first signal raises KeyboardInterrupt, since a read may block. Load all modules first: Python
                 discards exceptions in some callbacks of an import
    """
    arrived: list[float] = []
    interrupted = False

    def note(number: int, _: object) -> None:
        nonlocal interrupted
        arrived.append(time.monotonic())
        deadline.set()
        if not interrupted and (interrupts or arrived[-1] - arrived[0] > SAME):
            interrupted = True  # a second one could interrupt the handling of the first
            raise KeyboardInterrupt

    deadline = Deadline()
    before = {number: signal.signal(number, note) for number in SIGNALS}
    try:
        yield lambda: bool(arrived)
    finally:
        deadline.lift()
        _restore(before, stopped=bool(arrived))


def on_loop(verb: Callable[[], Coroutine[Any, Any, T]]) -> T | None:
    """Run a verb on an event loop. The first signal cancels it, and the result is None. Later ones have no effect."""
    import asyncio  # here, since loading it takes as long as decoding a small file

    from klvrelay.threads import DaemonExecutor

    logger()  # set up logging before any task or thread logs

    async def wait(task: asyncio.Task[T]) -> T | None:
        try:
            return await task
        except asyncio.CancelledError:
            return None

    deadline = Deadline()

    def stop() -> None:
        if not deadline.is_set:  # a second cancellation would interrupt the clean-up of the first
            deadline.set()
            task.cancel()

    def note(number: int, _: object) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(stop)

    before: dict[signal.Signals, Any] = {}
    try:
        with asyncio.Runner() as runner:
            loop = runner.get_loop()
            loop.set_default_executor(DaemonExecutor())
            with _defer_signals():  # a signal between these steps would leave a coroutine unawaited
                task = loop.create_task(verb())
                # Not `add_signal_handler`: its removal installs Python's handlers for a moment.
                before |= {number: signal.signal(number, note) for number in SIGNALS}
            with _woken_by_signals(loop):
                return runner.run(wait(task))
    finally:
        deadline.lift()
        _restore(before, stopped=deadline.is_set)


@contextmanager
def _woken_by_signals(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Inside, each signal wakes the loop, so that its handler runs. Python calls handlers in the main thread between
    two instructions: a signal that arrives just before that waits, or in another thread, would not end the wait.
    """
    import socket

    woken, wake = socket.socketpair()
    with woken, wake:
        woken.setblocking(False)
        wake.setblocking(False)
        loop.add_reader(woken, woken.recv, 4096)
        before = signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(before)
            loop.remove_reader(woken)


def _restore(before: Mapping[signal.Signals, Any], *, stopped: bool) -> None:
    """Install the earlier handlers. `stopped`: a signal ended the verb, so a late Ctrl-C must not end the process."""
    for number, handler in before.items():
        if stopped and number == signal.SIGINT and handler is signal.SIG_DFL:
            handler = _ignore
        signal.signal(number, signal.SIG_DFL if handler is None else handler)


def _ignore(number: int, frame: object) -> None:
    """A handler without effect. Unlike SIG_IGN, child processes do not inherit it."""


@contextmanager
def _defer_signals() -> Iterator[None]:
    """Defer signals until the end of the block."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
