"""A broker that means harm: what it sends costs its own connection, in plain words, and little of anything else."""

from __future__ import annotations

import asyncio
import contextlib
import random
import struct

import pytest
from brokers import until
from hostile_broker import (
    AUTH,
    CONNACK,
    DISCONNECT,
    KERNEL,
    PINGREQ,
    PINGRESP,
    PUBACK,
    PUBCOMP,
    PUBREC,
    PUBREL,
    SUBACK,
    UNSUBACK,
    HostileBroker,
    connack,
    packet,
    publish,
    text,
)
from mqtt_wire import read_packet
from records import BOOT, record

from klvrelay.backoff import Backoff
from klvrelay.errors import SinkDown, SinkRefused, TooLarge
from klvrelay.health import SinkHealth
from klvrelay.outlet import Outlet
from klvrelay.sinks.client import Message, connect
from klvrelay.sinks.incoming import ANSWER_MOST, DOCUMENT_MOST
from klvrelay.sinks.mqtt import MqttSink
from klvrelay.sinks.settings import MqttSettings
from klvrelay.spool import Spool

WILL = Message("kr/status", b"gone", retain=True)
SPOKEN = "\x1b[2Jowned\n\u202e"
USER_PROPERTY, REASON, REFERENCE, ASSIGNED_ID = b"\x26", b"\x1f", b"\x1c", b"\x12"
RECEIVE_MOST, ALIASES, PACKET_MOST, KEEPALIVE = b"\x21", b"\x22", b"\x27", b"\x13"


def to(broker, **settings):
    return MqttSettings.from_url(broker.url, **{"timeout": 2.0, **settings})


def after_connack(attack, properties=b""):
    """A script: be a sound broker until the client has said online, then `attack(level)`, and go on."""

    async def script(guest):
        await guest.send(connack(guest.level, properties))
        serving = asyncio.create_task(guest.behave(), name="behave")
        try:
            await until(lambda: guest.published or serving.done())
            await guest.send(attack(guest.level))
            await serving
        finally:
            serving.cancel()
            await asyncio.wait({serving})

    return script


async def fault_of_the_sink(broker, **settings):
    """What ends a sink that has connected to it."""
    async with MqttSink(to(broker, **settings), boot=BOOT) as sink:
        with pytest.raises(SinkDown) as caught:
            async with asyncio.timeout(4):
                await sink.lost()
    fault = str(caught.value)
    assert fault.isprintable()
    assert len(fault) < 300
    return fault


ATTACKS = {
    "PUBLISH": (lambda v: publish(v, "a", b"x"), "a PUBLISH that was not asked for"),
    "PUBLISH 1": (lambda v: publish(v, "a", b"x", 1), "a PUBLISH that was not asked for"),
    "PUBLISH retained 1": (lambda v: b"\x33" + publish(v, "a", b"x", 1)[1:], "a PUBLISH that was not asked for"),
    "PUBLISH 2": (lambda v: publish(v, "a", b"x", 2), "a PUBLISH that was not asked for"),
    "PUBLISH 268 MB": (lambda v: b"\x30\xff\xff\xff\x7f", "a PUBLISH that was not asked for"),
    "PUBACK 268 MB": (lambda v: b"\x40\xff\xff\xff\x7f", "a PUBACK of 268435455 bytes"),
    "PINGRESP 268 MB": (lambda v: b"\xd0\xff\xff\xff\x7f", "a PINGRESP that was not asked for"),
    "length of five bytes": (lambda v: b"\x40\xff\xff\xff\xff\x01", "whose length is malformed"),
    "PUBACK unknown": (lambda v: packet(PUBACK, b"\xff\xfe"), "a PUBACK for no message"),
    "PUBREC unknown": (lambda v: packet(PUBREC, b"\xff\xfe"), "a PUBREC for no message"),
    "PUBCOMP unknown": (lambda v: packet(PUBCOMP, b"\xff\xfe"), "a PUBCOMP for no message"),
    "PUBACK of one byte": (lambda v: packet(PUBACK, b"\xff"), "a PUBACK for no message"),
    "PUBREL": (lambda v: packet(PUBREL, b"\0\1", 2), "a PUBREL that was not asked for"),
    "SUBACK": (lambda v: packet(SUBACK, b"\0\1\0\0"), "a SUBACK that was not asked for"),
    "UNSUBACK": (lambda v: packet(UNSUBACK, b"\0\1\0\0"), "an UNSUBACK that was not asked for"),
    "PINGRESP": (lambda v: packet(PINGRESP), "a PINGRESP that was not asked for"),
    "PINGREQ": (lambda v: packet(PINGREQ), "of a kind or with flags that no broker sends"),
    "AUTH": (lambda v: packet(AUTH, b"\x18\0"), "an AUTH that was not asked for"),
    "CONNACK twice": (lambda v: connack(v), "a CONNACK that was not asked for"),
    "kind 0": (lambda v: b"\0\0", "of a kind or with flags that no broker sends"),
    "reserved flags": (lambda v: packet(PUBACK, b"\0\1", 1), "of a kind or with flags that no broker sends"),
}  # fmt: skip


