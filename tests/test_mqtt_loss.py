"""Lost messages and closed connections: detected at once or in time, with the reason."""

from __future__ import annotations

import asyncio

import pytest
from brokers import listening, until

from klvrelay.config.mqtt import MqttSettings
from klvrelay.errors import SinkDown
from klvrelay.sinks.mqtt.faults import lost
from klvrelay.sinks.mqtt.protocol.connect import connect
from klvrelay.sinks.mqtt.protocol.connection import Message

WILL = Message("kr/status", b"gone", retain=True)


def to(port, **settings):
    return MqttSettings(host="127.0.0.1", port=port, **{"timeout": 2.0, **settings})


@pytest.mark.parametrize("code", [0x80, 0x87, 0x90, 0x97, 0x99, 0x10])
async def test_a_publish_that_is_refused_is_not_delivered(oracle, code):
    """PUBACK carries a reason in MQTT 5; only those below 0x80 are a success. The connection stays."""
    connection = await connect(to(oracle.port), client_id="kr", will=WILL)
    oracle.manners.puback = code

    assert await connection.publish([Message("kr/a", b"x")] * 2) == [code, code]
    oracle.manners.puback = 0
    assert await connection.publish([Message("kr/a", b"y")]) == [0]
    await connection.close()


async def test_a_swallowed_acknowledgement_ends_at_the_timeout(oracle):
    """No publish waits longer than its timeout, and then the connection is lost."""
    connection = await connect(to(oracle.port, timeout=0.3, window=20), client_id="kr", will=WILL)
    oracle.manners.ack = False

    async with asyncio.timeout(2):
        with pytest.raises(SinkDown, match=r"no confirmation within 0\.3 s"):
            await connection.publish([Message("kr/a", b"%d" % n) for n in range(50)])
    with pytest.raises(SinkDown):
        await connection.publish([Message("kr/a", b"again")])
    await connection.close()

    assert len(oracle.published) == 20


@pytest.mark.parametrize("reset", [False, True])
async def test_a_connection_that_breaks_ends_waiting_calls_at_once(oracle, reset):
    """FIN or RST in the middle of a batch: SinkDown now, not at the timeout."""
    connection = await connect(to(oracle.port, timeout=30, window=20), client_id="kr", will=WILL)
    oracle.manners.ack = False
    sending = asyncio.create_task(connection.publish([Message("kr/a", b"x")] * 50), name="sending")
    await until(lambda: len(oracle.published) == 20)
    oracle.cut(reset)

    async with asyncio.timeout(10):
        await asyncio.wait({sending})
    await connection.close()

    assert isinstance(sending.exception(), SinkDown)
    assert "closed the connection" in str(sending.exception())


@pytest.mark.needs("mosquitto")
@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_a_real_broker_that_stops_midway_is_noticed_at_once(mosquitto, end):
    """mosquitto stops while a long batch is in flight."""
    connection = await connect(to(mosquitto.port, timeout=30), client_id="kr", will=WILL)
    async with listening(mosquitto.port, "kr/a") as heard:
        many = [Message("kr/a", b"x" * 1000)] * 200_000
        sending = asyncio.create_task(connection.publish(many), name="sending")
        await heard.count(100)
        await (mosquitto.stop() if end == "stop" else mosquitto.kill())
        async with asyncio.timeout(10):
            await asyncio.wait({sending})
    await connection.close()

    assert isinstance(sending.exception(), SinkDown)


async def test_a_broker_shutdown_is_reported(oracle):
    """DISCONNECT with reason 0x8B."""
    connection = await connect(to(oracle.port), client_id="kr", will=WILL)
    oracle.dismiss(0x8B)

    with pytest.raises(SinkDown, match="shut down"):
        await anext(connection.received())
    await connection.close()


async def test_a_keep_alive_timeout_of_the_broker_is_reported_as_the_brokers(oracle):
    """DISCONNECT with 0x8D: the broker received nothing from the client. A silent broker is reported separately."""
    connection = await connect(to(oracle.port), client_id="kr", will=WILL)
    oracle.dismiss(0x8D)

    with pytest.raises(SinkDown, match="closed the connection: it received nothing within the keep-alive"):
        await anext(connection.received())
    await connection.close()
    assert "no longer answers" in str(lost(to(oracle.port), 0x8D, False, "kr"))


@pytest.mark.long
async def test_a_half_open_connection_is_noticed_by_its_silence(oracle):
    """A broker that answers nothing, not even pings, is disconnected after one and a half keep-alives."""
    connection = await connect(to(oracle.port, keepalive=1), client_id="kr", will=WILL)
    oracle.manners.ack = False

    async with asyncio.timeout(6):
        with pytest.raises(SinkDown, match="no longer answers"):
            await anext(connection.received())
    await connection.close()
