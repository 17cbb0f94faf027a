"""One sink of the relay: its cursors on the log and on the latest values, and the task that delivers to it."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from klvrelay.backoff import Backoff
from klvrelay.errors import KlvrelayError, SinkError
from klvrelay.health import SinkHealth
from klvrelay.health.causes import Cause, cause_of
from klvrelay.json_output import dumps
from klvrelay.outcome import Sums
from klvrelay.relay.delivery import Delivery
from klvrelay.relay.halving import Halving
from klvrelay.relay.notices import NoticeCursor
from klvrelay.relay.supervise import Standing, raised_by, supervise
from klvrelay.sinks.contract import AnswerRequest, Notice, Sink
from klvrelay.spool.contract import LogCursor

LAST_NOTICES = 1.0
"""Seconds in which the last latest values must be published."""
LONGEST = 3.0
"""Maximum seconds between two attempts to connect. It is short, since records may be shed until a returned broker is
noticed. The steady period is longer, so that two clients with one client id do not displace each other quickly."""

Keep = Callable[[NoticeCursor], Coroutine[Any, Any, None]]


@dataclass(slots=True)
class SinkTask:
    """A sink with its cursors and its health.

    name         its name in the settings
    is_lasting   retry the first connection too if it is refused: the relay was running before
    patience     seconds in which an attempt to connect must end
    due          when the present attempt to connect must have ended; infinite without one
    """

    sink: Sink
    cursor: LogCursor
    notices: NoticeCursor
    health: SinkHealth
    name: str = ""
    is_lasting: bool = False
    patience: float = 60.0
    due: float = math.inf
    _halving: Halving = field(default_factory=Halving)
    _delivery: Delivery | None = None
    _ending: bool = False

    def __post_init__(self) -> None:
        sink: Any = self.sink
        self.health.fill = lambda: self.cursor.fill
        if hasattr(sink, "suspended"):
            self.health.suspended = lambda: sink.suspended.topics
            self.health.suspended_since = lambda: getattr(sink.suspended, "since", {})
        if (shaper := getattr(sink, "shaper", None)) is not None:
            self.health.withheld, self.health.outputs = lambda: shaper.withheld, shaper.document
        if getattr(sink, "takes_all", False) and hasattr(sink, "budget_outputs"):
            self.health.uplink = lambda: sink.budget_outputs.document()

    @property
    def _keep(self) -> Keep | None:
        """The optional method of the sink that publishes latest values."""
        keep: Keep | None = getattr(self.sink, "keep", None)
        return keep

    @property
    def is_best_effort(self) -> bool:
        """Is it no loss what the sink does not deliver?"""
        return bool(getattr(self.sink, "best_effort", False))

    def restore(self) -> None:
        """The settings were read again: end what was changed at run time."""
        getattr(self.sink, "restore", lambda: None)()

    def answer_requests(self, answer: AnswerRequest | None) -> None:
        """Have the sink pass requests to acknowledge incidents on, if it can, from its next connection on."""
        take = getattr(self.sink, "answer_requests", None)
        if answer is not None and take is not None:
            take(answer)

    def sums(self) -> Sums:
        """The record counts so far; also passed to its health."""
        sums = self.cursor.sums()
        self.health.set_sums(sums)
        return sums

    def check(self) -> None:
        """Check the sink for missing answers, and count. Call it a few times per second."""
        self.sums()
        self.health.lead_times.watch()
        if self.health.up and not getattr(self.sink, "takes_all", False):  # one that does decides when it sends
            self.health.check(self.cursor.offered)

    def put_sums(self) -> None:
        """Have the sink publish its record counts."""
        self.put_facts(records=self.sums()._asdict())

    def put_facts(self, **facts: Any) -> None:
        """Have the sink publish these members of `status`, beside earlier ones."""
        self.notices.put(Notice("status", None, dumps(facts)))

    async def settle(self) -> None:
        """Return once the sink has answered for all records and, if connected, published all latest values.

        The sink holds no records any longer: no more are to follow.
        """
        self._ending = True
        if self._delivery is not None:
            self._delivery.hurry()
        if (hurry := getattr(self.sink, "hurry", None)) is not None:
            hurry()
        await self.cursor.wait_until_drained()
        await self.publish_notices(LAST_NOTICES)

    async def publish_notices(self, within: float) -> None:
        """Return once the sink, if connected, has published all latest values, or after `within` seconds."""
        if self.health.up and self._keep is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within):
                    await self.notices.wait_until_published()

    async def drain(self) -> None:
        """Keep the sink connected, and deliver. Unless it `is_lasting`, raises the SinkRefused or ConfigError of the
        first connection.
        """
        await supervise(
            self._serve,
            name=self.health.name,
            backoff=Backoff(cap=LONGEST),
            standing=lambda: Standing.LASTING if self.is_lasting or self.health.ever_up else Standing.NEW,
            down=self._down,
        )

    def _down(self, fault: KlvrelayError) -> None:
        named = isinstance(fault, SinkError)  # other errors do not name the sink
        otherwise: Cause = "disk" if self.health.name.startswith("file") else "broker"
        self.health.mark_down(str(fault) if named else f"{self.health.name}: {fault}", cause_of(fault, otherwise))

    async def _serve(self, up: Callable[[], None]) -> None:
        """One connection: raises what ended it."""
        self.due = time.monotonic() + self.patience
        try:
            async with self.sink:
                self.due = math.inf
                await self._use_connection(up)
        finally:
            self.due = math.inf

    async def _use_connection(self, up: Callable[[], None]) -> None:
        self.health.mark_connected(getattr(self.sink, "detail", ""))
        up()
        self.notices.restart()
        # In a separate task: a task group that fails while it is cancelled would hide the stop, and since Python 3.13
        # it cancels the next wait too, with which the sink closes its connection.
        connection = asyncio.create_task(raised_by(self._run_connection), name=f"connection {self.health.name}")
        try:
            await asyncio.wait({connection})
        except asyncio.CancelledError:
            connection.cancel()
            await asyncio.gather(connection, return_exceptions=True)
            self.put_sums()  # for the last messages: some answers arrived after the relay published the counts
            raise
        if (error := connection.result()) is not None:
            raise error

    async def _run_connection(self) -> None:
        self._delivery = delivery = Delivery(self.sink, self.cursor, self._halving, self.health.note_answer)
        if self._ending:
            delivery.hurry()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(delivery.run(), name="deliver")
            if self._keep is not None:
                tasks.create_task(self._keep(self.notices), name="keep")
