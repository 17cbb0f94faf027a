"""A list of brokers: one at a time is used, and the next one once it cannot be reached, refuses or is lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson
import pytest
from brokers import until
from oracle_broker import OracleBroker
from records import BOOT, record
from scripted_ends import delivering, sink_task_of

from klvrelay.config.mqtt import MqttSettings
from klvrelay.errors import SinkDown, SinkRefused
from klvrelay.sinks.contract import Notice
from klvrelay.sinks.mqtt.failover import FailoverSink

Said = Callable[[], list[str]]
TELEMETRY = "klvrelay/uav1/telemetry"


@pytest.fixture
async def second() -> AsyncIterator[OracleBroker]:
    async with OracleBroker() as broker:
        yield broker


def sink_to(*brokers: OracleBroker, **settings: Any) -> FailoverSink:
    known = {"timeout": 2.0, **settings}
    return FailoverSink([MqttSettings.from_url(broker.url, **known) for broker in brokers], boot=BOOT)


def seqs(*brokers: OracleBroker, stream: str = "uav1") -> list[int]:
    topic = f"klvrelay/{stream}/telemetry"
    return [orjson.loads(payload)["seq"] for broker in brokers for payload in broker.payloads(topic)]


def statuses(broker: OracleBroker) -> list[dict[str, Any]]:
    return [orjson.loads(payload) for payload in broker.payloads("klvrelay/status")]


async def test_with_the_first_broker_down_at_the_start_the_second_is_used(
    oracle: OracleBroker, second: OracleBroker, said: Said
):
    """In the same attempt; the log and the status name the broker in use."""
    await oracle.stop()
    began = asyncio.get_running_loop().time()
    async with delivering(sink_to(oracle, second)) as (sink_task, log):
        log.append(record(0))
        await until(lambda: seqs(second) == [0])
        assert asyncio.get_running_loop().time() - began < 0.5
        assert sink_task.health.outages == 0
    lines = [line for line in said() if "broker in use" in line]
    assert len(lines) == 1
    assert f"{second.url}: broker in use: previous={oracle.url} reason='{oracle.url}: connection refused" in lines[0]
    assert statuses(second)[0]["broker"] == second.url
    assert statuses(second)[-1] | {"at": ""} == {
        "state": "offline", "reason": "stopped", "broker": second.url, "boot": BOOT, "at": "",
        "client_id": statuses(second)[0]["client_id"], "records": statuses(second)[-1]["records"],
    }  # fmt: skip
    assert second.goodbyes == 1


@pytest.mark.parametrize("qos", [1, 2])
async def test_a_broker_that_dies_under_load_costs_nothing(oracle: OracleBroker, second: OracleBroker, qos: int):
    """Within a second the next one gets the records: over both, none is missing, and each stream is in order."""
    streams, each = ("uav1", "uav2", "uav3"), 200
    async with delivering(sink_to(oracle, second, qos=qos)) as (sink_task, log):
        await until(lambda: sink_task.health.up)
        for seq in range(each):
            for stream in streams:
                log.append(record(seq, stream))
            if seq == each // 2:
                await until(lambda: len(seqs(oracle)) > each // 4)
                oracle.manners.ack = False
                died = asyncio.get_running_loop().time()
                await oracle.stop()
            await asyncio.sleep(0.001)
        await until(lambda: len(second.guests) > 0)
        assert asyncio.get_running_loop().time() - died < 1
        await asyncio.wait_for(sink_task.cursor.wait_until_drained(), 10)
        assert sink_task.sums().delivered == each * len(streams)
    for stream in streams:
        before, after = seqs(oracle, stream=stream), seqs(second, stream=stream)
        assert before == list(range(len(before)))
        assert after == list(range(after[0], each))
        assert after[0] <= len(before)  # those without an answer may be at both


async def test_with_all_brokers_down_the_first_to_return_is_used(
    oracle: OracleBroker, second: OracleBroker, said: Said
):
    """One line names both faults."""
    await oracle.stop()
    await second.stop()
    async with delivering(sink_to(oracle, second)) as (_, log):
        log.append(record(0))
        await until(lambda: any("retrying" in line for line in said()))
        await second.start()
        await until(lambda: seqs(second) == [0])
    (line,) = [line for line in said() if "retrying" in line]
    assert f"{oracle.url}: connection refused" in line
    assert f"{second.url}: connection refused" in line


async def test_a_broker_that_works_is_not_left_for_the_first_one(oracle: OracleBroker, second: OracleBroker):
    """Only once it is lost, the first one is tried again."""
    await oracle.stop()
    async with delivering(sink_to(oracle, second)) as (sink_task, log):
        await until(lambda: sink_task.health.up)
        await oracle.start()
        for seq in range(20):
            log.append(record(seq))
            await asyncio.sleep(0.01)
        await until(lambda: len(seqs(second)) == 20)
        assert len(oracle.guests) == 0
        second.cut()
        log.append(record(20))
        await until(lambda: seqs(oracle) == [20])
        await until(lambda: sink_task.health.up)
        assert len(second.guests) == 1


async def test_a_broker_that_ends_each_connection_does_not_keep_the_records(
    oracle: OracleBroker, second: OracleBroker
):
    """It accepts, and closes at the first record."""
    hand_on = oracle._hand_on

    def hang_up(published: Any) -> None:
        hand_on(published)
        if published.topic == TELEMETRY:
            oracle.cut(reset=True)

    oracle._hand_on = hang_up  # type: ignore[method-assign]
    async with delivering(sink_to(oracle, second)) as (sink_task, log):
        log.append(record(0))
        await until(lambda: seqs(second) == [0])
        await until(lambda: sink_task.sums().delivered == 1)
        assert len(oracle.guests) == 1


@contextlib.asynccontextmanager
async def silent() -> AsyncIterator[OracleBroker]:
    """Accepts connections, and reads nothing."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.wait({asyncio.ensure_future(end.wait())})
        writer.close()

    end, broker = asyncio.Event(), OracleBroker()
    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    broker.port = server.sockets[0].getsockname()[1]
    yield broker
    end.set()
    server.close()
    await asyncio.sleep(0)