@pytest.mark.parametrize("protocol", [5, 4])
@pytest.mark.parametrize("name", ATTACKS)
async def test_what_no_broker_may_send_ends_the_connection_with_its_name(name, protocol):
    """At the first such packet, by its first bytes, as a protocol error and not as a lost connection."""
    attack, says = ATTACKS[name]

    async with HostileBroker(after_connack(attack)) as broker:
        fault = await fault_of_the_sink(broker, protocol=protocol)

    assert f"{broker.url}: protocol error: the broker sent " in fault
    assert says in fault


@pytest.mark.parametrize("protocol", [5, 4])
async def test_retained_messages_that_were_not_asked_for_are_dropped(protocol):
    """Some brokers send theirs to whoever connects: that is against the protocol, and harmless while they are few."""
    sizes = (0, 1, 100, 100_000)

    async def script(guest):
        await guest.send(connack(guest.level))
        for size in sizes * 10:
            await guest.send(b"\x31" + publish(guest.level, "a", bytes(size))[1:])
        await guest.behave()

    async with HostileBroker(script) as broker:
        async with MqttSink(to(broker, protocol=protocol), boot=BOOT) as sink:
            await sink.deliver([record(n) for n in range(50)])
        await until(lambda: len(broker.guests[0].published) == 52)

    assert broker.taken > 10 * sum(sizes)


@pytest.mark.parametrize("size", [0, 50_000])
async def test_a_flood_of_them_ends_the_connection(size):
    """By their number, or by their bytes."""

    async def script(guest):
        await guest.send(connack(guest.level))
        serving = asyncio.create_task(guest.behave(), name="behave")
        try:
            await guest.flood((b"\x31" + publish(guest.level, "a", bytes(size))[1:]) * (1 if size else 1000))
        finally:
            serving.cancel()
            await asyncio.wait({serving})

    async with HostileBroker(script) as broker:
        with pytest.raises(SinkDown, match="too many retained messages"):
            async with asyncio.timeout(5), MqttSink(to(broker), boot=BOOT) as sink:
                await sink.lost()

    assert broker.taken < KERNEL


async def test_a_message_confirmed_twice_ends_the_connection():
    """The second PUBACK of one packet identifier, even in the same segment as the first."""

    async def script(guest):
        await guest.send(connack(guest.level))
        _, _, body = await read_packet(guest.reader)
        at = 2 + int.from_bytes(body[:2], "big")
        await guest.send(packet(PUBACK, body[at : at + 2]) * 2)
        await guest.behave()

    async with HostileBroker(script) as broker:
        with pytest.raises(SinkDown, match="a PUBACK for no message that waits"):
            async with MqttSink(to(broker), boot=BOOT) as sink:
                await sink.lost()


