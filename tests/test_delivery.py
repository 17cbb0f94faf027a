"""Batches from the log to a sink: several in flight where answers take long, few and full where they do not."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
import virtual_time
from records import record, records_of
from remote_sinks import FarEnd
from scripted_ends import sink_task_of
from virtual_time import now

from klvrelay.errors import SinkDown
from klvrelay.outcome import Outcome, Sums
from klvrelay.record import Record
from klvrelay.relay.notices import NoticeCursor
from klvrelay.relay.sink_task import LAST_NOTICES, SinkTask
from klvrelay.sinks.contract import Notice
from klvrelay.spool.memory import MemoryLog, size_of

Said = Callable[[], list[str]]


@asynccontextmanager
async def draining(sink: Any, **limits: int) -> AsyncIterator[tuple[SinkTask, MemoryLog]]:
    sink_task, log = sink_task_of(sink, **limits)
    task = asyncio.create_task(sink_task.drain())
    try:
        yield sink_task, log
        assert not task.done(), task
    finally:
        task.cancel()
        await asyncio.wait({task})
    numbered, *parts = sink_task.sums()
    assert numbered == sum(parts)


async def live(log: MemoryLog, streams: int, seconds: float, rate: float = 30.0) -> dict[tuple[str, int], float]:
    """Append records of so many streams, each a little later than the previous one; returns the times."""
    appended = {}
    for seq in range(int(seconds * rate)):
        for number in range(streams):
            name = f"s{number}"
            log.append(record(seq, name, raw=b"\x06\x0e\x2b\x34"))
            appended[name, seq] = now()
            await asyncio.sleep(1 / rate / streams)
    return appended


def test_sixteen_streams_over_a_round_trip_of_600_ms_make_no_backlog():
    """480 records a second, of which 288 are in flight at any time: all arrive, in order, soon, and once."""

    async def main() -> None:
        far, waiting = FarEnd(0.6), []
        async with draining(far) as (sink_task, log):
            sending = asyncio.create_task(live(log, 16, 30))
            while not sending.done():
                waiting.append(sink_task.cursor.waiting)
                await asyncio.sleep(0.1)
            await asyncio.wait_for(sink_task.cursor.wait_until_drained(), 2)
            appended = sending.result()
        assert sink_task.cursor.sums() == Sums(16 * 900, 16 * 900, 0, 0, 0, 0)
        assert all(far.seqs(f"s{n}") == list(range(900)) for n in range(16))
        delays = sorted(time - appended[r.stream, r.seq] for time, r in far.taken)
        assert delays[-1] < 0.3 + 0.1
        assert max(waiting) < 480 * (0.6 + 0.1)
        assert statistics.mean(waiting[-50:]) <= 1.05 * statistics.mean(waiting[20:70])

    virtual_time.run(main())


def test_a_slow_stream_over_a_long_round_trip_does_not_wait_for_a_full_batch():
    """Five records a second at 600 ms: each is sent within a fraction of the round trip."""

    async def main() -> None:
        far = FarEnd(0.6)
        async with draining(far) as (sink_task, log):
            appended = await live(log, 1, 20, rate=5.0)
            await asyncio.wait_for(sink_task.cursor.wait_until_drained(), 2)
        delays = [time - appended[r.stream, r.seq] for time, r in far.taken]
        assert max(delays) < 0.3 + 0.6 / 8 + 0.01

    virtual_time.run(main())


def test_at_a_near_broker_a_batch_waits_for_the_answer_to_the_one_before():
    """Records that arrive meanwhile make up the next batch: few batches, and never two at once."""

    async def main() -> None:
        far = FarEnd(0.0003)
        async with draining(far) as (sink_task, log):
            for seq in range(2000):
                log.append(record(seq, raw=b"\x06\x0e\x2b\x34"))
                await asyncio.sleep(0.00005)
            await asyncio.wait_for(sink_task.cursor.wait_until_drained(), 1)
        assert far.most_at_once == 1
        assert 5 <= statistics.mean(far.batches[10:]) <= 8
        assert far.seqs() == list(range(2000))

    virtual_time.run(main())


def test_full_batches_are_sent_in_parallel_however_near_the_broker_is():
    """A backlog keeps the window full."""

    async def main() -> None:
        far = FarEnd(0.005)
        async with draining(far) as (sink_task, log):
            await asyncio.sleep(0.1)
            for seq in range(500):
                log.append(record(seq))
            await asyncio.wait_for(sink_task.cursor.wait_until_drained(), 0.015)
        assert far.batches == [20] * 25
        assert far.most_at_once == 25

    virtual_time.run(main())


@pytest.mark.parametrize(("size", "most"), [(100, 1000), (50_000, (4 << 20) // 50_000 + 1)])
def test_the_records_in_flight_are_bounded(size: int, most: int):
    """In records and in bytes, while thousands wait; and the bound is reached."""

    async def main() -> None:
        far = FarEnd(10.0, window=100_000)
        async with draining(far, size_limit=1 << 30) as (sink_task, log):
            for seq in range(3000):
                log.append(record(seq, raw=bytes(size)))
            await asyncio.sleep(5)
            assert 0.7 * most < sink_task.cursor.offered <= most
            assert far.most_unanswered == sink_task.cursor.offered

    virtual_time.run(main())


@pytest.mark.parametrize("limit", [2, 20, 60])
def test_newer_records_are_not_shed_for_those_in_flight(limit: int):
    """At least half of a small log is for waiting records: when the far end answers late, the newest still exist."""

    async def main() -> None:
        far = FarEnd(5.0)
        async with draining(far, limit=limit) as (sink_task, log):
            appended = await live(log, 1, 60, rate=30.0)
            assert sink_task.cursor.offered <= limit // 2
            await asyncio.wait_for(sink_task.cursor.wait_until_drained(), 60)
        assert len(appended) == 1800
        assert far.seqs("s0")[-(limit // 2) :] == list(range(1800 - limit // 2, 1800))

    virtual_time.run(main())


@pytest.mark.parametrize("size_limit", [120_000, 1 << 20, 4 << 20])
def test_newer_records_are_not_shed_for_the_bytes_of_those_on_their_way(size_limit: int):
    """The same of a log that is small in bytes."""

    async def main() -> None:
        far = FarEnd(5.0)
        size = size_of(record(0, raw=bytes(50_000)))
        async with draining(far, size_limit=size_limit) as (sink_task, log):
            for seq in range(300):
                log.append(record(seq, raw=bytes(50_000)))
                assert sink_task.cursor.offered_size < size_limit // 2 + size
                await asyncio.sleep(1 / 30)
            await asyncio.wait_for(sink_task.cursor.wait_until_drained(), 60)
        kept = max(1, (size_limit // 2 - size) // size)  # a batch ends with the record that reaches its size
        assert far.seqs()[-kept:] == list(range(300 - kept, 300))

    virtual_time.run(main())


def test_a_sink_with_a_small_window_gets_records_in_order():
    """Many batches wait inside it for their turn."""

    async def main() -> None:
        far = FarEnd(0.1, window=7)
        async with draining(far) as (sink_task, log):
            for seq in range(300):
                log.append(record(seq))
            await asyncio.wait_for(sink_task.cursor.wait_until_drained(), 60)
        assert far.seqs() == list(range(300))
        assert far.most_unanswered == 7

    virtual_time.run(main())


def test_a_connection_that_breaks_costs_no_record_and_no_order():
    """Every two seconds, with hundreds in flight: all arrive, each stream in order except for repetitions."""

    async def main() -> None:
        far = FarEnd(0.6, lasts=2.0)
        async with draining(far) as (sink_task, log):
            await live(log, 16, 20)
            await asyncio.wait_for(sink_task.cursor.wait_until_drained(), 30)
        assert len(far.entries) > 5
        for number in range(16):
            assert list(dict.fromkeys(far.seqs(f"s{number}"))) == list(range(600))
        assert sink_task.cursor.sums() == Sums(9600, 9600, 0, 0, 0, 0)

    virtual_time.run(main())


def test_what_was_answered_before_the_connection_broke_is_not_sent_again():
    """In the batch that broke, and in those in flight with it."""

    async def main() -> None:
        fallen = []

        def breaks(each: Any) -> bool:
            if each.seq in (30, 75) and each.seq not in fallen:
                fallen.append(each.seq)
                return True
            return False

        far = FarEnd(0.05, tells=True, breaks=breaks)
        async with draining(far) as (sink_task, log):
            for seq in range(200):
                log.append(record(seq))
            await asyncio.wait_for(sink_task.cursor.wait_until_drained(), 10)
        assert fallen == [30, 75]
        assert far.seqs() == list(range(200))

    virtual_time.run(main())


@pytest.mark.parametrize("tells", [False, True])
@pytest.mark.parametrize("count", [1, 3, 400])
@pytest.mark.parametrize("place", [0, 0.6, 1])
def test_the_record_that_breaks_every_connection_is_set_aside(count: int, place: float, tells: bool, said: Said):
    """Halving the batch finds it; all others arrive in order, and one log line names it."""

    async def main() -> None:
        poison = int(place * (count - 1))
        far = FarEnd(0.05, tells=tells, breaks=lambda each: each.seq == poison)
        async with draining(far) as (sink_task, log):
            for seq in range(count):
                log.append(record(seq))
            await asyncio.wait_for(sink_task.cursor.wait_until_drained(), 120)
        others = [seq for seq in range(count) if seq != poison]
        assert list(dict.fromkeys(far.seqs())) == others
        assert sink_task.cursor.sums() == Sums(count, count - 1, 0, 0, 1, 0)
        assert len(far.entries) <= 16
        lines = [line for line in said() if "set aside" in line]
        assert lines == [
            "sink: record set aside, since it breaks every connection:"
            f" stream=uav1 seq={poison} size={len(record(poison).raw)}"
        ]

    virtual_time.run(main())


class Faulty(FarEnd):
    """A faulty sink: one record makes it raise an unexpected exception."""

    async def deliver(self, batch: Sequence[Record]) -> Outcome:
        if any(each.seq == 7 for each in records_of(batch)):
            raise KeyError("platform_heading_angle")
        return await super().deliver(batch)


def test_a_record_that_a_sink_can_not_handle_is_set_aside(said: Said):
    """An error that nobody foresaw costs the record that causes it, and no other; the log names the sink."""

    async def main() -> None:
        far = Faulty(0.05)
        async with draining(far) as (sink_task, log):
            for seq in range(40):
                log.append(record(seq))
            await asyncio.wait_for(sink_task.cursor.wait_until_drained(), 120)
        assert list(dict.fromkeys(far.seqs())) == [seq for seq in range(40) if seq != 7]
        assert sink_task.cursor.sums() == Sums(40, 39, 0, 0, 1, 0)
        faults = [line for line in said() if "KeyError" in line]
        assert faults
        assert all("sink: internal error: KeyError in test_delivery.py:" in line for line in faults)

    virtual_time.run(main())


def test_after_a_record_was_set_aside_batches_are_full_again():
    """The far end accepts all the rest at full speed."""

    async def main() -> None:
        far = FarEnd(0.05, breaks=lambda each: each.seq == 5)
        async with draining(far) as (sink_task, log):
            for seq in range(2000):
                log.append(record(seq))
            await asyncio.wait_for(sink_task.cursor.wait_until_drained(), 120)
        assert far.batches[-21:-1] == [20] * 20
        assert far.most_at_once > 20

    virtual_time.run(main())


@pytest.mark.parametrize("lasts", [0.0, 0.3, 0.9, 1.05, 1.5, 2.05, 4.1])
def test_connections_that_end_whatever_is_sent_cost_no_record(lasts: float):
    """Another client takes over the id repeatedly: that proves nothing against a record."""

    async def main() -> None:
        far = FarEnd(0.6, lasts=lasts, silent=True)
        async with draining(far) as (sink_task, log):
            for seq in range(100):
                log.append(record(seq))
            await asyncio.sleep(300)
            assert len(far.entries) > 20
            assert sink_task.cursor.sums() == Sums(100, 0, 0, 0, 0, 100)
            far.lasts, far.silent = None, False
            await asyncio.wait_for(sink_task.cursor.wait_until_drained(), 60)
        assert sink_task.cursor.sums() == Sums(100, 100, 0, 0, 0, 0)

    virtual_time.run(main())


class Counts:
    """A sink with scripted answers, without `keep`."""

    def __init__(self, *outcomes: Outcome | Exception) -> None:
        self.outcomes = list(outcomes)
        self.batches: list[list[int]] = []

    async def __aenter__(self) -> Counts:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def deliver(self, batch: Any) -> Outcome:
        self.batches.append([each.seq for each in batch])
        outcome = self.outcomes.pop(0) if self.outcomes else Outcome(len(batch))
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def test_the_outcome_of_a_batch_is_counted():
    """Only confirmed records are delivered; a sink without latest values is settled too."""

    async def main() -> None:
        async with draining(Counts(Outcome(10, 7, 3), Outcome(0, 0, 20))) as (sink_task, log):
            for seq in range(45):
                log.append(record(seq))
            await asyncio.wait_for(sink_task.settle(), 1)
        assert sink_task.sums() == Sums(45, 15, 7, 0, 23, 0)
        assert sink_task.health.sums == sink_task.sums()

    virtual_time.run(main())


def test_records_that_a_sink_leaves_unanswered_are_offered_again():
    """That is a fault of the sink, and costs a connection, not the records."""

    async def main() -> None:
        sink = Counts(Outcome(3))
        async with draining(sink) as (sink_task, log):
            for seq in range(10):
                log.append(record(seq))
            await asyncio.wait_for(sink_task.settle(), 5)
        assert sink.batches == [list(range(10)), list(range(3, 10))]
        assert sink_task.sums() == Sums(10, 10)

    virtual_time.run(main())


def test_a_connection_that_breaks_after_the_answers_blames_no_record():
    """All of the batch was answered each time: the next batch is a full one."""

    async def main() -> None:
        sink = Counts(*[SinkDown("gone", answered=Outcome(20)) for _ in range(8)])
        async with draining(sink) as (sink_task, log):
            for seq in range(200):
                log.append(record(seq))
            await asyncio.wait_for(sink_task.settle(), 60)
        assert [len(batch) for batch in sink.batches] == [20] * 10

    virtual_time.run(main())


def test_a_connection_whose_cause_the_sink_finds_blames_no_record():
    """The sink leaves out the message: the relay neither sends fewer records nor sets one aside."""

    async def main() -> None:
        sink = Counts(*[SinkDown("gone", traced=True) for _ in range(20)])
        async with draining(sink) as (sink_task, log):
            for seq in range(40):
                log.append(record(seq))
            await asyncio.wait_for(sink_task.settle(), 120)
        assert {len(batch) for batch in sink.batches} == {20}
        assert sink_task.sums() == Sums(40, 40)

    virtual_time.run(main())


class Late(Counts):
    """Its latest values find the connection lost at 0.03 s, and answers to records come after 0.05 s."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[float] = []
        self.begun: list[float] = []

    async def __aenter__(self) -> Late:
        self.entries.append(now())
        return self

    async def keep(self, notices: NoticeCursor) -> None:
        if len(self.entries) == 1:
            await asyncio.sleep(0.03)
            raise SinkDown("gone")
        await asyncio.sleep(1e6)

    async def deliver(self, batch: Any) -> Outcome:
        self.begun.append(now())
        await asyncio.sleep(0.05)
        return await super().deliver(batch)


