"""Delivers batches from the log to one sink, over one connection: several are in flight if the round trip is long."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from klvrelay.errors import SinkDown
from klvrelay.gap import Item, Replay
from klvrelay.outcome import Outcome
from klvrelay.relay.halving import FULL, Halving
from klvrelay.sinks.contract import Sink
from klvrelay.spool.contract import LogCursor
from klvrelay.spool.cursor import NEVER
from klvrelay.text import printable

LOG = logging.getLogger("klvrelay.relay")

MOST, MOST_SIZE = 1000, 4 << 20
"""Maximum number of records, and of their bytes, in flight."""
TAKEN_MOST, TAKEN_SIZE = 20_000, 64 << 20
"""The same for a sink that takes all records."""
TAKEN_EVERY = 0.01
"""Seconds between two batches for such a sink."""
BATCH_SIZE = 1 << 20
"""Bytes at which a batch is full."""
LONG = 0.02
"""Seconds from which a round trip is long: then a batch need not be full to be sent while others are in flight."""
SHARE, PAUSE_MOST = 8, 0.1
"""Such a batch is sent 1/SHARE of the round trip after the one before it, or after PAUSE_MOST seconds."""
LAST_ANSWERS = 0.1
"""Seconds for the batches in flight to report their answers after the connection was lost."""
WITHHELD_MOST = 100
"""Maximum number of records withheld while the connection must last without them."""
TURN = 0.05
"""Seconds between two checks if it has."""

Worker = asyncio.Task[Any]
NoteAnswer = Callable[[Sequence[Item], Outcome], None]


@dataclass(slots=True)
class _InFlight:
    """A batch in flight, and the time at which it was sent."""

    batch: Sequence[Item]
    sent: float


class Delivery:
    """The deliveries of one connection. Batches are sent in order, and may be answered in any order.

    With nothing in flight, the next batch is sent at once, with all records that wait. Otherwise it is sent when it is
    full or, if the round trip is long, after a part of the round trip. A batch of one record takes three times as much
    processor time per record as a full one, so near the broker the records of one round trip are the next batch.

    A sink may `hold` records: then a batch is sent that long after the one before it, or when it is full, so that a
    record waits at most for this time and the first one after a pause does not wait.

    Each worker takes a batch and waits for its answer. One more worker waits for the next batch.

    If a record is suspected to break every connection, its stream is withheld at first: see `halving.py`.

    note_answer  is called when the sink has answered for leading records of a batch
    """

    def __init__(
        self, sink: Sink, cursor: LogCursor, halving: Halving, note_answer: NoteAnswer = lambda batch, outcome: None
    ) -> None:
        self._sink, self._cursor, self._halving, self._note_answer = sink, cursor, halving, note_answer
        self._hold: float = getattr(sink, "hold", 0.0)
        self._takes_all: bool = getattr(sink, "takes_all", False)
        self._loop = asyncio.get_running_loop()
        self._since = self._last_sent = self._loop.time()
        self._round_trip = 0.0  # smoothed
        self._in_flight: dict[Worker, _InFlight] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._workers: set[Worker] = set()
        self._idle = 0
        self._closing = False
        self._lost: asyncio.Future[None] = self._loop.create_future()
        self._unanswered: list[Item] = []
        self._answers = 0
        self._withheld: frozenset[str] = frozenset()  # streams
        self._is_control_over = False

    @property
    def _most(self) -> tuple[int, int]:
        """Maximum records and bytes in flight: at most half of the log, whose limits may change.

        Records in flight are never shed, waiting ones are.
        """
        most, most_size = (TAKEN_MOST, TAKEN_SIZE) if self._takes_all else (MOST, MOST_SIZE)
        return min(most, self._cursor.limit // 2), min(most_size, self._cursor.size_limit // 2)

    @property
    def _full(self) -> tuple[int, int]:
        """Records and bytes of a full batch."""
        most, most_size = self._most
        wanted = most // 2 if self._hold else FULL  # so that there are several records of each stream
        return max(1, min(wanted, most)), min(BATCH_SIZE, most_size)

    async def run(self) -> None:
        """Deliver until the connection is lost, and raise what `deliver` raised."""
        self._begin_connection()
        self._withheld = self._halving.withheld
        try:
            if not self._withheld and (pause := self._halving.pause):
                await asyncio.sleep(pause)
            self._pace()
            self._add_worker()
            if self._withheld:
                await self._control()
            await self._lost
        finally:
            await self._close()

    def _begin_connection(self) -> None:
        self._cursor.begin_connection(lambda: self._halving.most is not None)

    async def _control(self) -> None:
        """Return once the connection has lasted without the withheld streams, or is lost. They continue then."""
        while self._halving.must_control(self._loop.time() - self._since, self._answers):
            if await self._is_lost_within(TURN):
                return
        self._is_control_over = True
        self._pace()
        while self._in_flight:
            if await self._is_lost_within(TURN):
                return
        self._halving.end_control(self._answers)
        self._withheld = frozenset()
        self._cursor.rewind()
        self._begin_connection()
        self._pace()

    async def _is_lost_within(self, seconds: float) -> bool:
        done, _ = await asyncio.wait({self._lost}, timeout=seconds)
        return bool(done)

    def _add_worker(self) -> None:
        worker: Worker = asyncio.create_task(self._deliver_batches(), name="deliver")
        self._workers.add(worker)
        self._idle += 1
        worker.add_done_callback(self._remove_worker)

    def _remove_worker(self, worker: Worker) -> None:
        self._workers.discard(worker)
        in_flight = self._in_flight.pop(worker, None)
        fault = None if worker.cancelled() else worker.exception()
        if fault is None:
            return
        if in_flight is not None and not isinstance(fault, SinkDown):  # it does not report what was answered
            self._unanswered += in_flight.batch
        if not self._lost.done():
            self._lost.set_exception(fault)

    async def _deliver_batches(self) -> None:
        """Take one batch after another from the log, and deliver it, until the connection is lost."""
        while not self._closing:
            full, full_size = self._full
            batch = await self._cursor.batch(self._halving.most or full, full_size)
            if batch[0].stream in self._withheld:  # it is in flight for the cursor until `rewind`
                self._pace()
                continue
            self._begin(batch)
            await self._deliver(batch)
            self._finish()

    def _begin(self, batch: Sequence[Item]) -> None:
        """A batch is about to be sent: another worker waits for the next one."""
        self._idle -= 1
        if not self._idle:
            self._add_worker()
        now = self._loop.time()
        if not (self._hold and isinstance(batch, Replay)):  # live records beside it have waited as long
            self._last_sent = now
        self._in_flight[_this_worker()] = _InFlight(batch, now)
        self._pace()

    async def _deliver(self, batch: Sequence[Item]) -> None:
        """Have the sink deliver the batch, and commit its answers."""
        answered = False
        try:
            outcome = await self._sink.deliver(batch)
            answered = True
        except SinkDown as fault:
            self._cursor.commit(batch, fault.answered)
            self._note_answer(batch, fault.answered)
            if not fault.traced:
                self._unanswered += batch[fault.answered.answered :]
            raise
        finally:
            self._closing |= not answered  # whatever was raised, no later batch may overtake this one
        self._cursor.commit(batch, outcome)
        self._answers += outcome.delivered
        self._note_answer(batch, outcome)
        self._halving.answered(batch)
        if outcome.answered < len(batch):
            raise RuntimeError("a sink left records unanswered")

    def _finish(self) -> None:
        """The batch of this worker is answered."""
        self._idle += 1
        took = self._loop.time() - self._in_flight.pop(_this_worker()).sent
        self._round_trip += (took - self._round_trip) / SHARE if self._round_trip else took
        self._pace()

    def _pace(self) -> None:
        """Set how many records must wait before the next batch is sent."""
        if self._closing or (self._withheld and self._must_wait_for_control()):
            self._cursor.offer_at(NEVER)
        elif not self._in_flight and self._loop.time() >= self._held_until():
            self._cursor.offer_at(1)
            self._stop_timer()
        elif self._is_full():
            self._cursor.offer_at(NEVER)
        else:
            self._cursor.offer_at(self._full[0] if self._hold else FULL)
            if self._timer is None:
                self._timer = self._loop.call_at(self._due(), self._send_what_waits)

    def _must_wait_for_control(self) -> bool:
        """Must no more records be offered until the withheld streams continue?"""
        return self._is_control_over or self._cursor.offered >= min(WITHHELD_MOST, self._most[0])

    def _stop_timer(self) -> None:
        if self._timer is not None:  # it would wake the event loop for nothing
            self._timer.cancel()
            self._timer = None

    def _is_full(self) -> bool:
        """Is the maximum in flight?"""
        if self._halving.most is not None:
            return True
        most, most_size = self._most
        return self._cursor.offered > most - self._full[0] or self._cursor.offered_size > most_size - BATCH_SIZE

    def _held_until(self) -> float:
        return self._last_sent + self._hold if self._hold and self._halving.most is None else 0.0

    def _due(self) -> float:
        """When a batch that is not full may be sent, while others are in flight or the sink holds records."""
        if self._hold:
            return self._last_sent + self._hold
        if self._takes_all:
            return self._last_sent + TAKEN_EVERY
        if self._round_trip > LONG:
            return self._last_sent + min(self._round_trip / SHARE, PAUSE_MOST)
        oldest = next(iter(self._in_flight.values()))
        return max(oldest.sent + LONG, self._last_sent + LONG / SHARE)

    def _send_what_waits(self) -> None:
        """Send the next batch, though it is not full, if it is due."""
        self._timer = None
        if self._closing or not (self._in_flight or self._hold) or self._is_full():
            return
        if self._loop.time() < self._due():
            self._pace()
        else:
            self._cursor.offer_at(1)

    def hurry(self) -> None:
        """Hold no records any longer."""
        self._hold = 0.0
        if self._workers:
            self._stop_timer()
            self._pace()

    async def _close(self) -> None:
        """Let batches in flight report their answers. The other records wait again."""
        if self._lost.done() and not self._lost.cancelled():
            self._lost.exception()  # retrieve it: asyncio would log it if `run` is cancelled at this moment
        self._closing = True
        self._pace()
        try:
            if self._in_flight:
                await asyncio.wait(list(self._in_flight), timeout=LAST_ANSWERS)
        finally:  # `run` may be cancelled during this wait
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
        must_set_aside = self._halving.lost(self._unanswered, self._loop.time() - self._since, self._answers)
        self._cursor.rewind()
        if not must_set_aside:
            return
        record = self._cursor.set_aside()
        LOG.warning(
            "%s: record set aside, since it breaks every connection: stream=%s seq=%d size=%d",
            self._cursor.name, printable(record.stream), record.seq, len(record.raw),
        )  # fmt: skip


def _this_worker() -> Worker:
    worker = asyncio.current_task()
    assert worker is not None
    return worker
