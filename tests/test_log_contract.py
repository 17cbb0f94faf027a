"""The contract of every log: in order, bounded, kept until each cursor has it, and each record accounted for."""

from __future__ import annotations

import asyncio
import gc
import random
import tracemalloc
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest
from forgetful_disk import ForgetfulFolder
from records import all_of, gaps_of, record, records_of

from klvrelay import threads
from klvrelay.gap import Gap, Item
from klvrelay.outcome import Outcome, Sums
from klvrelay.record import Record
from klvrelay.spool.cursor import NEVER, Cursor
from klvrelay.spool.disk.flows import DiskFlows
from klvrelay.spool.disk.log import DiskLog
from klvrelay.spool.disk.store import Store
from klvrelay.spool.memory import WAITING, WAITING_SIZE, MemoryLog
from klvrelay.spool.queue import OVERHEAD, size_of

Make = Callable[..., MemoryLog]


@pytest.fixture(params=["memory", "disk"])
async def make(request: pytest.FixtureRequest) -> AsyncIterator[Make]:
    """`make(limit, size_limit)` is an empty log."""
    worker = threads.Worker("spool of a test")

    def disk_log(limit: int = WAITING, size_limit: int = WAITING_SIZE) -> DiskLog:
        return DiskLog(Store(ForgetfulFolder(), "test", 1 << 20), worker, limit=limit, size_limit=size_limit)

    yield MemoryLog if request.param == "memory" else disk_log
    worker.close()


in_memory = pytest.mark.parametrize("make", ["memory"], indirect=True)
"""For the limits of memory; `test_spool_disk` and `test_spool_histories` hold the log on disk to its own."""


def filled(log: MemoryLog, count: int, stream: str = "uav1", *, first: int = 0) -> None:
    for seq in range(first, first + count):
        log.append(record(seq, stream))


def seqs(batch: Sequence[Record], stream: str = "uav1") -> list[int]:
    return [r.seq for r in records_of(batch) if r.stream == stream]


async def offered(cursor: Cursor, most: int = 100) -> list[int]:
    return [r.seq for r in records_of(await asyncio.wait_for(cursor.batch(most), 1))]


async def delivered(cursor: Cursor, most: int = 100) -> list[int]:
    batch = await asyncio.wait_for(cursor.batch(most), 1)
    cursor.commit(batch, all_of(batch))
    return [r.seq for r in records_of(batch)]


def add_up(cursor: Cursor) -> bool:
    numbered, *parts = cursor.sums()
    return numbered == sum(parts) and min(parts) >= 0


async def is_waiting(task: asyncio.Task[Any]) -> bool:
    """Does it still wait after other tasks had several turns?"""
    for _ in range(5):
        await asyncio.sleep(0)
    return not task.done()


async def test_records_are_offered_in_the_order_of_arrival(make: Make):
    """A batch holds the oldest; the next one continues after it."""
    log = make()
    cursor = log.cursor("a")
    filled(log, 5)
    assert await delivered(cursor, 3) == [0, 1, 2]
    assert await delivered(cursor, 3) == [3, 4]
    assert cursor.sums() == Sums(5, 5, 0, 0, 0, 0)


async def test_further_batches_are_sent_while_earlier_ones_are_unanswered(make: Make):
    """Each record once, and answers may arrive out of order."""
    log = make()
    cursor = log.cursor("a")
    filled(log, 5)
    first, second = await cursor.batch(2), await cursor.batch(2)
    assert (seqs(first), seqs(second), cursor.offered, cursor.waiting) == ([0, 1], [2, 3], 4, 5)
    cursor.commit(second, Outcome(2))
    assert (cursor.sums().delivered, cursor.offered, cursor.waiting) == (2, 2, 3)
    cursor.commit(first, Outcome(2))
    assert (cursor.sums().delivered, cursor.offered, cursor.waiting) == (4, 0, 1)


