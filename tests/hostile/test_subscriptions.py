"""Subscribers against a hostile broker and hostile publishers: `watch`, and the broker of the demo."""

from __future__ import annotations

import asyncio
import contextlib
import io
import re
import struct
import tracemalloc
from itertools import product

import orjson
import pytest
from brokers import listening, until
from cases import each_of
from hostile_broker import KERNEL, SUBACK, UNSUBACK, USER_PROPERTY, HostileBroker, connack, packet, publish, text, to
from mqtt_wire import packed_length, read_packet
from rich.console import Console

from klvrelay.cli.embedded_broker import CLIENTS_MOST
from klvrelay.cli.verbs.demo import _show
from klvrelay.cli.verbs.stream_table import StreamTable
from klvrelay.cli.verbs.watch import line, watch
from klvrelay.config.choice import Choice
from klvrelay.config.mqtt import MqttSettings
from klvrelay.errors import SinkDown
from klvrelay.sinks.mqtt.protocol.connect import connect
from klvrelay.sinks.mqtt.protocol.connection import Message, Received


@pytest.fixture(params=["native", "aiomqtt"])
def client(request):
    """The MQTT client."""
    return request.param


async def subscribed(broker, client="native"):
    connection = await connect(to(broker), client_id="kr", client=client)
    await connection.subscribe(["kr/#"])
    return connection


def to_a_subscriber(attack):
    """A script: accept one subscription, then `attack(guest)`."""

    async def script(guest):
        await guest.send(connack(guest.level))
        _, _, body = await read_packet(guest.reader)
        await guest.send(packet(SUBACK, body[:2] + (b"\0" if guest.level == 5 else b"") + b"\0"))
        await attack(guest)

    return script


@pytest.mark.parametrize(
    ("attack", "says"),
    [
        (lambda v: packet(3, text("kr/a") + b"\0", 2), "a PUBLISH that ends too early"),
        (lambda v: publish(v, "kr/a", b"x", 2), "a PUBLISH of QoS 2, though QoS 0 was requested"),
        (lambda v: b"\x30\xff\xff\xff\x7f", "a PUBLISH of 268435455 bytes"),
        (lambda v: publish(v, b"\xff\xfe", b"x"), "a PUBLISH whose topic is not UTF-8"),
        (lambda v: packet(3, b"\0\x50kr"), "a PUBLISH that ends too early"),
        (lambda v: packet(3, b""), "a PUBLISH that ends too early"),
        (lambda v: packet(3, text("a") + b"\xff\xff\xff\xff\xff"), "a PUBLISH that ends too early"),
        (lambda v: packet(SUBACK, b"\0\1\0\0"), "a SUBACK that was not requested"),
    ],
)
async def test_a_subscriber_accepts_only_what_it_requested(attack, says, client):
    """A message with a higher QoS, a larger one than announced, a malformed one."""

    async def send(guest):
        await guest.send(attack(5))
        await guest.behave()

    async with HostileBroker(to_a_subscriber(send)) as broker:
        connection = await subscribed(broker, client)
        with pytest.raises(SinkDown, match=re.escape(says)):
            async with asyncio.timeout(4):
                await anext(connection.received())
        await connection.close()


@pytest.mark.parametrize(("answer", "says"), [(UNSUBACK, "an UNSUBACK"), (SUBACK, "a SUBACK")])
async def test_the_answer_to_another_request_ends_the_connection(answer, says, client):
    """An UNSUBACK while a SUBACK is expected, and the reverse."""

    async def script(guest):
        await guest.send(connack(guest.level))
        if answer == SUBACK:
            await guest.send(packet(SUBACK, (await read_packet(guest.reader))[2][:2] + b"\0\0"))
        _, _, body = await read_packet(guest.reader)
        await guest.send(packet(answer, body[:2] + b"\0\0"))
        await guest.behave()

    async def use(broker):
        connection = await connect(to(broker), client_id="kr", client=client)
        await connection.subscribe(["kr/#"])
        await connection.unsubscribe(["kr/#"])

    async with HostileBroker(script) as broker:
        with pytest.raises(SinkDown, match=f"protocol error: the broker sent {says} that was not requested"):
            await use(broker)


async def test_a_message_of_qos_1_is_accepted_and_acknowledged(client):
    """amqtt sends retained messages with their original QoS, and waits for each acknowledgement."""
    answers = []

    async def send(guest):
        for n in range(3):
            await guest.send(publish(guest.level, "kr/a", bytes([n]), 1))
            answers.append(await read_packet(guest.reader))
        await guest.behave()

    async with HostileBroker(to_a_subscriber(send)) as broker:
        connection = await subscribed(broker, client)
        incoming = connection.received()
        async with asyncio.timeout(4):
            payloads = [(await anext(incoming)).payload for _ in range(3)]
        await connection.close()

    assert payloads == [b"\0", b"\1", b"\2"]
    assert [(kind, len(body)) for kind, _, body in answers] == [(4, 2)] * 3