def test_nothing_is_sent_once_the_connection_is_lost():
    """What was in flight gets its last answers, and no other batch goes out beside that."""

    async def main() -> None:
        sink = Late()
        async with draining(sink, limit=40) as (sink_task, log):
            for seq in range(40):
                log.append(record(seq))
            await asyncio.sleep(0.4)
            assert sink.begun[0] == 0.0
            assert not [at for at in sink.begun if 0.03 <= at < sink.entries[1]]
            await asyncio.wait_for(sink_task.settle(), 5)

    virtual_time.run(main())


class Publishes(Counts):
    """A sink that publishes a latest value so many seconds after it received it."""

    def __init__(self, takes: float) -> None:
        super().__init__()
        self.takes = takes
        self.published: list[bytes] = []

    async def keep(self, notices: NoticeCursor) -> None:
        while True:
            notice = await notices.next()
            await asyncio.sleep(self.takes)
            self.published.append(notice.document)
            notices.done(notice)


@pytest.mark.parametrize(("takes", "settled_at"), [(0.0, 0.0), (0.4, 0.8), (0.8, LAST_NOTICES), (99.0, LAST_NOTICES)])
def test_the_wait_for_the_last_values_is_bounded(takes: float, settled_at: float):
    """Two of them, each time there are new ones; and for no disconnected sink."""

    async def main() -> None:
        async with draining(Publishes(takes)) as (sink_task, _):
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            for _ in range(2):
                sink_task.notices.put(Notice("state", "a", b"1"))
                sink_task.notices.put(Notice("state", "b", b"1"))
                began = now()
                await sink_task.settle()
                assert now() - began == pytest.approx(settled_at)
            sink_task.health.mark_down("gone")
            sink_task.notices.put(Notice("state", "a", b"2"))
            began = now()
            await sink_task.settle()
            assert now() == began

    virtual_time.run(main())