async def test_after_a_rewind_unanswered_records_are_offered_again_in_order(make: Make):
    """Before later records; answered ones are never offered again."""
    log = make()
    cursor = log.cursor("a")
    filled(log, 8)
    batches = [await cursor.batch(2) for _ in range(3)]
    cursor.commit(batches[1], Outcome(2))
    cursor.commit(batches[2], Outcome(1))  # of two
    cursor.rewind()
    filled(log, 1, first=8)
    assert cursor.offered == 0
    assert await delivered(cursor) == [0, 1, 5, 6, 7, 8]
    assert cursor.sums() == Sums(9, 9, 0, 0, 0, 0)


async def test_a_batch_may_be_answered_in_parts(make: Make):
    """Its bytes in flight decrease part by part, too."""
    log = make()
    cursor = log.cursor("a")
    for seq in range(3):
        log.append(record(seq, raw=bytes(1000 * (seq + 1) - OVERHEAD)))
    batch = await cursor.batch()
    sizes = []
    for outcome in (Outcome(1), Outcome(0, 1), Outcome(0, 0, 1)):
        sizes.append((cursor.offered, cursor.offered_size))
        cursor.commit(batch, outcome)
    assert sizes == [(3, 6000), (2, 5000), (1, 3000)]
    assert (cursor.offered, cursor.offered_size) == (0, 0)
    assert cursor.sums() == Sums(3, 1, 1, 0, 1, 0)


async def test_after_a_rewind_the_streams_take_their_old_turns(make: Make):
    """Records that were in flight go first, and no stream gains by a broken connection."""
    log = make()
    cursor = log.cursor("a")
    for stream in ("b", "c", "d"):
        filled(log, 2, stream)
    before = [(r.stream, r.seq) for r in await cursor.batch(4)]
    cursor.rewind()
    after = [(r.stream, r.seq) for r in await cursor.batch(4)]
    assert before == after == [("b", 0), ("c", 0), ("d", 0), ("b", 1)]


@pytest.mark.parametrize("outcome", [Outcome(3), Outcome(1, 1, 1), Outcome(-1, 2)])
async def test_a_sink_can_not_answer_for_more_than_it_got(make: Make, outcome: Outcome):
    """A wrong outcome changes no count."""
    log = make()
    cursor = log.cursor("a")
    filled(log, 2)
    batch = await cursor.batch()
    with pytest.raises(ValueError, match="is not a valid outcome of 2 records"):
        cursor.commit(batch, outcome)
    assert cursor.sums() == Sums(2, 0, 0, 0, 0, 2)


@in_memory
async def test_a_full_log_sheds_the_oldest_and_counts_it(make: Make):
    """Live records: the newest are worth more."""
    log = make(4)
    cursor = log.cursor("a")
    filled(log, 10)
    assert cursor.shed == 6
    assert await delivered(cursor) == [6, 7, 8, 9]


@in_memory
async def test_records_in_flight_are_not_shed(make: Make):
    """A batch that was offered is complete when its answer arrives."""
    log = make(4)
    cursor = log.cursor("a")
    filled(log, 4)
    batch = await cursor.batch(2)
    filled(log, 5, first=4)
    assert seqs(batch) == [0, 1]
    cursor.commit(batch, Outcome(2))
    assert await delivered(cursor) == [7, 8]
    assert cursor.shed == 5


@in_memory
async def test_records_that_arrive_while_the_whole_limit_is_in_flight_are_shed(make: Make):
    """There is no capacity for any of it, and that is no error."""
    log = make(4)
    cursor = log.cursor("a")
    filled(log, 4)
    batch = await cursor.batch()
    filled(log, 3, first=4)
    assert cursor.sums() == Sums(7, 0, 0, 3, 0, 4)
    cursor.commit(batch, Outcome(4))
    filled(log, 1, first=7)
    assert await delivered(cursor) == [7]


@in_memory
async def test_a_disconnected_sink_loses_only_its_own_records(make: Make):
    """Each cursor sheds separately; the other one has everything, and neither waits for the other."""
    log, got = make(10), []
    away, there = log.cursor("away"), log.cursor("there")
    for seq in range(50):
        log.append(record(seq))
        got += await delivered(there)
    assert got == list(range(50))
    assert there.sums() == Sums(50, 50, 0, 0, 0, 0)
    assert away.sums() == Sums(50, 0, 0, 40, 0, 10)
    assert await delivered(away) == list(range(40, 50))


