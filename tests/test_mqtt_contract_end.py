"""The contract of a connection, for each MQTT client: its end."""

from __future__ import annotations

import asyncio

import pytest
import virtual_time
from brokers import until
from contract_brokers import Broker, client_id
from mqtt_contract import (
    CLIENTS,
    cases,
    connected,
    heard,
    messages,
    of_each_client,
    with_mqtt_5,
)
from oracle_broker import OracleBroker

from klvrelay.errors import SinkDown
from klvrelay.sinks.mqtt.protocol.connection import Message, Unanswered

pytestmark = pytest.mark.usefixtures("of_amqtt")  # its thread runs before any test


@cases()
async def test_only_an_abort_publishes_the_last_will(client, server, topic, request):
    """`close` sends DISCONNECT; `abort` does not."""
    async with heard(server, f"{topic}/+") as subscriber:
        async with connected(server, client, will=Message(f"{topic}/closed", b"will")):
            pass
        async with connected(server, client, will=Message(f"{topic}/aborted", b"will")) as rude:
            rude.abort()
        if server.name == "oracle":
            oracle = request.getfixturevalue("oracle")
            await until(lambda: oracle.wills)
            assert oracle.wills == [(f"{topic}/aborted", b"will")]
        else:
            await subscriber.count(1)
            assert [str(message.topic) for message in subscriber.messages] == [f"{topic}/aborted"]


@cases()
@pytest.mark.parametrize("end", ["close", "abort"])
async def test_after_its_end_a_connection_accepts_nothing(client, server, topic, end):
    """Each call raises SinkDown at once, also one that has waited; closing again is harmless."""
    async with connected(server, client) as link:
        await link.subscribe([topic])
        reading = asyncio.create_task(anext(link.received()), name="reading")
        await asyncio.sleep(0)
        await link.close() if end == "close" else link.abort()
        calls = [
            link.publish(messages(topic, 1)), link.publish([]), link.publish_unconfirmed(messages(topic, 1)),
            link.flush(), link.subscribe([topic]), link.unsubscribe([topic]), anext(link.received()), reading,
        ]  # fmt: skip
        async with asyncio.timeout(5):
            faults = await asyncio.gather(*calls, return_exceptions=True)
        await link.close()

    assert [type(fault) for fault in faults if not isinstance(fault, SinkDown)] == []


@with_mqtt_5
async def test_a_close_takes_two_seconds_at_most(client, server, oracle):
    """Of a broker that no longer reads."""
    async with connected(server, client) as link:
        for guest in oracle.guests:
            guest.writer.transport.pause_reading()
        sending = asyncio.create_task(link.publish([Message("kr/a", bytes(16 << 20))]), name="sending")
        for _ in range(10):  # until the kernel accepts no more
            await asyncio.sleep(0)
        async with asyncio.timeout(4):
            await link.close()
        await asyncio.wait({sending})

    assert isinstance(sending.exception(), SinkDown)


@of_each_client
@pytest.mark.parametrize("reset", [False, True], ids=["FIN", "RST"])
async def test_a_broker_that_hangs_up_wakes_each_call(client, server, oracle, reset):
    """Each has the answers so far; `broke` is the oldest message without one."""
    async with connected(server, client) as link:
        await link.publish(messages("kr/a", 3))
        oracle.manners.ack = False
        sending = [asyncio.create_task(link.publish(messages(f"kr/{n}", 2)), name=f"{n}") for n in range(2)]
        await until(lambda: len(oracle.published) == 7)
        oracle.cut(reset)
        async with asyncio.timeout(5):
            await asyncio.wait(sending)
        with pytest.raises(SinkDown, match="closed the connection"):
            await anext(link.received())

    faults = [task.exception() for task in sending]
    assert [fault.codes for fault in faults if isinstance(fault, Unanswered)] == [[None, None]] * 2
    assert (link.hung_up, link.taken_over, link.broke) == (True, False, Message("kr/0", b"0"))


@of_each_client
async def test_answers_before_the_end_are_reported(client, server, oracle):
    """Those to other messages are None."""
    async with connected(server, client, window=3) as link:
        oracle.manners.ack = False
        sending = asyncio.create_task(link.publish(messages("kr/a", 6)), name="sending")
        await until(lambda: oracle.unanswered == 3)
        oracle._owed.pop(0)()
        await until(lambda: oracle.unanswered == 3)
        oracle.cut()
        await asyncio.wait({sending}, timeout=5)

    fault = sending.exception()
    assert isinstance(fault, Unanswered)
    assert fault.codes == [0, None, None, None, None, None]
    assert link.broke == Message("kr/a", b"1")


