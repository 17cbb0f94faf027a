"""The contract of a connection, for each MQTT client: windows, limits of the broker, reason codes, properties."""

from __future__ import annotations

import asyncio

import pytest
from brokers import until
from contract_brokers import FORBIDDEN
from mqtt_contract import (
    CANNOT,
    MAXIMUM_PACKET_SIZE,
    MAXIMUM_QOS,
    RECEIVE_MAXIMUM,
    RETAIN_AVAILABLE,
    cases,
    connected,
    messages,
    numbers,
    of_each_client,
    with_mqtt_5,
)

from klvrelay.sinks.mqtt.protocol.connection import TOO_LARGE, Message, Terms


@of_each_client
async def test_messages_that_go_ahead_wait_for_none_of_the_others(client, server, oracle):
    """They are sent in their order, before those of calls that wait."""
    async with connected(server, client, window=2) as link:
        oracle.manners.ack = False
        sending = [asyncio.create_task(link.publish(messages("kr/later", 6)), name="later")]
        await until(lambda: len(oracle.published) == 2)
        sending += [asyncio.create_task(link.publish(messages("kr/ahead", 3), ahead=True), name="ahead")]
        await asyncio.sleep(0)
        oracle.acknowledge()
        await asyncio.wait(sending, timeout=5)

    expected = [("kr/later", n) for n in (b"0", b"1")] + [("kr/ahead", n) for n in numbers(3)]
    order = [(published.topic, published.payload) for published in oracle.published]
    assert order[:2] == expected[:2]
    assert [each for each in order if each[0] == "kr/ahead"] == expected[2:]
    assert order.index(("kr/ahead", b"2")) <= 6  # at most every second place goes to the others
    assert [each for each in order if each[0] == "kr/later"] == [("kr/later", n) for n in numbers(6)]


@of_each_client
async def test_unconfirmed_messages_do_not_wait_for_the_window(client, server, oracle):
    """At QoS 0, though the window is full."""
    async with connected(server, client, window=1) as link:
        oracle.manners.ack = False
        sending = asyncio.create_task(link.publish(messages("kr/a", 2)), name="sending")
        await until(lambda: len(oracle.published) == 1)
        await link.publish_unconfirmed(messages("kr/b", 3, retain=True))
        await until(lambda: len(oracle.published) == 4)
        oracle.acknowledge()
        await sending

    found = [(p.payload, p.qos, p.retain) for p in oracle.published if p.topic == "kr/b"]
    assert found == [(number, 0, True) for number in numbers(3)]


@of_each_client
@pytest.mark.parametrize(("window", "limit", "most"), [(7, None, 7), (20, 5, 5), (3, 50, 3)])
async def test_no_more_than_the_window_is_unacknowledged(client, server, oracle, window, limit, most):
    """The smaller of our window and the Receive Maximum of the broker (MQTT 5, 3.3.4)."""
    if limit is not None:
        oracle.manners.limits[RECEIVE_MAXIMUM] = limit
    most = most if server.version == 5 else window
    oracle.manners.ack = False
    async with connected(server, client, window=window) as link:
        sending = asyncio.create_task(link.publish(messages("kr/a", 40)), name="sending")
        await until(lambda: len(oracle.published) >= most)
        await link.subscribe(["kr/x"])  # it has read all that was sent before
        link.abort()
        await asyncio.wait({sending})

    assert len(oracle.published) == most


@of_each_client
async def test_messages_are_sent_one_by_one_until_the_connection_is_widened(client, server, oracle):
    """Each only once the one before it is answered, or read at QoS 0."""
    async with connected(server, client, one_by_one=True) as link:
        assert await link.publish([Message("kr/a", b"x", qos=n % 2) for n in range(6)]) == [0] * 6
        oracle.manners.ack = False
        sending = asyncio.create_task(link.publish(messages("kr/a", 4)), name="sending")
        await until(lambda: len(oracle.published) == 7)
        await link.subscribe(["kr/x"])
        assert (oracle.most_unacked, len(oracle.published)) == (1, 7)
        link.widen()
        await until(lambda: len(oracle.published) == 10)
        oracle.acknowledge()
        await sending


@of_each_client
async def test_a_cancelled_publish_sends_no_more(client, server, oracle):
    """Unsent messages are dropped, so that offering them again keeps the order."""
    async with connected(server, client, window=20) as link:
        oracle.manners.ack = False
        sending = asyncio.create_task(link.publish(messages("kr/a", 100)), name="sending")
        await until(lambda: len(oracle.published) == 20)
        sending.cancel()
        await asyncio.wait({sending})
        oracle.acknowledge()
        await link.publish(messages("kr/a", 100))

    assert sending.cancelled()
    assert oracle.payloads() == numbers(20) + numbers(100)


