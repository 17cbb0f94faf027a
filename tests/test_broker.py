"""The embedded broker of the demo: it starts on any port, serves clients on this machine, and ends cleanly."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from brokers import listening

from klvrelay.cli.embedded_broker import EmbeddedBroker
from klvrelay.config.mqtt import MqttSettings
from klvrelay.errors import ConfigError
from klvrelay.sinks.mqtt.protocol.connect import connect
from klvrelay.sinks.mqtt.protocol.connection import Message

SOURCE = Path(__file__).parent.parent / "src"
WILL = Message("kr/status", b"gone", retain=True)


def threads() -> set[threading.Thread]:
    """Those of the brokers of this process: the brokers of all tests have one, too."""
    return {thread for thread in threading.enumerate() if thread.name == "embedded broker"}


USE = """
import asyncio
from klvrelay.cli.embedded_broker import EmbeddedBroker
from klvrelay.sinks.mqtt.protocol.connection import Message
from klvrelay.sinks.mqtt.protocol.connect import connect
from klvrelay.config.mqtt import MqttSettings

async def main():
    async with EmbeddedBroker(0) as broker:
        polite = await connect(MqttSettings.from_url(broker.url), client_id="a", will=Message("w", b""))
        rude = await connect(MqttSettings.from_url(broker.url), client_id="b", will=Message("w", b"x"))
        reader = await connect(MqttSettings.from_url(broker.url), client_id="c")
        await reader.subscribe(["#"])
        await polite.publish([Message("a", b"x" * 1000)] * 500)
        rude.abort()
        await polite.close()

asyncio.run(main())
"""


async def test_it_listens_on_the_requested_port(free_port):
    """On loopback only."""
    async with EmbeddedBroker(free_port) as broker:
        assert (broker.port, broker.moved, broker.url) == (free_port, False, f"mqtt://127.0.0.1:{free_port}")
        with socket.create_connection(("127.0.0.1", free_port), 2) as guest:
            assert guest.getpeername()[0] == "127.0.0.1"


async def test_where_the_port_is_in_use_it_takes_another_and_reports_it(oracle):
    """The demo must run beside an existing broker."""
    async with EmbeddedBroker(oracle.port) as broker:
        assert broker.moved
        assert broker.port != oracle.port
        connection = await connect(MqttSettings.from_url(broker.url), client_id="kr", will=WILL)
        await connection.publish([Message("kr/a", b"x")])
        await connection.close()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])
async def test_it_refuses_to_listen_to_other_machines(host):
    """It has no access control, so it stays on loopback."""
    with pytest.raises(ConfigError, match="loopback"):
        EmbeddedBroker(host=host)


async def test_mqtt_5_is_refused_at_once_even_with_a_will(embedded):
    """amqtt itself would misread such a CONNECT and wait for more data."""
    async with asyncio.timeout(1):
        connection = await connect(MqttSettings.from_url(embedded.url), client_id="kr", will=WILL)
    await connection.close()

    assert connection.protocol == 4


@pytest.mark.parametrize(
    "bytes_sent",
    [b"", b"\x10", b"GET / HTTP/1.1\r\n\r\n", b"\x10\xff\xff\xff\xff\xff", bytes(range(256)), b"\x30\x00" * 50],
    ids=["nothing", "half", "http", "endless", "junk", "publish"],
)
@pytest.mark.parametrize("reset", [False, True])
async def test_malformed_clients_do_no_harm_and_log_nothing(embedded, caplog, capfd, bytes_sent, reset):
    """Junk, half packets and resets: no traceback, no log line, and the next client is served."""
    with caplog.at_level(logging.INFO):
        with socket.create_connection(("127.0.0.1", embedded.port), 2) as guest:
            guest.sendall(bytes_sent)
            if reset:
                guest.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection = await connect(MqttSettings.from_url(embedded.url), client_id="kr", will=WILL)
        await connection.publish([Message("kr/a", b"x")])
        await connection.close()

    assert not caplog.records
    assert capfd.readouterr() == ("", "")


async def test_a_subscriber_that_disconnects_does_not_affect_others(embedded, caplog, capfd):
    """Cut off in the middle of a flood: the other subscriber gets all of it, in order, and there is no traceback."""
    with caplog.at_level(logging.INFO):
        publisher = await connect(MqttSettings.from_url(embedded.url), client_id="kr", will=WILL)
        vanishing = await connect(MqttSettings.from_url(embedded.url), client_id="kr2")
        await vanishing.subscribe(["kr/#"])
        async with listening(embedded.port, "kr/a", protocol=4) as heard:
            sending = asyncio.create_task(
                publisher.publish([Message("kr/a", b"%d" % n) for n in range(500)]), name="sending"
            )
            await heard.count(50)
            vanishing.abort()
            await sending
            await heard.count(500)
        await publisher.close()

    assert heard.on("kr/a") == [b"%d" % n for n in range(500)]
    assert not caplog.records
    assert capfd.readouterr() == ("", "")


async def test_it_ends_at_once_with_connected_clients_and_may_start_again():
    """No thread is left, the port is free, and a second run keeps no state of the first."""
    before = threads()
    broker = EmbeddedBroker(0)
    async with broker:
        guests = [await connect(MqttSettings.from_url(broker.url), client_id=f"g{n}") for n in range(5)]
        await guests[0].subscribe(["#"])
        port = broker.port
    async with asyncio.timeout(2):
        for guest in guests:
            await guest.close()

    assert threads() <= before
    async with EmbeddedBroker(port) as again:
        assert again.port == port


async def test_cancelled_while_it_starts_it_leaves_no_thread():
    """A demo that is stopped at once."""
    before = threads()
    starting = asyncio.create_task(EmbeddedBroker(0).__aenter__(), name="starting")
    await asyncio.sleep(0)
    assert len(threads() - before) == 1
    starting.cancel()
    await asyncio.wait({starting})

    assert starting.cancelled()
    assert threads() <= before


def test_a_program_with_the_broker_prints_nothing_even_with_warnings_as_errors():
    """Start, use, abrupt close, stop: no line on stdout or stderr, exit 0."""
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    # asyncio of 3.11 forgets a connection that it accepts in the turn of the loop that closes the server
    command = [sys.executable, "-W", "error", "-W", "ignore::ResourceWarning", "-c", USE]
    done = subprocess.run(command, env=environment, capture_output=True, timeout=30, text=True)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_without_amqtt_the_error_names_the_package_to_install(monkeypatch):
    """The broker is an optional dependency: one clear line where it is missing."""
    monkeypatch.setitem(sys.modules, "amqtt", None)
    monkeypatch.setitem(sys.modules, "amqtt.broker", None)

    async def start():
        async with EmbeddedBroker(0):
            pass

    with pytest.raises(ConfigError, match=r"pip install 'klvrelay\[demo\]'"):
        asyncio.run(start())
