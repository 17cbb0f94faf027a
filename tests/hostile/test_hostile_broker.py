"""A hostile broker loses its own connection, with a clear message, and costs little else."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from brokers import until
from cases import each_case
from hostile_broker import (
    AUTH,
    DISCONNECT,
    KERNEL,
    PINGREQ,
    PINGRESP,
    PUBACK,
    PUBCOMP,
    PUBREC,
    PUBREL,
    REASON,
    REFERENCE,
    SPOKEN,
    SUBACK,
    SUBSCRIBE,
    UNSUBACK,
    HostileBroker,
    connack,
    packet,
    publish,
    text,
    to,
)
from mqtt_wire import read_packet
from records import BOOT, record
from scripted_ends import sink_task_of

from klvrelay.backoff import Backoff
from klvrelay.config.mqtt import MqttSettings
from klvrelay.errors import SinkDown
from klvrelay.outcome import Outcome
from klvrelay.relay.notices import Notices
from klvrelay.sinks.mqtt.sink import MqttSink
from klvrelay.sinks.mqtt.values import retained


def after_connack(attack, properties=b""):
    """A script: a correct broker until the client has published "online", then `attack(level)`, then correct again."""

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
    """The error that ends a sink connected to this broker."""
    async with MqttSink(to(broker, **settings), boot=BOOT) as sink:
        with pytest.raises(SinkDown) as caught:
            async with asyncio.timeout(4):
                await sink.keep(Notices().cursor())
    fault = str(caught.value)
    assert fault.isprintable()
    assert len(fault) < 300
    return fault


ATTACKS = {
    "PUBLISH": (lambda v: publish(v, "a", b"x"), "a PUBLISH that was not requested"),
    "PUBLISH 1": (lambda v: publish(v, "a", b"x", 1), "a PUBLISH that was not requested"),
    "PUBLISH retained 1": (lambda v: b"\x33" + publish(v, "a", b"x", 1)[1:], "a PUBLISH that was not requested"),
    "PUBLISH 2": (lambda v: publish(v, "a", b"x", 2), "a PUBLISH that was not requested"),
    "PUBLISH 268 MB": (lambda v: b"\x30\xff\xff\xff\x7f", "a PUBLISH that was not requested"),
    "PUBACK 268 MB": (lambda v: b"\x40\xff\xff\xff\x7f", "a PUBACK of 268435455 bytes"),
    "PINGRESP 268 MB": (lambda v: b"\xd0\xff\xff\xff\x7f", "a PINGRESP that was not requested"),
    "length of five bytes": (lambda v: b"\x40\xff\xff\xff\xff\x01", "whose length is malformed"),
    "PUBACK unknown": (lambda v: packet(PUBACK, b"\xff\xfe"), "a PUBACK without a message"),
    "PUBREC unknown": (lambda v: packet(PUBREC, b"\xff\xfe"), "a PUBREC without a message"),
    "PUBCOMP unknown": (lambda v: packet(PUBCOMP, b"\xff\xfe"), "a PUBCOMP without a message"),
    "PUBACK of one byte": (lambda v: packet(PUBACK, b"\xff"), "a PUBACK without a message"),
    "PUBREL": (lambda v: packet(PUBREL, b"\0\1", 2), "a PUBREL that was not requested"),
    "SUBACK": (lambda v: packet(SUBACK, b"\0\1\0\0"), "a SUBACK that was not requested"),
    "UNSUBACK": (lambda v: packet(UNSUBACK, b"\0\1\0\0"), "an UNSUBACK that was not requested"),
    "PINGRESP": (lambda v: packet(PINGRESP), "a PINGRESP that was not requested"),
    "PINGREQ": (lambda v: packet(PINGREQ), "with an invalid type or flags"),
    "AUTH": (lambda v: packet(AUTH, b"\x18\0"), "an AUTH that was not requested"),
    "CONNACK twice": (lambda v: connack(v), "a CONNACK that was not requested"),
    "kind 0": (lambda v: b"\0\0", "with an invalid type or flags"),
    "reserved flags": (lambda v: packet(PUBACK, b"\0\1", 1), "with an invalid type or flags"),
}  # fmt: skip


IN_A_LOOK = {
    "PUBLISH 2": "a PUBLISH of QoS 2, though QoS 0 was requested",
    "PUBLISH 268 MB": "a PUBLISH of 268435455 bytes",
}


@pytest.mark.parametrize(
    ("client", "protocol", "looks"),
    [("native", 5, 0), ("native", 5, 2), ("native", 4, 2), ("aiomqtt", 5, 2), ("aiomqtt", 4, 0)],
)
@pytest.mark.parametrize("name", ATTACKS)
async def test_a_forbidden_packet_ends_the_connection_and_is_named(name, client, protocol, looks, monkeypatch):
    """At the first such packet, by its first bytes, as a protocol error and not as a lost connection; also while the
    retained topics of earlier runs are read.
    """
    monkeypatch.setattr(retained, "TRIES", looks)
    attack, says = ATTACKS[name]
    if protocol == 5 and looks:
        says = IN_A_LOOK.get(name, says)

    async with HostileBroker(after_connack(attack)) as broker:
        fault = await fault_of_the_sink(broker, protocol=protocol, client=client)

    assert f"{broker.url}: protocol error: the broker sent " in fault
    assert says in fault


async def test_a_subscription_that_is_answered_by_unsuback_is_named():
    """An answer counts only for a request of its kind."""

    async def script(guest):
        await guest.send(connack(guest.level))
        body = await guest.first_publish()
        at = 2 + int.from_bytes(body[:2])
        await guest.send(packet(PUBACK, body[at : at + 2]))
        while (await read_packet(guest.reader))[0] != SUBSCRIBE:
            pass
        await guest.send(packet(UNSUBACK, b"\0\1\0\0"))
        await guest.behave()

    async with HostileBroker(script) as broker:
        fault = await fault_of_the_sink(broker)

    assert "protocol error: the broker sent an UNSUBACK that was not requested" in fault


@pytest.mark.parametrize("protocol", [5, 4])
async def test_unrequested_retained_messages_are_dropped(protocol):
    """Some brokers send theirs to every client: this violates the protocol and is harmless in small numbers."""
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


@pytest.mark.parametrize("client", ["native", "aiomqtt"])
@pytest.mark.parametrize("size", [0, 50_000])
async def test_a_flood_of_them_ends_the_connection(size, client):
    """Their number or their bytes exceed the limit."""

    async def script(guest):
        await guest.send(connack(guest.level))
        serving = asyncio.create_task(guest.behave(), name="behave")
        try:
            await guest.flood((b"\x31" + publish(guest.level, "a", bytes(size))[1:]) * (1 if size else 1000))
        finally:
            serving.cancel()
            await asyncio.wait({serving})

    async with HostileBroker(script) as broker:
        with pytest.raises(SinkDown, match="too many messages that were not requested"):
            async with asyncio.timeout(5), MqttSink(to(broker, client=client), boot=BOOT) as sink:
                await sink.keep(Notices().cursor())

    assert broker.taken < KERNEL


@pytest.mark.parametrize("client", ["native", "aiomqtt"])
async def test_a_message_confirmed_twice_ends_the_connection(client):
    """The second PUBACK of one packet identifier, even in the same segment as the first."""

    async def script(guest):
        await guest.send(connack(guest.level))
        body = await guest.first_publish()
        at = 2 + int.from_bytes(body[:2], "big")
        await guest.send(packet(PUBACK, body[at : at + 2]) * 2)
        await guest.behave()

    async with HostileBroker(script) as broker:
        with pytest.raises(SinkDown, match="a PUBACK without a message that waits"):
            async with MqttSink(to(broker, client=client), boot=BOOT) as sink:
                await sink.keep(Notices().cursor())


async def test_a_repeated_pubrec_is_answered_once():
    """An answer to each would be a PUBREL: a broker that reads none would fill the client's memory."""

    async def script(guest):
        await guest.send(connack(guest.level))
        body = await guest.first_publish()
        at = 2 + int.from_bytes(body[:2], "big")
        await guest.flood(packet(PUBREC, body[at : at + 2]) * 1000)

    async with HostileBroker(script) as broker:
        with pytest.raises(SinkDown, match="a second PUBREC"):
            async with MqttSink(to(broker, qos=2), boot=BOOT) as sink:
                await sink.keep(Notices().cursor())

    assert broker.taken < KERNEL


