"""Waits for groups of tasks, and ends them in bounded time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any

LOG = logging.getLogger("klvrelay.relay")

LAST_TASKS = 0.2
"""Seconds for tasks that were cancelled a second time."""

Wait = Callable[[], Coroutine[Any, Any, None]]
"""Begins a wait, once its task runs: Python warns of a coroutine that is cancelled before."""


async def cancel(tasks: Iterable[asyncio.Future[Any]], timeout: float = 1.0) -> None:
    """Cancel tasks and wait for their end, ignoring their exceptions.

    A task that hangs in its clean-up is cancelled a second time, and then abandoned.
    """
    tasks = set(tasks)
    left = set(tasks)
    for seconds in (timeout, LAST_TASKS):
        for task in left:
            task.cancel()
        if left:
            _, left = await asyncio.wait(left, timeout=seconds)
    if left:
        LOG.warning("tasks do not end, abandoned: count=%d", len(left))
    await asyncio.gather(*tasks - left, return_exceptions=True)


async def finish(task: asyncio.Task[None]) -> None:
    """Wait for a task. If the wait is cancelled, cancel the task too."""
    try:
        await asyncio.wait({task})
    finally:
        task.cancel()
    task.result()


async def wait_all(waits: Sequence[Wait], tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Wait until all `waits` have ended, or one of `tasks` has."""
    if not waits:
        return
    # A task, not `gather`: asyncio logs the cancellation of a `gather` whose result is not retrieved.
    waiting = asyncio.create_task(_run_all(waits), name="wait")
    try:
        await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
    finally:
        await cancel([waiting])


async def _run_all(waits: Sequence[Wait]) -> None:
    async with asyncio.TaskGroup() as tasks:
        for wait in waits:
            tasks.create_task(wait())
