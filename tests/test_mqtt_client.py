"""The contract of the MQTT client interface, tested against mosquitto, the embedded broker and the oracle."""

from __future__ import annotations

import asyncio
import socket

import pytest
from brokers import listening, until

from klvrelay.config.mqtt import MqttSettings
from klvrelay.errors import SinkDown
from klvrelay.sinks.mqtt.connect import connect
from klvrelay.sinks.mqtt.connection import TOO_LARGE, Message

RECEIVE_MAXIMUM, MAXIMUM_QOS, RETAIN_AVAILABLE, MAXIMUM_PACKET_SIZE = 0x21, 0x24, 0x25, 0x27
WILL = Message("kr/status", b"gone", retain=True)


def to(broker, **settings):
    return MqttSettings.from_url(broker.url, **{"timeout": 2.0, **settings})


def messages(count, topic="kr/a", **fields):
    return [Message(topic, b"%d" % n, **fields) for n in range(count)]


@pytest.fixture
async def link(broker):
    connection = await connect(to(broker), client_id="kr-test", will=WILL)
    yield connection
    await connection.close()


@pytest.mark.parametrize("qos", [0, 1])
async def test_a_batch_arrives_whole_and_in_order(broker, link, qos):
    """The broker has what publish returned from: 200 messages, ten windows, each once, in order."""
    async with listening(broker.port, "kr/a", protocol=4) as heard:
        await link.publish(messages(200, qos=qos))
        await heard.count(200)

    assert heard.on("kr/a") == [b"%d" % n for n in range(200)]


async def test_qos_2_arrives_whole_and_in_order(real_broker):
    """The four-step handshake too returns when the broker has the message."""
    async with listening(real_broker.port, "kr/a", protocol=4) as heard:
        connection = await connect(to(real_broker), client_id="kr-test", will=WILL)
        await connection.publish(messages(100, qos=2))
        await heard.count(100)
        await connection.close()

    assert heard.on("kr/a") == [b"%d" % n for n in range(100)]


async def test_messages_of_two_callers_at_once_each_keep_their_order(link, broker):
    """publish may be called again while it runs: neither caller's messages change order."""
    async with listening(broker.port, "kr/+", protocol=4) as heard:
        async with asyncio.TaskGroup() as group:
            group.create_task(link.publish(messages(100, "kr/a")), name="a")
            group.create_task(link.publish(messages(100, "kr/b")), name="b")
        await heard.count(200)

    assert heard.on("kr/a") == heard.on("kr/b") == [b"%d" % n for n in range(100)]


async def test_retained_messages_reach_a_later_subscriber(real_broker):
    """The retain flag reaches the broker."""
    connection = await connect(to(real_broker), client_id="kr-test", will=WILL)
    await connection.publish([Message("kr/state", b"now", retain=True)])

    async with listening(real_broker.port, "kr/state", protocol=4) as heard:
        (message,) = await heard.count(1)
    await connection.close()

    assert (message.payload, message.retain) == (b"now", True)


async def test_a_subscription_receives_messages_of_others(link, broker):
    """received() yields topic and payload, in order, and ends with SinkDown when the connection does."""
    reader = await connect(to(broker), client_id="kr-reader")
    await reader.subscribe(["kr/a", "kr/b"])
    await link.publish(messages(3))
    incoming = reader.received()

    async with asyncio.timeout(2):
        got = [await anext(incoming) for _ in range(3)]
    await reader.close()

    assert [(m.topic, m.payload) for m in got] == [("kr/a", b"0"), ("kr/a", b"1"), ("kr/a", b"2")]
    with pytest.raises(SinkDown):
        await anext(incoming)
    with pytest.raises(SinkDown):
        await anext(reader.received())


async def test_only_a_cut_connection_has_its_will_published(real_broker):
    """DISCONNECT on close; on abort the broker publishes the will."""
    async with listening(real_broker.port, "kr/#", protocol=4) as heard:
        polite = await connect(to(real_broker), client_id="kr-1", will=WILL)
        await polite.close()
        rude = await connect(to(real_broker), client_id="kr-2", will=Message("kr/will", b"cut off"))
        rude.abort()
        await heard.count(1, "kr/will")

    assert heard.on("kr/status") == []


