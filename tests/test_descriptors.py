"""A relay that runs out of descriptors: open streams continue, the others are opened once descriptors are available."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, suppress

import feed
import ports
import pytest
from brokers import until
from oracle_broker import OracleBroker
from test_cli import COMMAND, ENVIRONMENT
from test_relay_process import Command

SOURCES, FEW, ENOUGH = 30, 24, 400
TAPE = feed.recording(5)


@pytest.fixture
def places() -> Iterator[list[int]]:
    """A port for each source."""
    with ExitStack() as stack:
        yield [stack.enter_context(ports.reserved()) for _ in range(SOURCES)]


def heard(oracle: OracleBroker) -> set[str]:
    """The streams with records received."""
    return {p.topic.split("/")[1] for p in oracle.published if p.topic.endswith("/telemetry")}


@asynccontextmanager
async def limited(*args: str) -> AsyncIterator[Command]:
    """The command with FEW descriptors, and the right to ENOUGH."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND, *args, env=ENVIRONMENT, stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (FEW, ENOUGH)),
    )  # fmt: skip
    command = Command(process)
    assert process.stderr is not None
    listener = asyncio.create_task(command.listen(process.stderr, "said"))
    try:
        yield command
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await listener


async def test_streams_without_a_descriptor_are_opened_once_there_is_one(oracle: OracleBroker, places: list[int]):
    """Thirty sources and a broker within twenty-four descriptors: all are relayed once the limit is raised."""

    def send() -> None:
        """To the streams without a record so far: a flood to all would delay the stop."""
        silent = set(places) - {int(name.rpartition("-")[2]) for name in heard(oracle)}
        for port in silent:
            feed.send_udp(feed.datagrams(TAPE.ts), port)

    async with limited("run", *(f"udp://127.0.0.1:{port}" for port in places), "--mqtt", oracle.url) as command:
        await until(lambda: "too many open files" in command.said.lower(), 20)
        assert not heard(oracle)
        resource.prlimit(command.process.pid, resource.RLIMIT_NOFILE, (ENOUGH, ENOUGH))
        await until(lambda: send() or len(heard(oracle)) == SOURCES, 15)
        code, _ = await command.stop()
    assert code == 0 or "stop timed out" in command.said  # on a busy machine; `test_shutdown.py` tests the bound
    assert "Traceback" not in command.said
    assert command.said.lower().count("too many open files") <= SOURCES + 1
