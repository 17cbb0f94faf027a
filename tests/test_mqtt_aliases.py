"""Topic aliases: for the busiest topics, no more than the broker accepts, and new ones on each connection (MQTT 5)."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from brokers import listening, until
from mqtt_wire import TOPIC_ALIAS, read_publish
from oracle_broker import ALIAS_MAXIMUM, OracleBroker
from records import BOOT, record

from klvrelay.config.mqtt import MqttSettings
from klvrelay.errors import SinkDown
from klvrelay.outcome import Outcome
from klvrelay.sinks.mqtt.native.encode_publish import REVIEW
from klvrelay.sinks.mqtt.protocol.connect import connect
from klvrelay.sinks.mqtt.protocol.connection import TOO_LARGE, Message
from klvrelay.sinks.mqtt.sink import MqttSink

WILL = Message("kr/status", b"gone", retain=True)
MAXIMUM_PACKET_SIZE = 0x27


def to(broker, **settings):
    return MqttSettings.from_url(broker.url, **{"timeout": 2.0, **settings})


@pytest.fixture
def topics(oracle, monkeypatch):
    """The topics as they are in the packets: empty where an alias stands for it."""
    found = []

    def read(guest, flags, body):
        published, number = read_publish(guest, flags, body)
        found.append(published.topic)
        return published, number

    monkeypatch.setattr("oracle_broker.read_publish", read)
    return found


@pytest.mark.parametrize("qos", [0, 1, 2])
async def test_a_topic_is_sent_once_and_then_its_alias(oracle, topics, qos):
    """At each QoS; the broker knows the topic of each message."""
    oracle.manners.limits[ALIAS_MAXIMUM] = 10
    connection = await connect(to(oracle, qos=qos), client_id="kr", will=WILL)
    await connection.publish([Message(f"kr/{n % 3}", b"%d" % n, qos) for n in range(12)])
    await connection.flush()
    await connection.close()

    assert [(p.topic, p.payload) for p in oracle.published] == [(f"kr/{n % 3}", b"%d" % n) for n in range(12)]
    assert topics == ["kr/0", "kr/1", "kr/2"] + [""] * 9


@pytest.mark.parametrize("most", [0, 1, 10])
async def test_there_are_no_more_aliases_than_the_broker_accepts(oracle, topics, most):
    """The oracle, as mosquitto, closes the connection at one more (0x94). Other messages have their topics."""
    oracle.manners.limits[ALIAS_MAXIMUM] = most
    connection = await connect(to(oracle), client_id="kr", will=WILL)
    for _ in range(2):
        assert await connection.publish([Message(f"kr/{n}", b"x") for n in range(15)]) == [0] * 15
    await connection.close()

    assert topics.count("") == most
    assert {p.properties.get(TOPIC_ALIAS) for p in oracle.published} - {None} == set(range(1, most + 1))


async def test_each_connection_has_new_aliases(oracle, topics):
    """They end with the connection: a new one sends each topic again."""
    oracle.manners.limits[ALIAS_MAXIMUM] = 5
    sink = MqttSink(to(oracle), boot=BOOT)
    for start in (0, 4):
        async with sink:
            assert await sink.deliver([record(n) for n in range(start, start + 4)]) == Outcome(delivered=4)

    assert [topic for topic in topics if topic.endswith(("", "/telemetry")) and "status" not in topic] == [
        "klvrelay/uav1/telemetry", "", "", "",
        "klvrelay/uav1/telemetry", "", "", "",
    ]  # fmt: skip


async def test_retained_values_use_no_alias(oracle, topics):
    """They change rarely."""
    oracle.manners.limits[ALIAS_MAXIMUM] = 5
    connection = await connect(to(oracle), client_id="kr", will=WILL)
    await connection.publish([Message("kr/state", b"%d" % n, retain=True) for n in range(5)])
    await connection.close()

    assert topics == ["kr/state"] * 5


async def test_the_busiest_topics_get_the_aliases(oracle):
    """Those of the beginning lose theirs to topics with more than twice their messages."""
    oracle.manners.limits[ALIAS_MAXIMUM] = 2
    connection = await connect(to(oracle), client_id="kr", will=WILL)
    await connection.publish([Message(f"kr/rare{n}", b"x") for n in range(2)])
    busy = [Message(f"kr/busy{n % 2}", b"x") for n in range(50)]
    for _ in range(REVIEW // 50):
        await connection.publish(busy)
    before = len(oracle.published)
    await connection.publish([*busy, Message("kr/rare0", b"y")])
    await connection.close()

    late = Counter((p.topic, p.properties.get(TOPIC_ALIAS)) for p in oracle.published[before:])
    assert late[("kr/rare0", None)] == 1
    assert {alias for (topic, alias) in late if topic.startswith("kr/busy")} == {1, 2}
    assert len(oracle.guests) == 1


async def test_a_message_that_fits_only_without_its_alias_is_sent_without(oracle, topics):
    """The first message of a topic has both: a few bytes more."""
    probe = Message("kr/a", b"x" * 100)
    size = 1 + 1 + 6 + 2 + 1 + 100
    oracle.manners.limits |= {ALIAS_MAXIMUM: 5, MAXIMUM_PACKET_SIZE: size + 1}
    connection = await connect(to(oracle), client_id="kr", will=WILL)
    codes = await connection.publish([probe, probe._replace(payload=b"x" * 102), probe._replace(payload=b"x"), probe])
    await connection.close()

    assert codes == [0, TOO_LARGE, 0, 0]
    assert topics == ["kr/a", "kr/a", ""]
    assert oracle.sizes[0] == size


async def test_a_refused_topic_is_named_again(oracle, topics):
    """A broker may not remember the alias of a message that it refused."""
    oracle.manners.limits[ALIAS_MAXIMUM] = 5
    connection = await connect(to(oracle), client_id="kr", will=WILL)
    for refuses in (frozenset({"kr/a"}), frozenset[str]()):
        oracle.manners.refuses = refuses
        await connection.publish([Message("kr/a", b"x")])
    await connection.close()

    assert topics == ["kr/a", "kr/a"]


async def test_an_older_protocol_has_no_aliases(oracle, topics):
    """MQTT 3.1.1."""
    connection = await connect(to(oracle, protocol=4), client_id="kr", will=WILL)
    await connection.publish([Message("kr/a", b"x")] * 3)
    await connection.close()

    assert topics == ["kr/a"] * 3


async def test_a_resumed_message_has_its_topic(oracle, topics):
    """The aliases of the connection on which it was sent first are gone."""
    oracle.manners.limits[ALIAS_MAXIMUM] = 5
    sink = MqttSink(to(oracle, qos=2), boot=BOOT)
    oracle.on_step = lambda step: oracle.cut() if step == "PUBLISH" and len(oracle.published) == 4 else None
    with pytest.raises(SinkDown):
        async with sink:
            await sink.deliver([record(n) for n in range(5)])
    oracle.on_step = lambda step: None
    del topics[:]
    async with sink:
        await until(lambda: len(oracle.published) > 4)

    assert [p.topic for p in oracle.published if p.dup] == [topic for topic in topics if topic.endswith("telemetry")]
    assert any(p.dup for p in oracle.published)


@pytest.mark.needs("mosquitto")
@pytest.mark.parametrize("qos", [0, 1, 2])
async def test_mosquitto_knows_the_topic_of_each_message(mosquitto, qos):
    """It announces ten aliases: thirty topics, several times, in order, over one connection."""
    messages = [Message(f"kr/{n % 30}", b"%d" % n, qos) for n in range(300)]
    async with listening(mosquitto.port, "kr/#") as heard:
        connection = await connect(to(mosquitto, timeout=10.0), client_id="kr", will=WILL)
        assert connection._encoder._aliases.most == 10
        await asyncio.gather(*(connection.publish(messages[n : n + 50]) for n in range(0, 300, 50)))
        await heard.count(300)
        await connection.close()

    assert [(str(m.topic), bytes(m.payload)) for m in heard.messages] == [(m.topic, m.payload) for m in messages]


async def test_an_alias_that_is_not_allowed_is_found_by_the_oracle():
    """The other tests of this file can fail."""
    async with OracleBroker() as broker:
        broker.manners.limits[ALIAS_MAXIMUM] = 2
        connection = await connect(to(broker), client_id="kr", will=WILL)
        connection._encoder.allow_aliases(3)
        with pytest.raises(SinkDown, match="topic alias"):
            await connection.publish([Message(f"kr/{n}", b"x") for n in range(3)])
        await connection.close()
