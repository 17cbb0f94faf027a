"""Blocking calls away from the event loop, in daemon threads: the exit of the process waits for none of them.

    run              one call in a thread
    Worker           calls one after the other, all in one thread
    DaemonExecutor   what libraries get for `loop.run_in_executor(None, ...)`

A pool of `concurrent.futures` is joined when the loop closes and when the interpreter exits: a read that blocks on a
network file system would keep the process alive as long as it blocks.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def start(job: Callable[[], object], name: str) -> None:
    """Run a job in a daemon thread, which ends with it."""
    threading.Thread(target=job, name=name, daemon=True).start()


async def run(job: Callable[[], T], name: str) -> T:
    """The result of a job that blocks. Cancelled, it returns at once, and the job goes on without anybody waiting."""
    outcome: Future[T] = Future()
    start(partial(settle, outcome, job), name)
    return await asyncio.wrap_future(outcome)


class Worker:
    """One daemon thread that runs jobs in order; it starts with the first job and ends with `close`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._started = False

    def run(self, job: Callable[[], T]) -> asyncio.Future[T]:
        """The job's result. A job that is cancelled before its turn is not run."""
        outcome: Future[T] = Future()
        self._put(partial(settle, outcome, job))
        return asyncio.wrap_future(outcome)

    def close(self, last: Callable[[], object] | None = None) -> None:
        """End the thread once all jobs are done, `last` as the last of them; does not wait for it."""
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


class DaemonExecutor(ThreadPoolExecutor):
    """One daemon thread per call: a call that blocks delays no other, and nothing waits for it on shutdown."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        outcome: Future[T] = Future()
        start(partial(settle, outcome, partial(fn, *args, **kwargs)), "klvrelay-call")
        return outcome

    def shutdown(self, *_: Any, **__: Any) -> None:
        """There is nothing to shut down: each thread ends with its call."""


def settle(outcome: Future[T], job: Callable[[], T]) -> None:
    """Do the job here, and hand its result or its fault over."""
    if outcome.set_running_or_notify_cancel():
        with _Faults(outcome):
            outcome.set_result(job())


class _Faults:
    """What a job raises belongs to who waits for its outcome, not to the thread."""

    def __init__(self, outcome: Future[Any]) -> None:
        self._outcome = outcome

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, fault: BaseException | None, trace: object) -> bool:
        if fault is not None:
            self._outcome.set_exception(fault)
        return True
