"""tcp:// from a far end that never stops or never begins: bounded memory, a message, and an end by Ctrl-C."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import feed
import pytest
from peak import run

BASE, ROOM = 40, 64
"""MiB of a program that reads nothing, and what a sender may cost beyond that."""
PIECE = 65536


@asynccontextmanager
async def sender(
    data: bytes, *, most: int, every: float = 0.0
) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """Sends the same bytes again and again, at most so many, then stays silent.

    The URL that it is at, and an event that is set a second after it was called.
    """
    over, long = asyncio.Event(), asyncio.Event()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asyncio.get_running_loop().call_later(1.0, long.set)
        with suppress(OSError):
            for _ in range(most // len(data)):
                writer.write(data)
                await writer.drain()
                if every:
                    await asyncio.sleep(every)
            await over.wait()
        writer.transport.abort()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        try:
            yield f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}", long
        finally:
            over.set()
            await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"\x12\x34" * PIECE, "sends neither MPEG-TS nor KLV"), (feed.UAS_KEY + b"\x87\xff" + bytes(PIECE), "no KLV")],
    ids=["junk", "a KLV packet without an end"],
)
async def test_data_that_is_no_stream_is_refused(data: bytes, reason: str) -> None:
    """After some megabytes, or once no data arrives any more."""
    async with sender(data, most=8 << 20) as (url, _):
        outcome = await run("decode", url)

    assert reason in outcome.err or "sent nothing for" in outcome.err
    assert outcome.peak < BASE + ROOM


@pytest.mark.parametrize(
    ("data", "every"),
    [(bytes(PIECE), 0.0), ((b"\x47\x1f\xff\x10" + b"\xff" * 184) * 400, 0.0), (b"\x00", 0.02), (b"\x47", 0.02)],
    ids=["zeros", "null packets", "a zero now and then", "a byte now and then"],
)
async def test_an_endless_transfer_can_be_interrupted(data: bytes, every: float) -> None:
    """However fast or slow the data is."""
    async with sender(data, most=8 << 30, every=every) as (url, long):
        outcome = await run("decode", url, interrupt=long.is_set)

    assert outcome.peak < BASE + ROOM
    assert "Traceback" not in outcome.err
