"""The log on disk while records arrive faster than the disk can write them."""

from __future__ import annotations

import asyncio
import threading

import pytest
from brokers import until
from forgetful_disk import ForgetfulFolder
from records import all_of, record

from klvrelay import threads
from klvrelay.gap import Gap
from klvrelay.spool.disk.log import DiskLog
from klvrelay.spool.disk.store import Store


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
                seen[one.stream] += range(one.first, one.last + 1) if isinstance(one, Gap) else [one.seq]
    finally:
        gate.set()
        await log.close()

    assert seen == {stream: list(range(28)) for stream in streams}
    numbered, *parts = cursor.sums()
    assert numbered == sum(parts) == 28 * len(streams)
    assert cursor.shed > 0
