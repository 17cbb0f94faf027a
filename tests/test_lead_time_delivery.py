"""Lead times through the real delivery: each kind of sink, thinned outputs, a budget, and a real broker."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import feed
import orjson
import pytest
from brokers import Mosquitto, listening, until
from far_ends import FAR_ENDS
from oracle_broker import OracleBroker
from records import BOOT, record, records_of
from scripted_ends import delivering, sink_task_of

from klvrelay.config.mqtt import Client, MqttSettings
from klvrelay.config.outputs import output_of
from klvrelay.config.settings import RelaySettings, SinkSettings, SourceSettings
from klvrelay.config.url import Url
from klvrelay.errors import SinkDown
from klvrelay.record import Record
from klvrelay.relay.build import build_relay, shaper_of
from klvrelay.relay.sink_task import SinkTask
from klvrelay.shape.output import BATCH_HELD
from klvrelay.shape.shaper import Shaper
from klvrelay.sinks.contract import Outcome
from klvrelay.sinks.mqtt.sink import MqttSink
from klvrelay.sinks.open import open_sink

AGO = 2.0
"""Seconds for which each record of a test has been on its way when it is appended."""
LATER = 0.2
"""Seconds between two answers."""


def aged(record: Record) -> Record:
    return record._replace(received_us=time.time_ns() // 1000 - int(AGO * 1e6))


def figures(task: SinkTask, stream: str = "uav1") -> tuple[int, float]:
    """Number and sum of the lead times of a stream, in seconds."""
    times = task.health.lead_times.of(stream)
    if times is None:
        return 0, 0.0
    counts, seconds = times.cumulative()
    return counts[-1], seconds


def count(task: SinkTask, stream: str = "uav1") -> int:
    return figures(task, stream)[0]


@pytest.mark.parametrize("kind", sorted(FAR_ENDS))
async def test_each_kind_of_sink_measures_what_it_delivered(kind: str, tmp_path: Path, free_port: int):
    """As many lead times as delivered records, of each stream; none below the true age."""
    far = FAR_ENDS[kind](tmp_path, free_port)
    await far.start()
    try:
        settings = SinkSettings("trial", far.settings(), outputs=getattr(far, "outputs", ()))
        make = getattr(far, "record", record)
        async with delivering(open_sink(settings, shaper_of(settings), BOOT)) as (task, log):
            await until(lambda: task.health.up)
            for seq in range(50):
                for stream in ("uav1", "uav2"):
                    log.append(aged(make(seq, stream)))
            await asyncio.wait_for(task.settle(), 10)
            assert task.sums().delivered == 100
            assert (count(task), count(task, "uav2")) == (50, 50)
            assert task.health.lead_times.unclear == 0
            assert figures(task)[1] >= 50 * AGO
    finally:
        await far.close()


@pytest.mark.parametrize("more", [{}, {"budget": 1_000_000.0}])
@pytest.mark.parametrize("output", [{"name": "slow", "rate": 0.1}, {"preset": "telemetry", "rate": 10.0}])
async def test_a_thinned_record_has_no_lead_time(oracle: OracleBroker, output: Any, more: Any):
    """Of outputs with and without a budget."""
    settings = MqttSettings(host="127.0.0.1", port=oracle.port)
    sink = MqttSink(settings, boot=BOOT, shaper=Shaper([output_of(output)]), **more)
    async with delivering(sink) as (task, log):
        await until(lambda: task.health.up)
        for seq in range(60):
            log.append(aged(record(seq, "uav1")))
            await asyncio.sleep(0)
        await asyncio.wait_for(task.settle(), 10)
        sums = task.sums()
        assert sums.thinned > 0 < sums.delivered
        assert count(task) == sums.delivered


async def test_each_record_of_a_budget_has_the_time_of_its_own_answer(oracle: OracleBroker):
    """Two records of one batch, of which the broker answers for the second one later."""
    settings = MqttSettings(host="127.0.0.1", port=oracle.port)
    sink = MqttSink(settings, boot=BOOT, shaper=Shaper([output_of({"preset": "telemetry"})]), budget=1_000_000.0)
    async with delivering(sink) as (task, log):
        await until(lambda: task.health.up)
        await until(lambda: oracle.payloads("klvrelay/uplink") and not oracle.unanswered)  # its own first messages
        batch = [record(seq, stream) for seq, stream in enumerate(("uav1", "uav2"))]
        oracle.manners.ack = False
        for each in batch:
            log.append(each._replace(received_us=time.time_ns() // 1000))
        await until(lambda: oracle.unanswered == 2)
        oracle.acknowledge_one()
        answered = time.monotonic()
        await until(lambda: time.monotonic() > answered + LATER)
        oracle.acknowledge()
        await asyncio.wait_for(task.settle(), 10)
        assert (count(task), count(task, "uav2")) == (1, 1)
        assert figures(task, "uav2")[1] - figures(task)[1] >= LATER / 2


async def test_a_record_that_waits_for_others_of_its_message_has_a_later_answer(oracle: OracleBroker):
    """Beside records of the same batch whose message is complete."""
    output = output_of({"name": "pairs", "batch": 2})
    sink = MqttSink(MqttSettings(host="127.0.0.1", port=oracle.port), boot=BOOT, shaper=Shaper([output]))
    async with delivering(sink) as (task, log):
        await until(lambda: task.health.up)
        for seq, stream in enumerate(("uav1", "uav2", "uav2")):
            log.append(record(seq, stream)._replace(received_us=time.time_ns() // 1000))
        await asyncio.wait_for(task.settle(), 10)
        assert (count(task), count(task, "uav2")) == (1, 2)
        assert figures(task)[1] - figures(task, "uav2")[1] / 2 >= BATCH_HELD / 2


async def test_a_record_answered_before_the_connection_is_lost_counts_once():
    """The records behind it count when they are delivered on the next connection."""

    class Breaking:
        broken = False

        async def __aenter__(self) -> Breaking:
            return self

        async def __aexit__(self, *_: object) -> None: ...

        async def deliver(self, batch: Any) -> Outcome:
            if not self.broken and len(batch) > 1:
                self.broken = True
                raise SinkDown("lost", answered=Outcome(1))
            return Outcome(len(records_of(batch)))

    task, log = sink_task_of(Breaking())
    for seq in range(5):
        log.append(aged(record(seq, "uav1")))
    drain = asyncio.create_task(task.drain())
    await asyncio.wait_for(task.cursor.wait_until_drained(), 10)
    drain.cancel()
    await asyncio.wait({drain})
    assert task.sums().delivered == count(task) == 5


@pytest.mark.parametrize("client", ["native", "aiomqtt"])
@pytest.mark.needs("mosquitto")
async def test_the_lead_time_agrees_with_a_subscriber_of_a_real_broker(mosquitto: Mosquitto, client: Client):
    """The mean of both differs by at most the duration of the test."""
    begin = time.monotonic()
    settings = MqttSettings(host="127.0.0.1", port=mosquitto.port, client=client)
    heard_at: list[float] = []
    async with (
        listening(mosquitto.port, "klvrelay/+/telemetry") as heard,
        delivering(MqttSink(settings, boot=BOOT)) as (task, log),
    ):
        await until(lambda: task.health.up)
        arrivals = []
        for seq in range(40):
            log.append(each := aged(record(seq, "uav1")))
            arrivals.append((each.received_us or 0) / 1e6)
            await heard.count(seq + 1)
            heard_at.append(time.time())
        await asyncio.wait_for(task.settle(), 10)
        number, seconds = figures(task)
    subscriber = sum(heard - arrived for heard, arrived in zip(heard_at, arrivals, strict=True))
    assert number == 40
    assert seconds / 40 == pytest.approx(subscriber / 40, abs=time.monotonic() - begin)
    assert [orjson.loads(payload)["seq"] for payload in heard.on("klvrelay/uav1/telemetry")] == list(range(40))


@pytest.mark.parametrize("blocked", [0.0, 0.1])
@pytest.mark.needs("mosquitto")
async def test_it_begins_at_the_kernel_and_ends_at_the_broker(
    mosquitto: Mosquitto, free_port: int, kernel_stamps: None, blocked: float
):
    """At least as long as the event loop was blocked while a datagram waited; at most until its record was confirmed.

    The subscriber has each record in this time, too.
    """
    tape = feed.recording(6).klv
    sink = SinkSettings("mqtt", MqttSettings(host="127.0.0.1", port=mosquitto.port))
    source = SourceSettings(Url.parse(f"udp://127.0.0.1:{free_port}"), stream="uav1")
    relay = build_relay(RelaySettings((source,), (sink,)))
    (task,) = relay.sink_tasks
    running = asyncio.create_task(relay.run())
    try:
        async with listening(mosquitto.port, "klvrelay/uav1/telemetry") as heard:
            await feed.listening(free_port)
            await until(lambda: task.health.up)
            before = 0.0
            for number, data in enumerate(tape, 1):
                begin = time.time()
                feed.send_udp([data], free_port)
                time.sleep(blocked)  # the loop, while the datagram waits in the kernel
                await heard.count(number)
                await until(lambda number=number: count(task) == number)
                seconds = figures(task)[1]
                assert blocked < seconds - before <= time.time() - begin + 0.001
                before = seconds
            assert task.health.lead_times.unclear == 0
            assert ", lead time p50 " in relay.summary()
    finally:
        running.cancel()
        await asyncio.wait({running}, timeout=10)
