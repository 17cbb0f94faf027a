"""Sources and sinks of paper: what `test_relay.py` and others put at the ends of a corridor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import feed
import orjson

from klvrelay.names import Url
from klvrelay.record import Link, Packet, Record
from klvrelay.sinks import Notice, Notices, Outcome

TAPE = feed.recording(40)


@dataclass
class Tape:
    """A source: gives its packets, then ends, fails, or (`hang`) is silent. Counts its openings and closings."""

    data: Sequence[bytes] = (TAPE.bare,)
    live: bool = False
    hang: bool = False
    fault: Exception | None = None
    url: Url = field(default_factory=lambda: Url.parse("paper.klv"))
    dropped: int = 0
    fixed: bool = False
    link: Link = field(default_factory=Link)
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
    """A sink: keeps what it is given. `faults` are raised one at each delivery, `door` one at each entry."""

    records: list[Record] = field(default_factory=list)
    told: list[Notice] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)
    door: list[Exception] = field(default_factory=list)
    entered: int = 0
    left: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    async def __aenter__(self) -> Self:
        self.entered += 1
        if self.door:
            raise self.door.pop(0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.left += 1

    async def deliver(self, batch: Sequence[Record]) -> Outcome:
        await self.gate.wait()
        if self.faults:
            raise self.faults.pop(0)
        self.records += batch
        return Outcome(len(batch))

    async def keep(self, notices: Notices) -> None:
        while True:
            notice = await notices.next()
            self.told.append(notice)
            notices.done(notice)

    def seqs(self, stream: str = "uav1") -> list[int]:
        return [r.seq for r in self.records if r.stream == stream]

    def link(self, stream: str = "uav1") -> dict[str, Any]:
        """The last report of the stream's link."""
        reports = [n.document for n in self.told if (n.kind, n.stream) == ("link", stream)]
        report: dict[str, Any] = orjson.loads(reports[-1])
        return report

    def availability(self, stream: str = "uav1") -> list[bytes]:
        return [n.document for n in self.told if n.kind == "availability" and n.stream == stream]
