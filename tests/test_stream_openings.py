"""One stream of the relay over the openings of its source: when it is read again, and when other tasks run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from itertools import pairwise

import feed
import pytest
from brokers import until
from manual_clock import Clock
from records import BOOT
from scripted_ends import TAPE, Tape

from klvrelay.backoff import Backoff
from klvrelay.config.url import Url
from klvrelay.errors import SourceDown
from klvrelay.health.board import Board
from klvrelay.link_stats import LinkStats
from klvrelay.outcome import Outcome, Sums
from klvrelay.record import Packet
from klvrelay.relay.notices import Notices
from klvrelay.relay.stream import TURN, Stream
from klvrelay.relay.stream_input import StreamInput
from klvrelay.relay.supervise import contain
from klvrelay.spool.memory import MemoryLog

URL = "https://camera/live.m3u8"

BOARD = Board(BOOT, contain)


class Opening:
    """One opening of a source: packets, and then its end or an error."""

    fixed = False
    dropped = 0

    def __init__(self, *packets: bytes, live: bool, fault: Exception | None = None, url: str = URL) -> None:
        self.url = Url.parse(url)
        self.live = live
        self.link = LinkStats()
        self._packets, self._fault = packets, fault

    async def packets(self) -> AsyncGenerator[Packet, None]:
        for data in self._packets:
            self.link.size += len(data)
            yield Packet(data, carriage="klv")
        if self._fault is not None:
            raise self._fault


def stream_of(*openings: Opening) -> tuple[Stream, Callable[[], int]]:
    """A stream that uses these openings in turn, repeating the last one; and their number."""
    count = 0

    def opened() -> Opening:
        nonlocal count
        count += 1
        return openings[min(count, len(openings)) - 1]

    log = MemoryLog(10_000, 1 << 30)
    log.cursor("sink")
    feed_ = StreamInput("uav1", opened, str(openings[0].url))  # type: ignore[arg-type]
    return Stream(feed_, BOOT, log, Notices(), BOARD), lambda: count


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Backoff, "next", lambda self: 0.0)


def klv(count: int) -> bytes:
    return b"".join(feed.klv_packet(number, feed.FIRST_TIME + number) for number in range(count))


async def test_a_server_can_not_end_a_live_stream_by_calling_it_a_recording():
    """A playlist that gets an end for a moment is read again; only the relay's stop ends a live stream."""
    stream, opened = stream_of(Opening(klv(3), live=True, fault=SourceDown("lost")), Opening(live=False))
    keeping = asyncio.create_task(stream.keep())
    async with asyncio.timeout(5):
        while opened() < 3:
            await asyncio.sleep(0)
    going = not keeping.done()
    keeping.cancel()
    await asyncio.wait([keeping])

    assert going
    assert stream.health.state != "ended"


async def test_a_recording_that_seemed_live_before_its_first_data_may_end():
    """The kind of an opening counts only once data of it was read."""
    stream, opened = stream_of(Opening(live=True, fault=SourceDown("lost")), Opening(klv(3), live=False))

    await asyncio.wait_for(stream.keep(), 5)

    assert (opened(), stream.health.state, stream.health.records, stream.failed) == (2, "ended", 3, None)


@pytest.mark.parametrize("count", [TURN - 1, 20 * TURN])
async def test_a_packet_of_many_records_lets_other_tasks_run(count: int):
    """One turn for each TURN of them, or all other streams would wait for a flood on one."""
    stream, _ = stream_of(Opening(klv(count), live=True, fault=SourceDown("lost")), Opening(live=True))
    seen = [0]
    keeping = asyncio.create_task(stream.keep())
    async with asyncio.timeout(10):
        while seen[-1] < count:
            await asyncio.sleep(0)
            seen.append(stream.health.records)
    keeping.cancel()
    await asyncio.wait([keeping])

    assert seen[-1] == count
    assert max(after - before for before, after in pairwise(seen)) <= TURN


async def test_a_stream_that_appears_later_has_the_openings_of_its_source():
    """They are those of the source, for each of its streams."""
    fails = Opening(live=False, fault=SourceDown("lost"))
    stream, opened = stream_of(fails, fails, Opening(klv(2), live=False))
    await asyncio.wait_for(stream.keep(), 5)

    assert (opened(), stream.health.openings, stream.channels.add("uav2").health.openings) == (3, 3, 3)


async def test_a_file_that_waits_for_a_sink_is_not_stale():
    """The relay makes it wait: hours of that are no silence and no outage of the stream. Silence after it is."""
    time, log = Clock(), MemoryLog(3)
    cursor = log.cursor("sink")
    stream = Stream(StreamInput("uav1", lambda: Tape(hang=True), "flight.klv"), BOOT, log, Notices(), BOARD)
    stream.health.clock = time
    task = asyncio.create_task(stream.keep())
    await until(lambda: cursor.waiting == 3)
    for _ in range(3):
        time.now += 3600
        stream.check()
        assert (stream.health.state, stream.health.outages) == ("live", 0)
    while cursor.sums().delivered < len(TAPE.klv):
        batch = await asyncio.wait_for(cursor.batch(), 1)
        cursor.commit(batch, Outcome(len(batch)))
    time.now += 3600
    stream.check()
    assert stream.health.state == "stale"
    task.cancel()
    await asyncio.wait({task})


async def test_the_last_record_of_a_file_that_fails_is_not_shed():
    """It can not wait for room any more, and it takes none from a record of the file that waits."""
    log = MemoryLog(1)
    cursor = log.cursor("sink")
    tape = Tape(data=(TAPE.klv[0], TAPE.klv[1][:30]), fault=SourceDown("gone"))
    stream = Stream(StreamInput("uav1", lambda: tape, "flight.klv"), BOOT, log, Notices(), BOARD)
    await asyncio.wait_for(stream.keep(), 5)
    assert cursor.sums() == Sums(2, waiting=2)
