"""A relay of eight streams as a process, for the tests of the promises."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import feed
from brokers import until
from test_cli import COMMAND
from test_relay_process import Command, klvrelay
from witness import Witness

STREAMS = [f"uav{n}" for n in range(8)]
IMPATIENT = [sys.executable, str(Path(__file__).with_name("impatient_relay.py"))]


@asynccontextmanager
async def relay(
    url: str, to: Sequence[int], spool: Path, *more: str, program: Sequence[str] = COMMAND, **environment: str
) -> AsyncIterator[Command]:
    """One stream per port, and a spool; entered once it receives datagrams."""
    sources = _sources(to)
    words = ("run", *sources, "--mqtt", url, "--spool", str(spool), *more)
    async with klvrelay(*words, program=program, **environment) as command:
        for port in to:
            await feed.listening(port)
        yield command


@asynccontextmanager
async def relay_of(settings: Path, to: Sequence[int]) -> AsyncIterator[Command]:
    """One stream per port, with the sinks of a settings file."""
    sources = _sources(to)
    async with klvrelay("run", "-c", str(settings), *sources) as command:
        for port in to:
            await feed.listening(port)
        yield command


def _sources(to: Sequence[int]) -> list[str]:
    named = zip(to, STREAMS, strict=False)
    return [word for port, name in named for word in (f"udp://127.0.0.1:{port}", "--stream", name)]


async def stop(command: Command, witness: Witness) -> float:
    """Stop the relay, which takes less than five seconds: its last sums add up. Returns the seconds."""
    code, seconds = await command.stop()
    assert (code, seconds < 5) == (0, True), command.said
    await until(lambda: witness.status.get("state") == "offline" and "records" in witness.status, 5)
    count = witness.sums
    assert count["numbered"] == sum(count.values()) - count["numbered"]
    return seconds
