"""A reload changes a log: a cursor is removed, or its limits change."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from brokers import until
from records import all_of, record, records_of

from klvrelay.outcome import Sums
from klvrelay.spool.age import LEAST_CHECK
from klvrelay.spool.disk.log import COMMIT, DiskLog
from klvrelay.spool.disk.opening import open_log
from klvrelay.spool.memory import MemoryLog


@pytest.fixture(params=["memory", "disk"])
async def log(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Any]:
    """An empty log for ten records."""
    log: Any = MemoryLog(10) if request.param == "memory" else await spool(tmp_path)
    yield log
    if isinstance(log, DiskLog):
        await log.close()


async def spool(folder: Path) -> DiskLog:
    return await open_log(folder, "relay", 4 << 20, limit=10)


def fill(log: Any, first: int, end: int) -> None:
    for seq in range(first, end):
        log.append(record(seq))


async def take(cursor: Any, count: int) -> list[int]:
    seqs: list[int] = []
    while len(seqs) < count:
        batch = await asyncio.wait_for(cursor.batch(100), 5)
        cursor.commit(batch, all_of(batch))
        seqs += [one.seq for one in records_of(batch)]
    return seqs


async def written(log: DiskLog) -> None:
    async with asyncio.timeout(10):
        while log.pending:
            await asyncio.sleep(COMMIT / 5)


async def test_a_removed_cursor_gets_nothing_more_and_holds_no_source(log: Any):
    """The other one has everything; a source that waited for the removed one goes on."""
    one, other = log.cursor("one"), log.cursor("other")
    fill(log, 0, 10)
    assert await take(one, 10) == list(range(10))
    waiting = asyncio.create_task(log.wait_for_room("uav1"))
    if isinstance(log, MemoryLog):
        await asyncio.sleep(0)
        assert not waiting.done()
    log.remove(other)
    await asyncio.wait_for(waiting, 5)
    fill(log, 10, 15)
    assert await take(one, 5) == list(range(10, 15))
    assert other.sums().numbered == 10


async def test_a_cursor_that_is_added_again_begins_with_new_records(log: Any):
    """What waited for the removed one is discarded, also on disk."""
    one, other = log.cursor("one"), log.cursor("other")
    fill(log, 0, 5)
    await take(one, 5)
    log.remove(other)
    again = log.cursor("other")
    fill(log, 5, 8)
    assert await take(again, 3) == [5, 6, 7]
    assert again.sums() == Sums(3, 3)


async def test_the_file_of_a_removed_cursor_is_deleted(tmp_path: Path):
    """So the next run does not deliver what was discarded, and no segment is kept for it."""
    log = await spool(tmp_path)
    one, other = log.cursor("one"), log.cursor("other")
    fill(log, 0, 5)
    await written(log)
    assert sorted(path.name for path in tmp_path.glob("*.cursor")) == ["one.cursor", "other.cursor"]
    await take(one, 5)
    log.remove(other)
    await log.close()
    assert [path.name for path in tmp_path.glob("*.cursor")] == ["one.cursor"]
    log = await spool(tmp_path)
    assert (log.cursor("one").waiting, log.cursor("other").waiting) == (0, 0)
    await log.close()


async def test_what_an_earlier_run_left_to_a_removed_cursor_is_discarded(tmp_path: Path):
    """Its sink is removed and added again by two reloads: it begins with new records."""
    log = await spool(tmp_path)
    log.cursor("one"), log.cursor("other")
    fill(log, 0, 5)
    await log.close()
    log = await spool(tmp_path)
    one, other = log.cursor("one"), log.cursor("other")
    assert (one.waiting, other.waiting) == (5, 5)
    log.remove(other)
    again = log.cursor("other")
    fill(log, 5, 8)
    assert await take(again, 3) == [5, 6, 7]
    assert await take(one, 8) == list(range(8))
    await log.close()


async def test_a_cursor_that_is_removed_while_it_loads_costs_the_others_nothing(tmp_path: Path):
    """A backlog larger than memory is read from disk for it."""
    log = await spool(tmp_path)
    one, other = log.cursor("one"), log.cursor("other")
    for first in range(0, 60, 5):
        fill(log, first, first + 5)
        await written(log)
    await take(other, 10)
    log.remove(other)
    assert await take(one, 60) == list(range(60))
    await log.close()


either_order = pytest.mark.parametrize("rate", [None, 1000.0], ids=["strict", "live-first"])


@either_order
async def test_fewer_records_may_wait(log: Any, rate: float | None):
    """In memory the oldest are shed; on disk none is, since the rest waits there."""
    cursor = log.cursor("one", replay_rate=rate)
    fill(log, 0, 10)
    if isinstance(log, DiskLog):
        await written(log)
    log.set_limits(4, 1 << 20)
    assert (cursor.limit, cursor.size_limit) == (4, 1 << 20)
    shed = 6 if isinstance(log, MemoryLog) else 0
    assert cursor.sums() == Sums(10, shed=shed, waiting=10 - shed)
    assert await take(cursor, 10 - shed) == list(range(shed, 10))


@either_order
async def test_more_records_may_wait(log: Any, rate: float | None):
    """A source that waits for room goes on at once, and a new cursor has the new limit."""
    cursor = log.cursor("one", replay_rate=rate)
    fill(log, 0, 10)
    log.set_limits(20, 1 << 20)
    await asyncio.wait_for(log.wait_for_room("uav1"), 5)
    fill(log, 10, 20)
    assert await take(cursor, 20) == list(range(20))
    assert log.cursor("other").limit == 20


@pytest.mark.parametrize("parts", [1, 3])
async def test_the_backlog_of_a_live_first_sink_has_the_new_limits_too(log: Any, parts: int):
    """After an outage some records wait in the backlog, others are live: none is lost by a higher limit."""
    cursor = log.cursor("one", replay_rate=1e6)
    for part in range(parts):
        fill(log, 3 * part, 3 * part + 3)
        cursor.begin_connection()
    log.set_limits(100, 1 << 20)
    fill(log, 3 * parts, 50)
    assert sorted(await take(cursor, 50)) == list(range(50))
    log.remove(cursor)
    fill(log, 50, 60)
    assert cursor.sums() == Sums(50, 50)


async def test_the_maximum_age_changes_for_what_waits(log: Any):
    """A lower one sheds at once; without one, nothing is too old any more."""
    cursor, now_us = log.cursor("one"), time.time_ns() // 1000
    for seq in range(6):
        log.append(record(seq, received_us=now_us - (6 - seq) * 100_000_000))
    log.set_age(250.0)
    await until(lambda: cursor.sums().shed == 4, 5)
    log.set_age(None)
    log.append(record(6, received_us=0))
    await asyncio.sleep(LEAST_CHECK * 2)
    assert await take(cursor, 3) == [4, 5, 6]
    assert cursor.sums() == Sums(7, delivered=3, shed=4)


@pytest.mark.parametrize("first", ["strict", "live-first"])
async def test_the_order_changes_and_each_record_is_delivered_once(first: str, log: Any):
    """With records that wait, a backlog, and counts; the cursor continues."""
    if isinstance(log, DiskLog):
        log.set_limits(40, 1 << 20)
    rates: tuple[float | None, ...] = (None, 1e6, None, 1e6)[first == "live-first" :]
    cursor, got, end = log.cursor("one", replay_rate=rates[0]), [], 0
    for rate in rates[1:]:
        fill(log, end, end + 3)
        end += 3
        cursor.begin_connection()
        got += await some(cursor, 2)
        cursor.rewind()
        cursor = log.reorder(cursor, rate)
        assert cursor.sums() == Sums(end, delivered=len(got), waiting=end - len(got))
    cursor.begin_connection()
    fill(log, end, end + 3)
    got += await take(cursor, end + 3 - len(got))
    assert sorted(got) == list(range(end + 3))
    assert cursor.sums() == Sums(end + 3, delivered=end + 3)
    await asyncio.wait_for(cursor.wait_until_drained(), 5)


async def some(cursor: Any, count: int) -> list[int]:
    """At most so many records, answered."""
    batch = await asyncio.wait_for(cursor.batch(count), 5)
    cursor.commit(batch, all_of(batch))
    return [one.seq for one in batch]


async def test_a_strict_order_holds_from_the_change_on(log: Any):
    """The backlog that is left comes first, without its rate; then the live records."""
    cursor = log.cursor("one", replay_rate=1.0)
    fill(log, 0, 5)
    cursor.begin_connection()
    fill(log, 5, 8)
    cursor = log.reorder(cursor, None)
    cursor.begin_connection()
    assert await take(cursor, 8) == list(range(8))
