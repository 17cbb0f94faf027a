"""Recordings with injected faults through a running relay: the right alert is raised once and cleared once."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from itertools import zip_longest

import aiohttp
import feed
import orjson
import ports
import pytest
from brokers import Heard, Mosquitto, listening, until
from faulty_flights import AT, EVENTS, FAULTY, RULE_OF, packets_of
from observed_relay import ObservedRelay, observed, published_events

from klvrelay.alerts import engine, metadata_checks, stream_watch
from klvrelay.alerts.window import RecentAmounts
from klvrelay.cli.web_server import web_server
from klvrelay.config.alerts import AlertEntry, AlertsSettings
from klvrelay.config.mqtt import MqttSettings
from klvrelay.config.settings import RelaySettings, SinkSettings, SourceSettings
from klvrelay.config.url import Url
from klvrelay.config.web import WebSettings
from klvrelay.relay import channel

SPEED = 20
RATE = 2
OF_THE_MACHINE = AlertsSettings(entries=(AlertEntry("loop_lag", enabled=False), AlertEntry("memory", enabled=False)))
"""Without the rules about the load of the machine that runs the tests."""


@pytest.fixture
def in_fast_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the alerts wait for, SPEED times as fast: as the flights are sent."""
    monkeypatch.setattr(engine, "EVERY_S", engine.EVERY_S / SPEED)
    monkeypatch.setattr(stream_watch, "METADATA_EVERY", 0.5 + 2.5 / SPEED)
    monkeypatch.setattr(metadata_checks, "RecentAmounts", partial(RecentAmounts, 60 / SPEED))
    take = metadata_checks.Findings.take
    in_flight = lambda self, record, arrival_s, now: take(self, record, record.seq / RATE, now)  # noqa: E731
    monkeypatch.setattr(metadata_checks.Findings, "take", in_flight)
    monkeypatch.setattr(channel, "LINK_EVERY", channel.LINK_EVERY / SPEED)


async def send(flights: Mapping[str, list[bytes]], to: Mapping[str, int]) -> None:
    """Send all flights at once, at their rate times SPEED."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        due = loop.time()
        for packets in zip_longest(*flights.values()):
            for name, packet in zip(flights, packets, strict=True):
                sock.sendto(packet, ("127.0.0.1", to[name]))
            due += 1 / (RATE * SPEED)
            await asyncio.sleep(max(0.0, due - loop.time()))


@asynccontextmanager
async def sending(flights: Mapping[str, list[bytes]], to: Mapping[str, int]) -> AsyncIterator[None]:
    """Send until the end of the block."""
    task = asyncio.create_task(send(flights, to))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


def settings(broker: Mosquitto, to: Mapping[str, int]) -> RelaySettings:
    sources = tuple(SourceSettings(Url.parse(f"udp://127.0.0.1:{port}"), stream=name) for name, port in to.items())
    return RelaySettings(
        sources, (SinkSettings("mqtt", MqttSettings(host="127.0.0.1", port=broker.port)),), alerts=OF_THE_MACHINE
    )


@pytest.mark.needs("mosquitto")
@pytest.mark.usefixtures("in_fast_time")
async def test_each_fault_of_the_generator_raises_its_rule_once_and_clears_it_once(mosquitto: Mosquitto):
    """With value, time and advice, on its topic and in the health documents. Nothing else is raised."""
    flights = packets_of(RATE)
    with ExitStack() as stack:
        to = {name: stack.enter_context(ports.reserved()) for name in flights}
        http = WebSettings(f"127.0.0.1:{stack.enter_context(ports.reserved())}")
        serve = stack.enter_context(web_server(http, lambda: ""))
        assert serve is not None
        async with listening(mosquitto.port, "#") as heard, observed(settings(mosquitto, to), serve) as running:
            for port in to.values():
                await feed.listening(port)
            began_us = time.time_ns() // 1000
            async with sending(flights, to):
                await until(lambda: len(running.alerts.raised()) == len(RULE_OF), 20)
                await until(lambda: all(raised_in_health(heard, name) for name in RULE_OF), 5)
                await check_web(f"http://{http.listen}", running)
                await until(lambda: len(running.events) == 2 * len(RULE_OF), 30)
                await until(lambda: all(len(on_topic(heard, name)) == 2 for name in RULE_OF), 5)
            check_events(running, began_us)
            assert {name: on_topic(heard, name) for name in flights} == EVENTS | {"clean": []}
            assert {name: raised_in_health(heard, name) for name in flights} == {
                name: {RULE_OF[name]} if name in RULE_OF else set() for name in flights
            }
            assert published_events(heard.on("klvrelay/alert")) == []


async def check_web(url: str, running: ObservedRelay) -> None:
    """The API and the metrics have what is raised."""
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{url}/api/v1/alerts") as answer:
            listed = {alert["id"]: alert for alert in await answer.json()}
        async with session.get(f"{url}/metrics") as answer:
            page = await answer.text()
    raised = [alert for alert in running.events if alert.is_raised]
    assert len(raised) == len(RULE_OF)
    assert {(one["name"], one["rule"]) for one in listed.values()} <= set(RULE_OF.items())
    for alert in raised:
        if alert.id in listed:
            assert listed[alert.id]["advice"] == alert.advice
            assert listed[alert.id]["text"] == alert.text
    for rule in set(RULE_OF.values()):
        lines = (line for line in page.splitlines() if line.startswith("klvrelay_alerts_total"))
        counts = [line for line in lines if f'"{rule}"' in line]
        expected = list(RULE_OF.values()).count(rule)
        assert [float(line.split()[-1]) for line in counts] == [expected], rule


def on_topic(heard: Heard, name: str) -> list[tuple[str, str]]:
    return published_events(heard.on(f"klvrelay/{name}/alert"))


def raised_in_health(heard: Heard, name: str) -> set[str]:
    """The rules that health documents of a stream name."""
    documents = [orjson.loads(payload) for payload in heard.on(f"klvrelay/{name}/health") if payload]
    return {rule for document in documents for rule in document["alerts"]}


def check_events(running: ObservedRelay, began_us: int, speed: float = SPEED) -> None:
    """Once raised, once cleared, in the order of the flight."""
    for name, rule in RULE_OF.items():
        raised, cleared = running.of(name)
        assert [(one.event, one.rule) for one in (raised, cleared)] == EVENTS[name]
        assert raised.id == cleared.id
        assert raised.value > raised.threshold
        assert cleared.worst >= raised.value
        assert cleared.cleared_value is not None
        assert cleared.cleared_value <= 1
        assert raised.text
        assert raised.advice
        seconds = (raised.since_us - began_us) / 1e6
        assert AT / speed <= seconds <= (AT + FAULTY) / speed + 1, (name, rule)
        assert raised.since_us <= raised.raised_us < cleared.cleared_us  # type: ignore[operator]
    assert len(running.events) == 2 * len(RULE_OF)