async def test_a_flood_of_messages_waits_in_the_kernel_until_they_are_read(client):
    """A client that does not read holds a few MiB of them; a client that reads gets all, in order."""
    whole = 48 << 20

    async def send(guest):
        for n in range(whole >> 16):
            await guest.send(publish(guest.level, "kr/a", struct.pack("!I", n) + bytes(1 << 16)))
        await guest.behave()

    async with HostileBroker(to_a_subscriber(send)) as broker:
        connection = await subscribed(broker, client)
        before = -1
        while broker.taken != before:
            before = broker.taken
            await asyncio.sleep(0.1)
        assert before < KERNEL

        incoming = connection.received()
        numbers = [struct.unpack("!I", (await anext(incoming)).payload[:4])[0] for _ in range(whole >> 16)]
        await connection.close()

    assert numbers == list(range(whole >> 16))


async def test_many_properties_of_a_message_cost_no_time(client):
    """A MiB of them in one message: their length skips them, they are not parsed."""
    properties = (USER_PROPERTY + text("a") + text("b")) * (1 << 17)

    async def send(guest):
        await guest.send(packet(3, text("kr/a") + packed_length(len(properties)) + properties + b"payload"))
        await guest.behave()

    async with HostileBroker(to_a_subscriber(send)) as broker:
        connection = await subscribed(broker, client)
        async with asyncio.timeout(5):
            message = await anext(connection.received())
        await connection.close()

    assert (message.topic, message.payload) == ("kr/a", b"payload")


WALL = 1_800_000_000.0
DEEP = b"[" * 100_000 + b"]" * 100_000
HOSTILE = {
    "deep": b'{"items":' + DEEP + b"}",
    "not a number": b'{"set":"a","items":{"sensor_latitude":NaN}}',
    "infinite": b'{"set":"a","items":{"sensor_latitude":1e999}}',
    "400 digits": b'{"set":"a","items":{"sensor_latitude":' + b"9" * 400 + b"}}",
    "the largest": b'{"set":"a","items":{"sensor_latitude":1e308,"sensor_longitude":18446744073709551615}}',
    "a list for a number": b'{"set":[[]],"items":{"sensor_latitude":[1],"sensor_longitude":{"a":1}}}',
    "a list for a text": b'{"state":["a"],"set":{},"received":["b"],"pid":1e300,"program":true,"items":{"a":1}}',
    "before the first year": b'{"received":"0001-01-01T00:00:00+23:59","items":{"a":1}}',
    "after the last year": b'{"received":"9999-12-31T23:59:59-23:59","items":{"a":1}}',
    "no zone": b'{"received":"0001-01-01T00:00:00","items":{"a":1}}',
    "items are none": b'{"items":7}',
    "no document": b"7",
    "escapes": b'{"set":"\\u001b[2J\\u202e","state":"\\u009b","items":{"a":1}}',
    "half a surrogate": b'{"set":"\\ud800","items":{"a":1}}',
    "bytes": bytes(range(256)),
}


@each_of(list(product(HOSTILE, ["telemetry", "rejected", "availability", "link", "state"])), "-".join)
def test_any_document_leaves_a_row_that_is_short_and_printable(case):
    """Whatever is where a number, a text or a time belongs."""
    name, leaf = case
    board = StreamTable("kr")
    board.take(Received(f"kr/a/{leaf}", HOSTILE[name], True), 100.0, WALL)

    for row in board.rows(100.0):
        assert line(row).isprintable()
        assert len(line(row)) < 4096


def test_rows_and_their_content_are_bounded():
    """Ten thousand streams with documents of 20 KB in each displayed field: a thousand rows, and little of each."""
    big = "x" * 20_000
    head = {"set": big, "state": big, "received": big}
    items = {"sensor_latitude": [big], "platform_heading_angle": big}
    document = orjson.dumps({**head, "items": items})
    board = StreamTable("kr")
    tracemalloc.start()
    for n in range(10_000):
        for leaf in ("telemetry", "link", "availability"):
            board.take(Received(f"kr/s{n}/{leaf}", document, False), 100.0, WALL)
        board.take(Received(f"kr/{n}{big}/availability", b"online", False), 100.0, WALL)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()

    assert len(board.rows(100.0)) == 1000
    assert held < 4 << 20


def test_streams_that_are_not_shown_hold_no_history():
    """Records of a stream that was not selected count for the last seconds only."""
    board = StreamTable("kr", Choice(only=frozenset({7})))
    document = orjson.dumps({"pid": 9, "items": {"a": 1}})
    tracemalloc.start()
    for n in range(20_000):
        board.take(Received("kr/a/telemetry", document, False), n / 10, WALL)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()

    assert board.rows(2000.0) == []
    assert held < 64 << 10