@pytest.mark.parametrize("protocol", [5, 4])
@pytest.mark.parametrize("client", ["native", "aiomqtt"])
@pytest.mark.parametrize("kind", ["one of 268 MB", "many of QoS 2", "268 MB in CONNACK", "268 MB in DISCONNECT"])
async def test_a_flood_is_left_in_the_kernel(kind, client, protocol):
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
        settings = to(broker, protocol=protocol, client=client)
        with pytest.raises(SinkDown, match="protocol error"):
            async with asyncio.timeout(10), MqttSink(settings, boot=BOOT) as sink:
                await sink.keep(Notices().cursor())

    assert broker.taken < len(broker.guests) * KERNEL


async def test_a_disconnect_is_reported_by_its_code_and_not_in_its_words():
    """A server reference and a reason string could contain terminal control characters."""
    more = REASON + text(SPOKEN) + REFERENCE + text(SPOKEN)

    async with HostileBroker(after_connack(lambda v: packet(DISCONNECT, bytes([0x9C, len(more)]) + more))) as broker:
        fault = await fault_of_the_sink(broker)

    assert "closed the connection: it has moved" in fault
    assert "owned" not in fault


@contextlib.asynccontextmanager
async def drained(broker, records=30, **settings):
    """A sink task with waiting records, delivering to that broker."""
    sink_task, log = sink_task_of(MqttSink(to(broker, **settings), boot=BOOT), limit=1000)
    for n in range(records):
        log.append(record(n))
    task = asyncio.create_task(sink_task.drain(), name="drain")
    try:
        yield sink_task
    finally:
        task.cancel()
        await asyncio.wait({task})