@of_each_client
async def test_a_message_of_qos_0_that_was_not_read_has_no_code(client, server, oracle):
    """If messages are sent one by one, so that the one at which a broker hangs up is found."""
    async with connected(server, client, one_by_one=True) as link:
        (guest,) = oracle.guests
        guest.writer.transport.pause_reading()
        sending = asyncio.create_task(link.publish(messages("kr/a", 3, qos=0)), name="sending")
        await asyncio.sleep(0)
        oracle.cut()
        await asyncio.wait({sending}, timeout=5)

    fault = sending.exception()
    assert isinstance(fault, Unanswered)
    assert fault.codes == [None] * 3
    assert link.broke == Message("kr/a", b"0", qos=0)


@of_each_client
async def test_a_message_without_an_answer_ends_the_connection_at_the_timeout(client, server, oracle):
    """Measured from the answer to the message before it."""
    async with connected(server, client, timeout=0.3) as link:
        oracle.manners.ack = False
        async with asyncio.timeout(5):
            with pytest.raises(Unanswered, match=r"no confirmation within 0\.3 s") as caught:
                await link.publish(messages("kr/a", 2))

    assert caught.value.codes == [None, None]
    assert (link.hung_up, link.broke) == (False, None)
    await until(lambda: oracle.wills)


@pytest.mark.parametrize("client", CLIENTS)
def test_each_answer_restarts_the_timeout(client):
    """A broker that answers messages one by one is alive, however many are in flight. In virtual time."""

    async def main():
        async with OracleBroker() as oracle, connected(Broker("oracle", oracle.port), client, timeout=4.0) as link:
            oracle.manners.ack = False
            sending = asyncio.create_task(link.publish(messages("kr/a", 5)), name="sending")
            await until(lambda: oracle.unanswered == 5)
            begin = virtual_time.now()
            for _ in range(3):
                await asyncio.sleep(3.0)
                oracle._owed.pop(0)()
            await asyncio.wait({sending})
            return sending.exception().codes, virtual_time.now() - begin

    codes, seconds = virtual_time.run(main())

    assert codes == [0, 0, 0, None, None]
    assert seconds == pytest.approx(13, abs=0.1)


@of_each_client
@pytest.mark.parametrize("call", ["flush", "subscribe", "unsubscribe"])
async def test_a_request_without_an_answer_ends_the_connection_at_the_timeout(client, server, oracle, call):
    """A broker that is connected and silent."""
    async with connected(server, client, timeout=0.3) as link:
        for guest in oracle.guests:
            guest.writer.transport.pause_reading()
        async with asyncio.timeout(5):
            with pytest.raises(SinkDown, match=r"no answer to|no longer answers"):
                await (link.flush() if call == "flush" else getattr(link, call)(["kr/a"]))
            with pytest.raises(SinkDown):
                await anext(link.received())


@with_mqtt_5
async def test_a_broker_that_no_longer_answers_pings_is_noticed(client, server, oracle):
    """Also by a connection that only receives."""
    async with connected(server, client, will=None, keepalive=1) as link:
        for guest in oracle.guests:
            guest.writer.transport.pause_reading()
        with pytest.raises(SinkDown, match="the broker no longer answers"):
            await asyncio.wait_for(anext(link.received()), 15)

    assert (link.hung_up, link.broke) == (False, None)


@with_mqtt_5
@pytest.mark.parametrize(
    ("code", "says", "taken_over", "broke"),
    [
        (0x8E, "another client took over the client id", True, False),
        (0x8B, "it shut down", False, False),
        (0x95, "a message was larger than it allows", False, True),
        (0x9B, "closed the connection", False, True),
    ],
)  # fmt: skip
async def test_the_reason_of_a_disconnect_is_reported(client, server, oracle, code, says, taken_over, broke):
    """A take-over, a stop, and a reason that is about the oldest message."""
    async with connected(server, client) as link:
        oracle.manners.ack = False
        sending = asyncio.create_task(link.publish(messages("kr/a", 2)), name="sending")
        await until(lambda: len(oracle.published) == 2)
        oracle.dismiss(code)
        await asyncio.wait({sending}, timeout=5)

    assert says in str(sending.exception())
    assert (link.hung_up, link.taken_over) == (False, taken_over)
    assert link.broke == (Message("kr/a", b"0") if broke else None)


@cases("take-over")
async def test_a_client_with_the_same_id_takes_over(client, server):
    """The earlier connection ends. mosquitto 2.0.11 does not report why."""
    name = client_id()
    async with connected(server, client, name=name) as first, connected(server, client, name=name):
        with pytest.raises(SinkDown):
            await asyncio.wait_for(anext(first.received()), 5)

    assert first.taken_over or first.hung_up
