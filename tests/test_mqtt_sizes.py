"""The size of a PUBLISH, to the byte, and what a broker's Maximum Packet Size leaves out."""

from __future__ import annotations

import logging
import random
from pathlib import Path
from typing import Any

import pytest
from paho_packets import PahoPackets
from records import BOOT, record

import klvrelay
from klvrelay.config.mqtt import MqttSettings
from klvrelay.outcome import Outcome
from klvrelay.sinks.mqtt.native.encode_publish import HEADS_MOST, PublishEncoder
from klvrelay.sinks.mqtt.protocol.connect import connect
from klvrelay.sinks.mqtt.protocol.connection import TOO_LARGE, Message
from klvrelay.sinks.mqtt.protocol.packets import Packed, publish_size
from klvrelay.sinks.mqtt.sink import MqttSink

VECTORS = Path(__file__).parent / "vectors"
MAXIMUM_PACKET_SIZE = 0x27
WILL = Message("kr/status", b"gone", retain=True)
SEED = 1_700


def message_of(chance: random.Random) -> Message:
    letters = "abcäß/漢🛩"
    word = lambda most: "".join(chance.choice(letters) for _ in range(chance.randint(1, most)))  # noqa: E731
    user = tuple((word(20), word(chance.choice((5, 300)))) for _ in range(chance.randint(0, 4)))
    size = chance.choice((0, 1, 40, 100, 130, 16_200, 16_390, 70_000, 2_097_100, 2_097_160))
    return Message(
        word(60), bytes(size + chance.randint(0, 90)), chance.randint(0, 2), chance.random() < 0.5,
        chance.choice((None, "application/json")), chance.choice((None, 0, 60)), user,
    )  # fmt: skip


@pytest.mark.parametrize("protocol", [5, 4])
def test_the_size_equals_that_of_another_librarys_packet(protocol):
    """400 messages around each step of the length field, any topic, QoS and properties: to the byte."""
    chance = random.Random(SEED)
    paho = PahoPackets(protocol)
    for _ in range(400):
        message = message_of(chance)
        more = Packed(message) if protocol == 5 else None
        assert publish_size(message, more) == len(paho.publish(message, 1))


@pytest.mark.parametrize("protocol", [5, 4])
def test_a_publish_equals_that_of_another_library(protocol):
    """400 messages, each twice, since the second has parts of the first: byte for byte, also when sent again."""
    chance = random.Random(SEED)
    paho, encoder = PahoPackets(protocol), PublishEncoder(protocol)
    for number in range(1, 401):
        message = message_of(chance)
        for dup in (False, message.qos > 0):
            assert encoder.encode(message, number, dup=dup) == paho.publish(message, number, dup=dup)


def test_the_records_of_a_topic_share_their_beginning():
    """Their numbers and ages vary; there are few beginnings, and never more than the limit."""
    encoder = PublishEncoder(5)
    for seq in range(100):
        user = (("stream", "uav1"), ("boot", "b"), ("seq", str(seq)), ("replayed", f"{seq / 7:.3f}"))
        assert encoder.encode(Message("kr/a", b"x", user=user), 1)
    assert len(encoder._heads) == 1

    for number in range(HEADS_MOST + 100):
        encoder.encode(Message(f"kr/{number}", b"x", user=((f"name{number}", "x"),) * 3), 1)
    assert len(encoder._heads) <= HEADS_MOST
    assert len(encoder._names) <= HEADS_MOST


@pytest.mark.parametrize("qos", [0, 1, 2])
async def test_a_message_of_the_limit_is_sent_and_one_of_a_byte_more_is_not(oracle, qos):
    """From both sides, at each QoS."""
    limit = 2048
    oracle.manners.limits[MAXIMUM_PACKET_SIZE] = limit
    fields: dict[str, Any] = {"qos": qos, "content_type": "application/json", "expiry": 60, "user": (("seq", "1"),)}
    spare = limit - publish_size(Message("kr/a", b"", **fields), Packed(Message("kr/a", b"", **fields))) - 1
    settings = MqttSettings.from_url(oracle.url, timeout=2.0)
    connection = await connect(settings, client_id="kr", will=WILL)
    sizes = [spare - 1, spare, spare + 1, spare + 2]
    codes = await connection.publish([Message("kr/a", bytes(size), **fields) for size in sizes])
    await connection.flush()
    await connection.close()

    assert codes == [0, 0, TOO_LARGE, TOO_LARGE]
    assert oracle.sizes[-2:] == [limit - 1, limit]


@pytest.mark.parametrize(("name", "count", "left_out"), [("rec1700.ts", 20, 0), ("big2k.ts", 40, 4)])
async def test_only_records_that_fit_are_delivered(oracle, name, count, left_out, caplog, monkeypatch):
    """A broker that announces 2,048 bytes: records of 1,690 bytes of JSON fit; the rest of a batch continues."""
    monkeypatch.setattr(logging.getLogger("klvrelay"), "propagate", True)
    oracle.manners.limits[MAXIMUM_PACKET_SIZE] = 2048
    records = klvrelay.decode((VECTORS / name).read_bytes())
    assert len(records) == count
    async with MqttSink(MqttSettings.from_url(oracle.url, timeout=2.0), boot=BOOT) as sink:
        outcome = await sink.deliver(records)

    assert outcome == Outcome(delivered=count - left_out, left_out=left_out)
    assert len([p for p in oracle.published if p.topic.endswith("/telemetry")]) == count - left_out
    assert len([line for line in caplog.messages if "exceed the broker's limit" in line]) == (left_out > 0)
    assert len(oracle.guests) == 1


async def test_raw_bytes_that_are_too_large_leave_no_record_out(oracle):
    """The record is judged by its JSON."""
    oracle.manners.limits[MAXIMUM_PACKET_SIZE] = 600
    large = record(0)._replace(raw=record(0).raw + bytes(600))
    async with MqttSink(MqttSettings.from_url(oracle.url, timeout=2.0, raw=True), boot=BOOT) as sink:
        small = len(record(0).json())
        assert small < 450
        outcome = await sink.deliver([record(0), large])

    assert outcome.answered == 2
    assert outcome.delivered >= 1
