"""Carries batches from a cursor to a sink over one connection, several at once where answers take long."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from klvrelay.errors import SinkDown
from klvrelay.halving import FULL, Halving
from klvrelay.record import Record
from klvrelay.shown import printable
from klvrelay.sinks import Sink
from klvrelay.spool import NEVER, Cursor

LOG = logging.getLogger("klvrelay")

MOST, MOST_SIZE = 1000, 4 << 20
"""Records, and bytes of them, that may be on their way at most."""
BATCH_SIZE = 1 << 20
"""Bytes after which a batch takes no more records."""
LONG = 0.02
"""Seconds from which an answer takes long: then a batch need not be full to go out beside others."""
SHARE, PAUSE_MOST = 8, 0.1
"""Such a batch goes out after this share of the time that answers take, but after so many seconds at most."""
STEADY = 1.0
"""Seconds that a connection must stand before it gets a record that is suspected to break it."""
LAST_ANSWERS = 0.1
"""Seconds that batches on their way get to say what of them was answered, once the connection fell."""


class Delivery:
    """One connection's deliveries: batches go out in order, and may be answered out of step.

    Where nothing is on its way the next batch goes out at once, with what waits. Beside others one goes out when it
    is full, or, where answers take long, after a part of that time: a batch of one costs three times as much a
    record as a full one, so at a broker near by what comes in while one is answered makes up the next.
    """

    def __init__(self, sink: Sink, cursor: Cursor, halving: Halving) -> None:
        self._sink, self._cursor, self._halving = sink, cursor, halving
        self._loop = asyncio.get_running_loop()
        self._last_sent = self._loop.time()
        self._answer_time = 0.0  # smoothed
        self._sent: dict[asyncio.Task[None], float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._fallen: asyncio.Future[None] = self._loop.create_future()
        self._unanswered: list[Record] = []

    async def run(self) -> None:
        """Deliver until the connection falls, which raises what `deliver` raised."""
        sending = asyncio.create_task(self._send(), name="send")
        try:
            await asyncio.wait({sending, self._fallen}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            fallen = self._fallen.exception() if self._fallen.done() else None
            await self._end(sending)
        if fallen is not None:
            raise fallen
        sending.result()

    async def _send(self) -> None:
        if self._halving.most == 1:
            await asyncio.sleep(STEADY)
        while True:
            self._pace()
            batch = await self._cursor.batch(self._halving.most or FULL, BATCH_SIZE)
            self._last_sent = self._loop.time()
            task = asyncio.create_task(self._deliver(batch), name="deliver")
            self._sent[task] = self._last_sent
            task.add_done_callback(self._done)

    async def _deliver(self, batch: Sequence[Record]) -> None:
        try:
            outcome = await self._sink.deliver(batch)
        except SinkDown as fault:
            self._cursor.commit(batch, fault.answered)
            self._unanswered += batch[fault.answered.answered :]
            raise
        self._cursor.commit(batch, outcome)
        self._halving.answered(len(batch))
        if outcome.answered < len(batch):
            raise RuntimeError("a sink left records unanswered")

    def _done(self, task: asyncio.Task[None]) -> None:
        took = self._loop.time() - self._sent.pop(task)
        if task.cancelled():
            return
        if fault := task.exception():
            if not self._fallen.done():
                self._fallen.set_exception(fault)
            return
        self._answer_time += (took - self._answer_time) / SHARE if self._answer_time else took
        self._pace()

    def _pace(self) -> None:
        """Say how many records must wait before the next batch goes out."""
        if not self._sent:
            self._cursor.offer_at(1)
        elif self._is_full():
            self._cursor.offer_at(NEVER)
        else:
            self._cursor.offer_at(FULL)
            if self._timer is None:
                self._timer = self._loop.call_at(self._due(), self._hurry)

    def _is_full(self) -> bool:
        """Must what is on its way be answered before more is sent?"""
        cursor = self._cursor
        one_alone = self._halving.most is not None
        return one_alone or cursor.offered > MOST - FULL or cursor.offered_size > MOST_SIZE - BATCH_SIZE

    def _due(self) -> float:
        """When a batch that is not full may go out beside those on their way."""
        if self._answer_time > LONG:
            return self._last_sent + min(self._answer_time / SHARE, PAUSE_MOST)
        oldest = next(iter(self._sent.values()))
        return max(oldest + LONG, self._last_sent + LONG / SHARE)

    def _hurry(self) -> None:
        self._timer = None
        if not self._sent or self._is_full():
            return
        if self._loop.time() < self._due():
            self._pace()
        else:
            self._cursor.offer_at(1)

    async def _end(self, sending: asyncio.Task[None]) -> None:
        """Let batches on their way say what of them was answered; the rest of them waits again."""
        if self._timer is not None:
            self._timer.cancel()
        sending.cancel()
        tasks = [sending, *self._sent]
        try:
            await asyncio.wait(tasks, timeout=LAST_ANSWERS)
        finally:  # `run` may be cancelled only now
            for task in tasks:
                task.cancel()
            try:
                await asyncio.gather(*tasks, return_exceptions=True)
            finally:
                self._take_back()

    def _take_back(self) -> None:
        """Have all that was not answered offered again, but for a record that breaks every connection."""
        set_aside = self._halving.fell(self._unanswered)
        self._cursor.rewind()
        if not set_aside:
            return
        record = self._cursor.set_aside()
        LOG.warning(
            "%s: record set aside, each connection breaks when it is sent: stream=%s seq=%d size=%d",
            self._cursor.name, printable(record.stream), record.seq, len(record.raw),
        )  # fmt: skip
