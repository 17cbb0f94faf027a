"""Deliveries to brokers: over a long way, and to one that hangs up at packets of a size that it never named."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest
from brokers import Mosquitto, listening, until
from oracle import OracleBroker
from papers import outlet_of
from records import BOOT, record
from slow_line import slow_line

from klvrelay.backoff import Backoff
from klvrelay.config.mqtt import MqttSettings
from klvrelay.encode import encode
from klvrelay.outcome import Sums
from klvrelay.relay import delivery as delivery_module
from klvrelay.relay import sink_task as outlet_module
from klvrelay.sinks.mqtt.sink import MqttSink

STREAMS, RATE, SECONDS = 16, 30, 4


def sink(port: int, **settings: Any) -> MqttSink:
    return MqttSink(MqttSettings(host="127.0.0.1", port=port, **settings), boot=BOOT)


@pytest.mark.needs("mosquitto")
async def test_sixteen_streams_reach_a_real_broker_over_a_round_trip_of_600_ms(mosquitto: Mosquitto):
    """It allows 1,000 to be unanswered: 480 a second make no backlog that grows, and come in order, each once."""
    await mosquitto.stop()
    mosquitto.configure(f"max_inflight_messages 1000\nlistener {mosquitto.port} 127.0.0.1\nallow_anonymous true\n")
    await mosquitto.start()
    waiting = []
    async with listening(mosquitto.port, "klvrelay/+/telemetry") as heard, slow_line(mosquitto.port, 0.3) as port:
        outlet, log = outlet_of(sink(port, window=1000))
        task = asyncio.create_task(outlet.drain())
        await until(lambda: outlet.health.up)
        for seq in range(RATE * SECONDS):
            for number in range(STREAMS):
                log.append(record(seq, f"s{number}"))
            await asyncio.sleep(1 / RATE)
            waiting.append(outlet.cursor.waiting)
        await asyncio.wait_for(outlet.cursor.wait_until_drained(), 2)
        await heard.count(RATE * SECONDS * STREAMS)
        task.cancel()
        await asyncio.wait({task})
    for number in range(STREAMS):
        sent = [orjson.loads(payload)["seq"] for payload in heard.on(f"klvrelay/s{number}/telemetry")]
        assert sent == list(range(RATE * SECONDS))
    assert max(waiting) < RATE * STREAMS * 1.2
    assert outlet.sums().delivered == RATE * SECONDS * STREAMS


@pytest.mark.parametrize("place", [0, 7, 39])
async def test_a_record_that_a_broker_hangs_up_at_costs_only_itself(
    place: int, oracle: OracleBroker, monkeypatch: pytest.MonkeyPatch, said: Any
):
    """No limit was announced, nothing is said: the record is found, and all others arrive in order."""
    monkeypatch.setattr(delivery_module, "STEADY", 0.05)
    monkeypatch.setattr(outlet_module, "Backoff", lambda cap: Backoff(first=0.01, cap=0.02))
    publish = oracle._publish

    def hang_up_at_large_ones(guest: Any, flags: int, body: bytes) -> None:
        if len(body) > 3000:
            oracle.cut(reset=True)
        else:
            publish(guest, flags, body)

    monkeypatch.setattr(oracle, "_publish", hang_up_at_large_ones)
    outlet, log = outlet_of(sink(oracle.port))
    large = encode({"precision_time_stamp": 1, 150: bytes(2000)})
    for seq in range(40):
        log.append(record(seq, raw=large if seq == place else None))
    task = asyncio.create_task(outlet.drain())
    await asyncio.wait_for(outlet.cursor.wait_until_drained(), 20)
    task.cancel()
    await asyncio.wait({task})

    sent = [orjson.loads(payload)["seq"] for payload in oracle.payloads("klvrelay/uav1/telemetry")]
    assert list(dict.fromkeys(sent)) == [seq for seq in range(40) if seq != place]
    assert outlet.sums() == Sums(40, 39, 0, 0, 1, 0)
    (line,) = [line for line in said() if "set aside" in line]
    assert f" topic=klvrelay/uav1/telemetry seq={place} " in line
