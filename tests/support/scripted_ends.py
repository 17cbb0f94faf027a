"""Scripted sources and sinks for the two ends of a pipeline: `test_relay.py` and others use them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import feed
import orjson
from records import all_of, records_of

from klvrelay.config.url import Url
from klvrelay.health import SinkHealth
from klvrelay.health.board import Board
from klvrelay.link_stats import LinkStats
from klvrelay.record import Packet, Record
from klvrelay.relay.notices import NoticeCursor, Notices
from klvrelay.relay.sink_task import SinkTask
from klvrelay.relay.stream import Stream
from klvrelay.relay.stream_input import StreamInput
from klvrelay.relay.supervise import contain
from klvrelay.sinks.contract import Notice, Outcome
from klvrelay.spool.memory import WAITING, WAITING_SIZE, MemoryLog

TAPE = feed.recording(40)


def sink_task_of(sink: Any, *, limit: int = WAITING, size_limit: int = WAITING_SIZE) -> tuple[SinkTask, MemoryLog]:
    """The task that delivers to that sink, and the log that feeds it."""
    log = MemoryLog(limit, size_limit)
    return SinkTask(sink, log.cursor("sink"), Notices().cursor(), SinkHealth("sink")), log


@asynccontextmanager
async def delivering(sink: Any) -> AsyncIterator[tuple[SinkTask, MemoryLog]]:
    """The sink as the relay runs it, and the log that feeds it."""
    sink_task, log = sink_task_of(sink)
    task = asyncio.create_task(sink_task.drain(), name="drain")
    try:
        yield sink_task, log
    finally:
        task.cancel()
        await asyncio.wait({task})


def stream_of(feed: StreamInput) -> Stream:
    """A stream whose records go to no sink."""
    return Stream(feed, "boot", MemoryLog(), Notices(), Board("boot", contain))


@dataclass
class Tape:
    """A source that outputs its packets, then ends, fails, or (`hang`) stays silent. Counts its openings and closings.
    """

    data: Sequence[bytes] = (TAPE.bare,)
    live: bool = False
    hang: bool = False
    fault: Exception | None = None
    url: Url = field(default_factory=lambda: Url.parse("paper.klv"))
    dropped: int = 0
    fixed: bool = False
    link: LinkStats = field(default_factory=LinkStats)
    opened: int = 0
    closed: int = 0
    between: Callable[[], Awaitable[None]] = lambda: asyncio.sleep(0)

    async def packets(self) -> AsyncGenerator[Packet, None]:
        self.opened += 1
        try:
            for data in self.data:
                self.link.size += len(data)
                yield Packet(data, 1, "klv", damaged=False)
                await self.between()
            if self.fault is not None:
                raise self.fault
            if self.hang:
                await asyncio.get_running_loop().create_future()
        finally:
            self.closed += 1


def live(*data: bytes, **more: Any) -> Tape:
    return Tape(data or (TAPE.bare,), live=True, url=Url.parse("udp://127.0.0.1:5000"), **more)


@dataclass
class Ear:
    """A sink that keeps what it receives. `faults` are raised one at each delivery, `door` one at each entry."""

    records: list[Record] = field(default_factory=list)
    published: list[Notice] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)
    door: list[Exception] = field(default_factory=list)
    fallen: Exception | None = None
    entered: int = 0
    left: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    async def __aenter__(self) -> Self:
        self.entered += 1
        self.fallen = None
        if self.door:
            raise self.door.pop(0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.left += 1

    async def deliver(self, batch: Sequence[Record]) -> Outcome:
        await self.gate.wait()
        if self.faults and self.fallen is None:
            self.fallen = self.faults.pop(0)
        if self.fallen is not None:
            raise self.fallen
        self.records += records_of(batch)
        return all_of(batch)

    async def keep(self, notices: NoticeCursor) -> None:
        while True:
            self.published.append(await notices.next())
            notices.done(self.published[-1])

    def seqs(self, stream: str = "uav1") -> list[int]:
        return [r.seq for r in self.records if r.stream == stream]

    def link(self, stream: str = "uav1") -> dict[str, Any]:
        """The last report of the stream's link."""
        reports = [n.document for n in self.published if (n.kind, n.stream) == ("link", stream)]
        report: dict[str, Any] = orjson.loads(reports[-1])
        return report

    def availability(self, stream: str = "uav1") -> list[bytes]:
        return [n.document for n in self.published if n.kind == "availability" and n.stream == stream]
