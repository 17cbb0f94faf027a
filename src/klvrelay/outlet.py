"""One sink in the corridor: what waits for it, what it is to be told, and the task that keeps it served; next door,
`relay.py` fills it, `spool.py` holds the records, `sinks/` knows the far end.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from klvrelay.backoff import Backoff
from klvrelay.errors import SinkDown, SinkError, SinkRefused, TooLarge
from klvrelay.health import SinkHealth
from klvrelay.record import Record
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
    notices: dict[tuple[str, str | None], Notice] = field(default_factory=dict)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    all_told: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, notice: Notice) -> None:
        """Take a latest value; it takes the place of the one before that has not gone out."""
        self.notices[notice.kind, notice.stream] = notice
        self.all_told.clear()
        self.news.set()

    async def settled(self) -> None:
        """Return once the sink has all records, and all latest values if it is there."""
        await self.spool.drained()
        if self.health.up:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LAST_NOTICES):
                    await self.all_told.wait()

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
                self.news.set()
                tasks.create_task(self._deliver(), name="deliver")
                tasks.create_task(self._tell(), name="tell")
                tasks.create_task(self.sink.lost(), name="lost")
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
                await self.sink.deliver(batch)
            except TooLarge:
                await self._one_by_one(batch)
            self.spool.commit()

    async def _one_by_one(self, batch: Sequence[Record]) -> None:
        """One record that the far end never takes costs itself, not those beside it."""
        for record in batch:
            try:
                await self.sink.deliver([record])
            except TooLarge as fault:
                self.health.left_out(fault)

    async def _tell(self) -> None:
        """Latest values: what is overtaken before it went out is never sent."""
        while True:
            await self.news.wait()
            self.news.clear()
            while self.notices:
                key = next(iter(self.notices))
                try:
                    await self.sink.tell(self.notices.pop(key))
                except TooLarge as fault:
                    self.health.left_out(fault)
            self.all_told.set()


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
