"""One sink in the pipeline: its cursors on the log and the notices, and the task that keeps it served."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from klvrelay.backoff import Backoff
from klvrelay.delivery import Delivery
from klvrelay.errors import SinkDown, SinkError, SinkRefused
from klvrelay.halving import Halving
from klvrelay.health import SinkHealth
from klvrelay.notices import NoticeCursor
from klvrelay.sinks import Sink
from klvrelay.spool import Cursor
from klvrelay.sums import Sums

LAST_NOTICES = 1.0
"""Seconds that the last latest values get to be published."""
LASTED = 2.0
"""Seconds that a connection must have stood before the next try comes quickly again."""
SHORT_CAP = 3.0
"""Seconds between two tries at most where the connection stands, but not for long."""

Keep = Callable[[NoticeCursor], Coroutine[Any, Any, None]]


@dataclass(slots=True)
class Outlet:
    """A sink, where it reads records and latest values, and how it is."""

    sink: Sink
    cursor: Cursor
    notices: NoticeCursor
    health: SinkHealth
    _halving: Halving = field(default_factory=Halving)

    def __post_init__(self) -> None:
        if (suspended := getattr(self.sink, "suspended", None)) is not None:
            self.health.suspended = lambda: suspended.topics

    @property
    def _keep(self) -> Keep | None:
        """How the sink publishes latest values, where it does."""
        keep: Keep | None = getattr(self.sink, "keep", None)
        return keep

    def sums(self) -> Sums:
        """What became of its records so far; its health has them too."""
        sums = self.cursor.sums()
        self.health.counted(sums)
        return sums

    async def settled(self) -> None:
        """Return once the sink has answered for all records, and has all latest values if it is there."""
        await self.cursor.drained()
        await self.published(LAST_NOTICES)

    async def published(self, within: float) -> None:
        """Return once the sink has all latest values, if it is there and publishes them, or so many seconds later."""
        if self.health.up and self._keep is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within):
                    await self.notices.settled()

    async def drain(self) -> None:
        """Keep the sink connected and the spool empty, for ever; raises SinkRefused at the first try only."""
        backoff = Backoff()
        while True:
            came_up = False
            try:
                await self._served(backoff)
            except (SinkDown, SinkRefused) as fault:
                # A refusal at the first try is for the operator to mend; later it may be the broker's bad day.
                if isinstance(fault, SinkRefused) and not self.health.ever_up:
                    raise
                came_up = self.health.up
                self.health.down(str(fault))
            pause = backoff.next()
            await asyncio.sleep(min(pause, SHORT_CAP) if came_up else pause)

    async def _served(self, backoff: Backoff) -> None:
        """As `_serve`, in another task: a task group that is cancelled at the moment it fails raises the fault only."""
        serving = asyncio.create_task(self._end_of(backoff), name="serve")
        try:
            await asyncio.wait({serving})
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
        if fault := serving.result():
            raise fault

    async def _end_of(self, backoff: Backoff) -> SinkError | None:
        """Serve; what ended it, as a value: asyncio would report a task that fails while the loop shuts down."""
        try:
            await self._serve(backoff)
        except SinkError as fault:
            return fault
        return None

    async def _serve(self, backoff: Backoff) -> None:
        """One connection, until it falls: raises SinkDown or SinkRefused."""
        loop = asyncio.get_running_loop()
        steady = math.inf
        try:
            async with self.sink, asyncio.TaskGroup() as tasks:
                self.health.connected()
                steady = loop.time() + LASTED
                self.notices.restart()
                tasks.create_task(Delivery(self.sink, self.cursor, self._halving).run(), name="deliver")
                if self._keep is not None:
                    tasks.create_task(self._keep(self.notices), name="keep")
        except ExceptionGroup as group:
            raise _first(group) from None
        finally:
            if loop.time() >= steady:
                backoff.reset()


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
