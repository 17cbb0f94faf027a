"""Brokers without retained messages, with lower QoS, or without capacity for clients: used as far as possible, and
reported once.
"""

from __future__ import annotations

import logging

import pytest
from brokers import SAMPLE, until
from latest_values import publish
from records import BOOT, record

from klvrelay.config.mqtt import MqttSettings
from klvrelay.errors import SinkDown, SinkRefused
from klvrelay.sinks.contract import Notice
from klvrelay.sinks.mqtt.protocol.connect import connect
from klvrelay.sinks.mqtt.protocol.connection import Message
from klvrelay.sinks.mqtt.sink import MqttSink

WILL = Message("klvrelay/status", b"gone", retain=True)
TELEMETRY, STATE = "klvrelay/uav1/telemetry", "klvrelay/uav1/state"


def to(broker, **settings):
    return MqttSettings.from_url(broker.url, **{"timeout": 4.0, **settings})


@pytest.fixture
def said(caplog, monkeypatch):
    """The log lines about the broker's limits."""
    monkeypatch.setattr(logging.getLogger("klvrelay"), "propagate", True)
    caplog.set_level(logging.WARNING, "klvrelay")
    return lambda: [line for line in caplog.messages if "the broker" in line]


async def carried(broker, **settings):
    """Two connections of one sink: all is delivered on each."""
    sink = MqttSink(to(broker, **settings), boot=BOOT)
    for number in (1, 2):
        async with sink:
            await sink.deliver([record(number)])
            await publish(sink, Notice("state", "uav1", b"{}"))


CURT = {
    "no retain": (1, (2, False), (1, False), "does not retain messages"),
    "no QoS": (1, (0, True), (0, True), "so messages may be lost: qos=0"),
    "neither": (1, (0, False), (0, False), "so messages may be lost: qos=0"),
}


@pytest.mark.parametrize("late", [False, True], ids=["at the last will", "at the first message"])
@pytest.mark.parametrize(("qos", "takes", "sent", "says"), CURT.values(), ids=CURT)
async def test_a_broker_of_3_1_1_that_closes_on_missing_features_is_used(oracle, said, qos, takes, sent, says, late):
    """It cannot give a reason; less is tried until the connection lasts, and the missing feature is logged once."""
    oracle.manners.speaks, oracle.manners.curt, oracle.manners.late = (4,), takes, late
    await carried(oracle, qos=qos)
    await until(lambda: len(oracle.payloads(TELEMETRY)) == 2)

    assert {p.qos for p in oracle.published if p.topic == TELEMETRY} == {sent[0]}
    assert {p.retain for p in oracle.published if p.topic == STATE} == {sent[1]}
    assert sum(says in line for line in said()) == 1


async def test_a_broker_of_3_1_1_that_hangs_up_once_keeps_its_retained_messages(oracle, said):
    """A restart does not count as a limit: each feature is tried twice."""
    oracle.manners.speaks = (4,)
    welcome, calls = oracle._connect, []

    async def once(guest, body):
        calls.append(body[6])
        return False if calls.count(4) == 1 and body[6] == 4 else await welcome(guest, body)

    oracle._connect = once
    await carried(oracle)

    assert {p.retain for p in oracle.published if p.topic == STATE} == {True}
    assert said() == []


LIMITS = {0x24: ("so messages may be lost: qos=0", (0, True)), 0x25: ("does not retain messages", (1, False))}


@pytest.mark.parametrize(("limit", "says", "sent"), [(key, *row) for key, row in LIMITS.items()])
async def test_a_broker_of_mqtt_5_that_announces_a_limit_is_used(oracle, said, limit, says, sent):
    """Maximum QoS and Retain Available (MQTT 5, 3.2.2.3)."""
    oracle.manners.limits[limit] = 0
    await carried(oracle)
    await until(lambda: len(oracle.payloads(TELEMETRY)) == 2)

    assert {p.qos for p in oracle.published if p.topic == TELEMETRY} == {sent[0]}
    assert {p.retain for p in oracle.published if p.topic == STATE} == {sent[1]}
    assert sum(says in line for line in said()) == 1


@pytest.mark.needs("mosquitto")
@pytest.mark.parametrize("protocol", [4, 5])
@pytest.mark.parametrize("lacks", ["retain_available false", "max_qos 0", "max_qos 0\nretain_available false"])
async def test_mosquitto_without_retain_or_qos_is_used(mosquitto, said, protocol, lacks):
    """mosquitto refuses the last will with a reason code (MQTT 5), or closes (3.1.1)."""
    await mosquitto.stop()
    mosquitto.configure(f"{SAMPLE.read_text()}\n{lacks}\n")
    await mosquitto.start()
    await carried(mosquitto, protocol=protocol)

    assert len(said()) == lacks.count("\n") + 1


async def test_a_full_broker_is_named(oracle):
    """By its code; or, where it only closes, among other possible causes."""
    oracle.manners.connack = 0x97
    with pytest.raises(SinkDown, match="quota exceeded: too many clients"):
        await connect(to(oracle), client_id="kr", will=WILL)
    oracle.manners.speaks, oracle.manners.stranger = (), "closed"
    with pytest.raises(SinkDown, match="does it allow another client"):
        await connect(to(oracle), client_id="kr", will=WILL)


async def test_a_full_broker_of_3_1_1_is_not_reported_as_no_mqtt(oracle):
    """It refuses MQTT 5 with a reason code, and closes on 3.1.1: that is retried."""
    oracle.manners.speaks, oracle.manners.curt = (4,), (-1, True)
    with pytest.raises(SinkDown, match="does it allow another client"):
        await connect(to(oracle), client_id="kr", will=WILL)


@pytest.mark.parametrize(
    ("code", "kind", "says"),
    [
        (0x81, SinkRefused, "try protocol=4"),
        (0x90, SinkRefused, "the topic of the last will: set another prefix"),
        (0x95, SinkRefused, "too large: shorten the prefix"),
        (0x8C, SinkRefused, "an authentication method"),
        (0x9D, SinkRefused, "moved"),
        (0x80, SinkDown, "gives no reason"),
    ],
)
async def test_each_refusal_of_a_connect_has_its_message(oracle, code, kind, says):
    """Permanent refusals are final, the others are retried."""
    oracle.manners.connack = code
    with pytest.raises(kind, match=says):
        await connect(to(oracle), client_id="kr", will=WILL)
