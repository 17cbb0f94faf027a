"""Sinks to Redis and NATS for tests, and their servers as fixtures."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from far_ends import settings_of
from queue_servers import NatsServer, RedisServer
from records import BOOT

from klvrelay.config.settings import SinkSettings
from klvrelay.errors import SinkDown, SinkRefused
from klvrelay.relay.build import shaper_of
from klvrelay.shape.output import Output
from klvrelay.shape.presets import preset_output
from klvrelay.sinks.contract import Sink
from klvrelay.sinks.open import far_end, open_sink

TELEMETRY = (preset_output("telemetry"),)
PASSWORD = "c4n4ry-pa55"
StartNats = Callable[..., Awaitable[NatsServer]]


@pytest.fixture
async def redis_server(tmp_path: Path, free_port: int) -> AsyncIterator[RedisServer]:
    server = RedisServer(tmp_path, free_port)
    await server.start()
    yield server
    await server.close()


@pytest.fixture
async def start_nats(tmp_path: Path, free_port: int) -> AsyncIterator[StartNats]:
    """Starts a server with a configuration."""
    servers: list[NatsServer] = []

    async def start(config: str = "") -> NatsServer:
        servers.append(NatsServer(tmp_path, free_port, config))
        await servers[-1].start()
        return servers[-1]

    yield start
    for server in servers:
        await server.close()


def sink_to(url: str, outputs: tuple[Output, ...] = TELEMETRY, **settings: object) -> Sink:
    made = SinkSettings("trial", settings_of(url, **settings), outputs=outputs)
    return open_sink(made, shaper_of(made), BOOT)


async def fault_of(url: str, **settings: object) -> str:
    """Why a far end refuses the connection: the error, which does not contain PASSWORD."""
    opened = far_end(settings_of(url, **{"timeout": 2.0, **settings}))
    with pytest.raises((SinkDown, SinkRefused)) as fault:
        await opened.open()
    await opened.close()
    assert PASSWORD not in str(fault.value)
    return f"{fault.type.__name__} {fault.value}"
