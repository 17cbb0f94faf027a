"""A relay as a process with a state directory, a sender that can be stopped, and the ledger compared with the truth."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import feed
from brokers import until
from test_relay_process import Command, klvrelay

from klvrelay.errors import KlvrelayError
from klvrelay.incidents.query import Query
from klvrelay.incidents.reading import StoredLedger

AGREES = 0.1
"""Seconds by which the ledger may differ from the truth."""
HZ = 30.0


@dataclass
class Sender:
    """Sends KLV by UDP at HZ while it `sends`. `first` and `last`: wall time of the its first and last datagram."""

    port: int
    padding: int = 0
    sends: bool = True
    first: float = 0.0
    last: float = 0.0

    def stop(self) -> float:
        self.sends = False
        return self.last

    def resume(self) -> None:
        self.sends, self.first = True, 0.0

    async def run(self) -> None:
        pieces = [piece for _, piece in islice(feed.endless(HZ, padding=self.padding), 3000)]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for piece in pieces:
                while not self.sends:
                    await asyncio.sleep(0.002)
                sock.sendto(piece, ("127.0.0.1", self.port))
                self.last = time.time()
                self.first = self.first or self.last
                await asyncio.sleep(1 / HZ)


@asynccontextmanager
async def sending(port: int, padding: int = 0) -> AsyncIterator[Sender]:
    sender = Sender(port, padding)
    task = asyncio.create_task(sender.run())
    try:
        yield sender
    finally:
        task.cancel()
        await asyncio.wait({task})


@asynccontextmanager
async def relaying(state: Path, source: str, *more: str, **environment: str) -> AsyncIterator[Command]:
    words = ("run", source, "--stream", "uav1", "--state", str(state), *more)
    async with klvrelay(*words, **environment) as command:
        yield command


def recorded(state: Path, subject: str = "stream") -> list[dict[str, Any]]:
    """The incidents of the ledger, the latest first; none while there is no ledger yet."""
    with suppress(KlvrelayError):
        return [one for one in StoredLedger(state).list(Query()) if one["subject"] == subject]
    return []


async def opened(state: Path, subject: str = "stream", within: float = 15) -> dict[str, Any]:
    """The incident that is open, once there is one."""
    await until(lambda: [one for one in recorded(state, subject) if one["end"] is None], within)
    return recorded(state, subject)[0]


async def restored(state: Path, subject: str = "stream", within: float = 15) -> dict[str, Any]:
    """The latest incident, once it has ended."""
    await until(lambda: [one for one in recorded(state, subject)[:1] if one["end"] is not None], within)
    return recorded(state, subject)[0]


def seconds_of(text: str) -> float:
    """A time of the ledger as seconds since 1970."""
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()


def check(one: dict[str, Any], began: float, ended: float, *, agrees: float = AGREES) -> None:
    """The ledger agrees with the truth, and the outage was detected in five seconds."""
    assert abs(seconds_of(one["since"]) - began) <= agrees, (one, began)
    assert abs(seconds_of(one["restored"]) - ended) <= agrees, (one, ended)
    assert abs(one["duration_s"] - (ended - began)) <= 2 * agrees
    assert 0 <= one["detection_s"] <= 5.1, "five seconds, and a machine that also runs other tests"