async def test_after_its_end_a_connection_accepts_nothing(link):
    """A connection is used once: publish and subscribe raise SinkDown at once; closing again is harmless."""
    await link.close()

    with pytest.raises(SinkDown):
        await link.publish(messages(1))
    with pytest.raises(SinkDown):
        await link.subscribe(["kr/a"])
    await link.close()


async def test_nagle_is_off(link):
    """Small messages are sent at once."""
    assert link._link._sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_a_cancelled_publish_sends_no_more_and_the_connection_stays_usable(oracle):
    """Unsent messages are dropped, so that offering them again keeps the order."""
    connection = await connect(to(oracle, window=20), client_id="kr-test", will=WILL)
    oracle.manners.ack = False
    sending = asyncio.create_task(connection.publish(messages(100)), name="sending")
    await until(lambda: len(oracle.published) == 20)
    sending.cancel()
    await asyncio.wait({sending})
    oracle.acknowledge()
    await connection.publish(messages(100))
    await connection.close()

    assert sending.cancelled()
    assert oracle.payloads() == [b"%d" % n for n in (*range(20), *range(100))]


@pytest.mark.parametrize(("window", "limit", "most"), [(7, None, 7), (20, 5, 5), (3, 50, 3), (None, 30, 30)])
async def test_no_more_than_the_window_is_unacknowledged(oracle, window, limit, most):
    """The smaller of the client's window and the broker's Receive Maximum (MQTT 5, 3.3.4) bounds it."""
    if limit is not None:
        oracle.manners.limits[RECEIVE_MAXIMUM] = limit
    oracle.manners.ack = False
    connection = await connect(to(oracle, window=window), client_id="kr", will=WILL)
    sending = asyncio.create_task(connection.publish(messages(60)), name="sending")
    await until(lambda: len(oracle.published) >= most)
    await connection.close()
    await asyncio.wait({sending})

    assert len(oracle.published) == most
    assert isinstance(sending.exception(), SinkDown)


async def test_properties_travel_with_mqtt_5(oracle):
    """Content type, expiry and user properties, encoded as in the standard (MQTT 5, 3.3.2.3)."""
    connection = await connect(to(oracle), client_id="kr", will=WILL)
    user = (("stream", "uav-ü"), ("seq", "7"), ("long", "x" * 300))
    await connection.publish([Message("kr/a", b"{}", content_type="application/json", expiry=60, user=user)])
    await connection.publish([Message("kr/a", b"")])
    await connection.close()

    with_all, with_none = oracle.published
    assert (with_all.properties, with_all.user) == ({0x03: "application/json", 0x02: 60}, user)
    assert (with_none.properties, with_none.user, with_none.payload) == ({}, (), b"")


async def test_a_message_beyond_the_brokers_limit_is_not_sent(oracle):
    """The broker would close the connection, again at each retry; the other messages are sent."""
    oracle.manners.limits[MAXIMUM_PACKET_SIZE] = 4096
    connection = await connect(to(oracle), client_id="kr", will=WILL)

    codes = await connection.publish([Message("kr/a", bytes(size)) for size in (10, 5000, 3000)])
    await connection.close()

    assert codes == [0, TOO_LARGE, 0]
    assert [len(p) for p in oracle.payloads()] == [10, 3000]


@pytest.mark.parametrize(("limit", "qos", "retain"), [(MAXIMUM_QOS, 0, True), (RETAIN_AVAILABLE, 1, False)])
async def test_a_broker_with_limits_gets_what_it_accepts(oracle, limit, qos, retain):
    """Its limits are in CONNACK: messages are sent with lower QoS, or not retained."""
    oracle.manners.limits[limit] = 0

    connection = await connect(to(oracle), client_id="kr", will=WILL)
    await connection.publish([Message("kr/a", b"x", retain=True)])
    await until(lambda: oracle.published)
    await connection.close()

    assert [(p.qos, p.retain) for p in oracle.published] == [(qos, retain)]


async def test_an_attempt_can_be_cancelled_at_any_moment(oracle):
    """A relay that stops while its broker is silent stops at once, and leaves no thread, task or socket."""
    oracle.manners.stranger, oracle.manners.speaks = "silent", ()
    attempt = asyncio.create_task(connect(to(oracle, timeout=60), client_id="kr", will=WILL), name="attempt")
    await until(lambda: oracle.guests and oracle.guests[0].level)
    attempt.cancel()
    async with asyncio.timeout(1):
        await asyncio.wait({attempt})

    assert attempt.cancelled()
    await until(lambda: not oracle._here)