async def test_a_cursor_gets_what_is_appended_after_it_was_made(make: Make):
    """And no earlier records."""
    log = make()
    filled(log, 3)
    cursor = log.cursor("a")
    filled(log, 1, first=3)
    assert await delivered(cursor) == [3]


async def test_a_record_is_held_once_for_all_cursors(make: Make):
    """Each cursor offers the same object."""
    log = make()
    one, two = log.cursor("a"), log.cursor("b")
    filled(log, 1)
    assert (await one.batch())[0] is (await two.batch())[0]


async def test_batch_waits_for_a_record(make: Make):
    """An empty log gives no empty batch."""
    log = make()
    cursor = log.cursor("a")
    waiting = asyncio.create_task(offered(cursor))
    assert await is_waiting(waiting)
    log.append(record(7))
    assert await waiting == [7]


async def test_a_batch_that_is_not_awaited_to_its_end_loses_nothing(make: Make):
    """Cancelled while it waits, or as the record arrives."""
    log = make()
    cursor = log.cursor("a")
    for turn in range(2):
        waiting = asyncio.create_task(cursor.batch())
        assert await is_waiting(waiting)
        if turn:
            filled(log, 1)
        waiting.cancel()
        await asyncio.wait({waiting})
        assert waiting.cancelled()
    assert await delivered(cursor) == [0]


async def test_batch_waits_for_as_many_as_it_is_set_to(make: Make):
    """Until so many wait, or fewer are requested; set to NEVER it waits for the next setting."""
    log = make()
    cursor = log.cursor("a")
    cursor.offer_at(3)
    filled(log, 2)
    waiting = asyncio.create_task(offered(cursor))
    assert await is_waiting(waiting)
    filled(log, 1, first=2)
    assert await waiting == [0, 1, 2]

    filled(log, 1, first=3)
    waiting = asyncio.create_task(offered(cursor))
    assert await is_waiting(waiting)
    cursor.offer_at(NEVER)
    filled(log, 20, first=4)
    assert await is_waiting(waiting)
    cursor.offer_at(1)
    assert await waiting == list(range(3, 24))


async def test_of_several_that_wait_each_gets_a_batch_in_turn(make: Make):
    """The first gets the first one; a cancelled one consumes nothing."""
    log = make()
    cursor = log.cursor("a")
    waiting = [asyncio.create_task(cursor.batch(2)) for _ in range(5)]
    assert await is_waiting(waiting[0])
    waiting.pop(1).cancel()
    filled(log, 3)
    waiting.pop(0).cancel()  # it was already woken
    filled(log, 3, first=3)
    async with asyncio.timeout(1):
        batches = await asyncio.gather(*waiting)
    assert [seqs(batch) for batch in batches] == [[0, 1], [2, 3], [4, 5]]


async def test_a_batch_ends_where_it_has_its_bytes(make: Make):
    """With at least one record, however large that is."""
    log = make()
    cursor = log.cursor("a")
    for seq in range(4):
        log.append(record(seq, raw=bytes(1000 - OVERHEAD)))
    assert seqs(await cursor.batch(10, 2000)) == [0, 1]
    assert cursor.offered_size == 2000
    assert seqs(await cursor.batch(10, 1)) == [2]


async def test_room_waits_until_a_record_fits_without_shedding(make: Make):
    """A source that can wait does so while the log is full, including records in flight."""
    log = make(3)
    cursor = log.cursor("a")
    filled(log, 3)
    waiting = asyncio.create_task(log.wait_for_room("uav1"))
    batch = await cursor.batch(1)
    assert await is_waiting(waiting)
    cursor.commit(batch, Outcome(1))
    await asyncio.wait_for(waiting, 1)


async def test_a_stream_has_capacity_again_once_one_record_is_sent(make: Make):
    """Not only after the answer: beside others it has its share."""
    log = make(11)
    cursor = log.cursor("a")
    for seq in range(5):
        log.append(record(seq, "file"), waited=True)
    filled(log, 6, "live")
    waiting = asyncio.create_task(log.wait_for_room("file"))
    assert await is_waiting(waiting)
    assert seqs(await cursor.batch(1), "file") == [0]
    await asyncio.wait_for(waiting, 1)


