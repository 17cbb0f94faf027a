"""Recordings with injected faults, with video and sent live by the command: alerts at their true pace."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import feed
import ports
import pytest
from brokers import Mosquitto, listening, until
from faulty_flights import EVENTS, RULE_OF, record_flights
from observed_relay import observed, published_events
from test_alert_recordings import check_events, on_topic, settings

pytestmark = [pytest.mark.long, pytest.mark.timeout(400), pytest.mark.needs("mosquitto")]


@asynccontextmanager
async def sent(path: Path, port: int) -> AsyncIterator[None]:
    """`klvrelay send` of a recording."""
    words = ("-m", "klvrelay", "send", str(path), f"udp://127.0.0.1:{port}", "--quiet")
    process = await asyncio.create_subprocess_exec(sys.executable, *words)
    try:
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def test_each_fault_is_raised_once_and_cleared_once_at_the_true_pace(mosquitto: Mosquitto, tmp_path: Path):
    """With the default settings, after an encoder that fails for 40 s. A right recording raises nothing."""
    flights = await asyncio.to_thread(record_flights, tmp_path)
    async with AsyncExitStack() as stack:
        to = {name: stack.enter_context(ports.reserved()) for name in flights}
        heard = await stack.enter_async_context(listening(mosquitto.port, "#"))
        running = await stack.enter_async_context(observed(settings(mosquitto, to)))
        for port in to.values():
            await feed.listening(port)
        began_us = time.time_ns() // 1000
        for name, path in flights.items():
            await stack.enter_async_context(sent(path, to[name]))
        await until(lambda: len(running.alerts.raised()) == len(RULE_OF), 90)
        await until(lambda: len(running.events) == 2 * len(RULE_OF), 150)
        await until(lambda: all(len(on_topic(heard, name)) == 2 for name in RULE_OF), 5)
        check_events(running, began_us, speed=1)
        assert {name: on_topic(heard, name) for name in flights} == EVENTS | {"clean": []}
        assert published_events(heard.on("klvrelay/alert")) == []
