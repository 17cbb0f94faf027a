"""Carries batches from a cursor to a sink over one connection, several at once where answers take long."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from klvrelay.errors import SinkDown
from klvrelay.record import Record
from klvrelay.relay.halving import FULL, Halving
from klvrelay.sinks.contract import Sink
from klvrelay.spool.memory import NEVER, Cursor
from klvrelay.text import printable

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

Worker = asyncio.Task[Any]


class Delivery:
    """One connection's deliveries: batches go out in order, and may be answered out of step.

    Where nothing is on its way the next batch goes out at once, with what waits. Beside others one goes out when it
    is full, or, where answers take long, after a part of that time: a batch of one costs three times as much a
    record as a full one, so at a broker near by what comes in while one is answered makes up the next.

    Each worker takes a batch and waits for its answer; there is always one more, which waits for the next batch.
    """

    def __init__(self, sink: Sink, cursor: Cursor, halving: Halving) -> None:
        self._sink, self._cursor, self._halving = sink, cursor, halving
        self._loop = asyncio.get_running_loop()
        self._last_sent = self._loop.time()
        self._answer_time = 0.0  # smoothed
        self._sent: dict[Worker, float] = {}  # when each batch went out that is on its way
        self._carried: dict[Worker, Sequence[Record]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._workers: set[Worker] = set()
        self._idle = 0
        self._over = False
        self._fallen: asyncio.Future[None] = self._loop.create_future()
        self._unanswered: list[Record] = []

    async def run(self) -> None:
        """Deliver until the connection falls, which raises what `deliver` raised."""
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
            batch = await self._cursor.batch(self._halving.most or FULL, BATCH_SIZE)
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
        if outcome.answered < len(batch):
            raise RuntimeError("a sink left records unanswered")

    def _pace(self) -> None:
        """Say how many records must wait before the next batch goes out."""
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
        if self._timer is not None:  # or it would wake the loop for nothing
            self._timer.cancel()
            self._timer = None

    def _is_full(self) -> bool:
        """Must what is on its way be answered before more is sent?"""
        cursor = self._cursor
        if self._halving.most is not None:
            return True
        # At least half of the log is for what waits, or newer records would be shed for those on their way.
        most, most_size = min(MOST, cursor.limit // 2), min(MOST_SIZE, cursor.size_limit // 2)
        return cursor.offered > most - FULL or cursor.offered_size > most_size - BATCH_SIZE

    def _due(self) -> float:
        """When a batch that is not full may go out beside those on their way."""
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
        """Let batches on their way say what of them was answered; the rest of them waits again."""
        if self._fallen.done() and not self._fallen.cancelled():
            self._fallen.exception()  # asyncio would report one that nobody saw, where `run` is cancelled just now
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