@in_memory
async def test_room_waits_for_every_sink_that_holds_sources_and_for_no_other(make: Make):
    """The slower of two; a third that only shows current values blocks no source, and sheds."""
    log = make(3)
    fast, slow = log.cursor("fast"), log.cursor("slow")
    viewer = log.cursor("viewer", holds_sources=False)
    for seq in range(3):
        await asyncio.wait_for(log.wait_for_room("file"), 1)
        log.append(record(seq, "file"), waited=True)
    waiting = asyncio.create_task(log.wait_for_room("file"))
    await delivered(fast)
    assert await is_waiting(waiting)
    await delivered(slow)
    await asyncio.wait_for(waiting, 1)
    log.append(record(3, "file"), waited=True)
    assert [cursor.shed for cursor in (fast, slow, viewer)] == [0, 0, 1]
    assert await delivered(viewer) == [1, 2, 3]


async def test_two_that_wait_for_capacity_do_not_shed_each_others_records(make: Make):
    """Capacity for one is capacity for one: files side by side lose nothing, however small the log."""
    log, taken = make(1), []
    cursor = log.cursor("a")

    async def file(first: int) -> None:
        for seq in range(first, first + 10):
            await log.wait_for_room("uav1")
            log.append(record(seq), waited=True)

    files = [asyncio.create_task(file(first)) for first in (0, 100, 200)]
    while len(taken) < 30 and not cursor.shed:
        taken += await delivered(cursor, 1)
    for task in files:
        task.cancel()
    await asyncio.wait(files)
    assert cursor.shed == 0
    assert sorted(taken) == [*range(10), *range(100, 110), *range(200, 210)]


async def test_drained_waits_for_the_answer(make: Make):
    """Empty means answered, not only sent."""
    log = make()
    cursor = log.cursor("a")
    filled(log, 1)
    waiting = asyncio.create_task(cursor.wait_until_drained())
    batch = await cursor.batch()
    assert await is_waiting(waiting)
    cursor.commit(batch, Outcome(1))
    await asyncio.wait_for(waiting, 1)


@in_memory
async def test_a_stream_that_floods_displaces_no_other_and_does_not_delay_it(make: Make):
    """Each stream has its share of the capacity, and its turn in each batch."""
    log = make(100)
    cursor = log.cursor("a")
    filled(log, 10, "slow")
    filled(log, 10_000, "flood")
    filled(log, 1, "late", first=10)

    batch = await cursor.batch(30)

    assert cursor.waiting <= 100
    assert seqs(batch, "slow") == list(range(10))
    assert seqs(batch, "late") == [10]
    assert cursor.shed == 10_011 - cursor.waiting


@in_memory
async def test_a_stream_of_large_records_displaces_no_other(make: Make):
    """The share applies to bytes too: the stream with most of them sheds."""
    log = make(10_000, 100_000)
    cursor = log.cursor("a")
    filled(log, 50, "small")
    for seq in range(100):
        log.append(record(seq, "large", raw=bytes(10_000)))

    batch = await cursor.batch(1000)

    assert seqs(batch, "small") == list(range(50))
    assert seqs(batch, "large") == list(range(100 - len(seqs(batch, "large")), 100))
    assert 50_000 < sum(map(size_of, records_of(batch))) <= 100_000


async def test_a_flood_neither_starves_a_file_nor_sheds_its_records(make: Make):
    """A source that waits for capacity gets its share while a live one fills the rest repeatedly."""
    log, taken = make(20), []
    cursor = log.cursor("a")

    async def file() -> None:
        for seq in range(100):
            await log.wait_for_room("file")
            log.append(record(seq, "file"), waited=True)

    reading = asyncio.create_task(file())
    for seq in range(2000):
        log.append(record(seq, "flood"))
        if seq % 10 == 9:
            batch = await cursor.batch(4)
            taken += seqs(batch, "file")
            cursor.commit(batch, all_of(batch))
            await asyncio.sleep(0)
    await asyncio.wait_for(reading, 1)

    assert taken[:90] == list(range(90))
    window = cursor.live.window if isinstance(cursor, DiskFlows) else cursor  # what waits on disk depends on its speed
    assert window.waiting <= 20 + 20 // 2  # with the share of the file
    assert not isinstance(log, DiskLog) or log.pending <= 20 + 2 * 30  # beyond its limit, those of the window


