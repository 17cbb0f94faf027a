"""The sink of all far ends but MQTT brokers: publishes what its outputs make of records.

    record --> Shaper: is it due? --> Publication --> Outbox --> FarEnd
                    |                      ^
                    +--> held --> late, if nothing newer came
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from klvrelay.config.sinks.far_end import FarEndSettings
from klvrelay.errors import SinkDown, SinkError
from klvrelay.gap import Replay
from klvrelay.outcome import Outcome
from klvrelay.shape.shaper import Shaper
from klvrelay.sinks.contract import LatestValues
from klvrelay.sinks.publishing.far_end import FarEnd, Unconfirmed, ValueKeeper
from klvrelay.sinks.publishing.outbox import Outbox
from klvrelay.sinks.publishing.publications import Publications

if TYPE_CHECKING:
    from klvrelay.gap import Item

CHECK = 0.05
"""Seconds between two checks for records that are late."""
LAST = 1.0
"""Seconds to publish at the end what outputs hold."""


class PublishingSink:
    """One far end. Its contract is `Sink`; each entry makes a new connection.

    hold   seconds for which records are gathered before they are delivered together
    """

    def __init__(self, far_end: FarEnd, settings: FarEndSettings, shaper: Shaper, *, hold: float = 0.0) -> None:
        self._far_end, self.hold = far_end, hold
        self._publications = Publications(shaper, settings)
        self.shaper = shaper
        self._outbox: Outbox | None = None
        self._late = asyncio.Event()  # set while records may be held

    def __repr__(self) -> str:
        return f"PublishingSink({self._far_end.url})"

    @property
    def url(self) -> str:
        """The far end, for messages."""
        return self._far_end.url

    @property
    def detail(self) -> str:
        """What the log line of a connection says in addition."""
        return self._far_end.detail

    async def __aenter__(self) -> Self:
        """Connect. Raises SinkDown or SinkRefused, with a remedy."""
        try:
            await self._far_end.open()
        except BaseException:
            await self._far_end.close()
            raise
        self._outbox = Outbox(self._far_end)
        self.shaper.reset(_now())
        self._late.set()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Publish what the outputs hold, if nothing was lost, and disconnect."""
        outbox, self._outbox = self._outbox, None
        try:
            if outbox is not None and not isinstance(fault, SinkError):
                self.shaper.release()
                with contextlib.suppress(SinkError, TimeoutError):
                    async with asyncio.timeout(LAST):
                        await self._publish_late(outbox)
        finally:
            await self._far_end.close()

    async def deliver(self, batch: Sequence[Item]) -> Outcome:
        """Publish a batch, and return once the far end has answered. Raises SinkDown, with the leading answers."""
        outbox = self._connected()
        made = self._publications.of_batch(batch, _now(), replayed=isinstance(batch, Replay))
        if self.shaper.holds:
            self._late.set()
        try:
            return made.outcome(await outbox.send(made.publications))
        except Unconfirmed as lost:
            down = SinkDown(str(lost), answered=made.outcome(lost.results), traced=lost.traced)
            down.wait = lost.wait
            raise down from None

    async def keep(self, notices: LatestValues) -> None:
        """Publish late records and latest values until the connection is lost. Raises SinkDown."""
        outbox = self._connected()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_late(outbox), name="late records")
            tasks.create_task(self._keep_values(notices), name="latest values")
            tasks.create_task(self._watch(), name="connection")

    async def _watch(self) -> None:
        raise await self._far_end.lost()

    async def _keep_late(self, outbox: Outbox) -> None:
        while True:
            await self._late.wait()
            await asyncio.sleep(CHECK)
            await self._publish_late(outbox)
            if not self.shaper.holds:
                self._late.clear()

    async def _publish_late(self, outbox: Outbox) -> None:
        now = _now()
        late = self.shaper.take_late(now)
        try:
            await outbox.send(self._publications.of_due(late, now))
        except SinkDown:
            for due in late:
                due.shaped.hold(due.record, now)
            raise

    async def _keep_values(self, notices: LatestValues) -> None:
        """Pass latest values to a far end that keeps them. Otherwise they count as published.

        The state of a stream is not among them: an output publishes it.
        """
        far_end: Any = self._far_end
        keeper: ValueKeeper | None = far_end if hasattr(far_end, "put") else None
        while True:
            notice = await notices.next()
            if keeper is not None and notice.kind != "state":
                await keeper.put(notice)
            notices.done(notice)

    def _connected(self) -> Outbox:
        if self._outbox is None:
            raise SinkDown(f"{self._far_end.url}: not connected")
        return self._outbox


def _now() -> float:
    return asyncio.get_running_loop().time()
