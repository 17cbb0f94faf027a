"""The broker's answer to CONNECT: CONNACKs that are malformed, hostile, unusual, or never arrive."""

from __future__ import annotations

import asyncio
import random
import struct

import pytest
from brokers import until
from hostile_broker import (
    ALIASES,
    ASSIGNED_ID,
    CONNACK,
    KEEPALIVE,
    PACKET_MOST,
    PUBACK,
    REASON,
    RECEIVE_MOST,
    SPOKEN,
    USER_PROPERTY,
    WILL,
    HostileBroker,
    connack,
    packet,
    text,
    to,
)
from mqtt_wire import read_packet
from records import BOOT, record

from klvrelay.config.mqtt import MqttSettings
from klvrelay.errors import SinkDown, SinkRefused
from klvrelay.outcome import Outcome
from klvrelay.relay.notices import Notices
from klvrelay.sinks.mqtt.protocol.connect import connect
from klvrelay.sinks.mqtt.protocol.packet_types import ANSWER_MOST, DOCUMENT_MOST
from klvrelay.sinks.mqtt.sink import MqttSink

MALFORMED = {
    "no body": lambda v: packet(CONNACK),
    "one byte": lambda v: packet(CONNACK, b"\0"),
    "unknown property": lambda v: connack(v, b"\x7f\1"),
    "property of another packet": lambda v: connack(v, b"\x23\0\1"),
    "property twice": lambda v: connack(v, RECEIVE_MOST + b"\0\5" + RECEIVE_MOST + b"\0\6"),
    "properties end too early": lambda v: packet(CONNACK, b"\0\0\x20" + RECEIVE_MOST),
    "properties longer than the packet": lambda v: packet(CONNACK, b"\0\0\xff\xff\x7f\x21\0\5"),
    "no UTF-8": lambda v: connack(v, REASON + text(b"\xff\xfe")),
    "surrogate": lambda v: connack(v, REASON + text(b"\xed\xa0\x80")),
    "unknown code": lambda v: connack(v, code=0x7F),
    "no receive maximum": lambda v: connack(v, RECEIVE_MOST + b"\0\0"),
    "no packet size": lambda v: connack(v, PACKET_MOST + bytes(4)),
    "properties without end": lambda v: connack(v, (USER_PROPERTY + text("a") + text("b")) * 8000),
    "id of 60 KB": lambda v: connack(v, ASSIGNED_ID + text("\x1b" * 60_000)),
}  # fmt: skip


@pytest.mark.parametrize("client", ["native", "aiomqtt"])
@pytest.mark.parametrize("name", MALFORMED)
async def test_a_malformed_connack_is_a_protocol_error(name, client):
    """In time, with no task left running, reported as a protocol error."""

    async def script(guest):
        await guest.send(MALFORMED[name](5))
        await guest.behave()

    async with HostileBroker(script) as broker:
        async with asyncio.timeout(5):
            with pytest.raises(SinkDown, match="protocol error: the broker sent a"):
                await connect(to(broker), client_id="kr", will=WILL, client=client)
        await until(lambda: not broker._tasks)

    assert len(broker.guests) <= 2


def noise(chance, level):
    """Packets of every kind with random flags and bodies, some truncated or with a changed byte."""
    data = bytearray()
    for _ in range(chance.randrange(1, 6)):
        body = chance.choice((chance.randbytes(chance.randrange(12)), connack(level, REASON + text("a"))[2:]))
        flags = chance.choice((0, 0, 0, 2, chance.randrange(16)))
        data += packet(chance.choice((2, 2, 4, 5, 7, 14, chance.randrange(16))), body, flags)
    if chance.random() < 0.5:
        data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data[: chance.randrange(1, len(data) + 1)] if chance.random() < 0.3 else data)


@pytest.mark.parametrize("client", ["native", "aiomqtt"])
@pytest.mark.parametrize("greets", [False, True])
@pytest.mark.parametrize("protocol", [5, 4])
async def test_any_noise_ends_in_one_fault(protocol, greets, client):
    """A hundred random conversations after a CONNACK or instead of it: SinkDown or SinkRefused, and no task left."""
    chance = random.Random(protocol * 2 + greets)

    async def script(guest):
        if greets:
            await guest.send(connack(guest.level))
            _, _, body = await read_packet(guest.reader)
            at = 2 + int.from_bytes(body[:2], "big")
            await guest.send(packet(PUBACK, body[at : at + 2]))
        await guest.send(noise(chance, guest.level))

    async with HostileBroker(script) as broker:
        settings = to(broker, protocol=protocol, client=client)
        for _ in range(100):
            with pytest.raises((SinkDown, SinkRefused)) as caught:
                async with asyncio.timeout(5), MqttSink(settings, boot=BOOT) as sink:
                    await sink.keep(Notices().cursor())
            assert str(caught.value).isprintable()
        await until(lambda: not broker._tasks)


