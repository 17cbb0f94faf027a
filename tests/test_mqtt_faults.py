"""Faults between the client and a broker: each is one clear line, in time, without a password."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from dataclasses import replace

import pytest
from brokers import listening, until
from mqtt_wire import read_packet
from oracle_broker import PINGREQ
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode
from records import BOOT

from klvrelay.config.mqtt import MqttSettings
from klvrelay.errors import SinkDown, SinkRefused
from klvrelay.sinks.dialing.dial import dial
from klvrelay.sinks.mqtt import faults
from klvrelay.sinks.mqtt.protocol.connect import connect
from klvrelay.sinks.mqtt.protocol.connection import Message
from klvrelay.sinks.mqtt.sink import WHOLE, MqttSink

CANARY = "c4n4ry-pa55"
WILL = Message("kr/status", b"gone", retain=True)


def to(port, **settings):
    settings = {"timeout": 2.0, **settings}
    return MqttSettings.from_url(f"mqtt://relay:{CANARY}@127.0.0.1:{port}", **settings)


@contextlib.asynccontextmanager
async def server(answer):
    """A TCP server that sends `answer` after the first bytes and closes."""

    async def serve(reader, writer):
        await reader.read(64)
        writer.write(answer)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listener:
        yield listener.sockets[0].getsockname()[1]


async def fault_of(settings):
    with pytest.raises((SinkDown, SinkRefused)) as caught:
        await connect(settings, client_id="kr", will=WILL)
    fault = caught.value
    assert CANARY not in f"{fault} {fault!r}"
    assert "\n" not in str(fault)
    assert settings.url in str(fault)
    return fault


async def test_the_error_of_a_closed_port_asks_whether_a_broker_runs(free_port):
    """Connection refused."""
    fault = await fault_of(to(free_port))

    assert isinstance(fault, SinkDown)
    assert "check that a broker is running on that port" in str(fault)


async def test_an_unknown_host_is_reported_as_unknown(monkeypatch):
    """A name that no name server knows; another attempt may succeed."""

    def unknown(*args, **kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    fault = await fault_of(replace(to(1883, allow_plaintext=True), host="nobody.example"))

    assert isinstance(fault, SinkDown)
    assert "host name is unknown" in str(fault)


async def test_a_host_that_never_answers_is_ended_by_the_timeout(monkeypatch):
    """A connect without an answer ends at the timeout."""

    async def void(*args):
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", void)

    async with asyncio.timeout(2):
        fault = await fault_of(to(1883, timeout=0.2))

    assert isinstance(fault, SinkDown)
    assert "no answer within 0.2 s" in str(fault)


async def test_an_address_that_never_answers_leaves_time_for_the_next(monkeypatch, oracle):
    """A host of three addresses, two of them dead: each has its share of the timeout, and the third is reached."""
    loop = asyncio.get_running_loop()
    reach, asked = loop.sock_connect, []

    def found(host, port, *_, **__):
        addresses = ("192.0.2.1", "192.0.2.2", "127.0.0.1")
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, port)) for address in addresses]

    async def connect_to(sock, address):
        asked.append(address[0])
        if address[0] != "127.0.0.1":
            await asyncio.Event().wait()
        await reach(sock, address)

    monkeypatch.setattr(socket, "getaddrinfo", found)
    monkeypatch.setattr(loop, "sock_connect", connect_to)
    start = loop.time()
    sock = await dial(MqttSettings(host="three.example", port=oracle.port, timeout=0.9))
    sock.close()

    assert asked == ["192.0.2.1", "192.0.2.2", "127.0.0.1"]
    assert 0.5 < loop.time() - start < 0.9


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x15\x03\x01\x00\x02\x02\x0a", b"", b"\0"])
async def test_a_server_that_is_no_mqtt_broker_is_reported_as_such(answer):
    """A web server, a TLS port, one that closes: reported at once, not at the timeout."""
    async with server(answer) as port, asyncio.timeout(1.5):
        fault = await fault_of(to(port, timeout=20))

    assert isinstance(fault, SinkDown)
    assert "is it an MQTT broker" in str(fault)


async def test_a_silent_peer_is_ended_by_the_timeout(oracle):
    """It accepts the connection and answers neither version: reported within the timeout."""
    oracle.manners.stranger, oracle.manners.speaks = "silent", ()

    async with asyncio.timeout(2):
        fault = await fault_of(to(oracle.port, timeout=0.4))

    assert "no MQTT answer" in str(fault)
    assert [guest.level for guest in oracle.guests] == [5, 4]
    await until(lambda: not oracle._here)


@pytest.mark.parametrize("stranger", ["refused", "closed", "silent"])
async def test_a_broker_of_the_older_version_is_used_with_it(oracle, stranger):
    """MQTT 5 refused, answered by closing, or by silence: 3.1.1 is tried, and works."""
    oracle.manners.speaks, oracle.manners.stranger = (4,), stranger

    connection = await connect(to(oracle.port, timeout=0.6), client_id="kr", will=WILL)
    await connection.publish([Message("kr/a", b"x", content_type="text/plain", expiry=3)])
    await connection.close()

    assert connection.protocol == 4
    assert [guest.level for guest in oracle.guests] == [5, 4]
    assert oracle.payloads() == [b"x"]


async def test_a_broker_without_a_common_version_is_refused(oracle):
    """It refuses both."""
    oracle.manners.speaks = ()

    fault = await fault_of(to(oracle.port))

    assert isinstance(fault, SinkRefused)
    assert "neither MQTT 5 nor 3.1.1" in str(fault)


@pytest.mark.parametrize(
    ("code", "kind", "says"),
    [
        (0x86, SinkRefused, "user name or password"),
        (0x87, SinkRefused, "access list"),
        (0x85, SinkRefused, "client id 'kr'"),
        (0x8A, SinkRefused, "banned"),
        (0x88, SinkDown, "unavailable"),
        (0x89, SinkDown, "busy"),
        (0x9F, SinkDown, "too often"),
        (0x80, SinkDown, "code 128"),
    ],
)
async def test_a_refusal_of_mqtt_5_is_worded_by_its_code(oracle, code, kind, says):
    """A permanent refusal is SinkRefused with what to check, a temporary one is SinkDown (MQTT 5, 3.2.2.2)."""
    oracle.manners.connack = code

    fault = await fault_of(to(oracle.port))

    assert type(fault) is kind
    assert says in str(fault)


@pytest.mark.parametrize(
    ("code", "kind", "says"),
    [
        (2, SinkRefused, "client id"),
        (3, SinkDown, "unavailable"),
        (4, SinkRefused, "password"),
        (5, SinkRefused, "access"),
    ],
)
async def test_a_refusal_of_mqtt_3_is_worded_by_its_code(oracle, code, kind, says):
    """The return codes of 3.1.1 mean the same (MQTT 3.1.1, 3.2.2.3)."""
    oracle.manners.connack = code

    fault = await fault_of(to(oracle.port, protocol=4))

    assert type(fault) is kind
    assert says in str(fault)


def codes_of(kind):
    """The reason codes from 0x81 on that a packet may have, from the tables of another library."""
    names = ReasonCode(PacketTypes.CONNACK, "Success").names
    return sorted(code for code, kinds in names.items() if code > 0x80 and any(kind in of for of in kinds.values()))


@pytest.mark.parametrize(
    ("kind", "worded"),
    [
        (PacketTypes.CONNACK, lambda settings, code: str(faults.connect_fault(settings, code, "kr"))),
        (PacketTypes.DISCONNECT, lambda settings, code: str(faults.lost(settings, code, True, "kr"))),
        (PacketTypes.PUBACK, lambda settings, code: faults.refusal(code)[0]),
        (PacketTypes.PUBREC, lambda settings, code: faults.refusal(code)[0]),
    ],
    ids=["CONNACK", "DISCONNECT", "PUBACK", "PUBREC"],
)
def test_each_reason_code_has_a_text(kind, worded):
    """None is shown as a number, except the code without a meaning (0x80) and those of later standards."""
    texts = {code: worded(MqttSettings(host="h"), code) for code in codes_of(kind)}

    assert len(texts) > 5
    assert {code: text for code, text in texts.items() if f"code {code}" in text} == {}
    assert "code 254" in worded(MqttSettings(host="h"), 0xFE)


@pytest.mark.needs("mosquitto", "mosquitto_passwd")
async def test_a_wrong_password_is_refused_by_a_real_broker(mosquitto):
    """mosquitto with a password file, in both versions; no message shows the password."""
    passwords = mosquitto.home / "passwords"
    await mosquitto.stop()
    maker = await asyncio.create_subprocess_exec("mosquitto_passwd", "-b", "-c", passwords, "relay", "right")
    assert await maker.wait() == 0
    mosquitto.configure(f"listener 1 127.0.0.1\nallow_anonymous false\npassword_file {passwords}\n")
    await mosquitto.start()

    for protocol in (5, 4):
        fault = await fault_of(to(mosquitto.port, protocol=protocol))
        assert isinstance(fault, SinkRefused)
    settings = MqttSettings.from_url(f"mqtt://relay:right@127.0.0.1:{mosquitto.port}")
    connection = await connect(settings, client_id="kr", will=WILL)
    await connection.close()


@pytest.mark.needs("mosquitto")
@pytest.mark.parametrize(("protocol", "code"), [(5, 0x87), (4, 0)])
async def test_a_topic_that_the_access_list_forbids_has_its_code(mosquitto, protocol, code):
    """mosquitto acknowledges such a message and drops it: its reason code is the only sign, which MQTT 3.1.1 lacks."""
    rules = mosquitto.home / "acl"
    rules.write_text("user relay\ntopic write kr/#\ntopic read kr/#\n")
    await mosquitto.stop()
    mosquitto.configure(f"listener 1 127.0.0.1\nallow_anonymous true\nacl_file {rules}\n")
    await mosquitto.start()
    connection = await connect(to(mosquitto.port, protocol=protocol), client_id="kr", will=WILL)

    async with listening(mosquitto.port, "kr/a", protocol=4, username="relay") as heard:
        codes = await connection.publish([Message(topic, b"x") for topic in ("kr/a", "other/a", "kr/a")])
        await heard.count(2)
    await connection.close()

    assert codes == [0, code, 0]


async def test_a_refused_subscription_is_named(oracle):
    """SUBACK with a reason of 0x80 or more."""
    connection = await connect(to(oracle.port), client_id="kr")
    oracle.manners.subscribe = 0x87

    with pytest.raises(SinkRefused, match="no right to read other/b"):
        await connection.subscribe(["other/b"])
    await connection.close()


@pytest.mark.parametrize("end", ["silence", "cut"])
async def test_a_subscription_without_an_answer_ends_in_time(oracle, end):
    """At the timeout, or at once when the connection breaks."""
    connection = await connect(to(oracle.port, timeout=0.3 if end == "silence" else 30), client_id="kr")
    oracle.manners.subscribe = -1
    asking = asyncio.create_task(connection.subscribe(["kr/a"]), name="asking")
    await until(lambda: oracle.guests[0].filters)
    if end == "cut":
        oracle.cut()
    async with asyncio.timeout(2):
        await asyncio.wait({asking})
    await connection.close()

    assert isinstance(asking.exception(), SinkDown)


async def test_no_log_line_shows_the_password(oracle, caplog):
    """At the most verbose level, through a refusal, a publish and a loss."""
    with caplog.at_level(logging.DEBUG):
        oracle.manners.connack = 0x86
        await fault_of(to(oracle.port))
        oracle.manners.connack = 0
        connection = await connect(to(oracle.port), client_id="kr", will=WILL)
        await connection.publish([Message("kr/a", b"x")])
        oracle.cut()
        with pytest.raises(SinkDown):
            await anext(connection.received())
        await connection.close()

    assert "connected: protocol=" in caplog.text
    assert CANARY not in caplog.text
    assert CANARY not in repr(vars(connection))


async def test_a_broker_that_only_hangs_up_gets_one_connection_an_attempt(oracle):
    """All that it might take is tried at the first of eight attempts: its log is not to fill."""
    oracle.manners.speaks, oracle.manners.stranger = (), "closed"
    sink = MqttSink(MqttSettings.from_url(oracle.url, timeout=2.0), boot=BOOT)
    connections = []
    for _ in range(WHOLE + 1):
        before = len(oracle.guests)
        with pytest.raises(SinkDown):
            await sink.__aenter__()
        connections.append(len(oracle.guests) - before)
    assert connections[0] == connections[WHOLE] > 1
    assert connections[1:WHOLE] == [1] * (WHOLE - 1)


async def test_an_idle_connection_is_kept_alive_by_pings(oracle, monkeypatch):
    """A broker closes it otherwise, and a broker that is gone would not be noticed."""
    kinds = []

    async def read(reader):
        packet = await read_packet(reader)
        kinds.append(packet[0])
        return packet

    monkeypatch.setattr("oracle_broker.read_packet", read)
    async with MqttSink(MqttSettings.from_url(oracle.url, keepalive=1), boot=BOOT):
        await until(lambda: kinds.count(PINGREQ) == 2, 10)
