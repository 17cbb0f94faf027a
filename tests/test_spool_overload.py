"""The log on disk while records arrive faster than the disk can write them."""

from __future__ import annotations

import asyncio
import threading
from random import Random

import pytest
from brokers import until
from forgetful_disk import ForgetfulFolder
from records import all_of, record

from klvrelay import threads
from klvrelay.gap import Gap, Item
from klvrelay.spool.disk.log import DiskLog
from klvrelay.spool.disk.store import Store


def numbers(item: Item) -> range:
    """Of the record, or of those in the gap."""
    return range(item.first, item.last + 1) if isinstance(item, Gap) else range(item.seq, item.seq + 1)


@pytest.mark.parametrize("streams", [("uav1",), ("uav1", "uav2")], ids=["one stream", "two streams"])
async def test_a_record_that_is_shed_while_it_is_written_is_not_delivered_too(streams: tuple[str, ...]):
    """The limit of memory is reached during a commit of these records: each is either delivered or in a gap."""
    worker, gate = threads.Worker("spool of a test"), threading.Event()
    log = DiskLog(Store(ForgetfulFolder(), "test", 1 << 20), worker, commit=0.001, limit=8)
    cursor = log.cursor("a")
    seen: dict[str, list[int]] = {stream: [] for stream in streams}

    def append(first: int, end: int) -> None:
        for seq in range(first, end):
            for stream in streams:
                log.append(record(seq, stream))

    try:
        blocked = worker.run(gate.wait)
        append(0, 16)
        await until(lambda: log._committing is not None)  # it waits behind the gate
        append(16, 24)
        gate.set()
        await blocked
        await until(lambda: not log.pending)
        append(24, 28)
        while not cursor.is_done:
            batch = await asyncio.wait_for(cursor.batch(3), 5)
            cursor.commit(batch, all_of(batch))
            for one in batch:
                seen[one.stream] += numbers(one)
    finally:
        gate.set()
        await log.close()

    assert seen == {stream: list(range(28)) for stream in streams}
    numbered, *parts = cursor.sums()
    assert numbered == sum(parts) == 28 * len(streams)
    assert cursor.shed > 0


class History:
    """Records of two streams in bursts, a disk that stalls now and then, and a sink that takes some of them."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.worker = threads.Worker("spool of a test")
        limit = self.random.choice([3, 5, 8, 20])
        self.log = DiskLog(Store(ForgetfulFolder(), "test", 1 << 20), self.worker, commit=0.0005, limit=limit)
        self.cursor = self.log.cursor("a")
        self.appended = {"uav1": 0, "uav2": 0}
        self.seen: dict[str, list[int]] = {stream: [] for stream in self.appended}
        self.gate: threading.Event | None = None

    async def step(self) -> None:
        await self.random.choices([self.append, self.take, self.stall, self.resume, self.wait], [5, 2, 1, 1, 1])[0]()

    async def append(self) -> None:
        for _ in range(self.random.choice([1, 5, 15, 30])):
            stream = self.random.choice(list(self.appended))
            self.log.append(record(self.appended[stream], stream))
            self.appended[stream] += 1

    async def take(self) -> None:
        if self.cursor.count:
            batch = await asyncio.wait_for(self.cursor.batch(self.random.choice([1, 3, 10])), 5)
            self.cursor.commit(batch, all_of(batch))
            for one in batch:
                self.seen[one.stream] += numbers(one)

    async def stall(self) -> None:
        if self.gate is None:
            self.gate = threading.Event()
            self.worker.run(self.gate.wait)

    async def resume(self) -> None:
        if self.gate is not None:
            self.gate.set()
        self.gate = None

    async def wait(self) -> None:
        await asyncio.sleep(self.random.choice([0, 0.001, 0.002]))


@pytest.mark.parametrize("seed", range(8))
async def test_each_record_is_delivered_or_in_a_gap_however_slow_the_disk(seed: int):
    """In order, once, and counted."""
    history = History(seed)
    try:
        for _ in range(60):
            await history.step()
        await history.resume()
        async with asyncio.timeout(20):
            while not history.cursor.is_done:
                await history.take()
                await asyncio.sleep(0)
    finally:
        await history.resume()
        await history.log.close()

    assert history.seen == {stream: list(range(count)) for stream, count in history.appended.items()}
    numbered, *parts = history.cursor.sums()
    assert numbered == sum(parts) == sum(history.appended.values())