async def test_a_pubrec_again_and_again_is_answered_once():
    """Each would be answered by a PUBREL: a broker that reads none would fill our memory with them."""

    async def script(guest):
        await guest.send(connack(guest.level))
        _, _, body = await read_packet(guest.reader)
        at = 2 + int.from_bytes(body[:2], "big")
        await guest.flood(packet(PUBREC, body[at : at + 2]) * 1000)

    async with HostileBroker(script) as broker:
        with pytest.raises(SinkDown, match="a PUBREC twice"):
            async with MqttSink(to(broker, qos=2), boot=BOOT):
                pass

    assert broker.taken < KERNEL


@pytest.mark.parametrize("protocol", [5, 4])
@pytest.mark.parametrize("kind", ["one of 268 MB", "many of QoS 2", "268 MB in CONNACK", "268 MB in DISCONNECT"])
async def test_a_flood_is_left_in_the_kernel(kind, protocol):
    """Neither a packet's length nor the number of packets decides what is read: the connection ends at the first."""
    heads = {"268 MB in CONNACK": b"\x20", "268 MB in DISCONNECT": b"\xe0", "one of 268 MB": b"\x30"}

    async def script(guest):
        if kind != "268 MB in CONNACK":
            await guest.send(connack(guest.level))
        if kind in heads:
            await guest.send(heads[kind] + b"\xff\xff\xff\x7f")
            await guest.flood(bytes(1 << 16))
        else:
            await guest.flood(b"".join(publish(guest.level, "a", bytes(500), 2, n) for n in range(1, 100)))

    async with HostileBroker(script) as broker:
        with pytest.raises(SinkDown, match="protocol error"):
            async with asyncio.timeout(10), MqttSink(to(broker, protocol=protocol), boot=BOOT) as sink:
                await sink.lost()

    assert broker.taken < len(broker.guests) * KERNEL


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


@pytest.mark.parametrize("name", MALFORMED)
async def test_a_malformed_connack_is_a_protocol_error(name):
    """Whatever paho makes of it: in time, with nothing left running, and said as what it is."""

    async def script(guest):
        await guest.send(MALFORMED[name](5))
        await guest.behave()

    async with HostileBroker(script) as broker:
        async with asyncio.timeout(5):
            with pytest.raises(SinkDown, match="protocol error: the broker sent a"):
                await connect(to(broker), client_id="kr", will=WILL)
        await until(lambda: not broker._tasks)

    assert len(broker.guests) <= 2


def noise(chance, level):
    """Packets of every kind with random flags and bodies, some of them cut off or with a byte changed."""
    data = bytearray()
    for _ in range(chance.randrange(1, 6)):
        body = chance.choice((chance.randbytes(chance.randrange(12)), connack(level, REASON + text("a"))[2:]))
        flags = chance.choice((0, 0, 0, 2, chance.randrange(16)))
        data += packet(chance.choice((2, 2, 4, 5, 7, 14, chance.randrange(16))), body, flags)
    if chance.random() < 0.5:
        data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data[: chance.randrange(1, len(data) + 1)] if chance.random() < 0.3 else data)


@pytest.mark.parametrize("greets", [False, True])
@pytest.mark.parametrize("protocol", [5, 4])
async def test_any_noise_ends_in_one_fault(protocol, greets):
    """A hundred random conversations, behind a CONNACK or instead of it: SinkDown or SinkRefused, and nothing left."""
    chance = random.Random(protocol * 2 + greets)

    async def script(guest):
        if greets:
            await guest.send(connack(guest.level))
            _, _, body = await read_packet(guest.reader)
            at = 2 + int.from_bytes(body[:2], "big")
            await guest.send(packet(PUBACK, body[at : at + 2]))
        await guest.send(noise(chance, guest.level))

    async with HostileBroker(script) as broker:
        for _ in range(100):
            with pytest.raises((SinkDown, SinkRefused)) as caught:
                async with asyncio.timeout(5), MqttSink(to(broker, protocol=protocol), boot=BOOT) as sink:
                    await sink.lost()
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
async def test_an_odd_connack_changes_nothing_for_the_records(name, said):
    """All are delivered, and none of the broker's words are shown."""

    async def script(guest):
        await guest.send(connack(guest.level, ODD_BUT_HARMLESS[name], present=1))
        await guest.behave()

    async with HostileBroker(script) as broker, MqttSink(to(broker), boot=BOOT) as sink:
        await sink.deliver([record(n) for n in range(50)])
        await until(lambda: len(broker.guests[0].published) == 51)

    assert "owned" not in "".join(said())


