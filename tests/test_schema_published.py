"""The JSON Schemas and the AsyncAPI document describe what is published: every topic, payload and property."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import feed
import pytest
from brokers import until
from conftest import ROOT
from oracle_broker import OracleBroker
from payload_schemas import Described, faults
from test_relay_mqtt import relay, running, spoilt, tape
from test_schema import raw_packets

from klvrelay.config.mqtt import MqttSettings
from klvrelay.config.settings import SourceSettings
from klvrelay.config.url import Url
from klvrelay.decoder import decode
from klvrelay.relay.relay import Relay
from klvrelay.relay.sink_input import SinkInput
from klvrelay.sinks.mqtt.sink import MqttSink
from klvrelay.spool.memory import MemoryLog

TAPE = feed.recording(60)
BINARY = ("raw",)
FIRST = 40
"""Payloads of a topic that are validated by the AsyncAPI document too, which takes as long again."""


async def published(oracle: OracleBroker, *sources: SourceSettings, **mqtt: Any) -> Counter[str]:
    """Run a relay until its sources end, and check all its messages. Returns their number by channel."""
    await asyncio.wait_for(relay(oracle.port, *sources, **mqtt).run(), 40)
    return check(oracle, **mqtt)


def check(oracle: OracleBroker, **mqtt: Any) -> Counter[str]:
    """Every message is described, and valid by its schema; the first of each topic also by the AsyncAPI document."""
    settings = MqttSettings(host="127.0.0.1", port=oracle.port, **mqtt)
    described = Described.of(settings)
    found: Counter[str] = Counter()
    for message in oracle.published:
        leaf = described.leaf(message.topic)
        assert leaf is not None, message.topic
        found[leaf] += 1
        assert described.differences(message, payload=found[leaf] <= FIRST) == {}, message.topic
        if leaf not in BINARY:
            document = message.payload.decode() if leaf == "availability" else json.loads(message.payload)
            assert faults(leaf, document, settings.numbers) == [], message.topic
    return found


@pytest.mark.timeout(120)
async def test_every_message_of_a_flight_is_described(oracle: OracleBroker):
    """Topic, payload, QoS, retention, expiry, content type and user properties."""
    flight = SourceSettings(Url.parse(ROOT / "samples" / "orbit.ts"), stream="an orbit/1")

    found = await published(oracle, flight, raw=True, prefix="site/klv", expiry=30)

    assert found["telemetry"] == found["raw"] > 100
    assert all(found[leaf] for leaf in ("state", "link", "availability", "status"))


@pytest.mark.timeout(120)
@pytest.mark.parametrize(("numbers", "step"), [("safe", 1), ("exact", 8)])
async def test_every_message_of_the_vectors_is_described(
    numbers: Any, step: int, oracle: OracleBroker, tmp_path: Path
):
    """All sets, with integers as strings and as numbers: the state too, into which they are merged."""
    packets = [raw for kind in ("item", "set", "packet", "miis", "mdap") for raw in raw_packets(kind)[::step]]

    found = await published(oracle, tape(tmp_path, b"".join(packets)), numbers=numbers, qos=0, expiry=0)

    assert found["telemetry"] + found["rejected"] > 900 / step
    assert found["state"]


async def test_damaged_records_and_their_streams_are_described(oracle: OracleBroker, tmp_path: Path):
    """Rejected records have the form of good ones; so have all messages of several streams."""
    bad = b"".join(spoilt(klv) if number % 3 else klv for number, klv in enumerate(TAPE.klv)) + TAPE.klv[3][:30]
    lossy = TAPE.ts[: 188 * 40] + TAPE.ts[188 * 47 :]

    found = await published(oracle, tape(tmp_path, bad), tape(tmp_path, lossy, name="uav2"))

    assert found["rejected"] > 30
    assert found["telemetry"] > 30


@pytest.mark.parametrize("protocol", [5, 4])
async def test_records_of_a_backlog_beside_live_ones_are_described(oracle: OracleBroker, protocol: int):
    """With their age, in the JSON and as a user property."""
    log = MemoryLog(1000)
    sink = MqttSink(MqttSettings.from_url(oracle.url, protocol=protocol, raw=True), boot="5f2c9a")
    pipeline = Relay([], [SinkInput("mqtt", sink, "live-first", 500.0)], boot="5f2c9a", log=log)
    (sink_task,) = pipeline.sink_tasks
    for record in decode(TAPE.ts, stream="uav1", boot="5f2c9a"):
        log.append(record)
    task = asyncio.create_task(sink_task.drain())
    await asyncio.wait_for(sink_task.cursor.wait_until_drained(), 10)
    task.cancel()
    await asyncio.wait({task})

    assert check(oracle, protocol=protocol, raw=True)["telemetry"] == 60
    assert all("replayed_s" in json.loads(payload) for payload in oracle.payloads("klvrelay/uav1/telemetry"))
    marked = ["replayed" in dict(one.user) for one in oracle.published if one.topic.startswith("klvrelay/uav1/")]
    assert marked == [protocol == 5] * 120


async def test_messages_of_mqtt_3_1_1_are_described(oracle: OracleBroker, tmp_path: Path):
    """Without properties."""
    assert (await published(oracle, tape(tmp_path, TAPE.ts), protocol=4, raw=True))["raw"] == 60


@pytest.mark.parametrize("name", ["two_uav.ts", "hostile.ts", "vmti_sep_small.ts", "big2k.ts", "fill.ts"])
async def test_every_message_of_other_generators_is_described(name: str, oracle: OracleBroker, shared: Path):
    """Several PIDs, hostile texts, a set beside another, large records."""
    source = SourceSettings(Url.parse(shared / "cases" / name))

    assert (await published(oracle, source, numbers="safe"))["telemetry"]


async def test_a_stop_and_a_refused_topic_are_described(oracle: OracleBroker, tmp_path: Path):
    """`status` with the counts of a stop, and with the suspended topics; `availability` goes offline."""
    oracle.manners.refuses = frozenset({"klvrelay/uav1/state"})
    async with running(relay(oracle.port, tape(tmp_path, TAPE.ts, follow=True))):
        await until(lambda: any(b"suspended" in p for p in oracle.payloads("klvrelay/status")))

    check(oracle)
    states = [json.loads(payload) for payload in oracle.payloads("klvrelay/status")]
    assert any(status.get("suspended_topics") for status in states)
    assert (states[-1]["state"], states[-1]["reason"]) == ("offline", "stopped")
    assert states[-1]["records"]["delivered"] == 60


async def test_the_last_will_is_described(oracle: OracleBroker, tmp_path: Path):
    """Its topic and members are those of the server binding; its payload is a valid status."""
    async with running(relay(oracle.port, tape(tmp_path))):
        await until(lambda: oracle.guests and oracle.guests[-1].will)
        topic, payload = oracle.guests[-1].will or ("", b"")
    server = Described.of(MqttSettings(host="127.0.0.1")).document["servers"]["broker"]
    described = server["bindings"]["mqtt"]["lastWill"]

    assert faults("status", json.loads(payload)) == []
    assert (topic, json.loads(payload).keys()) == (described["topic"], json.loads(described["message"]).keys())