@pytest.mark.parametrize("client", ["native", "aiomqtt"])
async def test_a_broker_that_never_answers_delays_the_next_one_by_its_timeout(
    second: OracleBroker, client: str, said: Said
):
    """Not by one for each version of MQTT."""
    async with silent() as first:
        began = asyncio.get_running_loop().time()
        async with delivering(sink_to(first, second, timeout=0.4, client=client)) as (_, log):
            log.append(record(0))
            await until(lambda: seqs(second) == [0])
            assert 0.35 < asyncio.get_running_loop().time() - began < 0.8
    assert any(f"{first.url}: no MQTT connection within 0.4 s" in line for line in said())


async def test_a_stop_during_an_attempt_ends_it(second: OracleBroker):
    """Nothing is tried after it, and nothing is left open."""
    async with silent() as first:
        attempt = asyncio.create_task(sink_to(first, second, timeout=30.0).__aenter__(), name="attempt")
        await asyncio.sleep(0.05)
        attempt.cancel()
        await asyncio.wait({attempt}, timeout=1)
        assert attempt.cancelled()
    assert second.guests == []


async def test_latest_values_are_published_to_each_broker(oracle: OracleBroker, second: OracleBroker):
    """Those of before too; the one that was lost publishes the last will."""
    sink_task, _ = sink_task_of(sink_to(oracle, second))
    sink_task.notices.put(Notice("availability", "uav1", b"online"))
    task = asyncio.create_task(sink_task.drain(), name="drain")
    try:
        await until(lambda: b"online" in oracle.payloads("klvrelay/uav1/availability"))
        oracle.cut()
        await until(lambda: b"online" in second.payloads("klvrelay/uav1/availability"))
    finally:
        task.cancel()
        await asyncio.wait({task})
    assert second.payloads("klvrelay/uav1/availability")[-1] == b"offline"
    assert [orjson.loads(payload)["reason"] for _, payload in oracle.wills] == ["lost"]
    assert second.wills == []
    assert oracle.guests[0].client_id == second.guests[0].client_id


async def test_what_one_broker_refuses_is_published_to_the_other(oracle: OracleBroker, second: OracleBroker):
    """A suspended topic belongs to the broker, and so does what is shown of it."""
    oracle.manners.refuses = frozenset({TELEMETRY})
    async with delivering(sink_to(oracle, second)) as (sink_task, log):
        log.append(record(0))
        await until(lambda: sink_task.sums().rejected == 1)
        assert sink_task.health.suspended() == (TELEMETRY,)
        oracle.cut()
        await until(lambda: len(second.guests) == 1 and sink_task.health.up)
        log.append(record(1))
        await until(lambda: seqs(second)[-1:] == [1])
        assert sink_task.health.suspended() == ()


async def test_the_session_of_a_lost_broker_is_not_completed_later(oracle: OracleBroker, second: OracleBroker):
    """QoS 2: a message with PUBREC and no PUBCOMP goes to the next broker; the first never releases it."""
    oracle.on_step = lambda step: oracle.cut() if step == "PUBREC" and TELEMETRY in topics(oracle) else None
    async with delivering(sink_to(oracle, second, qos=2)) as (sink_task, log):
        log.append(record(0))
        await until(lambda: seqs(second) == [0])
        await until(lambda: sink_task.sums().delivered == 1)
        oracle.on_step = lambda step: None
        second.cut()
        log.append(record(1))
        await until(lambda: sink_task.sums().delivered == 2)
    assert seqs(oracle) == [0, 1]
    assert [orjson.loads(each.payload)["seq"] for each in oracle.released if each.topic == TELEMETRY] == [1]


def topics(broker: OracleBroker) -> set[str]:
    return {published.topic for published in broker.published}


async def test_brokers_that_all_refuse_are_a_refusal(oracle: OracleBroker, second: OracleBroker):
    """At the start the relay ends then, and the message has both; one that is only down may return."""
    oracle.manners.connack = second.manners.connack = 0x86
    sink = sink_to(oracle, second)
    with pytest.raises(SinkRefused, match=f"{oracle.url}: .*user name or password.*; {second.url}: .*user name"):
        await sink.__aenter__()
    await second.stop()
    with pytest.raises(SinkDown, match=f"{oracle.url}: .*user name or password.*; {second.url}: connection refused"):
        await sink.__aenter__()