@pytest.fixture
def pauses(monkeypatch):
    """The pauses between attempts, a hundred times shorter."""
    found = []

    class Brisk(Backoff):
        def next(self):
            found.append(super().next())
            return found[-1] / 100

    monkeypatch.setattr("klvrelay.relay.sink_task.Backoff", Brisk)
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
    body = await guest.first_publish()
    at = 2 + int.from_bytes(body[:2], "big")
    await guest.send(packet(PUBACK, body[at : at + 2]) + packet(PINGRESP))
    await guest.behave(acks=False)


@pytest.mark.parametrize(
    "script",
    [_hang_up, _greet_and_hang_up, _flood_at_once, _confirm_one_and_violate],
    ids=["hang up", "greet and hang up", "flood", "violate when online"],
)
async def test_no_broker_makes_a_busy_loop(script, pauses, said):
    """Attempts become rarer while no connection lasts, the log is short, the loop runs, and no record is lost."""
    turns = 0

    async def turn():
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    turning = asyncio.create_task(turn(), name="turn")
    try:
        async with HostileBroker(script) as broker, drained(broker) as sink_task:
            await until(lambda: len(pauses) >= 7, within=20)
            connections = len(broker.guests)
            assert sink_task.cursor.waiting == 30
    finally:
        turning.cancel()
        await asyncio.wait({turning})

    assert all(min(1.5, 0.25 * 2**n) <= pause <= 3.0 for n, pause in enumerate(pauses[:7]))
    assert connections <= 7 * 12
    assert turns > 10 * connections
    assert len(said()) <= 2 * len(pauses)
    assert all(line.isprintable() for line in said())


async def test_a_broker_that_confirms_nothing_keeps_its_window_and_no_record_is_lost(pauses):
    """The attempts end at the timeout; the records keep waiting."""

    async def script(guest):
        await guest.send(connack(guest.level))
        await guest.behave(acks=len(guest.published) > 1)

    async with HostileBroker(script) as broker:
        async with drained(broker, timeout=0.3, window=5) as sink_task:
            await until(lambda: len(pauses) >= 2)
            assert sink_task.cursor.waiting == 30
        assert max(len(guest.published) for guest in broker.guests) <= 5


async def test_acknowledgements_in_the_wrong_order_are_accepted():
    """Each is matched by its packet identifier."""

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

    async with HostileBroker(script) as broker, drained(broker) as sink_task:
        await until(lambda: not sink_task.cursor.waiting)
        assert sink_task.cursor.delivered == 30


@pytest.mark.parametrize("stream", ["a\x00b", "\x1b[2J", "\ufeff\u202e", "x" * 70_000, "line\nline"])
async def test_no_stream_name_breaks_a_connection(oracle, stream):
    """In MQTT 5 user properties the names are printable and short, whatever they contain."""
    async with MqttSink(to(oracle), boot=BOOT) as sink:
        await sink.deliver([record(0, stream)])

    (user,) = [dict(p.user) for p in oracle.published if p.topic.endswith("/telemetry")]
    assert user["stream"].isprintable()
    assert len(user["stream"]) <= 1000


