"""Two clients with one client id: an error says so, whether the broker names the cause or only closes."""

from __future__ import annotations

import asyncio
import contextlib
import logging

import pytest
from brokers import until
from records import BOOT

from klvrelay.config.mqtt import MqttSettings
from klvrelay.errors import SinkDown
from klvrelay.relay.notices import Notices
from klvrelay.sinks.mqtt.sink import MqttSink
from klvrelay.sinks.mqtt.takeover import BRIEF, SUSPICIOUS, TakeOver


@pytest.fixture
def errors(caplog, monkeypatch):
    """The error lines of the log."""
    monkeypatch.setattr(logging.getLogger("klvrelay"), "propagate", True)
    return lambda: [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR and "mqtt" in r.getMessage()]


def twin_of(broker, **settings):
    return MqttSink(MqttSettings.from_url(broker.url, timeout=2.0, client_id="twin", **settings), boot=BOOT)


async def one_connection(sink):
    """Stay connected until the connection ends."""
    with contextlib.suppress(SinkDown):
        async with sink:
            await sink.keep(Notices().cursor())


async def again_and_again(sink):
    while True:
        await one_connection(sink)
        await asyncio.sleep(0.02)


async def test_a_take_over_reported_by_the_broker_is_logged_once(oracle, errors):
    """DISCONNECT with 0x8E (MQTT 5), four times in a row."""
    sink = twin_of(oracle)
    for number in range(1, 5):
        staying = asyncio.create_task(one_connection(sink), name="staying")
        await until(lambda number=number: len(oracle.published) == number)
        oracle.dismiss(0x8E)
        await asyncio.wait({staying}, timeout=2)

    assert len(errors()) == 1
    assert "client id taken over" in errors()[0]
    assert "client_id=twin" in errors()[0]


@pytest.mark.needs("mosquitto")
@pytest.mark.parametrize("protocol", [5, 4])
async def test_two_relays_with_one_id_at_mosquitto_are_reported(mosquitto, errors, protocol):
    """mosquitto 2.0.11 closes the older connection without a DISCONNECT: the repetition shows it."""
    twins = [twin_of(mosquitto, protocol=protocol) for _ in range(2)]
    tasks = [asyncio.create_task(again_and_again(twin), name="twin") for twin in twins]
    await until(lambda: len(errors()) == 2)
    while tasks:  # a connection that ends at the same moment takes the place of the cancellation
        for task in tasks:
            task.cancel()
        _, tasks = await asyncio.wait(tasks, timeout=1)

    assert all("client_id=twin" in line and "give each" in line for line in errors())


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def ended(watched, clock, *lasted, hung_up=True, taken_over=False):
    for seconds in lasted:
        watched.begin()
        clock.now += seconds
        watched.end(taken_over=taken_over, hung_up=hung_up)


def test_some_brief_connections_in_a_row_are_suspicious_and_steady_ones_are_not(errors):
    """From both sides of the count and of the time."""
    clock = Clock()
    watched = TakeOver("mqtt://h", "twin", clock)
    ended(watched, clock, *[BRIEF - 1] * (SUSPICIOUS - 1))
    ended(watched, clock, BRIEF)
    ended(watched, clock, *[BRIEF - 1] * (SUSPICIOUS - 1))
    assert errors() == []
    ended(watched, clock, BRIEF - 1)
    assert len(errors()) == 1
    ended(watched, clock, *[1] * 9)
    assert len(errors()) == 1
    ended(watched, clock, BRIEF)
    ended(watched, clock, *[1] * SUSPICIOUS)
    assert len(errors()) == 2


def test_connections_that_end_for_another_reason_are_not_suspicious(errors):
    """The broker gave a reason, or the client closed them."""
    clock = Clock()
    watched = TakeOver("mqtt://h", "twin", clock)
    for _ in range(5):
        ended(watched, clock, *[1] * (SUSPICIOUS - 1))
        ended(watched, clock, 1, hung_up=False)

    assert errors() == []


def test_connections_between_failed_attempts_are_not_suspicious(errors):
    """The broker or the network is down again and again: another client would not prevent a connection."""
    clock = Clock()
    watched = TakeOver("mqtt://h", "twin", clock)
    for _ in range(5):
        ended(watched, clock, *[1] * (SUSPICIOUS - 1))
        watched.fail()

    assert errors() == []


async def test_a_broker_that_goes_down_again_and_again_is_not_taken_for_another_client(oracle, errors):
    """Each connection is brief, and between two of them none can be made."""
    sink = twin_of(oracle)
    for _ in range(SUSPICIOUS + 1):
        staying = asyncio.create_task(one_connection(sink), name="staying")
        await until(lambda: oracle.published)
        await oracle.stop()
        await asyncio.wait({staying}, timeout=2)
        oracle.published.clear()
        await one_connection(sink)
        await oracle.start()

    assert errors() == []
