"""One sink of the relay: its cursors on the log and on the latest values, and the task that serves it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from klvrelay.backoff import Backoff
from klvrelay.errors import KlvrelayError, SinkError
from klvrelay.health import SinkHealth
from klvrelay.json_output import dumps
from klvrelay.outcome import Sums
from klvrelay.relay.delivery import Delivery
from klvrelay.relay.halving import Halving
from klvrelay.relay.notices import NoticeCursor
from klvrelay.relay.supervise import Standing, supervise
from klvrelay.sinks.contract import Notice, Sink
from klvrelay.spool.memory import Cursor

LAST_NOTICES = 1.0
"""Seconds in which the last latest values must be published."""
LONGEST = 3.0
"""Longest pause between two attempts to connect, in seconds: while a broker that is back is not noticed, records are
shed. The steady period is longer, so that two clients with one client id do not displace each other quickly."""

Keep = Callable[[NoticeCursor], Coroutine[Any, Any, None]]


@dataclass(slots=True)
class SinkTask:
    """A sink with its cursors and its health."""

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
        """The optional method of the sink that publishes latest values."""
        keep: Keep | None = getattr(self.sink, "keep", None)
        return keep

    def sums(self) -> Sums:
        """What became of its records so far; also passed to its health."""
        sums = self.cursor.sums()
        self.health.counted(sums)
        return sums

    def put_sums(self) -> None:
        """Have the sink publish its sums."""
        self.notices.put(Notice("status", None, dumps({"records": self.sums()._asdict()})))

    async def settled(self) -> None:
        """Return once the sink has answered for all records and, if connected, published all latest values."""
        await self.cursor.drained()
        await self.published(LAST_NOTICES)

    async def published(self, within: float) -> None:
        """Return once the sink, if connected, has published all latest values, or after `within` seconds."""
        if self.health.up and self._keep is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within):
                    await self.notices.settled()

    async def drain(self) -> None:
        """Keep the sink connected and deliver; raises the SinkRefused or ConfigError of the first connection."""
        await supervise(
            self._serve,
            name=self.health.name,
            backoff=Backoff(cap=LONGEST),
            standing=lambda: Standing.LASTING if self.health.ever_up else Standing.NEW,
            down=self._down,
        )

    def _down(self, fault: KlvrelayError) -> None:
        named = isinstance(fault, SinkError)  # other errors do not name the sink
        self.health.down(str(fault) if named else f"{self.health.name}: {fault}")

    async def _serve(self, up: Callable[[], None]) -> None:
        """One connection, until it is lost, which raises what ended it."""
        async with self.sink:
            self.health.connected()
            up()
            self.notices.restart()
            try:
                await self._run_connection()
            except asyncio.CancelledError:
                self.put_sums()  # for the goodbye: the last answers came after those that the relay has published
                raise

    async def _run_connection(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(Delivery(self.sink, self.cursor, self._halving).run(), name="deliver")
            if self._keep is not None:
                tasks.create_task(self._keep(self.notices), name="keep")