async def test_a_broker_cannot_switch_off_the_pings():
    """It asks for one in 18 hours; we go on as set, since a silent end would not be noticed."""

    async def script(guest):
        await guest.send(connack(guest.level, KEEPALIVE + b"\xff\xff"))
        await guest.behave()

    async with HostileBroker(script) as broker, MqttSink(to(broker, keepalive=1), boot=BOOT):
        await until(lambda: broker.guests[0].pings, within=10)


async def test_it_is_told_what_it_may_send():
    """MQTT 5: the largest packet, by what is subscribed to, and one PUBLISH at a time (3.1.2.11)."""

    async def script(guest):
        await guest.send(connack(guest.level))
        await guest.behave()

    async with HostileBroker(script) as broker:
        for will in (WILL, None):
            await (await connect(to(broker), client_id="kr", will=will)).close()

    one, other = (guest.connect[11 : 11 + guest.connect[10]] for guest in broker.guests)
    assert PACKET_MOST + struct.pack("!I", ANSWER_MOST) in one
    assert PACKET_MOST + struct.pack("!I", DOCUMENT_MOST) in other
    assert RECEIVE_MOST + b"\0\1" in one


async def test_a_disconnect_is_reported_by_its_code_and_not_in_its_words():
    """A server reference and a reason string could steer a terminal."""
    more = REASON + text(SPOKEN) + REFERENCE + text(SPOKEN)

    async with HostileBroker(after_connack(lambda v: packet(DISCONNECT, bytes([0x9C, len(more)]) + more))) as broker:
        fault = await fault_of_the_sink(broker)

    assert "closed the connection (code 156)" in fault
    assert "owned" not in fault


@contextlib.asynccontextmanager
async def drained(broker, records=30, **settings):
    """An outlet with waiting records, drained to that broker."""
    outlet = Outlet(MqttSink(to(broker, **settings), boot=BOOT), Spool(1000), SinkHealth("hostile"))
    for n in range(records):
        outlet.spool.put(record(n))
    task = asyncio.create_task(outlet.drain(), name="drain")
    try:
        yield outlet
    finally:
        task.cancel()
        await asyncio.wait({task})


@pytest.fixture
def pauses(monkeypatch):
    """What an outlet waits between its tries, a hundred times shorter."""
    found = []

    class Brisk(Backoff):
        def next(self):
            found.append(super().next())
            return found[-1] / 100

    monkeypatch.setattr("klvrelay.outlet.Backoff", Brisk)
    return found


async def _hang_up(guest):
    """Closes at once."""


async def _greet_and_hang_up(guest):
    await guest.send(connack(guest.level))


async def _flood_at_once(guest):
    await guest.send(connack(guest.level))
    await guest.flood(publish(guest.level, "a", bytes(100), 2) * 100)


async def _confirm_one_and_violate(guest):
    await guest.send(connack(guest.level))
    _, _, body = await read_packet(guest.reader)
    at = 2 + int.from_bytes(body[:2], "big")
    await guest.send(packet(PUBACK, body[at : at + 2]) + packet(PINGRESP))
    await guest.behave(acks=False)


@pytest.mark.parametrize(
    "script",
    [_hang_up, _greet_and_hang_up, _flood_at_once, _confirm_one_and_violate],
    ids=["hang up", "greet and hang up", "flood", "violate when online"],
)
async def test_no_broker_makes_a_busy_loop(script, pauses, said):
    """Tries get rarer while no connection lasts, the log says little, the loop runs, and the records stay."""
    turns = 0

    async def turn():
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    turning = asyncio.create_task(turn(), name="turn")
    try:
        async with HostileBroker(script) as broker, drained(broker) as outlet:
            await until(lambda: len(pauses) >= 7, within=20)
            connections = len(broker.guests)
            assert len(outlet.spool) == 30
    finally:
        turning.cancel()
        await asyncio.wait({turning})

    assert all(pause >= 0.25 * 2**n for n, pause in enumerate(pauses[:7]))
    assert connections <= 7 * 12
    assert turns > 10 * connections
    assert len(said()) <= 2 * len(pauses)
    assert all(line.isprintable() for line in said())


