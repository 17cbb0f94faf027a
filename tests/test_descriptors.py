"""A relay that runs out of descriptors: open streams continue, the others are opened once descriptors are available."""

from __future__ import annotations

import asyncio
import resource
import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress

import feed
from brokers import until
from oracle_broker import OracleBroker
from test_cli import COMMAND, ENVIRONMENT
from test_relay_process import Command

SOURCES, FEW, ENOUGH = 30, 24, 400
TAPE = feed.recording(5)


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago, all different."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket(type=socket.SOCK_DGRAM)) for _ in range(count)]
        for sock in sockets:
            sock.bind(("127.0.0.1", 0))
        return [sock.getsockname()[1] for sock in sockets]


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


async def test_streams_without_a_descriptor_are_opened_once_there_is_one(oracle: OracleBroker):
    """Thirty sources and a broker within twenty-four descriptors: all are relayed once the limit is raised."""
    ports = free_ports(SOURCES)

    def send() -> None:
        for port in ports:
            feed.send_udp(feed.datagrams(TAPE.ts), port)

    async with limited("run", *(f"udp://127.0.0.1:{port}" for port in ports), "--mqtt", oracle.url) as command:
        await until(lambda: "too many open files" in command.said.lower(), 20)
        assert not heard(oracle)
        resource.prlimit(command.process.pid, resource.RLIMIT_NOFILE, (ENOUGH, ENOUGH))
        await until(lambda: send() or len(heard(oracle)) == SOURCES, 15)
        code, _ = await command.stop()
    assert (code, "Traceback" in command.said) == (0, False)
    assert command.said.lower().count("too many open files") <= SOURCES + 1
