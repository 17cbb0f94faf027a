"""One sink in the corridor: what waits for it, what it is to be told, and the task that keeps it served; next door,
`relay.py` fills it, `spool.py` holds the records, `sinks/` knows the far end.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from klvrelay.backoff import Backoff
from klvrelay.errors import KlvrelayError, SinkError, TooLarge
from klvrelay.health import SinkHealth
from klvrelay.record import Record
from klvrelay.sinks import Notice, Sink
from klvrelay.spool import Spool
from klvrelay.supervise import Standing, supervise

LAST_NOTICES = 1.0
"""Seconds that the last latest values get to be told."""
LONGEST = 3.0
"""Seconds between two attempts to connect at most: a broker that is back should not be noticed late, since records are
shed meanwhile. The steady period is longer, or two that take each other's place would take turns quickly."""


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
        """Keep the sink connected and the spool empty; raises the SinkRefused or ConfigError of a first connection."""
        await supervise(
            self._serve,
            name=self.health.name,
            backoff=Backoff(cap=LONGEST),
            standing=lambda: Standing.LASTING if self.health.ever_up else Standing.NEW,
            down=self._down,
        )

    def _down(self, fault: KlvrelayError) -> None:
        named = isinstance(fault, SinkError)  # the others don't say what they are about
        self.health.down(str(fault) if named else f"{self.health.name}: {fault}")

    async def _serve(self, up: Callable[[], None]) -> None:
        """One connection, until it is lost, which raises what ended it."""
        async with self.sink, asyncio.TaskGroup() as tasks:
            self.health.connected()
            up()
            self.news.set()
            tasks.create_task(self._deliver(), name="deliver")
            tasks.create_task(self._tell(), name="tell")
            tasks.create_task(self.sink.lost(), name="lost")

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
