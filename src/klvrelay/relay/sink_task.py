"""One sink in the pipeline: its cursors on the log and the notices, and the task that keeps it served."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from klvrelay.backoff import Backoff
from klvrelay.errors import KlvrelayError, SinkError
from klvrelay.health import SinkHealth
from klvrelay.outcome import Sums
from klvrelay.relay.delivery import Delivery
from klvrelay.relay.halving import Halving
from klvrelay.relay.notices import NoticeCursor
from klvrelay.relay.supervise import Standing, supervise
from klvrelay.sinks.contract import Sink
from klvrelay.spool.memory import Cursor

LAST_NOTICES = 1.0
"""Seconds that the last latest values get to be published."""
LONGEST = 3.0
"""Seconds between two attempts to connect at most: a broker that is back should not be noticed late, since records are
shed meanwhile. The steady period is longer, or two that take each other's place would take turns quickly."""

Keep = Callable[[NoticeCursor], Coroutine[Any, Any, None]]


@dataclass(slots=True)
class SinkTask:
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
            self.notices.restart()
            tasks.create_task(Delivery(self.sink, self.cursor, self._halving).run(), name="deliver")
            if self._keep is not None:
                tasks.create_task(self._keep(self.notices), name="keep")
