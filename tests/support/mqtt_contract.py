"""What the tests of the MQTT contract (`test_mqtt_contract*.py`) share: clients, brokers, and what these cannot do."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from brokers import listening
from contract_brokers import Broker, client_id

from klvrelay.sinks.mqtt.protocol.connect import connect
from klvrelay.sinks.mqtt.protocol.connection import Connection, Message

CLIENTS = ("native", "aiomqtt")
BROKERS = ("mosquitto", "amqtt", "nats", "oracle")
CANNOT = {
    ("aiomqtt", "QoS 2"): "paho keeps its state in one client object, and each connection has a new one",
    ("amqtt", "MQTT 5"): "it supports 3.1.1 only",
    ("nats", "MQTT 5"): "it supports 3.1.1 only",
    ("oracle", "retained"): "it stores no message",
    ("oracle", "login"): "it accepts any",
    ("amqtt", "login"): "klvrelay's embedded broker has none",
    ("nats", "login"): "it is not configured here",
    ("amqtt", "read is kept"): "it may discard what it has read from a client when the connection breaks",
    ("amqtt", "take-over"): "it keeps the earlier connection open",
    ("oracle", "take-over"): "it does not compare client ids; see `OracleBroker.dismiss`",
}
"""What a client or a broker cannot do, and why. Nothing else is left out."""
VERSIONS = {5: "5", 4: "3.1.1"}
RECEIVE_MAXIMUM, MAXIMUM_QOS, RETAIN_AVAILABLE, MAXIMUM_PACKET_SIZE = 0x21, 0x24, 0x25, 0x27
WILL = Message("kr/status", b"gone", retain=True)
_MARKS = {"mosquitto": pytest.mark.needs("mosquitto"), "nats": pytest.mark.needs("nats-server")}


def cases(*promises: str, brokers: Sequence[str] = BROKERS, versions: Sequence[int] = (5, 4)) -> pytest.MarkDecorator:
    """Each client with each broker, in each version of MQTT, that can keep these promises."""
    found = [
        _case(client, broker, version)
        for client in CLIENTS
        for broker in brokers
        for version in versions
        if can(client, broker, *promises, *(["MQTT 5"] if version == 5 else []))
    ]
    return pytest.mark.parametrize(("client", "server"), found, indirect=["server"])


def _case(client: str, broker: str, version: int) -> Any:
    name = f"{client}-{broker}-{VERSIONS[version]}"
    return pytest.param(client, (broker, version), marks=_MARKS.get(broker, ()), id=name)


def can(client: str, broker: str, *promises: str) -> bool:
    return not any((who, promise) in CANNOT for who in (client, broker) for promise in promises)


of_each_client = cases(brokers=["oracle"])
with_mqtt_5 = cases(brokers=["oracle"], versions=[5])


@contextlib.asynccontextmanager
async def connected(
    server: Broker, client: Any, *, name: str | None = None, will: Message | None = WILL, **settings: Any
) -> AsyncIterator[Connection]:
    """A connection that is closed at the end, if it is not before. `name`: its client id."""
    opening = {key: settings.pop(key) for key in ("terms", "session", "one_by_one") if key in settings}
    opening |= {"client_id": name or client_id(), "will": will, "client": client}
    connection = await connect(server.settings(**settings), **opening)
    try:
        yield connection
    finally:
        await connection.close()


def heard(server: Broker, *topics: str) -> contextlib.AbstractAsyncContextManager[Any]:
    """A subscriber that uses none of klvrelay's code."""
    return listening(server.port, *topics, protocol=4)


def messages(topic: str, count: int, **fields: Any) -> list[Message]:
    return [Message(topic, b"%d" % n, **fields) for n in range(count)]


def numbers(count: int) -> list[bytes]:
    return [b"%d" % n for n in range(count)]
