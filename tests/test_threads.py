"""Blocking calls in daemon threads: results, errors and cancellation as of any other call."""

from __future__ import annotations

import asyncio
import threading

import pytest

from klvrelay import threads
from klvrelay.threads import DaemonExecutor, Worker


async def by_run(job):
    return await threads.run(job, "test-run")


async def by_worker(job):
    worker = Worker("test-worker")
    try:
        return await worker.run(job)
    finally:
        worker.close()


async def by_executor(job):
    loop = asyncio.get_running_loop()
    loop.set_default_executor(DaemonExecutor())
    return await loop.run_in_executor(None, job)


WAYS = pytest.mark.parametrize("call", [by_run, by_worker, by_executor])


@WAYS
async def test_the_result_is_returned(call):
    """The call is made in another thread, which is a daemon."""
    thread = await call(threading.current_thread)

    assert thread is not threading.current_thread()
    assert thread.daemon


@WAYS
@pytest.mark.parametrize("fault", [KeyError("x"), SystemExit(3), OSError(5, "x")])
async def test_an_error_reaches_the_caller(call, fault):
    """Whatever it is; the thread logs nothing about it."""

    def fail():
        raise fault

    with pytest.raises(type(fault)) as caught:
        await call(fail)
    assert caught.value is fault


@WAYS
async def test_a_blocked_call_is_abandoned_when_its_task_is_cancelled(call):
    """At once: the thread stays until the call returns."""
    begun, over = threading.Event(), threading.Event()

    def block():
        begun.set()
        over.wait(30)

    task = asyncio.create_task(call(block))
    async with asyncio.timeout(5):
        while not begun.is_set():
            await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.wait([task])
    over.set()

    assert task.cancelled()


async def test_a_worker_does_one_job_after_the_other_in_one_thread():
    """Then the last one, and its thread ends; a job that was cancelled before its turn is not run."""
    worker, done, gate = Worker("test-worker"), [], threading.Event()
    first = worker.run(lambda: (gate.wait(5), done.append((1, threading.get_ident()))))
    second = worker.run(lambda: done.append((2, threading.get_ident())))
    third = worker.run(lambda: done.append((3, threading.get_ident())))
    second.cancel()
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(first, third)
    worker.close(lambda: done.append((4, threading.get_ident())))
    async with asyncio.timeout(5):
        while any(thread.name == "test-worker" for thread in threading.enumerate()):
            await asyncio.sleep(0.001)

    assert [number for number, _ in done] == [1, 3, 4]
    assert len({thread for _, thread in done}) == 1


async def test_a_blocked_call_delays_no_other():
    """However many block, the next one of a library is made at once."""
    loop, over = asyncio.get_running_loop(), threading.Event()
    loop.set_default_executor(DaemonExecutor())
    blocked = [loop.run_in_executor(None, over.wait, 30) for _ in range(40)]
    async with asyncio.timeout(5):
        assert await loop.run_in_executor(None, max, 1, 2) == 2
        over.set()
        await asyncio.gather(*blocked)
