"""`order = "live-first"`: after an outage live records are delivered at once, and the backlog beside them at a rate."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Any

import orjson
import pytest
import virtual_time
from brokers import until
from forgetful_disk import ForgetfulFolder
from oracle_broker import OracleBroker
from records import BOOT, all_of, gaps_of, record, records_of
from remote_sinks import FarEnd
from test_spool_histories import AtOnce

from klvrelay.config.mqtt import MqttSettings
from klvrelay.gap import Gap, Item, Replay
from klvrelay.health import SinkHealth
from klvrelay.outcome import Outcome, Sums
from klvrelay.record import Record
from klvrelay.relay.notices import Notices
from klvrelay.relay.relay import Relay
from klvrelay.relay.sink_task import SinkTask
from klvrelay.sinks.mqtt.messages import Messages
from klvrelay.sinks.mqtt.sink import MqttSink
from klvrelay.spool.disk.log import DiskLog
from klvrelay.spool.disk.store import Store
from klvrelay.spool.flows import PULSE
from klvrelay.spool.memory import WAITING, MemoryLog
from klvrelay.spool.memory_flows import MemoryFlows
from klvrelay.spool.queue import size_of

MakeLog = Callable[..., Any]


def memory(limit: int = WAITING) -> MemoryLog:
    return MemoryLog(limit)


def disk(limit: int = WAITING) -> DiskLog:
    return DiskLog(Store(ForgetfulFolder(), "test", 1 << 24), AtOnce("test"), limit=limit)


both = pytest.mark.parametrize("make", [memory, disk])


def filled(log: Any, count: int, stream: str = "uav1", *, first: int = 0) -> None:
    for seq in range(first, first + count):
        log.append(record(seq, stream))


async def taken(cursor: Any, most: int = 20) -> list[tuple[bool, list[int]]]:
    """The batches that are offered at present, which are answered: whether it is backlog, and the numbers."""
    batches: list[tuple[bool, list[int]]] = []
    while cursor._available:
        batch = await cursor.batch(most)
        cursor.commit(batch, all_of(batch))
        batches.append((isinstance(batch, Replay), [one.seq for one in records_of(batch)]))
    return batches


@both
def test_live_records_come_first_and_the_backlog_at_its_rate(make: MakeLog):
    """After an outage of 100 records: live ones at once, and 200 records of the backlog per second."""

    async def main() -> None:
        log = make()
        cursor = log.cursor("mqtt", replay_rate=200.0)
        filled(log, 100)
        cursor.begin_connection()
        filled(log, 3, first=100)
        assert await taken(cursor) == [(False, [100, 101, 102]), (True, list(range(10)))]
        for step in range(1, 10):
            await asyncio.sleep(PULSE)
            filled(log, 1, first=102 + step)
            (live, _), (replay, numbers) = await taken(cursor)
            assert (live, replay) == (False, True)
            assert numbers == list(range(10 * step, 10 * step + 10))
        await asyncio.wait_for(cursor.wait_until_drained(), 1)
        assert cursor.sums() == Sums(112, delivered=112)

    virtual_time.run(main())


@both
def test_a_live_record_waits_for_one_batch_of_the_backlog_at_most(make: MakeLog):
    """However large the backlog, its rate, and the number of streams in it."""

    async def main() -> None:
        log = make()
        cursor = log.cursor("mqtt", replay_rate=1e6)
        for stream in range(8):
            filled(log, 300, f"uav{stream}")
        cursor.begin_connection()
        kinds: list[bool] = []
        for seq in range(50):
            log.append(record(seq, "calm"))
            for _ in range(2):
                batch = await cursor.batch(20)
                cursor.commit(batch, all_of(batch))
                kinds.append(isinstance(batch, Replay))
                if not kinds[-1]:
                    assert [(one.stream, one.seq) for one in records_of(batch)] == [("calm", seq)]
        assert kinds.count(False) == 50

    virtual_time.run(main())


@both
def test_at_each_connection_what_waits_joins_the_backlog(make: MakeLog):
    """In order per stream: the older backlog, what was live and not answered, and what arrived in between."""

    async def main() -> None:
        log = make()
        cursor = log.cursor("mqtt", replay_rate=1e6)
        filled(log, 10)
        for connection in range(1, 7):
            cursor.begin_connection()
            filled(log, 5, first=10 * connection)
            both = [await cursor.batch(3), await cursor.batch(3)]
            live, replay = sorted(both, key=lambda batch: isinstance(batch, Replay))
            assert isinstance(replay, Replay)
            assert [one.seq for one in live] == [10 * connection, 10 * connection + 1, 10 * connection + 2]
            cursor.commit(replay, Outcome(1))
            cursor.rewind()
            filled(log, 5, first=10 * connection + 5)
        cursor.begin_connection()
        numbers = [seq for _, seqs in await taken(cursor, 1000) for seq in seqs]
        for _ in range(20):
            await asyncio.sleep(PULSE)
            numbers += [seq for _, seqs in await taken(cursor, 1000) for seq in seqs]
        assert sorted(numbers) == list(range(6, 70))
        assert cursor.sums() == Sums(70, delivered=70)

    virtual_time.run(main())


def test_after_a_restart_the_backlog_is_what_was_not_answered():
    """Live records that were answered meanwhile are not delivered again."""

    async def main() -> None:
        folder = ForgetfulFolder()
        log = DiskLog(Store(folder, "test", 1 << 24), AtOnce("test"))
        cursor = log.cursor("mqtt", replay_rate=200.0)
        filled(log, 40)
        cursor.begin_connection()
        for seq in range(40, 1000):
            filled(log, 1, first=seq)
            assert (await taken(cursor))[0] == (False, [seq])
        await log.close()
        log = DiskLog(Store(folder, "test", 1 << 24), AtOnce("test"))
        cursor = log.cursor("mqtt", replay_rate=1e6)
        cursor.begin_connection()
        await asyncio.sleep(PULSE)  # they are loaded
        assert await taken(cursor, 100) == [(True, list(range(10, 40)))]
        await log.close()

    virtual_time.run(main())


def test_what_was_read_for_a_part_of_the_backlog_is_freed():
    """After many outages no segment is kept in memory: each part has a reader of its file."""

    async def main() -> None:
        log = disk(80)
        cursor = log.cursor("mqtt", replay_rate=1e6)
        for outage in range(3):
            for count in (100, 1200):  # the backlog, and live records after it in the same segment
                for seq in range(count):
                    filled(log, 1, f"uav{outage}-{count}", first=seq)
                    await asyncio.sleep(0.01)
                if count == 100:
                    cursor.begin_connection()
            while cursor.waiting:
                await taken(cursor)
                await asyncio.sleep(PULSE)
            cursor.rewind()
        assert cursor.sums() == Sums(3900, delivered=3900)
        assert log._store._readers == {}

    virtual_time.run(main())


@both
def test_gaps_ride_with_the_backlog(make: MakeLog):
    """They are where the records were."""

    async def main() -> None:
        log = make(50)
        cursor = log.cursor("mqtt", replay_rate=1e6)
        filled(log, 60)
        cursor.begin_connection()
        filled(log, 1, first=60)
        live, replay = await cursor.batch(100), await cursor.batch(100)
        assert (gaps_of(live), [one.seq for one in records_of(live)]) == ([], [60])
        if make is memory:
            assert gaps_of(replay) == [("uav1", 0, 10, "memory")]
            assert isinstance(replay[0], Gap)

    virtual_time.run(main())


@pytest.mark.parametrize("seed", range(40))
async def test_each_record_is_accounted_for_at_every_moment(seed: int):
    """For random operations on the log in memory: within the limits, in order within both flows, none lost or twice."""
    chance = random.Random(seed)
    limits = chance.choice((1, 7, 50)), chance.choice((1 << 30, 9 * size_of(record(0))))
    log = MemoryLog(*limits)
    cursor = log.cursor("mqtt", replay_rate=1e9)
    assert isinstance(cursor, MemoryFlows)
    answered: list[Item] = []
    flying: list[Sequence[Item]] = []
    seqs = dict.fromkeys("xyz", 0)
    for _ in range(600):
        stream = chance.choice("xxyz")
        log.append(record(seqs[stream], stream))
        seqs[stream] += 1
        way = chance.random()
        if way < 0.3 and cursor._available:
            flying.append(await cursor.batch(chance.randrange(1, 5)))
        elif way < 0.6 and flying:
            batch = flying.pop(0)
            cursor.commit(batch, all_of(batch))
            answered += batch
        elif way < 0.7:
            if flying:
                part = flying[0][: chance.randrange(len(flying[0]))]
                cursor.commit(flying[0], all_of(part))
                answered += part
            flying.clear()
            cursor.rewind()
            cursor.begin_connection()
        numbered, *parts = cursor.sums()
        assert numbered == sum(parts)
        assert cursor.waiting <= limits[0]
        assert sum(part.held.size for part in cursor._cursors) <= max(limits[1], size_of(record(0)))
    cursor.rewind()
    cursor._is_draining = True
    while cursor._available:
        batch = await cursor.batch(100)
        cursor.commit(batch, all_of(batch))
        answered += batch
    named = [
        (one.stream, seq)
        for one in answered
        for seq in range(one.seq, (one.last if isinstance(one, Gap) else one.seq) + 1)
    ]
    assert sorted(named) == [(stream, seq) for stream, count in sorted(seqs.items()) for seq in range(count)]
    assert sum(one.count for one in answered if isinstance(one, Gap)) == cursor.sums().shed


def test_after_an_outage_live_records_reach_a_distant_broker_at_once():
    """30 a second beside 2,000 of the backlog, over a round trip of 100 ms: each within the time of one more batch."""

    async def main() -> None:
        log = MemoryLog()
        far = FarEnd(0.1)
        sink_task = SinkTask(far, log.cursor("sink", replay_rate=500.0), Notices().cursor(), SinkHealth("sink"))
        filled(log, 2000, "flood")
        task = asyncio.create_task(sink_task.drain())
        sent: dict[int, float] = {}
        await asyncio.sleep(0.05)
        for seq in range(60):
            sent[seq] = virtual_time.now()
            log.append(record(seq))
            await asyncio.sleep(1 / 30)
        await asyncio.sleep(1)
        delays = [at - sent[each.seq] for at, each in far.taken if each.stream == "uav1"]
        assert len(delays) == 60
        assert max(delays) < 0.1 + 0.05
        assert 1000 <= len(far.seqs("flood")) <= 1600
        assert far.seqs("flood") == list(range(len(far.seqs("flood"))))
        task.cancel()
        await asyncio.wait({task})

    virtual_time.run(main())


def test_a_record_that_breaks_every_connection_is_set_aside_in_both_flows():
    """The one of the backlog, and a live one; all others are delivered."""

    async def main() -> None:
        log = MemoryLog()
        far = FarEnd(0.01, breaks=lambda each: each.stream == "uav1" and each.seq in (7, 45))
        sink_task = SinkTask(far, log.cursor("sink", replay_rate=1000.0), Notices().cursor(), SinkHealth("sink"))
        filled(log, 40)
        task = asyncio.create_task(sink_task.drain())
        await asyncio.sleep(0.001)
        filled(log, 10, first=40)
        for seq in range(2500):  # each connection has answers to live records
            log.append(record(seq, "calm"))
            await asyncio.sleep(0.05)
        assert sink_task.sums().left_out == 2
        await asyncio.wait_for(sink_task.cursor.wait_until_drained(), 300)
        assert sink_task.sums() == Sums(2550, delivered=2548, left_out=2)
        assert sorted(set(far.seqs("calm"))) == list(range(2500))
        assert sorted(set(far.seqs())) == [seq for seq in range(50) if seq not in (7, 45)]
        task.cancel()
        await asyncio.wait({task})

    virtual_time.run(main())


@pytest.mark.parametrize("received_us", [None, 0])
def test_a_replayed_record_says_its_age(received_us: int | None):
    """In its JSON, which MQTT 3.1.1 has too, and in a user property; its bytes in `raw` have the property."""
    messages = Messages(MqttSettings(host="broker", raw=True), BOOT, "relay")
    one: Record = record(0, received_us=received_us)
    plain, replayed = messages.of_item(one), messages.of_item(one, replayed=True)
    document = orjson.loads(replayed[0].payload)
    age = document.pop("replayed_s")
    assert document == orjson.loads(plain[0].payload)
    assert replayed[1].payload == plain[1].payload
    assert all("replayed" not in dict(message.user) for message in plain)
    properties = [dict(message.user)["replayed"] for message in replayed]
    assert messages.of_item(one, replayed=True) == replayed  # offered again, it is the same message
    if received_us is None:
        assert (age, properties) == (None, ["", ""])
    else:
        assert age > 1.7e9
        assert all(abs(float(text) - age) < 1 for text in properties)


@pytest.mark.parametrize("protocol", [5, 4])
async def test_subscribers_see_which_records_are_of_the_backlog(oracle: OracleBroker, protocol: int):
    """Those that waited at the connection; a gap is not marked, and each stream is in order within both."""
    log = MemoryLog(50)
    sink = MqttSink(MqttSettings.from_url(oracle.url, timeout=4.0, protocol=protocol), boot=BOOT)
    relay = Relay([], [("mqtt", sink, "live-first", 500.0)], boot=BOOT, log=log)
    (sink_task,) = relay.sink_tasks
    filled(log, 60)
    task = asyncio.create_task(sink_task.drain())
    await until(lambda: sink_task.health.up and sink_task.sums().delivered)
    for seq in range(60, 70):
        log.append(record(seq))
        await asyncio.sleep(0.005)
    await asyncio.wait_for(sink_task.cursor.wait_until_drained(), 10)
    task.cancel()
    await asyncio.wait({task})
    leaves = ("telemetry", "gap")
    documents = [orjson.loads(one.payload) for one in oracle.published if one.topic.rpartition("/")[2] in leaves]
    replayed = [one["seq"] for one in documents if "replayed_s" in one]
    live = [one["seq"] for one in documents if "seq" in one and "replayed_s" not in one]
    assert (replayed, live) == (list(range(10, 60)), list(range(60, 70)))
    assert [(one["from"], one["to"], one["reason"]) for one in documents if "from" in one] == [(0, 9, "memory")]


def test_nothing_of_the_backlog_is_sent_without_a_connection():
    """The rate begins with each connection."""

    async def main() -> None:
        log = MemoryLog()
        cursor = log.cursor("mqtt", replay_rate=1e6)
        filled(log, 10)
        cursor.begin_connection()
        batch = await cursor.batch()
        cursor.rewind()
        await asyncio.sleep(10 * PULSE)
        cursor.offer_at(1)
        assert isinstance(batch, Replay)
        assert isinstance(cursor, MemoryFlows)
        assert cursor._available == 0
        assert cursor.waiting == 10

    virtual_time.run(main())
