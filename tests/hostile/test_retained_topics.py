"""A hostile broker, and the readers of its retained topics: the relay at its start, and `retained`."""

from __future__ import annotations

import asyncio
import random

import pytest
from brokers import until
from hostile_broker import PUBLISH, SUBACK, SUBSCRIBE, HostileBroker, connack, packet, publish, text, to
from latest_values import keeping
from mqtt_wire import packed_length, read_packet
from records import BOOT, record
from test_relay_process import klvrelay

from klvrelay.sinks.contract import Notice
from klvrelay.sinks.mqtt.sink import MqttSink
from klvrelay.sinks.mqtt.values import retained

DEAD = b'{"state":"offline","boot":"dead00"}'
BOOT_OF_DEAD = b"\x26" + text("boot") + text("dead00")


def kept(topic: str | bytes, payload: bytes, properties: bytes = b"") -> bytes:
    """A retained message of MQTT 5."""
    return packet(PUBLISH, text(topic) + packed_length(len(properties)) + properties + payload, 1)


def with_retained(*messages: bytes):
    """A script: a correct broker that has these for each subscriber."""

    async def script(guest):
        await guest.send(connack(guest.level))
        kind, _, body = await read_packet(guest.reader)
        assert kind == SUBSCRIBE
        await guest.send(packet(SUBACK, body[:2] + b"\0\0") + b"".join(messages))
        await guest.behave()

    return script


ODD = {
    "wildcards": [kept("klvrelay/+/availability", b"online", BOOT_OF_DEAD), kept("klvrelay/#", b"x")],
    "control characters": [kept("klvrelay/\x1b[2J/availability", b"online", BOOT_OF_DEAD), kept("klvrelay/\0", b"x")],
    "many levels": [kept("klvrelay/" + "a/" * 2000 + "availability", b"online", BOOT_OF_DEAD)],
    "no level": [kept("klvrelay//availability", b"online", BOOT_OF_DEAD), kept("klvrelay/", b"x")],
    "properties that end too early": [kept("klvrelay/a/availability", b"online", b"\x26\0\4boot\0\xffdead00")],
    "properties of no kind": [kept("klvrelay/a/availability", b"online", b"\x7f\x7f" + BOOT_OF_DEAD)],
    "properties that are no text": [kept("klvrelay/a/availability", b"online", b"\x26\0\4boot\0\2\xff\xfe")],
    "a status of brackets": [kept("klvrelay/status", b"[" * 4000), kept("klvrelay/status", b'{"boot":' * 400)],
    "a status of other kinds": [kept("klvrelay/status", data) for data in (b"", b"null", b"[]", b'{"boot":[]}')],
    "a status of no text": [kept("klvrelay/status", b"\xff"), kept("klvrelay/status", b'{"boot":"\xff"}')],
}


@pytest.mark.parametrize("name", ODD)
async def test_unusual_retained_topics_affect_only_themselves(name):
    """None is corrected, the connection stays up, records are delivered."""
    async with HostileBroker(with_retained(kept("klvrelay/status", DEAD), *ODD[name])) as broker:
        async with MqttSink(to(broker), boot=BOOT) as sink, keeping(sink) as work:
            await sink.deliver([record(0)])
            await until(lambda: broker.guests[0].taken > 100)
            await sink.deliver([record(1)])
            assert not work.task.done()
        published = broker.guests[0].published
    assert not [body for body in published if b"availability" in body]
    assert len([body for body in published if b"/telemetry" in body]) == 2


@pytest.mark.parametrize("seed", range(20))
async def test_no_noise_in_retained_topics_ends_a_relay(seed):
    """Topics, properties and payloads made of valid parts and noise: at most a protocol error."""
    rng = random.Random(seed)
    pieces = [b"klvrelay/", b"a", b"/", b"availability", b"status", b"+", b"\x1b", "ü".encode(), b"\xf0\x9f\x98\x80"]
    messages = []
    for _ in range(200):
        topic = b"".join(rng.choices(pieces, k=rng.randrange(1, 7)))
        properties = rng.choice([b"", BOOT_OF_DEAD, rng.randbytes(rng.randrange(40))])
        status = b'{"state":"offline","boot":"%d"}' % rng.randrange(9)
        payload = rng.choice([b"online", DEAD, b"", rng.randbytes(30), status])
        messages.append(kept(topic, payload, properties))
    async with (
        HostileBroker(with_retained(*messages)) as broker,
        MqttSink(to(broker), boot=BOOT) as sink,
        keeping(sink) as work,
    ):
        await work.publish(Notice("availability", "uav1", b"online"))
        await until(lambda: broker.guests[0].taken > 1000)
        assert not work.task.done(), work.task.exception()


async def test_a_flood_while_earlier_runs_are_looked_at_ends_the_look_and_little_else(monkeypatch):
    """Requested messages without end: the records are delivered, and then the connection is closed."""
    monkeypatch.setattr(retained, "MESSAGES_MOST", 2000)
    monkeypatch.setattr(retained, "LATE", 0.0)

    async def script(guest):
        await guest.send(connack(guest.level))
        serving = asyncio.create_task(guest.behave(), name="behave")
        try:
            await until(lambda: len(guest.published) > 1)  # the status, and the first record
            await guest.flood(publish(guest.level, "klvrelay/status", b"{}") * 500, 4 << 20)
            await serving
        finally:
            serving.cancel()
            await asyncio.wait({serving})

    async with HostileBroker(script) as broker, MqttSink(to(broker), boot=BOOT) as sink, keeping(sink) as work:
        await sink.deliver([record(n) for n in range(20)])
        await asyncio.wait({work.task}, timeout=10)
        assert "too many messages that were not requested" in str(work.task.exception())
    assert broker.taken < 16 << 20


@pytest.mark.parametrize("name", ODD)
async def test_list_and_clear_accept_unusual_topics(name):
    """Each row is one printable line; klvrelay publishes to no invalid topic."""
    first = with_retained(kept("klvrelay/x/state", b'{"boot":"\\u001b[2J"}'), *ODD[name])

    async def script(guest):
        if guest is broker.guests[0]:
            await first(guest)
        else:
            await guest.send(connack(guest.level))
            await guest.behave()

    async with HostileBroker(script) as broker:
        async with klvrelay("retained", "--mqtt", broker.url, "--clear", "--yes") as command:
            assert await asyncio.wait_for(command.process.wait(), 20) == 0, command.said
        published = broker.guests[1].published

    assert all(line.isprintable() for line in command.printed.splitlines())
    assert "klvrelay/x/state" in command.printed
    assert published
    for body in published:
        topic = body[2 : 2 + int.from_bytes(body[:2], "big")].decode()
        assert topic.startswith("klvrelay/")
        assert not set("+#\0\x1b") & set(topic)