ODD_BUT_HARMLESS = {
    "an assigned id of control characters": ASSIGNED_ID + text(SPOKEN),
    "a reason string of control characters": REASON + text(SPOKEN),
    "a thousand properties": (USER_PROPERTY + text("a") + text("b")) * 1000,
    "topic aliases": ALIASES + b"\xff\xff",
    "a window of 1": RECEIVE_MOST + b"\0\1",
    "pings each second": KEEPALIVE + b"\0\1",
    "no pings": KEEPALIVE + b"\0\0",
}  # fmt: skip


@pytest.mark.parametrize("name", ODD_BUT_HARMLESS)
async def test_an_unusual_connack_does_not_affect_the_records(name, said):
    """All records are delivered, and no text of the broker is shown."""

    async def script(guest):
        await guest.send(connack(guest.level, ODD_BUT_HARMLESS[name], present=1))
        await guest.behave()

    async with HostileBroker(script) as broker, MqttSink(to(broker), boot=BOOT) as sink:
        await sink.deliver([record(n) for n in range(50)])
        await until(lambda: len(broker.guests[0].published) == 51)

    assert "owned" not in "".join(said())


@pytest.mark.parametrize("client", ["native", "aiomqtt"])
async def test_a_broker_cannot_switch_off_the_pings(client):
    """It asks for a ping every 18 hours; the client keeps its interval, since it must detect a silent connection loss.
    """

    async def script(guest):
        await guest.send(connack(guest.level, KEEPALIVE + b"\xff\xff"))
        await guest.behave()

    async with HostileBroker(script) as broker, MqttSink(to(broker, keepalive=1, client=client), boot=BOOT):
        await until(lambda: broker.guests[0].pings, within=10)


@pytest.mark.parametrize("client", ["native", "aiomqtt"])
async def test_connect_announces_the_limits_of_the_client(client):
    """MQTT 5: the largest packet, depending on the subscriptions, and one PUBLISH at a time (3.1.2.11)."""

    async def script(guest):
        await guest.send(connack(guest.level))
        await guest.behave()

    async with HostileBroker(script) as broker:
        for will in (WILL, None):
            await (await connect(to(broker), client_id="kr", will=will, client=client)).close()

    one, other = (guest.connect[11 : 11 + guest.connect[10]] for guest in broker.guests)
    assert PACKET_MOST + struct.pack("!I", ANSWER_MOST) in one
    assert PACKET_MOST + struct.pack("!I", DOCUMENT_MOST) in other
    assert RECEIVE_MOST + b"\0\1" in one


async def test_a_broker_that_accepts_no_packet_gets_none():
    """It announces a maximum packet size of one byte: nothing is sent, and all records count as left out."""

    async def script(guest):
        await guest.send(connack(guest.level, PACKET_MOST + struct.pack("!I", 1)))
        await guest.behave()

    async with HostileBroker(script) as broker, MqttSink(to(broker), boot=BOOT) as sink:
        assert await sink.deliver([record(0)]) == Outcome(left_out=1)


@pytest.mark.parametrize("tls", [False, True])
async def test_an_endless_answer_is_ended_by_the_timeout(tls):
    """A CONNACK sent byte by byte, a TLS handshake that never finishes."""

    async def script(guest):
        for octet in connack(5, REASON + text("slow" * 100)):
            await guest.send(bytes([octet] if not tls else [0x16]))
            await asyncio.sleep(0.1)

    async with HostileBroker(script, listens=not tls) as broker:
        settings = MqttSettings(host="127.0.0.1", port=broker.port, tls=tls, timeout=0.4)
        async with asyncio.timeout(5):
            with pytest.raises(SinkDown, match=r"no MQTT answer|no TLS"):
                await connect(settings, client_id="kr", will=WILL)
