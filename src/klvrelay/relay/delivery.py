"""Delivers batches from a cursor to a sink over one connection, several in flight where the round trip is long."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from klvrelay.errors import SinkDown
from klvrelay.record import Record
from klvrelay.relay.barred import HOLD
from klvrelay.relay.halving import FULL, Halving
from klvrelay.sinks.contract import Sink
from klvrelay.spool.memory import NEVER, Cursor
from klvrelay.text import printable

LOG = logging.getLogger("klvrelay.relay")

MOST, MOST_SIZE = 1000, 4 << 20
"""Maximum number of records, and of their bytes, in flight."""
BATCH_SIZE = 1 << 20
"""Bytes at which a batch is full."""
LONG = 0.02
"""Seconds from which the round trip is long: then a batch need not be full to be sent beside others."""
SHARE, PAUSE_MOST = 8, 0.1
"""Such a batch is sent after 1/SHARE of the round trip, at the latest after PAUSE_MOST seconds."""
STEADY = 1.0
"""Seconds that a connection must stand before it gets a record that is suspected to break it."""
LAST_ANSWERS = 0.1
"""Seconds in which batches in flight report what was answered, once the connection is lost."""

Worker = asyncio.Task[Any]


class Delivery:
    """The deliveries of one connection: batches are sent in order, and may be answered out of step.

    With nothing in flight the next batch is sent at once, with what waits. With batches in flight another one is sent
    when it is full or, if the round trip is long, after a part of the round trip. A batch of one record costs three
    times as much per record as a full one: so near the broker, what arrives during a round trip is the next batch.

    Each worker takes a batch and waits for its answer; one more worker waits for the next batch.
    """

    def __init__(self, sink: Sink, cursor: Cursor, halving: Halving) -> None:
        self._sink, self._cursor, self._halving = sink, cursor, halving
        # At least half of the log is for waiting records, or newer records would be shed for those in flight.
        self._most, self._most_size = min(MOST, cursor.limit // 2), min(MOST_SIZE, cursor.size_limit // 2)
        self._full, self._full_size = max(1, min(FULL, self._most)), min(BATCH_SIZE, self._most_size)
        self._loop = asyncio.get_running_loop()
        self._last_sent = self._loop.time()
        self._answer_time = 0.0  # smoothed
        self._sent: dict[Worker, float] = {}  # when each batch in flight was sent
        self._carried: dict[Worker, Sequence[Record]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._workers: set[Worker] = set()
        self._idle = 0
        self._over = False
        self._fallen: asyncio.Future[None] = self._loop.create_future()
        self._unanswered: list[Record] = []

    async def run(self) -> None:
        """Deliver until the connection is lost, and raise what `deliver` raised."""
        try:
            if self._halving.most == 1:
                await asyncio.sleep(STEADY)
            self._pace()
            self._add_worker()
            await self._fallen
        finally:
            await self._end()

    def _add_worker(self) -> None:
        worker: Worker = asyncio.create_task(self._work(), name="deliver")
        self._workers.add(worker)
        self._idle += 1
        worker.add_done_callback(self._ended)

    def _ended(self, worker: Worker) -> None:
        self._workers.discard(worker)
        self._sent.pop(worker, None)
        fault = None if worker.cancelled() else worker.exception()
        batch = self._carried.pop(worker, ())
        if fault is not None and not isinstance(fault, SinkDown):  # nothing says what was answered
            self._unanswered += batch
        if fault is not None and not self._fallen.done():
            self._fallen.set_exception(fault)

    async def _work(self) -> None:
        worker = asyncio.current_task()
        assert worker is not None
        while not self._over:
            batch = self._allowed(await self._cursor.batch(self._halving.most or self._full, self._full_size))
            if not batch:
                continue
            self._idle -= 1
            if not self._idle:
                self._add_worker()
            sent = self._last_sent = self._sent[worker] = self._loop.time()
            self._pace()
            self._carried[worker] = batch
            await self._deliver(batch)
            self._idle += 1
            del self._sent[worker], self._carried[worker]
            took = self._loop.time() - sent
            self._answer_time += (took - self._answer_time) / SHARE if self._answer_time else took
            self._pace()

    def _allowed(self, batch: Sequence[Record]) -> Sequence[Record]:
        """The batch without records that would break the connection."""
        barred = self._halving.barred
        if not barred or not any(map(barred.bars, batch)):
            return batch
        kept = [record for record in batch if not barred.bars(record)]
        self._cursor.leave_out(batch, kept)
        return kept

    async def _deliver(self, batch: Sequence[Record]) -> None:
        failed = True
        try:
            outcome = await self._sink.deliver(batch)
            failed = False
        except SinkDown as fault:
            self._cursor.commit(batch, fault.answered)
            self._unanswered += batch[fault.answered.answered :]
            raise
        finally:
            self._over = self._over or failed  # whatever was raised, no later batch may overtake this one
        self._cursor.commit(batch, outcome)
        self._halving.answered(len(batch))
        if self._halving.barred:
            self._halving.barred.answered(batch)
        if outcome.answered < len(batch):
            raise RuntimeError("a sink left records unanswered")

    def _pace(self) -> None:
        """Set how many records must wait before the next batch is sent."""
        if self._over:
            self._cursor.offer_at(NEVER)
        elif not self._sent:
            self._cursor.offer_at(1)
            self._stop_timer()
        elif self._is_full():
            self._cursor.offer_at(NEVER)
        else:
            self._cursor.offer_at(FULL)
            if self._timer is None:
                self._timer = self._loop.call_at(self._due(), self._hurry)

    def _stop_timer(self) -> None:
        if self._timer is not None:  # it would wake the event loop for nothing
            self._timer.cancel()
            self._timer = None

    def _is_full(self) -> bool:
        """Is the window full?"""
        if self._halving.most is not None:
            return True
        cursor = self._cursor
        return cursor.offered > self._most - FULL or cursor.offered_size > self._most_size - BATCH_SIZE

    def _due(self) -> float:
        """When a batch that is not full may be sent beside those in flight."""
        if self._answer_time > LONG:
            return self._last_sent + min(self._answer_time / SHARE, PAUSE_MOST)
        oldest = next(iter(self._sent.values()))
        return max(oldest + LONG, self._last_sent + LONG / SHARE)

    def _hurry(self) -> None:
        self._timer = None
        if self._over or not self._sent or self._is_full():
            return
        if self._loop.time() < self._due():
            self._pace()
        else:
            self._cursor.offer_at(1)

    async def _end(self) -> None:
        """Let batches in flight report what was answered; the other records wait again."""
        if self._fallen.done() and not self._fallen.cancelled():
            self._fallen.exception()  # retrieved: asyncio would report it if `run` is cancelled at this moment
        self._over = True
        self._pace()
        try:
            if self._sent:
                await asyncio.wait(list(self._sent), timeout=LAST_ANSWERS)
        finally:  # `run` may be cancelled only now
            workers = list(self._workers)
            for worker in workers:
                worker.cancel()
            try:
                await asyncio.gather(*workers, return_exceptions=True)
            finally:
                self._stop_timer()
                self._take_back()

    def _take_back(self) -> None:
        """Offer all unanswered records again, except one that breaks every connection."""
        set_aside = self._halving.fell(self._unanswered)
        self._cursor.rewind()
        if not set_aside:
            return
        record = self._cursor.set_aside()
        LOG.warning(
            "%s: record set aside, each connection breaks when it is sent: stream=%s seq=%d size=%d",
            self._cursor.name, printable(record.stream), record.seq, len(record.raw),
        )  # fmt: skip
        if (size := self._halving.barred.set_aside(record)) is not None:
            LOG.warning(
                "%s: records of this size are left out, others broke the connection: stream=%s size=%d seconds=%.0f",
                self._cursor.name, printable(record.stream), size, HOLD,
            )  # fmt: skip
