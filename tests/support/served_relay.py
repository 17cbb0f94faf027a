"""A web server over the health of a relay that a test sets, and clients of it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from records import BOOT, record

from klvrelay.alerts.running import Alerting
from klvrelay.config.alerts import AlertsSettings, NotifySettings
from klvrelay.config.settings import RelaySettings
from klvrelay.config.web import WebSettings
from klvrelay.health import SinkHealth, StreamHealth
from klvrelay.health.board import Board
from klvrelay.health.changes import Change
from klvrelay.incidents.ledger_service import Incidents
from klvrelay.outcome import Outcome, Sums
from klvrelay.relay.supervise import contain
from klvrelay.web.observed import Observed
from klvrelay.web.server import RelayServer, listen

LOCAL = WebSettings("127.0.0.1:0")


def board_of(streams: Sequence[StreamHealth] = (), sinks: Sequence[SinkHealth] = ()) -> Board:
    """The health of a relay with these streams and sinks."""
    board = Board(BOOT, contain)
    board.streams, board.sinks = lambda: streams, lambda: sinks
    return board


def flown(name: str = "uav1", count: int = 3) -> StreamHealth:
    """A stream with some records."""
    health = StreamHealth(name, "udp://:5000")
    for number in range(count):
        health.add_record(record(number, name))
    return health


def connected(key: str = "mqtt") -> SinkHealth:
    """A sink that has delivered two of three records."""
    health = SinkHealth("mqtt://broker:1883", key=key)
    health.mark_connected()
    health.set_sums(Sums(numbered=3, delivered=2, waiting=1))
    now_us = time.time_ns() // 1000
    health.note_answer([record(0)._replace(received_us=now_us - lead) for lead in (4_000, 2_000_000)], Outcome(2))
    return health


def outage(name: str = "uav1", *, ago: float = 5.0, state: str = "stale") -> Change:
    """A stream has been silent since `ago` seconds; with another state, it is good."""
    now, now_us = time.monotonic(), time.time_ns() // 1000
    is_ok = state == "live"
    return Change("stream", name, state, "", is_ok, "silent", None if is_ok else "source", now - ago, now, now_us)


@contextlib.asynccontextmanager
async def ledger(board: Board, *names: str) -> AsyncIterator[Incidents]:
    """A ledger in memory in which these streams are out (none: uav1)."""
    incidents = Incidents(board)
    await incidents.begin()
    for number, name in enumerate(names or ("uav1",)):
        board.changes.publish(outage(name, ago=5 + number))
    try:
        yield incidents
    finally:
        await incidents.end("stopped")


NOTIFY = NotifySettings("script", command=("true",))
ALERTS = RelaySettings(sources=(), sinks=(), alerts=AlertsSettings(destinations=(NOTIFY,)))


def alerting(board: Board, settings: RelaySettings = ALERTS) -> Alerting:
    """The alerts of a relay, with one destination; they are evaluated by `alerts.check`."""
    return Alerting(board, settings, lambda stream, document: None)


@dataclass
class Served:
    """A running server."""

    observed: Observed
    port: int
    session: aiohttp.ClientSession
    task: asyncio.Task[None]
    server: RelayServer
    headers: dict[str, str] = field(default_factory=dict)

    def busy(self) -> list[object]:
        """The connections whose requests are being answered."""
        return self.server.connections.busy()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def ask(
        self, path: str, method: str = "GET", headers: dict[str, str] | None = None, **more: Any
    ) -> aiohttp.ClientResponse:
        """The answer, read completely."""
        async with self.session.request(method, f"{self.url}{path}", headers=headers, **more) as response:
            await response.read()
            return response

    async def json(self, path: str) -> Any:
        """The document of an answer that is no error."""
        response = await self.ask(path)
        assert response.status == 200, await response.text()
        return await response.json()


@contextlib.asynccontextmanager
async def serving(observed: Observed, settings: WebSettings = LOCAL) -> AsyncIterator[Served]:
    """A server at a free port, until the end of the block."""
    with listen(settings) as sock:
        server = RelayServer(settings, observed, sock)
        await server.open()
        task = asyncio.create_task(server.serve())
        try:
            async with aiohttp.ClientSession() as session:
                yield Served(observed, sock.getsockname()[1], session, task, server)
        finally:
            task.cancel()
            await asyncio.wait({task})
