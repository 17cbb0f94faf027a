"""Deliveries to brokers: over a long round trip, and to one that closes at packets above a size that it did not
announce.
"""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest
from brokers import Mosquitto, listening, until
from delaying_proxy import slow_line
from oracle_broker import OracleBroker
from records import BOOT, record
from scripted_ends import sink_task_of

from klvrelay.backoff import Backoff
from klvrelay.config.mqtt import MqttSettings
from klvrelay.encode import encode
from klvrelay.outcome import Sums
from klvrelay.relay import halving as halving_module
from klvrelay.relay import sink_task as sink_task_module
from klvrelay.sinks.contract import Notice
from klvrelay.sinks.mqtt.refused import control as control_module
from klvrelay.sinks.mqtt.sink import MqttSink
from klvrelay.sinks.mqtt.values import published_values

STREAMS, RATE, SECONDS = 16, 30, 4


def sink(port: int, **settings: Any) -> MqttSink:
    return MqttSink(MqttSettings(host="127.0.0.1", port=port, **settings), boot=BOOT)


@pytest.mark.needs("mosquitto")
async def test_sixteen_streams_reach_a_real_broker_over_a_round_trip_of_600_ms(mosquitto: Mosquitto):
    """It allows 1,000 unacknowledged: 480 a second make no growing backlog, and arrive in order, each once."""
    await mosquitto.stop()
    mosquitto.configure(f"max_inflight_messages 1000\nlistener {mosquitto.port} 127.0.0.1\nallow_anonymous true\n")
    await mosquitto.start()
    waiting = []
    async with listening(mosquitto.port, "klvrelay/+/telemetry") as heard, slow_line(mosquitto.port, 0.3) as port:
        sink_task, log = sink_task_of(sink(port, window=1000))
        task = asyncio.create_task(sink_task.drain())
        await until(lambda: sink_task.health.up)
        for seq in range(RATE * SECONDS):
            for number in range(STREAMS):
                log.append(record(seq, f"s{number}"))
            await asyncio.sleep(1 / RATE)
            waiting.append(sink_task.cursor.waiting)
        await asyncio.wait_for(sink_task.cursor.wait_until_drained(), 2)
        await heard.count(RATE * SECONDS * STREAMS)
        task.cancel()
        await asyncio.wait({task})
    for number in range(STREAMS):
        sent = [orjson.loads(payload)["seq"] for payload in heard.on(f"klvrelay/s{number}/telemetry")]
        assert sent == list(range(RATE * SECONDS))
    assert max(waiting) < RATE * STREAMS * 1.2
    assert sink_task.sums().delivered == RATE * SECONDS * STREAMS


def hang_up_at_large_ones(oracle: OracleBroker, monkeypatch: pytest.MonkeyPatch, code: int | None = None) -> None:
    """The broker resets the connection at a PUBLISH of more than 3,000 bytes, or says why; the relay is soon back."""
    monkeypatch.setattr(halving_module, "STEADY", 0.05)
    for name in ("CONTROL", "CONTROL_MOST"):
        monkeypatch.setattr(control_module, name, 0.2)
    monkeypatch.setattr(published_values, "RETRY", 0.05)
    monkeypatch.setattr(sink_task_module, "Backoff", lambda cap: Backoff(first=0.01, cap=0.02))
    publish = oracle._publish

    def judge(guest: Any, flags: int, body: bytes) -> None:
        if len(body) > 3000:
            oracle.cut(reset=True) if code is None else oracle.dismiss(code)
        else:
            publish(guest, flags, body)

    monkeypatch.setattr(oracle, "_publish", judge)


@pytest.mark.parametrize("place", [0, 7, 39])
async def test_a_record_that_a_broker_hangs_up_at_costs_only_itself(
    place: int, oracle: OracleBroker, monkeypatch: pytest.MonkeyPatch, said: Any
):
    """No limit was announced, no reason given: the record is found, and all others arrive in order."""
    hang_up_at_large_ones(oracle, monkeypatch)
    sink_task, log = sink_task_of(sink(oracle.port))
    large = encode({"precision_time_stamp": 1, 150: bytes(2000)})
    for seq in range(40):
        log.append(record(seq, raw=large if seq == place else None))
    task = asyncio.create_task(sink_task.drain())
    await asyncio.wait_for(sink_task.cursor.wait_until_drained(), 20)
    task.cancel()
    await asyncio.wait({task})

    sent = [orjson.loads(payload)["seq"] for payload in oracle.payloads("klvrelay/uav1/telemetry")]
    assert list(dict.fromkeys(sent)) == [seq for seq in range(40) if seq != place]
    assert sink_task.sums() == Sums(40, 39, 0, 0, 1, 0)
    (line,) = [line for line in said() if "set aside" in line]
    assert f" topic=klvrelay/uav1/telemetry seq={place} " in line


@pytest.mark.parametrize(("count", "code"), [(1, None), (3, None), (1, 0x95), (1, 0x87)])
async def test_a_latest_value_that_a_broker_hangs_up_at_stops_no_record(
    count: int, code: int | None, oracle: OracleBroker, monkeypatch: pytest.MonkeyPatch, said: Any
):
    """Each connection begins with the latest values: the topics of those that break it are suspended and logged once,
    and all records and other values arrive."""
    hang_up_at_large_ones(oracle, monkeypatch, code)
    sink_task, log = sink_task_of(sink(oracle.port))
    for number in range(6):
        large = number % 2 and number // 2 < count
        sink_task.notices.put(Notice("state", f"s{number}", b"x" * (4000 if large else 10)))
    for seq in range(40):
        log.append(record(seq))
    task = asyncio.create_task(sink_task.drain())
    await asyncio.wait_for(sink_task.cursor.wait_until_drained(), 20)
    await until(lambda: len(oracle.payloads("klvrelay/s4/state")) > 0)
    await until(lambda: len(sink_task.health.suspended()) == count)
    task.cancel()
    await asyncio.wait({task})

    sent = [orjson.loads(payload)["seq"] for payload in oracle.payloads("klvrelay/uav1/telemetry")]
    assert list(dict.fromkeys(sent)) == list(range(40))
    assert sink_task.sums() == Sums(40, 40, 0, 0, 0, 0)
    suspended = [f"klvrelay/s{number}/state" for number in (1, 3, 5)[:count]]
    assert list(sink_task.health.suspended()) == suspended
    assert len([line for line in said() if "topic suspended" in line]) == count
    assert {p.topic for p in oracle.published if p.topic.endswith("state")} == {
        f"klvrelay/s{number}/state" for number in range(6)
    } - set(suspended)


@pytest.mark.parametrize("protocol", [5, 4])
async def test_at_qos_2_a_record_that_a_broker_hangs_up_at_costs_only_itself(
    protocol: int, oracle: OracleBroker, monkeypatch: pytest.MonkeyPatch
):
    """The session does not send it again and again: all others arrive, in order and once."""
    hang_up_at_large_ones(oracle, monkeypatch)
    sink_task, log = sink_task_of(sink(oracle.port, qos=2, protocol=protocol))
    for seq in range(40):
        log.append(record(seq, raw=encode({"precision_time_stamp": 1, 150: bytes(2000)}) if seq == 7 else None))
    task = asyncio.create_task(sink_task.drain())
    await asyncio.wait_for(sink_task.cursor.wait_until_drained(), 30)
    task.cancel()
    await asyncio.wait({task})

    released = [orjson.loads(each.payload)["seq"] for each in oracle.released if each.topic.endswith("telemetry")]
    assert released == [seq for seq in range(40) if seq != 7]
    assert sink_task.sums() == Sums(40, 39, 0, 0, 1, 0)
