"""The contract of a connection (`protocol/connection.py`), for each MQTT client: messages with each broker."""

from __future__ import annotations

import asyncio

import pytest
from mqtt_contract import (
    cases,
    connected,
    heard,
    messages,
    numbers,
    of_each_client,
)

from klvrelay.errors import SinkRefused
from klvrelay.sinks.mqtt.protocol.connection import Message
from klvrelay.sinks.mqtt.protocol.properties import user_properties

pytestmark = pytest.mark.usefixtures("of_amqtt")  # its thread runs before any test


# ---- publish ----


@cases()
@pytest.mark.parametrize("qos", [0, 1])
async def test_a_batch_arrives_whole_and_in_order(client, server, topic, qos):
    """Several windows of messages; each has the code of an accepted message."""
    async with heard(server, topic) as subscriber, connected(server, client, window=20) as link:
        codes = await link.publish(messages(topic, 100, qos=qos))
        await subscriber.count(100)

    assert subscriber.on(topic) == numbers(100)
    assert {code < 0x80 for code in codes} == {True}
    assert len(codes) == 100
    assert link.protocol == server.version


@cases("QoS 2")
async def test_a_batch_of_qos_2_arrives_once_and_in_order(client, server, topic):
    """By the exchange of four packets."""
    async with heard(server, topic) as subscriber, connected(server, client, window=20, qos=2) as link:
        codes = await link.publish(messages(topic, 60, qos=2))
        await subscriber.count(60)

    assert subscriber.on(topic) == numbers(60)
    assert codes == [0] * 60


@cases()
async def test_overlapping_calls_keep_the_order_of_each(client, server, topic):
    """Neither call's messages change order, and each call has its own answers."""
    one, two = f"{topic}/1", f"{topic}/2"
    async with heard(server, f"{topic}/+") as subscriber, connected(server, client, window=7) as link:
        async with asyncio.TaskGroup() as group:
            first = group.create_task(link.publish(messages(one, 40)), name="one")
            second = group.create_task(link.publish(messages(two, 50)), name="two")
        await subscriber.count(90)

    assert (subscriber.on(one), subscriber.on(two)) == (numbers(40), numbers(50))
    assert (len(first.result()), len(second.result())) == (40, 50)


@cases("read is kept")
async def test_unconfirmed_messages_are_read_by_the_broker_at_the_flush(client, server, topic):
    """At QoS 0 nothing is answered; after `flush` even an abort loses none."""
    async with heard(server, topic) as subscriber, connected(server, client, will=None) as link:
        await link.publish_unconfirmed(messages(topic, 30, qos=1))
        await link.flush()
        link.abort()
        await subscriber.count(30)

    assert subscriber.on(topic) == numbers(30)


@cases()
async def test_a_cancelled_publish_leaves_the_connection_usable(client, server, topic):
    """The broker gets the first messages of the cancelled call, in order, and then all of the next call."""
    async with heard(server, f"{topic}/+") as subscriber, connected(server, client, window=1) as link:
        sending = asyncio.create_task(link.publish(messages(f"{topic}/1", 5000)), name="sending")
        await subscriber.count(1)
        sending.cancel()
        await asyncio.wait({sending})
        await link.publish(messages(f"{topic}/2", 30))
        await subscriber.count(30, f"{topic}/2")

    assert sending.cancelled()
    assert subscriber.on(f"{topic}/2") == numbers(30)
    before = subscriber.on(f"{topic}/1")
    assert before == numbers(len(before))
    assert len(before) < 5000


@cases("retained")
async def test_a_retained_message_reaches_a_later_subscription(client, server, topic):
    """With its flag, and with its properties in MQTT 5; an empty one clears it."""
    user = (("boot", "b00t"), ("stream", "uav-ü"))
    async with connected(server, client) as link:
        await link.publish([Message(topic, b"now", retain=True, content_type="text/plain", user=user)])
        async with connected(server, client, will=None) as reader:
            receiving = asyncio.ensure_future(anext(reader.received()))
            for _ in range(10):  # NATS confirms a message before it has retained it
                await reader.subscribe([topic])
                if (await asyncio.wait({receiving}, timeout=1))[0]:
                    break
            message = await receiving
        await link.publish([Message(topic, b"", retain=True)])

    assert (message.topic, message.payload, message.retained) == (topic, b"now", True)
    assert user_properties(message.properties) == (dict(user) if server.version == 5 else {})


# ---- subscribe ----


@cases()
async def test_a_subscription_receives_in_order_until_its_end(client, server, topic):
    """Topics and payloads of several filters. After `unsubscribe` only the other subscription is received."""
    one, two = f"{topic}/1", f"{topic}/2"
    async with connected(server, client) as link, connected(server, client, will=None) as reader:
        await reader.subscribe([one, f"{topic}/2/#"])
        await link.publish([Message(one, b"0"), Message(two, b"1"), Message(f"{topic}/3", b"2"), Message(one, b"3")])
        incoming = reader.received()
        async with asyncio.timeout(5):
            first = [await anext(incoming) for _ in range(3)]
        await reader.unsubscribe([one])
        await link.publish([Message(one, b"4"), Message(two, b"5")])
        last = await asyncio.wait_for(anext(incoming), 5)

    assert [(m.topic, m.payload) for m in first] == [(one, b"0"), (two, b"1"), (one, b"3")]
    assert not any(m.retained for m in first)
    assert (last.topic, last.payload) == (two, b"5")


@cases()
async def test_a_connection_can_publish_to_its_own_subscription(client, server, topic):
    """The sink does so when it corrects topics of earlier runs."""
    async with connected(server, client) as link:
        await link.subscribe([topic])
        await link.publish(messages(topic, 10))
        incoming = link.received()
        async with asyncio.timeout(5):
            found = [(await anext(incoming)).payload for _ in range(10)]

    assert found == numbers(10)


@of_each_client
async def test_a_subscription_that_is_refused_names_its_topic(client, server, oracle):
    """The right to read is missing; the connection stays up."""
    async with connected(server, client) as link:
        oracle.manners.subscribe = 0x80
        with pytest.raises(SinkRefused, match="no right to read kr/b"):
            await link.subscribe(["kr/b"])
        assert await link.publish([Message("kr/a", b"x")]) == [0]
