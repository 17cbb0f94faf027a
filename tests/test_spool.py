"""Where records wait: in order, bounded, kept until they are confirmed."""

from __future__ import annotations

import asyncio

import pytest
from records import record

from klvrelay.spool import Spool


def filled(count: int, limit: int = 10_000) -> Spool:
    spool = Spool(limit)
    for seq in range(count):
        spool.put(record(seq))
    return spool


async def seqs(spool: Spool, most: int = 100) -> list[int]:
    return [r.seq for r in await spool.batch(most)]


async def test_records_come_out_in_the_order_they_came_in():
    """A batch holds the oldest; the next one goes on behind it."""
    spool = filled(5)
    assert await seqs(spool, 3) == [0, 1, 2]
    spool.commit()
    assert await seqs(spool, 3) == [3, 4]
    spool.commit()
    assert (len(spool), spool.delivered, spool.shed) == (0, 5, 0)


async def test_a_batch_is_offered_again_until_it_is_committed():
    """What isn't confirmed stays, and what came meanwhile waits behind it."""
    spool = filled(2)
    assert await seqs(spool) == await seqs(spool) == [0, 1]
    spool.put(record(2))
    assert await seqs(spool) == [0, 1]
    assert len(spool) == 3
    spool.commit()
    assert await seqs(spool) == [2]


async def test_a_full_spool_sheds_the_oldest_and_counts_it():
    """Live records: the newest are worth more."""
    spool = filled(10, limit=4)
    assert spool.shed == 6
    assert await seqs(spool) == [6, 7, 8, 9]


async def test_what_is_on_its_way_is_not_shed():
    """A batch that was offered is whole when it is offered again."""
    spool = filled(4, limit=4)
    assert await seqs(spool, 2) == [0, 1]
    for seq in range(4, 9):
        spool.put(record(seq))
    assert await seqs(spool) == [0, 1]
    spool.commit()
    assert await seqs(spool) == [7, 8]
    assert spool.shed == 5


async def test_batch_waits_for_a_record():
    """An empty spool gives no empty batch."""
    spool = Spool()
    waiting = asyncio.create_task(spool.batch())
    await asyncio.sleep(0)
    assert not waiting.done()
    spool.put(record(7))
    assert [r.seq for r in await waiting] == [7]


async def test_room_waits_until_one_can_be_put_without_shedding():
    """A source that can wait does so while the spool is full, also for what is on its way."""
    spool = filled(3, limit=3)
    waiting = asyncio.create_task(spool.room("uav1"))
    await spool.batch(1)
    await asyncio.sleep(0)
    assert not waiting.done()
    spool.commit()
    await asyncio.wait_for(waiting, 1)


async def test_two_that_wait_for_room_do_not_shed_each_others_records():
    """Room for one is room for one: two files side by side lose nothing, however small the spool."""
    spool, taken = Spool(1), []

    async def file(first: int) -> None:
        for seq in range(first, first + 10):
            await spool.room("uav1")
            spool.put(record(seq), waited=True)

    files = [asyncio.create_task(file(first)) for first in (0, 100, 200)]
    while len(taken) < 30 and not spool.shed:
        taken += [r.seq for r in await spool.batch(1)]
        spool.commit()
    for task in files:
        task.cancel()
    await asyncio.wait(files)
    assert spool.shed == 0
    assert sorted(taken) == [*range(10), *range(100, 110), *range(200, 210)]


async def test_drained_waits_for_the_confirmation():
    """Empty means delivered, not just handed out."""
    spool = filled(1)
    waiting = asyncio.create_task(spool.drained())
    await spool.batch()
    await asyncio.sleep(0)
    assert not waiting.done()
    spool.commit()
    await asyncio.wait_for(waiting, 1)


@pytest.mark.parametrize("limit", [1, 2, 5])
async def test_the_bound_holds(limit: int):
    """Never more than the limit, but for what is on its way."""
    spool = Spool(limit)
    for seq in range(50):
        spool.put(record(seq))
        assert len(spool) <= limit
        if seq % 7 == 0:
            await spool.batch()
            spool.commit()
    assert spool.shed + spool.delivered + len(spool) == 50


async def test_a_stream_that_floods_displaces_no_other_and_does_not_delay_it():
    """Each stream has its share of the room, and its turn in each batch."""
    spool = Spool(100)
    for seq in range(10):
        spool.put(record(seq, "slow"))
    for seq in range(10_000):
        spool.put(record(seq, "flood"))
    spool.put(record(10, "late"))

    batch = [(r.stream, r.seq) for r in await spool.batch(30)]

    assert len(spool) <= 100
    assert [seq for stream, seq in batch if stream == "slow"] == list(range(10))
    assert ("late", 10) in batch
    assert spool.shed == 10_011 - len(spool)


async def test_a_flood_neither_starves_a_file_nor_sheds_its_records():
    """A source that waits for room gets its share while a live one fills the rest again and again."""
    spool, taken = Spool(20), []

    async def file() -> None:
        for seq in range(100):
            await spool.room("file")
            spool.put(record(seq, "file"), waited=True)

    reading = asyncio.create_task(file())
    for seq in range(2000):
        spool.put(record(seq, "flood"))
        if seq % 10 == 9:
            taken += [r.seq for r in await spool.batch(4) if r.stream == "file"]
            spool.commit()
            await asyncio.sleep(0)
    await asyncio.wait_for(reading, 1)

    assert taken[:90] == list(range(90))
    assert len(spool) <= 40


async def test_a_live_stream_has_room_beside_files_that_fill_it():
    """What waits is not shed, and what is live is not shut out by it."""
    spool = Spool(10)
    for seq in range(10):
        await spool.room("file")
        spool.put(record(seq, "file"), waited=True)
    for seq in range(50):
        spool.put(record(seq, "live"))

    batch = [(r.stream, r.seq) for r in await spool.batch(100)]

    assert [seq for stream, seq in batch if stream == "file"] == list(range(10))
    assert [seq for stream, seq in batch if stream == "live"] == list(range(45, 50))