def test_unrequested_topics_make_no_row():
    """Under another prefix, or with a level more or fewer."""
    board = StreamTable("kr")
    for topic in ("a/telemetry", "x/kr/a/telemetry", "kr/a/b/telemetry", "kr/telemetry", "kr//a/telemetry", "", "kr/"):
        board.take(Received(topic, b'{"items":{"a":1}}', False), 100.0, WALL)

    assert board.rows(100.0) == []


async def test_watch_reports_a_violation_and_retries_at_growing_intervals(monkeypatch, capsys):
    """A broker that violates the protocol at each connection: two lines per attempt, and growing pauses."""
    monkeypatch.setattr("klvrelay.cli.verbs.watch.FIRST_PAUSE", 0.02)

    async def send(guest):
        await guest.send(publish(guest.level, "klvrelay/a/telemetry", b"x", 2))
        await guest.behave()

    async with HostileBroker(to_a_subscriber(send)) as broker:
        watching = asyncio.create_task(watch(to(broker), console=Console(width=80)), name="watching")
        try:
            async with asyncio.timeout(5):
                while len(broker.guests) < 5:
                    await asyncio.sleep(0.01)
            await asyncio.wait({watching}, timeout=0.02)
            assert not watching.done()
        finally:
            watching.cancel()
            await asyncio.wait({watching})
        said = capsys.readouterr().err

    assert "protocol error: the broker sent a PUBLISH of QoS 2" in said
    assert said.count("\n") <= 2 * len(broker.guests)


class Heard:
    """A connection whose subscription received these."""

    def __init__(self, messages):
        self._messages = messages

    async def received(self):
        for message in self._messages:
            yield message


async def test_the_demo_shows_any_message_as_short_printable_lines():
    """Each hostile document on each topic, ten times: no error, no control character, no flood of lines."""
    big = orjson.dumps({"seq": "x" * 9999, "time": ["\u202e"], "items": {"sensor_latitude": 1e308, "\u009b": "\u202e"}})
    documents = [*HOSTILE.values(), big, b'{"items":{"a":' + DEEP[:300] + DEEP[-300:] + b"}}"]
    leaves = ("telemetry", "rejected", "availability", "link", "state", "status", "\x1b[2J\u202e")
    messages = [Received(f"kr/\x9b/{leaf}", body, False) for body in documents for leaf in leaves] * 10
    out = io.StringIO()

    await _show(Heard(messages), Console(file=out, width=400))

    lines = out.getvalue().splitlines()
    assert all(shown.isprintable() for shown in lines)
    assert len(lines) < 200
    assert "sensor_latitude" in out.getvalue()


async def promise(port):
    """A client of the embedded broker that announces 268 MB and sends them; returns how many were read."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    taken = 0
    try:
        writer.write(packet(1, text("MQTT") + b"\x04\x02\x00\x3c" + text("liar")))
        await reader.readexactly(4)
        writer.write(b"\x30\xff\xff\xff\x7f" + text("kr/a"))
        while taken < 128 << 20:
            writer.write(bytes(1 << 16))
            await writer.drain()
            taken += 1 << 16
    except OSError:
        pass
    finally:
        writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    return taken


async def test_the_embedded_broker_accepts_no_packet_beyond_a_bound(embedded):
    """A local client that announces 268 MB is disconnected, and the others continue."""
    async with asyncio.timeout(10):
        assert await promise(embedded.port) < KERNEL

    async with listening(embedded.port, "kr/#", protocol=4) as heard:
        connection = await connect(MqttSettings.from_url(embedded.url), client_id="kr", will=Message("kr/s", b"gone"))
        await connection.publish([Message("kr/a", b"x")])
        await heard.count(1, "kr/a")
        await connection.close()


async def test_the_embedded_broker_bounds_its_clients(embedded):
    """More connections are closed; when one leaves there is capacity again."""
    held = [await asyncio.open_connection("127.0.0.1", embedded.port) for _ in range(CLIENTS_MOST + 20)]
    ended = [asyncio.create_task(reader.read(1)) for reader, _ in held]
    try:
        await until(lambda: sum(task.done() for task in ended) >= 20)
        assert sum(task.done() for task in ended) == 20
    finally:
        for _, writer in held:
            writer.close()
        await asyncio.wait(ended)

    async def room():
        with contextlib.suppress(SinkDown):
            await (await connect(MqttSettings.from_url(embedded.url, timeout=1.0), client_id="kr")).close()
            return True
        return False

    async with asyncio.timeout(5):
        while not await room():
            await asyncio.sleep(0.05)


async def test_a_connection_closed_in_a_flood_leaves_no_socket():
    """Disconnected while the socket is not read: it is closed, and later data is dropped."""

    async def send(guest):
        await guest.flood(publish(guest.level, "kr/a", bytes(1 << 16)))

    async with HostileBroker(to_a_subscriber(send)) as broker:
        connection = await subscribed(broker)
        await until(lambda: broker.taken > 5 << 20)
        connection.abort()
        await until(lambda: connection._link._sock.fileno() < 0)