@each_case("key", ["client_id", "username", "prefix"])
@each_case("text", ["a\x00b", "a\x1bb", "a\u202eb", "a\nb"])
def test_no_setting_contains_characters_that_make_a_broker_close(key, text):
    """Control and format characters are refused when settings are read, and not repeated."""
    with pytest.raises(Exception, match=rf"mqtt {key}") as caught:
        MqttSettings(host="127.0.0.1", **{key: text})

    assert str(caught.value).isprintable()


async def test_a_right_refused_at_each_message_costs_no_connection(oracle):
    """Each topic is suspended: one log message, and none until the next attempt."""
    oracle.manners.puback = 0x87
    async with MqttSink(to(oracle), boot=BOOT) as sink:
        outcomes = [await sink.deliver([record(n)]) for n in range(5)]

    assert outcomes == [Outcome(rejected=1)] * 5
    assert len(oracle.published) == 2
    assert len(oracle.guests) == 1


class HangsUp:
    """A sink whose connection breaks on demand: while it is open, or while it closes."""

    def __init__(self, when):
        self.when = when
        self.entries = 0
        self.fallen = asyncio.Event()

    async def __aenter__(self):
        self.entries += 1
        return self

    async def __aexit__(self, *_):
        if self.when == "on the way out":
            raise SinkDown("the broker closed the connection")

    async def keep(self, notices):
        await self.fallen.wait()
        raise SinkDown("the broker closed the connection")


@pytest.mark.parametrize("when", ["as it stands", "on the way out"])
async def test_a_broker_that_hangs_up_as_the_relay_stops_does_not_keep_it(when):
    """The stop request survives the error: the relay does not connect again."""
    sink = HangsUp(when)
    sink_task, _ = sink_task_of(sink)
    draining = asyncio.create_task(sink_task.drain())
    await until(lambda: sink_task.health.up)

    sink.fallen.set()
    draining.cancel()
    await asyncio.wait({draining}, timeout=5)

    assert draining.cancelled()
    assert sink.entries == 1


@pytest.mark.parametrize("script", [_hang_up, _greet_and_hang_up], ids=["hang up", "greet and hang up"])
async def test_a_broker_that_accepts_and_closes_gets_few_connections(script, pauses):
    """The pauses grow: nineteen connections in the attempts of 21 s, not fifty."""
    async with HostileBroker(script) as broker, drained(broker):
        await until(lambda: len(pauses) >= 9, within=20)
        connections = len(broker.guests)
    assert 9 <= connections <= 6 + 7 + 6


@pytest.mark.parametrize("level", [4, 5])
async def test_a_broker_that_returns_is_connected_at_once_with_its_earlier_version(level, pauses):
    """A restart behind a proxy that accepts connections meanwhile: the attempts in between use the last working
    protocol version.
    """
    ready = True

    async def script(guest):
        if ready and guest.level == level:
            await guest.send(connack(guest.level))
            await guest.behave()

    async with HostileBroker(script) as broker, drained(broker) as sink_task:
        await until(lambda: sink_task.health.up)
        ready = False
        for guest in broker.guests:
            guest.writer.close()
        await until(lambda: len(pauses) >= 3, within=20)
        ready = True
        begun = len(broker.guests)
        await until(lambda: sink_task.health.up)
        assert len(broker.guests) - begun <= 2


async def test_a_broker_that_returns_with_an_older_version_is_connected_at_once(pauses):
    """It hung up for a while and no longer supports MQTT 5: the same attempt asks for 3.1.1."""
    ready = 0

    async def script(guest):
        if ready == 0 or (ready == 2 and guest.level == 4):
            await guest.send(connack(guest.level))
            await guest.behave()
        elif ready == 2:
            await guest.send(connack(guest.level, code=0x84))

    async with HostileBroker(script) as broker, drained(broker) as sink_task:
        await until(lambda: sink_task.health.up)
        ready = 1
        for guest in broker.guests:
            guest.writer.close()
        await until(lambda: len(pauses) >= 3, within=20)
        ready = 2
        await until(lambda: sink_task.health.up)


async def test_a_broker_of_the_rarely_tried_version_is_connected_in_the_end(pauses):
    """It was never reached before and hangs up at MQTT 5: a few attempts later 3.1.1 is tried again."""

    async def script(guest):
        if len(pauses) >= 2 and guest.level == 4:
            await guest.send(connack(guest.level))
            await guest.behave()

    async with HostileBroker(script) as broker, drained(broker) as sink_task:
        await until(lambda: sink_task.health.up, within=20)
    assert len(pauses) <= 9
