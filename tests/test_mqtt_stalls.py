"""A broker that stops reading or answering: noticed in time, with bounded memory. In virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import virtual_time
from brokers import until
from hostile_broker import PINGREQ, PUBLISH, WILL, Guest, HostileBroker, connack, to
from mqtt_wire import read_packet

from klvrelay.errors import SinkDown
from klvrelay.sinks.mqtt.native.connection import NativeConnection
from klvrelay.sinks.mqtt.native.link import HIGH, Link
from klvrelay.sinks.mqtt.protocol.connect import connect
from klvrelay.sinks.mqtt.protocol.connection import Message

KEEPALIVE = 20
LARGE = 64 << 10


async def _stops_reading(guest: Guest) -> None:
    """Accepts the connection, and reads no more."""
    await guest.send(connack(guest.level))
    guest.writer.transport.pause_reading()  # type: ignore[attr-defined]
    await guest.reader.read()


async def _answers_nothing(guest: Guest) -> None:
    """Reads, and answers nothing after the CONNACK."""
    await guest.send(connack(guest.level))
    while True:
        await read_packet(guest.reader)


async def _confirms_but_no_ping(guest: Guest) -> None:
    """Confirms messages, and answers no ping."""
    await guest.send(connack(guest.level))
    while True:
        kind, _, body = await read_packet(guest.reader)
        if kind == PUBLISH:
            at = 2 + int.from_bytes(body[:2], "big")
            await guest.send(b"\x40\x02" + body[at : at + 2])


@asynccontextmanager
async def connected(script, **settings) -> AsyncIterator[tuple[NativeConnection, HostileBroker]]:
    async with HostileBroker(script) as broker:
        connection = await connect(to(broker, keepalive=KEEPALIVE, **settings), client_id="kr", will=WILL)
        assert isinstance(connection, NativeConnection)
        try:
            yield connection, broker
        finally:
            connection.abort()
            for guest in broker.guests:
                guest.writer.transport.resume_reading()  # type: ignore[attr-defined]
            await until(lambda: not broker._tasks)


async def until_down(connection: NativeConnection) -> tuple[str, float]:
    """Why the connection ended, and after how many seconds."""
    start = virtual_time.now()
    with pytest.raises(SinkDown) as down:
        await anext(connection.received())
    return str(down.value), virtual_time.now() - start


def unsent_bytes(link: Link) -> list[int]:
    """How many bytes are unsent after each packet from now on."""
    found: list[int] = []
    add = link.add

    def counted(data: bytes) -> int:
        end = add(data)
        found.append(link.unsent)
        return end

    link.add = counted  # type: ignore[method-assign]
    return found


@pytest.mark.parametrize("script", [_stops_reading, _answers_nothing])
@pytest.mark.parametrize("protocol", [5, 4])
def test_a_silent_broker_is_noticed_within_one_and_a_half_keepalives(script, protocol):
    """Without any traffic: a ping is sent and not answered."""

    async def main() -> tuple[str, float, bool]:
        async with connected(script, protocol=protocol) as (connection, _):
            return *await until_down(connection), connection.hung_up

    why, after, hung_up = virtual_time.run(main())
    assert "the broker no longer answers" in why
    assert KEEPALIVE <= after <= 1.5 * KEEPALIVE + 0.1
    assert not hung_up


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_a_broker_that_stops_reading_is_noticed_though_messages_wait(qos):
    """Publishing ends within one and a half keep-alives even where the timeout is longer; memory stays bounded."""

    async def main() -> tuple[float, int]:
        async with connected(_stops_reading, qos=qos, timeout=300.0) as (connection, _):
            unsent, start = unsent_bytes(connection._link), virtual_time.now()
            messages = [Message("kr/a", bytes(LARGE), qos)] * 200
            calls = [asyncio.create_task(connection.publish(messages)) for _ in range(3)]
            await asyncio.wait(calls)
            assert all(isinstance(call.exception(), SinkDown) for call in calls)
            return virtual_time.now() - start, max(unsent)

    took, most = virtual_time.run(main())
    assert took <= 1.5 * KEEPALIVE + 0.1
    assert HIGH < most <= HIGH + 2 * LARGE


@pytest.mark.parametrize("script", [_stops_reading, _answers_nothing])
@pytest.mark.parametrize("qos", [1, 2])
def test_no_publish_waits_for_more_than_half_a_minute(script, qos):
    """With default settings: 10 s for an answer."""

    async def main() -> float:
        async with connected(script, qos=qos, timeout=10.0) as (connection, _):
            start = virtual_time.now()
            with pytest.raises(SinkDown):
                await connection.publish([Message("kr/a", bytes(LARGE), qos)] * 2000)
            return virtual_time.now() - start

    assert virtual_time.run(main()) <= 10.1


def test_a_busy_connection_sends_no_ping():
    """Messages and their answers show that it works; a ping is sent once it is idle."""
    pings: list[float] = []

    async def script(guest: Guest) -> None:
        await guest.send(connack(guest.level))
        while True:
            kind, _, body = await read_packet(guest.reader)
            if kind == PINGREQ:
                pings.append(virtual_time.now())
                await guest.send(b"\xd0\0")
            elif kind == PUBLISH:
                at = 2 + int.from_bytes(body[:2], "big")
                await guest.send(b"\x40\x02" + body[at : at + 2])

    async def main() -> tuple[int, int]:
        async with connected(script) as (connection, _):
            for _ in range(20):
                await asyncio.sleep(KEEPALIVE / 2)
                await connection.publish([Message("kr/a", b"x")])
            busy = len(pings)
            await asyncio.sleep(3 * KEEPALIVE)
            return busy, len(pings)

    busy, all_of_them = virtual_time.run(main())
    assert busy == 0
    assert 3 <= all_of_them <= 4


def test_a_broker_that_confirms_messages_is_not_silent():
    """A missing PINGRESP alone ends no connection on which answers arrive; once they end, it does."""

    async def main() -> tuple[int, float]:
        async with connected(_confirms_but_no_ping) as (connection, _):
            sent = 0
            first = connection._pings.send()
            for _ in range(30):
                await asyncio.sleep(KEEPALIVE / 4)
                await connection.publish([Message("kr/a", b"x")])
                sent += 1
            first.cancel()
            _, after = await until_down(connection)
            return sent, after

    sent, after = virtual_time.run(main())
    assert sent == 30
    assert after <= 1.5 * KEEPALIVE + 0.1


def test_a_broker_that_reads_no_acknowledgements_is_bounded():
    """It sends messages of QoS 1, and the kernel accepts no answer."""
    body = b"\0\4kr/a\0\1\0x"

    async def script(guest: Guest) -> None:
        await guest.send(connack(guest.level))
        _, _, subscribe = await read_packet(guest.reader)
        await guest.send(b"\x90\x04" + subscribe[:2] + b"\0\0")
        await guest.flood((b"\x32" + bytes([len(body)]) + body) * 1000)

    def accept_nothing() -> None:
        raise BlockingIOError

    async def main() -> str:
        async with HostileBroker(script) as broker:
            connection = await connect(to(broker, timeout=100.0, keepalive=1000), client_id="kr")
            await connection.subscribe(["kr/#"])
            connection._link._send = accept_nothing
            with pytest.raises(SinkDown) as down:
                async for _ in connection.received():
                    pass
            return str(down.value)

    assert "messages of QoS 1, and it reads no acknowledgements" in virtual_time.run(main())


def test_a_flush_without_an_answer_ends_at_the_timeout():
    """The connection is lost."""

    async def main() -> tuple[float, str]:
        async with connected(_answers_nothing, timeout=3.0) as (connection, _):
            start = virtual_time.now()
            with pytest.raises(SinkDown) as down:
                await connection.flush()
            return virtual_time.now() - start, str(down.value)

    took, why = virtual_time.run(main())
    assert took == pytest.approx(3.0, abs=0.1)
    assert "no longer answers" in why
