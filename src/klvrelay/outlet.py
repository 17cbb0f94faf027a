"""One sink in the corridor: what waits for it, what it is to be told, and the task that keeps it served; next door,
`relay.py` fills it, `spool.py` holds the records, `sinks/` knows the far end.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from dataclasses import dataclass, field

from klvrelay.backoff import Backoff
from klvrelay.errors import SinkDown, SinkError, SinkRefused
from klvrelay.health import SinkHealth
from klvrelay.notices import NoticeCursor, Notices
from klvrelay.sinks import Notice, Sink
from klvrelay.spool import Spool

LAST_NOTICES = 1.0
"""Seconds that the last latest values get to be told."""
LASTED = 2.0
"""Seconds that a connection must have stood before the next try comes quickly again."""
SHORT_CAP = 3.0
"""Seconds between two tries at most where the connection stands, but not for long."""


@dataclass(slots=True)
class Outlet:
    """A sink with the records that wait for it and the latest values that it is to be told."""

    sink: Sink
    spool: Spool
    health: SinkHealth
    notices: Notices = field(default_factory=Notices)
    cursor: NoticeCursor = field(init=False)

    def __post_init__(self) -> None:
        self.cursor = self.notices.cursor()
        if (suspended := getattr(self.sink, "suspended", None)) is not None:
            self.health.suspended = lambda: suspended.topics

    def tell(self, notice: Notice) -> None:
        """Take a latest value; it takes the place of the one before that has not gone out."""
        self.notices.put(notice)

    async def settled(self) -> None:
        """Return once the sink has all records, and all latest values if it is there."""
        await self.spool.drained()
        if self.health.up:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LAST_NOTICES):
                    await self.cursor.settled()

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
                self.cursor.restart()
                tasks.create_task(self._deliver(), name="deliver")
                if (keep := getattr(self.sink, "keep", None)) is not None:
                    tasks.create_task(keep(self.cursor), name="keep")
        except ExceptionGroup as group:
            raise _first(group) from None
        finally:
            if loop.time() >= steady:
                backoff.reset()

    async def _deliver(self) -> None:
        """The way of a record from the spool: offered until it is confirmed."""
        while True:
            batch = await self.spool.batch()
            try:
                outcome = await self.sink.deliver(batch)
            except SinkDown as fault:
                self.spool.commit(fault.answered)
                raise
            self.spool.commit(outcome)


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