async def test_a_broker_that_confirms_nothing_keeps_its_window_and_no_record_is_lost(pauses):
    """The tries end at the timeout; what waits goes on waiting."""

    async def script(guest):
        await guest.send(connack(guest.level))
        await guest.behave(acks=len(guest.published) > 1)

    async with HostileBroker(script) as broker:
        async with drained(broker, timeout=0.3, window=5) as outlet:
            await until(lambda: len(pauses) >= 2)
            assert len(outlet.spool) == 30
        assert max(len(guest.published) for guest in broker.guests) <= 5


async def test_confirmations_in_the_wrong_order_are_taken():
    """Each by its packet identifier."""

    async def script(guest):
        await guest.send(connack(guest.level))
        serving = asyncio.create_task(guest.behave(acks=False), name="behave")
        try:
            while not serving.done():
                await asyncio.sleep(0.01)
                while guest.withheld:
                    await guest.send(guest.withheld.pop())
        finally:
            serving.cancel()
            await asyncio.wait({serving})

    async with HostileBroker(script) as broker, drained(broker) as outlet:
        await until(lambda: not len(outlet.spool))
        assert outlet.spool.delivered == 30


async def test_a_broker_that_takes_no_packet_at_all_gets_no_record_left_out():
    """It announces a largest packet of one byte: that is refused where the relay says that it is online."""

    async def script(guest):
        await guest.send(connack(guest.level, PACKET_MOST + struct.pack("!I", 1)))
        await guest.behave()

    async with HostileBroker(script) as broker:
        with pytest.raises(TooLarge, match="at most 1"):
            async with MqttSink(to(broker), boot=BOOT):
                pass


@pytest.mark.parametrize("tls", [False, True])
async def test_one_that_never_comes_to_an_end_is_given_up_in_time(tls):
    """A CONNACK of one byte at a time, a TLS handshake that never finishes."""

    async def script(guest):
        for octet in connack(5, REASON + text("slow" * 100)):
            await guest.send(bytes([octet] if not tls else [0x16]))
            await asyncio.sleep(0.1)

    async with HostileBroker(script, listens=not tls) as broker:
        settings = MqttSettings(host="127.0.0.1", port=broker.port, tls=tls, timeout=0.4)
        async with asyncio.timeout(5):
            with pytest.raises(SinkDown, match=r"no MQTT answer|no TLS"):
                await connect(settings, client_id="kr", will=WILL)


@pytest.mark.parametrize("stream", ["a\x00b", "\x1b[2J", "\ufeff\u202e", "x" * 70_000, "line\nline"])
async def test_no_stream_name_breaks_a_connection(oracle, stream):
    """In the user properties of MQTT 5 names are printable and short, whatever they are."""
    async with MqttSink(to(oracle), boot=BOOT) as sink:
        await sink.deliver([record(0, stream)])

    (user,) = [dict(p.user) for p in oracle.published if p.topic.endswith("/telemetry")]
    assert user["stream"].isprintable()
    assert len(user["stream"]) <= 1000


@pytest.mark.parametrize("key", ["client_id", "username", "prefix"])
@pytest.mark.parametrize("text", ["a\x00b", "a\x1bb", "a\u202eb", "a\nb"])
def test_no_setting_holds_what_a_broker_hangs_up_at(key, text):
    """Control and format characters are refused when they are read, and not repeated."""
    with pytest.raises(Exception, match=rf"mqtt {key}") as caught:
        MqttSettings(host="127.0.0.1", **{key: text})

    assert str(caught.value).isprintable()


async def test_a_right_refused_at_each_message_is_said_without_words_of_the_broker(oracle):
    """The reason string of a PUBACK is not shown."""
    oracle.manners.puback = 0x87
    with pytest.raises(SinkRefused, match="no right to publish"):
        async with MqttSink(to(oracle), boot=BOOT):
            pass