@in_memory
@pytest.mark.parametrize("limits", [(10, 1 << 30), (1000, 10 * size_of(record(0)))], ids=["records", "bytes"])
async def test_a_live_stream_has_capacity_beside_files_that_fill_the_log(make: Make, limits: tuple[int, int]):
    """Waiting records are not shed, and they do not exclude live ones."""
    log = make(*limits)
    cursor = log.cursor("a")
    for seq in range(10):
        await asyncio.wait_for(log.wait_for_room("file"), 1)
        log.append(record(seq, "file"), waited=True)
    full = asyncio.create_task(log.wait_for_room("file"))
    assert await is_waiting(full)
    full.cancel()
    filled(log, 50, "live")

    batch = await cursor.batch(100)

    assert seqs(batch, "file") == list(range(10))
    assert 4 <= len(seqs(batch, "live")) <= 5
    assert seqs(batch, "live")[-1] == 49


@in_memory
@pytest.mark.parametrize("limit", [1, 2, 5])
async def test_the_limit_of_records_holds(make: Make, limit: int):
    """Never more than the limit, and each record accounted for."""
    log = make(limit)
    cursor = log.cursor("a")
    for seq in range(50):
        log.append(record(seq))
        assert cursor.waiting <= limit
        if seq % 7 == 0:
            await delivered(cursor)
    assert add_up(cursor)
    assert cursor.numbered == 50


@in_memory
async def test_the_limit_of_bytes_holds(make: Make):
    """500 MB of large records offered: the stored ones stay within the limit, as counted and in memory."""
    size_limit = 2 << 20
    log = make(10_000, size_limit)
    cursor = log.cursor("a")
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for seq in range(1000):
        log.append(record(seq, raw=bytes(50_000)))
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    kept = await cursor.batch(10_000)
    assert seqs(kept) == list(range(1000 - len(seqs(kept)), 1000))
    assert size_limit - 51_000 < sum(map(size_of, records_of(kept))) <= size_limit
    assert after - before <= size_limit


@in_memory
async def test_small_records_take_no_more_than_is_counted(make: Make):
    """The counted overhead of a record is its real overhead or a little more."""
    log = make(10_000)
    cursor = log.cursor("a")
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for seq in range(5000):
        log.append(record(seq, raw=bytes(100), pid=256 + seq, pts=90_000 * seq))
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    counted = sum(map(size_of, await cursor.batch(5000)))
    assert 0.6 * counted < after - before <= 1.1 * counted


async def test_a_record_larger_than_the_limit_waits_alone_where_it_was_waited_for(make: Make):
    """A file continues whatever the limit is."""
    log = make(10, 1000)
    cursor = log.cursor("a")
    for seq in range(3):
        await asyncio.wait_for(log.wait_for_room("file"), 1)
        log.append(record(seq, "file", raw=bytes(5000)), waited=True)
        full = asyncio.create_task(log.wait_for_room("file"))
        assert await is_waiting(full)
        full.cancel()
        assert await delivered(cursor) == [seq]


async def test_a_record_that_is_set_aside_counts_as_left_out(make: Make):
    """It is the next in turn, and is never offered again."""
    log = make()
    cursor = log.cursor("a")
    filled(log, 2)
    await cursor.batch(1)
    cursor.rewind()
    assert cursor.set_aside().seq == 0
    assert await delivered(cursor) == [1]
    assert cursor.sums() == Sums(2, 1, 0, 0, 1, 0)


