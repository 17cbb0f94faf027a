"""The limits of a log to the record and to the byte, from both sides: what is shed, of which stream, and who has
capacity.
"""

from __future__ import annotations

import asyncio

import pytest
from records import record, records_of

from klvrelay.outcome import Outcome
from klvrelay.record import Record
from klvrelay.spool.cursor import Cursor
from klvrelay.spool.memory import MemoryLog
from klvrelay.spool.queue import OVERHEAD

SIZE = 1000


def sized(seq: int, stream: str, size: int = SIZE) -> Record:
    """A record that counts as so many bytes."""
    return record(seq, stream, raw=bytes(size - OVERHEAD))


def fill(log: MemoryLog, stream: str, count: int, *, waited: bool = False, size: int = SIZE) -> None:
    for seq in range(count):
        log.append(sized(seq, stream, size), waited=waited)


async def waiting(cursor: Cursor) -> dict[str, list[int]]:
    """The waiting records by stream; they are in flight afterwards."""
    if not cursor.waiting:
        return {}
    found: dict[str, list[int]] = {}
    for each in records_of(await asyncio.wait_for(cursor.batch(1000), 1)):
        found.setdefault(each.stream, []).append(each.seq)
    return found


async def has_room(log: MemoryLog, stream: str) -> bool:
    task = asyncio.create_task(log.wait_for_room(stream))
    for _ in range(5):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    return not task.cancelled()


async def test_no_more_is_shed_than_must_be():
    """Of eleven records one is shed, though the stream that floods still has more than its share."""
    log = MemoryLog(10, 1 << 30)
    cursor = log.cursor("a")
    fill(log, "flood", 9)
    fill(log, "other", 2)

    assert cursor.shed == 1
    assert await waiting(cursor) == {"flood": [*range(1, 9)], "other": [0, 1]}


async def test_no_more_bytes_are_shed_than_must_be():
    """As with records."""
    log = MemoryLog(1000, 10 * SIZE)
    cursor = log.cursor("a")
    fill(log, "flood", 9)
    fill(log, "other", 2)

    assert cursor.shed == 1
    assert await waiting(cursor) == {"flood": [*range(1, 9)], "other": [0, 1]}


@pytest.mark.parametrize("limits", [(10, 1 << 30), (1000, 10 * SIZE)], ids=["records", "bytes"])
async def test_a_live_stream_has_exactly_its_share_beside_a_file(limits: tuple[int, int]):
    """Half of the log, though the file fills all of it; the file loses nothing."""
    log = MemoryLog(*limits)
    cursor = log.cursor("a")
    fill(log, "file", 10, waited=True)
    fill(log, "live", 8)

    assert cursor.shed == 3
    assert await waiting(cursor) == {"file": [*range(10)], "live": [3, 4, 5, 6, 7]}


@pytest.mark.parametrize("limits", [(10, 1 << 30), (1000, 10 * SIZE)], ids=["records", "bytes"])
async def test_records_in_flight_use_capacity(limits: tuple[int, int]):
    """Of a log of ten with nine in flight, one place is left for new ones."""
    log = MemoryLog(*limits)
    cursor = log.cursor("a")
    fill(log, "uav1", 9)
    batch = await cursor.batch(9)
    fill(log, "uav1", 3)

    assert (cursor.offered, cursor.offered_size, cursor.waiting, cursor.shed) == (9, 9 * SIZE, 10, 2)
    cursor.commit(batch, Outcome(9))
    assert (cursor.offered_size, await waiting(cursor)) == (0, {"uav1": [2]})


async def test_an_answer_in_parts_gives_back_the_bytes_of_each():
    """The rest of a batch keeps its own bytes."""
    log = MemoryLog(100, 1 << 30)
    cursor = log.cursor("a")
    for seq in range(4):
        log.append(sized(seq, "uav1", 1000 * (seq + 1)))
    batch = await cursor.batch(4)
    sizes = [cursor.offered_size]
    for _ in range(2):
        cursor.commit(batch, Outcome(1))
        sizes.append(cursor.offered_size)
    cursor.commit(batch, Outcome(2))

    assert [*sizes, cursor.offered_size] == [10_000, 9_000, 7_000, 0]


async def test_a_batch_is_full_at_its_bytes():
    """The record that reaches them is the last one."""
    log = MemoryLog(100, 1 << 30)
    cursor = log.cursor("a")
    fill(log, "uav1", 10)

    counts = [len(await cursor.batch(100, size)) for size in (2 * SIZE, 2 * SIZE + 1, 1)]

    assert counts == [2, 3, 1]


@pytest.mark.parametrize(("count", "room"), [(9, True), (10, False)])
async def test_a_file_waits_where_the_log_has_its_records(count: int, room: bool):
    """To the last record."""
    log = MemoryLog(10, 1 << 30)
    log.cursor("a")
    fill(log, "file", count, waited=True)

    assert await has_room(log, "file") is room


@pytest.mark.parametrize(("size", "room"), [(SIZE - 1, True), (SIZE, False)])
async def test_a_file_waits_where_the_log_has_its_bytes(size: int, room: bool):
    """To the last byte."""
    log = MemoryLog(1000, 10 * SIZE)
    log.cursor("a")
    fill(log, "file", 10, waited=True, size=size)

    assert await has_room(log, "file") is room


@pytest.mark.parametrize("limits", [(10, 1 << 30), (1000, 10 * SIZE)], ids=["records", "bytes"])
@pytest.mark.parametrize(("count", "room"), [(4, True), (5, False)])
async def test_a_file_has_its_share_beside_another_that_fills_the_log(count: int, room: bool, limits: tuple[int, int]):
    """Half of it, even where the log has less left."""
    log = MemoryLog(*limits)
    log.cursor("a")
    fill(log, "first", 10, waited=True)
    fill(log, "second", count, waited=True)

    assert await has_room(log, "second") is room


async def test_a_stream_that_has_nothing_yet_counts_among_those_that_share():
    """Otherwise the second of two files would wait for the end of the first."""
    log = MemoryLog(1, 1 << 30)
    log.cursor("a")
    fill(log, "first", 1, waited=True)

    assert not await has_room(log, "second")


async def test_a_stream_that_is_live_again_sheds_again():
    """A file of the same name was waited for; a live stream cannot wait."""
    log = MemoryLog(4, 1 << 30)
    cursor = log.cursor("a")
    fill(log, "uav1", 4, waited=True)
    fill(log, "uav1", 2)

    assert (cursor.shed, cursor.waiting) == (2, 4)
