"""The contract of a connection, for each MQTT client: connecting, TLS, and QoS 2 over several connections."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
from brokers import until
from contract_brokers import LOGIN, PASSWORD, Broker, client_id
from mqtt_contract import (
    CLIENTS,
    WILL,
    cases,
    connected,
    messages,
    numbers,
    of_each_client,
    with_mqtt_5,
)

from klvrelay.config.mqtt import MqttSettings
from klvrelay.errors import ConfigError, SinkDown, SinkError, SinkRefused
from klvrelay.sinks.mqtt.faults import NoMqtt
from klvrelay.sinks.mqtt.protocol.connect import connect
from klvrelay.sinks.mqtt.protocol.connection import Message, Unanswered
from klvrelay.sinks.mqtt.protocol.session import Session
from klvrelay.text import Secret

pytestmark = pytest.mark.usefixtures("of_amqtt")  # its thread runs before any test


# ---- connect ----


@of_each_client
async def test_the_connect_packet_has_the_settings(client, server, oracle):
    """Client id, user, keep-alive and the last will."""
    async with connected(server, client, keepalive=77, **LOGIN):
        (guest,) = oracle.guests

    assert (guest.level, guest.username, guest.keepalive) == (server.version, "relay", 77)
    assert guest.will == ("kr/status", b"gone")
    assert guest.client_id.startswith("kr-contract-")


@cases(brokers=["amqtt", "nats"])
async def test_a_broker_without_mqtt_5_is_used_with_3_1_1(client, server):
    """It refuses version 5 in an answer, so the next connection need not try it."""
    async with connected(server, client, protocol=5) as link:
        assert (link.protocol, link.older_only) == (4, True)


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("stranger", ["refused", "closed", "silent"])
async def test_any_sign_of_an_older_broker_leads_to_3_1_1(client, oracle, stranger):
    """A refusal, a close, silence. Only the refusal is certain."""
    oracle.manners.speaks, oracle.manners.stranger = (4,), stranger
    async with connected(Broker("oracle", oracle.port, 5), client, timeout=0.6) as link:
        assert (link.protocol, link.older_only) == (4, stranger == "refused")

    assert [guest.level for guest in oracle.guests] == [5, 4]


async def fault_of(client: Any, settings: MqttSettings) -> SinkError:
    with pytest.raises(SinkError) as caught:
        await connect(settings, client_id=client_id(), will=WILL, client=client)
    assert PASSWORD not in f"{caught.value} {caught.value!r}"
    assert settings.url in str(caught.value)
    return caught.value


@of_each_client
@pytest.mark.parametrize(
    ("code", "kind", "says"),
    [
        (0x86, SinkRefused, "user name or password"),
        (0x87, SinkRefused, "refuses this client"),
        (0x89, SinkDown, "is busy"),
    ],
)
async def test_a_refused_connection_has_its_reason(client, server, oracle, code, kind, says):
    """By the code of CONNACK, in the words of each version."""
    older = {0x86: 4, 0x87: 5, 0x89: 3}
    oracle.manners.connack = code if server.version == 5 else older[code]
    fault = await fault_of(client, server.settings(**LOGIN))

    assert isinstance(fault, kind)
    assert (says if (server.version, code) != (4, 0x89) else "unavailable") in str(fault)


@with_mqtt_5
@pytest.mark.parametrize(("code", "says"), [(0x9A, "does not support retained"), (0x9B, "this QoS: set qos=0")])
async def test_a_last_will_that_is_refused_is_tried_with_less(client, server, oracle, code, says):
    """Not retained, or at a lower QoS. If that is refused too, the reason is reported."""
    oracle.manners.connack = code
    fault = await fault_of(client, server.settings())

    assert says in str(fault)
    assert len(oracle.guests) == 2


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_port_without_a_broker_is_reported(client, free_port):
    """Nothing listens there."""
    fault = await fault_of(client, Broker("none", free_port).settings())

    assert "check that a broker is running" in str(fault)


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("stranger", ["silent", "closed"])
async def test_a_peer_that_is_no_broker_is_reported(client, oracle, stranger):
    """It accepts the connection, and sends nothing or closes it."""
    oracle.manners.speaks, oracle.manners.stranger = (), stranger
    fault = await fault_of(client, Broker("none", oracle.port, 5).settings(timeout=0.4))

    assert isinstance(fault, NoMqtt)


@cases("login")
async def test_tls_and_a_login_are_checked(client, server):
    """The right password is accepted over TLS, a wrong one refused, and a server that is not trusted gets none."""
    secure = {"port": server.secure, "tls": True, "ca_file": server.ca, **LOGIN}
    async with connected(server, client, will=None, **secure) as link:
        assert await link.publish(messages("kr/tls", 300)) in ([0] * 300, [0x10] * 300)
        await link.subscribe(["kr/tls"])
        await link.publish([Message("kr/tls", bytes(1 << 20))])
        assert len((await asyncio.wait_for(anext(link.received()), 5)).payload) == 1 << 20
    wrong = await fault_of(client, server.settings(**{**secure, "password": Secret("wrong")}))
    untrusted = await fault_of(client, server.settings(**{**secure, "ca_file": None}))
    plain = await fault_of(client, server.settings(**{**secure, "port": server.port}))

    assert isinstance(wrong, SinkRefused)
    assert "password" in str(wrong) or "refuses this client" in str(wrong)
    assert "not trusted" in str(untrusted)
    assert "no TLS there" in str(plain)


@pytest.mark.parametrize("client", CLIENTS)
async def test_an_attempt_can_be_cancelled(client, oracle):
    """While the broker is silent: at once, and it leaves no thread, task or socket."""
    oracle.manners.stranger, oracle.manners.speaks = "silent", ()
    settings = Broker("oracle", oracle.port, 5).settings(timeout=60)
    attempt = asyncio.create_task(connect(settings, client_id="kr", will=WILL, client=client), name="attempt")
    await until(lambda: oracle.guests and oracle.guests[0].level)
    attempt.cancel()
    async with asyncio.timeout(5):
        await asyncio.wait({attempt})

    assert attempt.cancelled()
    await until(lambda: not oracle._here)


# ---- QoS 2 over several connections ----


@cases("QoS 2", brokers=["oracle"])
@pytest.mark.parametrize("step", ["PUBLISH", "PUBREC", "PUBREL", "PUBCOMP"])
async def test_the_next_connection_completes_messages_of_qos_2(client, server, oracle, step):
    """Cut at any step: the broker hands each message on once."""
    session, settings, name = Session(), server.settings(qos=2, window=5), client_id()
    steps = iter(range(8))

    def on_step(found: str) -> None:
        if found == step and next(steps, 0) == 7:
            oracle.cut()

    oracle.on_step = on_step
    offered = messages("kr/a", 20, qos=2)
    first = await connect(settings, client_id=name, will=WILL, session=session, client=client)
    with pytest.raises(Unanswered) as caught:
        await first.publish(offered)
    oracle.on_step = lambda _: None
    session.settle((m, code) for m, code in zip(offered, caught.value.codes, strict=True) if code is not None)
    second = await connect(settings, client_id=name, will=WILL, session=session, client=client)
    assert await second.publish(offered) == [0] * 20
    await second.close()

    assert [published.payload for published in oracle.released] == numbers(20)


def test_a_client_that_cannot_send_qos_2_is_refused_with_it():
    """Before anything connects."""
    with pytest.raises(ConfigError, match="mqtt client: aiomqtt supports QoS 0 and 1 only"):
        MqttSettings(host="127.0.0.1", client="aiomqtt", qos=2)


# ---- the socket ----


@pytest.mark.parametrize("client", CLIENTS)
async def test_no_shared_executor_is_used(client, oracle, monkeypatch):
    """Its threads may all wait for something else, and the exit waits for them."""
    monkeypatch.setattr(asyncio.get_running_loop(), "run_in_executor", lambda *_: pytest.fail("an executor was used"))
    async with connected(Broker("oracle", oracle.port), client, host="localhost") as link:
        await link.publish(messages("kr/a", 3))

    assert oracle.payloads() == numbers(3)


@of_each_client
async def test_small_messages_are_sent_at_once(client, server, oracle, monkeypatch):
    """Nagle's algorithm is off (TCP_NODELAY)."""
    made: list[socket.socket] = []

    class Recorded(socket.socket):
        def connect(self, address: Any) -> None:
            made.append(self)
            super().connect(address)

    monkeypatch.setattr("klvrelay.sinks.dialing.dial.socket.socket", Recorded)
    async with connected(server, client):
        options = [sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for sock in made]

    assert options == [1]
