"""Answers to messages: of the wrong kind, repeated, or to messages of an earlier connection; packet identifiers."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from brokers import until
from hostile_broker import PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, WILL, HostileBroker, connack, packet, to
from mqtt_wire import read_packet
from records import BOOT, record

from klvrelay.encode import encode
from klvrelay.errors import SinkDown
from klvrelay.outcome import Outcome
from klvrelay.sinks.mqtt.protocol.connect import connect
from klvrelay.sinks.mqtt.protocol.connection import TOO_LARGE, Message
from klvrelay.sinks.mqtt.protocol.session import Session
from klvrelay.sinks.mqtt.sink import MqttSink

MAXIMUM_PACKET_SIZE = 0x27


async def number_of(guest, kind=PUBLISH):
    """The packet identifier of the next packet of this kind."""
    while True:
        found, _, body = await read_packet(guest.reader)
        if found == kind:
            at = 2 + int.from_bytes(body[:2], "big") if kind == PUBLISH else 0
            return body[at : at + 2]


@pytest.mark.parametrize(
    ("qos", "kinds", "says"),
    [
        (1, [PUBREC], "a PUBREC without a message that waits for it"),
        (1, [PUBCOMP], "a PUBCOMP without a message that waits for it"),
        (2, [PUBACK], "a PUBACK without a message that waits for it"),
        (2, [PUBCOMP], "a PUBCOMP without a message that waits for it"),
        (2, [PUBREC, PUBACK], "a PUBACK without a message that waits for it"),
        (2, [PUBREC, PUBREC], "a second PUBREC for one message"),
    ],
)
@pytest.mark.parametrize("protocol", [5, 4])
async def test_an_answer_of_the_wrong_kind_ends_the_connection(qos, kinds, says, protocol):
    """The answer depends on the QoS of the message (MQTT 5, 4.3)."""

    async def script(guest):
        await guest.send(connack(guest.level))
        number = await number_of(guest)
        for kind in kinds:
            await guest.send(packet(kind, number))
        await guest.behave()

    async with HostileBroker(script) as broker:
        connection = await connect(to(broker, protocol=protocol), client_id="kr", will=WILL)
        with pytest.raises(SinkDown, match=says):
            await connection.publish([Message("kr/a", b"x", qos)])
        await connection.close()


async def test_a_pubrec_that_a_resumed_session_repeats_gets_one_pubrel():
    """PUBREL was sent at once: a second one would be answered by a second PUBCOMP."""
    released = []

    async def script(guest):
        is_first = len(broker.guests) == 1
        await guest.send(connack(guest.level, present=not is_first))
        if is_first:
            await guest.send(packet(PUBREC, await number_of(guest)))
            await number_of(guest, PUBREL)
            return
        number = await number_of(guest, PUBREL)
        await guest.send(packet(PUBREC, number))
        await guest.send(packet(PUBCOMP, number))
        while True:
            kind, _, body = await read_packet(guest.reader)
            released.extend([body] * (kind == PUBREL))

    session = Session()
    async with HostileBroker(script) as broker:
        first = await connect(to(broker), client_id="kr", will=WILL, session=session)
        with pytest.raises(SinkDown):
            await first.publish([Message("kr/a", b"x", 2)])
        second = await connect(to(broker), client_id="kr", will=WILL, session=session)
        assert await second.publish([Message("kr/a", b"x", 2)]) == [0]
        await second.close()
        await until(lambda: not broker._tasks)

    assert released == []


async def test_a_resumed_message_that_has_become_too_large_is_left_out(oracle):
    """The broker's limit was lowered in between; the connection and the other messages are not affected."""
    oracle.on_step = lambda step: oracle.cut() if step == "PUBLISH" and len(oracle.published) == 2 else None
    sink = MqttSink(to(oracle, qos=2), boot=BOOT)
    large = record(0, raw=encode({"precision_time_stamp": 1, 150: bytes(2000)}))
    with contextlib.suppress(SinkDown):
        async with sink:
            await sink.deliver([large])
    oracle.on_step = lambda step: None
    oracle.manners.limits[MAXIMUM_PACKET_SIZE] = len(large.json())
    async with sink:
        assert await sink.deliver([large, record(1)]) == Outcome(delivered=1, left_out=1)

    assert len(oracle.guests) == 2


async def test_an_answer_of_an_earlier_connection_is_too_large_once(oracle):
    """The code is that of any message that is too large."""
    oracle.manners.limits[MAXIMUM_PACKET_SIZE] = 100
    session = Session()
    session.begun = True
    oracle._sessions["kr"] = {}
    session.send(1, Message("kr/a", bytes(200), 2))
    connection = await connect(to(oracle), client_id="kr", will=None, session=session)

    assert await connection.publish([Message("kr/a", bytes(200), 2)]) == [TOO_LARGE]
    assert session.pending(1) is None
    await connection.close()


async def test_packet_identifiers_in_use_are_skipped(oracle):
    """From 1 to 65,535 and again from 1, for messages and subscriptions."""
    connection = await connect(to(oracle), client_id="kr", will=WILL)
    oracle.manners.ack, oracle.manners.subscribe = False, -1
    connection._session.last = 65_533
    first = asyncio.create_task(connection.publish([Message("kr/a", b"x")] * 2))
    asking = asyncio.create_task(connection.subscribe(["kr/b"]))
    await until(lambda: oracle.unanswered == 2 and oracle.guests[0].filters)
    assert (list(connection._outgoing.flight.messages), connection._requests.numbers) == ([65_534, 65_535], {1})

    connection._session.last = 65_533
    second = asyncio.create_task(connection.publish([Message("kr/a", b"x")] * 2))
    await until(lambda: oracle.unanswered == 4)
    assert list(connection._outgoing.flight.messages) == [65_534, 65_535, 2, 3]

    oracle.acknowledge()
    assert await first == await second == [0, 0]
    asking.cancel()
    await asyncio.wait({asking})
    await connection.close()


async def test_a_message_without_a_subscriber_is_delivered(oracle):
    """PUBACK with 0x10 (MQTT 5, 3.4.2.1): a success, and no topic is suspended."""
    oracle.manners.puback = 0x10
    async with MqttSink(to(oracle), boot=BOOT) as sink:
        assert await sink.deliver([record(n) for n in range(3)]) == Outcome(delivered=3)
        assert not sink.suspended
