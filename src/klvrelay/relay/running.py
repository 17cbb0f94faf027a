"""The tasks of a running relay, which a reload changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from klvrelay.relay.tasks import cancel

Work = Coroutine[Any, Any, None]


class Running:
    """The tasks of streams and sinks by name, those that are being stopped, and the tick.

    has_begun    the relay runs, or has run
    is_stopping  no task may be started any more
    """

    def __init__(self) -> None:
        self.streams: dict[str, asyncio.Task[None]] = {}
        self.sinks: dict[str, asyncio.Task[None]] = {}
        self.is_stopping = False
        self._leaving_streams: set[asyncio.Task[None]] = set()
        self._leaving_sinks: set[asyncio.Task[None]] = set()
        self._tick: asyncio.Task[None] | None = None
        self._change: asyncio.Future[None] | None = None  # resolved when a change begins
        self._unchanging = asyncio.Event()
        self._unchanging.set()

    def begin(self, tick: Work) -> None:
        self._tick = asyncio.create_task(tick, name="tick")

    @property
    def has_begun(self) -> bool:
        return self._tick is not None

    @property
    def tasks(self) -> list[asyncio.Task[None]]:
        return [*self.streams.values(), *self._leaving_streams, *self._leaving_sinks, *self._lasting]

    @property
    def _lasting(self) -> list[asyncio.Task[None]]:
        """The tasks that end only by a fault."""
        return [*self.sinks.values(), *([] if self._tick is None else [self._tick])]

    def start_stream(self, name: str, work: Work) -> None:
        self.streams[name] = asyncio.create_task(work, name=f"keep {name}")

    def start_sink(self, name: str, work: Work) -> None:
        self.sinks[name] = asyncio.create_task(work, name=f"drain {name}")

    async def stop_streams(self, names: Sequence[str], timeout: float) -> None:
        """Cancel the tasks of streams. Wait for their end, and for that of streams that are being stopped already."""
        end = asyncio.get_running_loop().time() + timeout
        earlier = self._leaving_streams.copy()
        ending = [self.streams.pop(name) for name in names if name in self.streams]
        await self._stop(ending, timeout, self._leaving_streams)
        if left := earlier & self._leaving_streams:
            await asyncio.wait(left, timeout=max(0.0, end - asyncio.get_running_loop().time()))

    async def stop_sink(self, name: str, timeout: float) -> None:
        """Cancel the task of a sink, and wait for its end."""
        await self._stop([self.sinks.pop(name)] if name in self.sinks else [], timeout, self._leaving_sinks)

    async def _stop(
        self, ending: Sequence[asyncio.Task[None]], timeout: float, leaving: set[asyncio.Task[None]]
    ) -> None:
        leaving.update(ending)
        try:
            await cancel(ending, timeout)
        finally:
            leaving.difference_update(task for task in ending if task.done())

    async def until_ended(self, end: Callable[[], Work]) -> None:
        """Return once all streams and then `end` have ended. Raises what ended a sink or the tick before that."""
        while True:
            change = self._change = asyncio.get_running_loop().create_future()
            ending = asyncio.create_task(self._end(end), name="end")
            try:
                await asyncio.wait({ending, change, *self._lasting}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                was_ended = ending.done()
                await cancel([ending])
            if not change.done():
                for task in (*([ending] if was_ended else []), *self._lasting):
                    if task.done():
                        task.result()
                return
            while not self._unchanging.is_set():
                await self._unchanging.wait()

    async def _end(self, end: Callable[[], Work]) -> None:
        if self.streams:
            await asyncio.wait(list(self.streams.values()))
        for task in self.streams.values():
            task.result()
        await end()

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Inside, tasks may be stopped without ending the relay."""
        self._unchanging.clear()
        if self._change is not None and not self._change.done():
            self._change.set_result(None)
        try:
            yield
        finally:
            self._unchanging.set()
