"""The bounded queue from a thread to the loop."""

from __future__ import annotations

import asyncio
import threading

import pytest

from klvrelay.errors import SourceDown
from klvrelay.record import Packet
from klvrelay.sources.thread_queue import ThreadQueue


def packet(number):
    return Packet(b"%d" % number, carriage="klv")


def in_thread(job):
    thread = threading.Thread(target=job)
    thread.start()
    return thread


async def all_of(bridge):
    got = []
    async with asyncio.timeout(5):
        while batch := await bridge.batch():
            got += batch
    return [int(packet.data or -1) for packet in got]


async def test_a_file_waits_for_its_reader():
    """Where nothing may be lost the thread waits for capacity."""
    bridge = ThreadQueue(most=3)

    def job():
        for number in range(1000):
            bridge.put(packet(number), newest_wins=False)
        bridge.end(None)

    in_thread(job)

    assert await all_of(bridge) == list(range(1000))
    assert bridge.dropped == 0


async def test_of_a_live_source_the_newest_packets_win():
    """A late reader gets the last ones, after a mark, and the others are counted."""
    bridge = ThreadQueue(most=3)
    for number in range(10):
        bridge.put(packet(number), newest_wins=True)

    batch = await bridge.batch()

    assert [packet.data for packet in batch] == [b"", b"7", b"8", b"9"]
    assert batch[0].damaged
    assert bridge.dropped == 7


def sized(size):
    return Packet(bytes(size), carriage="klv")


@pytest.mark.parametrize(("more", "dropped"), [(0, 0), (1, 1)])
async def test_the_waiting_packets_have_a_limit_of_bytes_too(more, dropped):
    """Up to the limit all wait; with one byte more the oldest is dropped.

    A packet larger than the limit may wait alone.
    """
    bridge = ThreadQueue(most_bytes=100)
    for _ in range(3):  # packets already read no longer count
        before = bridge.dropped
        for size in (40, 30, 30 + more):
            bridge.put(sized(size), newest_wins=True)
        kept = [len(packet.data) for packet in await bridge.batch()]
        assert kept == ([0, 30, 31] if dropped else [40, 30, 30])
        assert bridge.dropped - before == dropped
    bridge.put(sized(500), newest_wins=True)

    assert [len(packet.data) for packet in await bridge.batch()] == [500]


async def test_a_thread_waits_for_capacity_in_bytes():
    """Where nothing may be lost, large packets are passed one by one."""
    bridge = ThreadQueue(most_bytes=100)
    in_thread(lambda: [bridge.put(sized(60), newest_wins=False) for _ in range(20)] and bridge.end(None))
    sizes = []
    async with asyncio.timeout(5):
        while batch := await bridge.batch():
            assert len(batch) == 1
            sizes += [len(packet.data) for packet in batch]

    assert sizes == [60] * 20
    assert bridge.dropped == 0


async def test_the_mark_is_made_once():
    """After it the packets are unmarked again."""
    bridge = ThreadQueue(most=1)
    for number in range(2):
        bridge.put(packet(number), newest_wins=True)
    await bridge.batch()
    bridge.put(packet(2), newest_wins=True)

    assert [packet.data for packet in await bridge.batch()] == [b"2"]


async def test_an_error_follows_the_packets_before_it():
    """The error of the source is raised after all its packets were read."""
    bridge = ThreadQueue()
    bridge.put(packet(1), newest_wins=True)
    bridge.end(SourceDown("gone"))

    assert len(await bridge.batch()) == 1
    with pytest.raises(SourceDown, match="gone"):
        await bridge.batch()


async def test_a_thread_that_waits_for_capacity_ends_at_the_stop():
    """The reader is closed: the thread continues, and learns of the stop."""
    bridge = ThreadQueue(most=1)
    bridge.put(packet(0), newest_wins=False)
    accepted = []
    thread = in_thread(lambda: accepted.append(bridge.put(packet(1), newest_wins=False)))

    bridge.stop()
    thread.join(2)

    assert accepted == [False]


async def test_a_cancelled_reader_loses_nothing():
    """A later packet goes to the next reader."""
    bridge = ThreadQueue()
    waiting = asyncio.create_task(bridge.batch())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])

    thread = in_thread(lambda: bridge.put(packet(1), newest_wins=True))
    async with asyncio.timeout(5):
        batch = await bridge.batch()
    thread.join()

    assert [packet.data for packet in batch] == [b"1"]


def test_a_thread_may_end_after_the_loop():
    """A closed loop is not notified."""

    async def begin():
        bridge = ThreadQueue()
        waiting = asyncio.ensure_future(bridge.batch())
        await asyncio.sleep(0)
        waiting.cancel()
        return bridge

    bridge = asyncio.run(begin())

    bridge.put(packet(1), newest_wins=True)
    bridge.end(None)