def test_a_sink_that_publishes_no_values_is_not_waited_for():
    """It has no `keep`: once its records are answered it is settled."""

    async def main() -> None:
        async with draining(Counts()) as (sink_task, log):
            sink_task.notices.put(Notice("state", "a", b"1"))
            log.append(record(0))
            await sink_task.settle()
            assert now() == 0.0
            assert sink_task.health.up

    virtual_time.run(main())


def test_on_a_new_connection_all_values_are_published_again():
    """The broker may have lost them."""

    async def main() -> None:
        sink = Publishes(0.0)
        async with draining(sink) as (sink_task, log):
            sink_task.notices.put(Notice("state", "a", b"1"))
            await asyncio.sleep(0.1)
            sink.outcomes = [SinkDown("gone")]
            log.append(record(0))
            await asyncio.sleep(5)
            assert sink.published == [b"1", b"1"]

    virtual_time.run(main())


def test_answers_reported_by_an_error_are_counted_and_not_offered_again():
    """The leading records, of each kind of answer."""

    async def main() -> None:
        sink = Counts(SinkDown("gone", answered=Outcome(1, 2, 1)))
        async with draining(sink) as (sink_task, log):
            for seq in range(10):
                log.append(record(seq))
            await asyncio.wait_for(sink_task.settle(), 5)
        assert sink.batches == [list(range(10)), list(range(4, 10))]
        assert sink_task.sums() == Sums(10, 7, 2, 0, 1, 0)

    virtual_time.run(main())


def test_unanswered_records_are_waiting_after_a_stop():
    """In bounded time, and they do not count as delivered."""

    async def main() -> None:
        far = FarEnd(0.6, silent=True)
        async with draining(far) as (sink_task, log):
            for seq in range(100):
                log.append(record(seq))
            await asyncio.sleep(1)
            stopped = now()
        assert now() - stopped < 0.2
        assert sink_task.cursor.sums() == Sums(100, 0, 0, 0, 0, 100)
        assert sink_task.cursor.offered == 0

    virtual_time.run(main())