@in_memory
@pytest.mark.parametrize("seed", range(40))
async def test_each_record_is_accounted_for_at_every_moment(make: Make, seed: int):
    """For random sequences of operations the sums add up, each stream is in order and without duplicates, and its gaps
    are in order with its records and name those that were shed, and no others.
    """
    chance = random.Random(seed)
    log = make(chance.choice((1, 7, 50)), chance.choice((1 << 30, 9 * size_of(record(0)))))
    cursors = {log.cursor("a"): Counting(), log.cursor("b"): Counting()}
    seq = dict.fromkeys("xyz", 0)
    for _ in range(600):
        stream = chance.choice("xxyz")
        log.append(record(seq[stream], stream), waited=stream == "z" and chance.random() < 0.9)
        seq[stream] += 1
        for cursor, counting in cursors.items():
            await counting.step(cursor, chance)
            assert add_up(cursor), cursor.sums()
    for cursor, counting in cursors.items():
        assert cursor.numbered == 600
        assert all(taken == sorted(set(taken)) for taken in counting.taken.values())
        assert sum(map(len, counting.taken.values())) == cursor.delivered + cursor.rejected + cursor.left_out > 0
        cursor.rewind()
        counting.flying.clear()
        while cursor.waiting or cursor.gaps:
            counting._answer(cursor, batch := await cursor.batch(100), len(batch), chance)
        assert sum(map(len, counting.gaps.values())) == cursor.shed
        for stream, count in seq.items():
            assert counting.passed.get(stream, []) == sorted(counting.passed.get(stream, []))
            both = counting.taken.get(stream, []) + counting.gaps.get(stream, [])
            assert sorted(both) == list(range(count))


class Counting:
    """A sink that answers in order, or loses its connection."""

    def __init__(self) -> None:
        self.flying: list[Sequence[Item]] = []
        self.taken: dict[str, list[int]] = {}
        self.gaps: dict[str, list[int]] = {}
        self.passed: dict[str, list[int]] = {}

    async def step(self, cursor: Cursor, chance: random.Random) -> None:
        way = chance.random()
        if way < 0.3 and cursor.waiting > cursor.offered:
            self.flying.append(await asyncio.wait_for(cursor.batch(chance.randrange(1, 5)), 1))
        elif way < 0.6 and self.flying:
            batch = self.flying.pop(0)
            self._answer(cursor, batch, len(batch), chance)
        elif way < 0.7:
            if self.flying:
                self._answer(cursor, self.flying[0], chance.randrange(len(self.flying[0])), chance)
            self.flying.clear()
            cursor.rewind()

    def _answer(self, cursor: Cursor, batch: Sequence[Item], count: int, chance: random.Random) -> None:
        records = records_of(batch[:count])
        rejected = chance.randrange(len(records) + 1) if chance.random() < 0.2 else 0
        cursor.commit(batch, Outcome(len(records) - rejected, rejected, gaps=count - len(records)))
        for each in batch[:count]:
            if isinstance(each, Gap):
                self.gaps.setdefault(each.stream, []).extend(range(each.first, each.last + 1))
            self.passed.setdefault(each.stream, []).append(each.seq)
        for each in records:
            self.taken.setdefault(each.stream, []).append(each.seq)


async def test_a_live_record_larger_than_the_limit_is_kept_where_nothing_else_waits(make: Make):
    """A sink that is ready gets it; the next takes its place."""
    log = make(10, 1)
    cursor = log.cursor("sink")
    for seq in range(3):
        log.append(record(seq))
        assert await delivered(cursor) == [seq]
    filled(log, 2, first=3)
    assert await delivered(cursor) == [4]
    assert cursor.sums() == Sums(5, delivered=4, shed=1)


async def test_after_a_record_was_set_aside_another_stream_is_next(make: Make):
    """The next record of the same stream may be like it: the others are not to wait for that."""
    log = make()
    cursor = log.cursor("sink")
    filled(log, 3, "a")
    filled(log, 2, "b")
    assert (cursor.set_aside().stream, cursor.sums().left_out) == ("a", 1)
    batch = await cursor.batch()
    assert [(each.stream, each.seq) for each in batch] == [("b", 0), ("a", 0), ("b", 1), ("a", 1), ("a", 2)]
    assert gaps_of(batch) == [("a", 0, 0, "set_aside")]