@of_each_client
async def test_a_message_that_cannot_be_encoded_holds_no_other_back(client, server, oracle):
    """Its topic is no valid text: the call fails, the messages before it are sent, and the connection stays usable."""
    async with connected(server, client) as link:
        with pytest.raises(UnicodeEncodeError):
            await link.publish([Message("kr/a", b"0"), Message("kr/\ud800", b"x")])
        assert await link.publish([Message("kr/a", b"1")]) == [0]

    assert oracle.payloads() == numbers(2)


@of_each_client
async def test_a_broker_that_reads_slowly_gets_all(client, server, oracle):
    """More bytes than the kernel buffers: the rest of a message follows when the broker reads again."""
    async with connected(server, client) as link:
        (guest,) = oracle.guests
        guest.writer.transport.pause_reading()
        large = [Message("kr/a", bytes([n]) * (1 << 20)) for n in range(12)]
        sending = asyncio.create_task(link.publish(large), name="sending")
        for _ in range(20):  # until the kernel accepts no more
            await asyncio.sleep(0)
        guest.writer.transport.resume_reading()
        assert await sending == [0] * 12

    assert oracle.payloads() == [message.payload for message in large]


@with_mqtt_5
async def test_a_message_beyond_the_limit_of_the_broker_is_not_sent(client, server, oracle):
    """It has the code TOO_LARGE, to the byte; all others are sent."""
    oracle.manners.limits[MAXIMUM_PACKET_SIZE] = 4096
    async with connected(server, client) as link:
        fits = 4096 - (1 + 2 + 2 + len("kr/a") + 2 + 1)  # header, topic, packet identifier, no properties
        codes = await link.publish([Message("kr/a", bytes(size)) for size in (10, fits + 1, fits)])

    assert link.largest == 4096
    assert codes == [0, TOO_LARGE, 0]
    assert oracle.sizes[-1] == 4096


@with_mqtt_5
@pytest.mark.parametrize(
    ("limit", "terms", "sent"),
    [(MAXIMUM_QOS, Terms(0, True), (0, True)), (RETAIN_AVAILABLE, Terms(2, False), (1, False))],
    ids=["QoS", "retained"],
)
async def test_a_broker_with_limits_gets_what_it_supports(client, server, oracle, limit, terms, sent):
    """They are in CONNACK: messages are sent at a lower QoS, or not retained."""
    oracle.manners.limits[limit] = 0
    async with connected(server, client) as link:
        await link.publish([Message("kr/a", b"x", retain=True)])
        await until(lambda: oracle.published)

    most = 1 if (client, "QoS 2") in CANNOT else 2
    assert link.terms == Terms(min(terms.qos, most), terms.retain)
    assert [(p.qos, p.retain) for p in oracle.published] == [sent]


@with_mqtt_5
async def test_a_reason_code_reaches_the_caller(client, server, oracle):
    """Of each message; 0x10 reports that there is no subscriber."""
    oracle.manners.refuses = frozenset({"kr/no"})
    async with connected(server, client) as link:
        refused = await link.publish([Message("kr/a", b"x"), Message("kr/no", b"x"), Message("kr/b", b"x")])
        oracle.manners.puback = 0x10
        unheard = await link.publish([Message("kr/a", b"x")])

    assert (refused, unheard) == ([0, 0x87, 0], [0x10])


@cases("login", brokers=["mosquitto"])
async def test_a_forbidden_topic_is_refused_with_mqtt_5_only(client, server):
    """mosquitto acknowledges the message in both versions, and discards it."""
    async with connected(server, client, will=None) as link:
        codes = await link.publish([Message(FORBIDDEN, b"x"), Message("kr/a", b"x")])

    assert codes[0] == (0x87 if server.version == 5 else 0)
    assert codes[1] in (0, 0x10)


@with_mqtt_5
async def test_properties_travel_with_mqtt_5(client, server, oracle):
    """Content type, expiry and user properties (MQTT 5, 3.3.2.3); a message without them has none."""
    user = (("stream", "uav-ü"), ("seq", "7"), ("long", "x" * 300))
    async with connected(server, client) as link:
        await link.publish([Message("kr/a", b"{}", content_type="application/json", expiry=60, user=user)])
        await link.publish([Message("kr/a", b"")])

    with_all, with_none = oracle.published
    assert (with_all.properties, with_all.user) == ({0x03: "application/json", 0x02: 60}, user)
    assert (with_none.properties, with_none.user, with_none.payload) == ({}, (), b"")
