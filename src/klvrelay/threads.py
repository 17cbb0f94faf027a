"""Runs blocking calls in daemon threads, which never delay the exit of the process.

    run              one call in a thread
    Worker           successive calls in one thread
    Pulse            whether a thread returns from its blocking calls in time
    DaemonExecutor   executor for libraries that use `loop.run_in_executor(None, ...)`

The pools of `concurrent.futures` are joined when the loop closes and when the interpreter exits: a blocked read from a
network file system would keep the process alive.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def start(job: Callable[[], object], name: str) -> None:
    """Run a job in a daemon thread, which ends with the job."""
    threading.Thread(target=job, name=name, daemon=True).start()


async def run(job: Callable[[], T], name: str) -> T:
    """The result of a blocking job. If cancelled, return at once; the job continues in the background."""
    outcome: Future[T] = Future()
    start(partial(settle, outcome, job), name)
    return await asyncio.wrap_future(outcome)


class Worker:
    """One daemon thread that runs jobs in order. It starts with the first job and ends with `close`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._started = False

    def run(self, job: Callable[[], T]) -> asyncio.Future[T]:
        """The job's result. A job that is cancelled before it starts is not run."""
        outcome: Future[T] = Future()
        self._put(partial(settle, outcome, job))
        return asyncio.wrap_future(outcome)

    def close(self, last: Callable[[], object] | None = None) -> None:
        """End the thread after all jobs and `last`, without waiting for it."""
        if last is not None:
            self._put(last)
        self._jobs.put(None)

    def _put(self, job: Callable[[], object]) -> None:
        self._jobs.put(job)
        if not self._started:
            self._started = True
            start(self._work, self._name)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()


class Pulse:
    """Until when a thread must return from its current blocking call. The thread writes it, the event loop reads it.

    due   time of the monotonic clock; infinite while the thread waits for the relay, or has ended
    """

    def __init__(self) -> None:
        self.due = math.inf
        self._limit = math.inf

    def expect(self, seconds: float) -> None:
        """The call that begins now must return within so many seconds."""
        self._limit = seconds
        self.due = time.monotonic() + seconds

    def rest(self) -> None:
        """No call is in progress that has a time limit."""
        self.due = math.inf

    def resume(self) -> None:
        """After `rest`: another call with the same limit begins."""
        self.due = time.monotonic() + self._limit

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """The calls inside must return within so many seconds altogether."""
        self.expect(seconds)
        try:
            yield
        finally:
            self.rest()


class DaemonExecutor(ThreadPoolExecutor):
    """One daemon thread per call: a blocked call delays neither other calls nor the shutdown."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        outcome: Future[T] = Future()
        start(partial(settle, outcome, partial(fn, *args, **kwargs)), "klvrelay-call")
        return outcome

    def shutdown(self, *_: Any, **__: Any) -> None:
        """Do nothing: each thread ends with its call."""


def settle(outcome: Future[T], job: Callable[[], T]) -> None:
    """Run the job in this thread, and set its result or exception."""
    if outcome.set_running_or_notify_cancel():
        with _Faults(outcome):
            outcome.set_result(job())


class _Faults:
    """Pass the job's exception to the waiting caller instead of raising it in the thread."""

    def __init__(self, outcome: Future[Any]) -> None:
        self._outcome = outcome

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, fault: BaseException | None, trace: object) -> bool:
        if fault is not None:
            self._outcome.set_exception(fault)
        return True
