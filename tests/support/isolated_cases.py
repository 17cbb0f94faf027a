"""Isolated sources of every kind with their senders, a source whose process is a script, and checks for leaks (files,
threads, processes).
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import feed
import pytest
from descriptors import open_files

from klvrelay.decoder import Decoder
from klvrelay.record import Packet
from klvrelay.sources.contract import Source
from klvrelay.sources.isolated.source import IsolatedSource
from klvrelay.sources.open import open_source
from klvrelay.sources.web.resume import Resume

TAPE = feed.recording()
HONEST = """
import socket, sys, time, os, subprocess
from klvrelay.errors import *
from klvrelay.record import *
from klvrelay.sources.isolated.messages import *
from klvrelay.sources.isolated.pack import *
line = socket.socket(fileno=int(sys.argv[1]))
received = line.recv(65536)
def say(*messages): line.sendall(b"".join(messages))
status = pack_status(Status(True, True, 0, LinkStats()))
say(status)
"""
isolated = partial(open_source, isolate=True)


@dataclass
class Case:
    """A source and its sender.

    size bytes after which the input is complete
    ends    whether it ends by itself
    begin   makes the sender send
    port    that the source listens on, by which time it may
    """

    source: Source
    size: int = len(TAPE.ts)
    ends: bool = True
    begin: Callable[[], None] = lambda: None
    port: int = 0


@asynccontextmanager
async def file_case(folder: Path, port: int) -> AsyncIterator[Case]:
    path = folder / "tape.ts"
    path.write_bytes(TAPE.ts)
    yield Case(isolated(str(path)))


@asynccontextmanager
async def klv_file_case(folder: Path, port: int) -> AsyncIterator[Case]:
    path = folder / "tape.klv"
    path.write_bytes(TAPE.bare)
    yield Case(isolated(f"file://{path}"), len(TAPE.bare))


@asynccontextmanager
async def stdin_case(folder: Path, port: int) -> AsyncIterator[Case]:
    before, (read, write) = os.dup(0), os.pipe()
    os.dup2(read, 0)
    os.close(read)
    writer = threading.Thread(target=_write, args=(write,))

    try:
        yield Case(isolated("-"), begin=writer.start)
    finally:
        os.dup2(before, 0)
        os.close(before)
        if writer.ident:
            writer.join()
        else:
            os.close(write)


def _write(pipe: int) -> None:
    with open(pipe, "wb") as file:
        file.write(TAPE.ts)


@asynccontextmanager
async def replay_case(folder: Path, port: int) -> AsyncIterator[Case]:
    path = folder / "tape.ts"
    path.write_bytes(TAPE.ts)
    yield Case(isolated(str(path), speed=50))


@asynccontextmanager
async def udp_case(folder: Path, port: int) -> AsyncIterator[Case]:
    yield Case(
        isolated(f"udp://127.0.0.1:{port}"),
        ends=False,
        port=port,
        begin=lambda: feed.send_udp(feed.datagrams(TAPE.ts), port),
    )


@asynccontextmanager
async def udp6_case(folder: Path, port: int) -> AsyncIterator[Case]:
    yield Case(
        isolated(f"udp://[::1]:{port}"),
        ends=False,
        port=port,
        begin=lambda: feed.send_udp(feed.datagrams(TAPE.ts), port, "::1"),
    )


@asynccontextmanager
async def rtp_case(folder: Path, port: int) -> AsyncIterator[Case]:
    yield Case(
        isolated(f"rtp://127.0.0.1:{port}"),
        ends=False,
        port=port,
        begin=lambda: feed.send_udp(feed.rtp_datagrams(feed.datagrams(TAPE.ts)), port),
    )


@asynccontextmanager
async def tcp_case(folder: Path, port: int) -> AsyncIterator[Case]:
    async with feed.tcp_server(TAPE.ts) as port:
        yield Case(isolated(f"tcp://127.0.0.1:{port}"))


@asynccontextmanager
async def rtsp_case(folder: Path, port: int) -> AsyncIterator[Case]:
    payloads = [(0, datagram) for datagram in feed.datagrams(TAPE.ts)]
    async with feed.RtspServer(payloads) as server:
        yield Case(isolated(f"rtsp://127.0.0.1:{server.port}/live", timeout=0.5), len(TAPE.bare))


@asynccontextmanager
async def libav_case(folder: Path, port: int) -> AsyncIterator[Case]:
    path = folder / "tape.ts"
    path.write_bytes(TAPE.ts)
    yield Case(isolated(str(path), demux="libav"), len(TAPE.bare))


KINDS = [
    file_case,
    klv_file_case,
    stdin_case,
    replay_case,
    udp_case,
    udp6_case,
    rtp_case,
    tcp_case,
    rtsp_case,
    libav_case,
]
Kind = Callable[[Path, int], AbstractAsyncContextManager[Case]]


def name_of(kind: Kind) -> str:
    return kind.__name__.removesuffix("_case")


async def read(case: Case) -> list[Packet]:
    """All packets until the source ends or all bytes have arrived; fails after 10 s."""
    got: list[Packet] = []
    beginning = asyncio.create_task(_begin(case))
    async with asyncio.timeout(10), aclosing(case.source.packets()) as packets:
        async for packet in packets:
            got.append(packet)
            if not case.ends and sum(len(packet.data) for packet in got) >= case.size:
                break
    await beginning
    return got


async def _begin(case: Case) -> None:
    if case.port:
        await feed.listening(case.port)
    case.begin()


def children() -> set[int]:
    """Child processes of this process that are not reaped yet, but for the brokers that other tests share."""
    found: set[int] = set()
    for task in os.listdir("/proc/self/task"):
        with suppress(FileNotFoundError):
            found |= {int(pid) for pid in Path(f"/proc/self/task/{task}/children").read_text().split()}
    return {pid for pid in found if not _is_broker(pid)}


def _is_broker(pid: int) -> bool:
    try:
        return os.path.basename(os.readlink(f"/proc/{pid}/exe")) in ("mosquitto", "nats-server")
    except OSError:  # it has ended
        return False


async def until(condition, within: float = 5.0):
    """The first truthy result of `condition`; fails after `within` seconds."""
    async with asyncio.timeout(within):
        while not (found := condition()):
            await asyncio.sleep(0.005)
    return found


async def freed(files: set[str], threads: set[threading.Thread], within: float) -> None:
    """Return once no new descriptor and no new thread is left; fails after `within` seconds."""
    try:
        async with asyncio.timeout(within):
            while (open_files() - files) or (set(threading.enumerate()) - threads):
                await asyncio.sleep(0.005)
    except TimeoutError:
        pytest.fail(f"left behind: {open_files() - files}, {set(threading.enumerate()) - threads}")


async def records(source: Source) -> list:
    decoder, found = Decoder("test", None), []
    async with aclosing(source.packets()) as packets:
        async for packet in packets:
            found += decoder.feed(packet)
    return found + decoder.flush()


def fake(
    script: str, url: str = "rtsp://pilot:c4n4ry@127.0.0.1/live", *, timeout: float = 0.2, resume: Resume | None = None
) -> IsolatedSource:
    """An isolated source whose process runs `script` after a regular start."""
    options = {"timeout": timeout}
    plain = open_source(url, **options, isolate=False)
    return IsolatedSource(plain, options, resume=resume, command=[sys.executable, "-c", HONEST + script])
