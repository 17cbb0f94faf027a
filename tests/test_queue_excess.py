"""Servers that send without end, or end without a word: sinks to Redis and NATS keep little, and notice it."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from brokers import until
from far_ends import settings_of
from queue_servers import NatsServer, RedisServer
from queue_trials import sink_to
from records import record

from klvrelay.errors import SinkDown
from klvrelay.sinks.open import far_end

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
HELLO = b"*4\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n7.2.0\r\n"


@asynccontextmanager
async def opened(kind: str, port: int, then: Serve) -> AsyncIterator[Any]:
    """A far end that is logged in at a server that continues with `then`."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await log_in(kind, reader, writer)
            await then(reader, writer)
        except OSError:
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", port):
        options = "?jetstream=false" if kind == "nats" else ""
        found: Any = far_end(settings_of(f"{kind}://127.0.0.1:{port}{options}"))
        await found.open()
        yield found
        await found.close()


async def log_in(kind: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    if kind == "nats":
        writer.write(b'INFO {"headers":true}\r\n')
        for _ in range(2):
            await reader.readuntil(b"PING\r\n")
            writer.write(b"PONG\r\n")
    else:
        for request, answer in ((b"klvrelay\r\n", HELLO), (b"PING\r\n", b"+PONG\r\n")):
            await reader.readuntil(request)
            writer.write(answer)


@pytest.mark.parametrize(("kind", "beginning"), [
    ("redis", b"$99999999\r\n"), ("redis", b"+"), ("nats", b"MSG a 1 99999999\r\n"), ("nats", b"-ERR"), ("nats", b""),
])  # fmt: skip
async def test_endless_bytes_end_the_connection(kind: str, beginning: bytes, free_port: int):
    """After about 1 MiB without an answer."""
    sent = 0

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(beginning)
        while sent < 64 << 20:
            writer.write(b"x" * 65536)
            await writer.drain()
            sent += 65536

    async with opened(kind, free_port, flood) as found:
        text = str(await asyncio.wait_for(found.lost(), 10))
    assert "sends more than answers" in text or "no NATS server answers there" in text
    assert sent < 32 << 20


@pytest.mark.parametrize("kind", ["redis", "nats"])
async def test_a_connection_that_ends_while_idle_is_noticed_at_once(kind: str, free_port: int):
    """Without a ping."""

    async def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0)

    async with opened(kind, free_port, leave) as found:
        assert "closed the connection" in str(await asyncio.wait_for(found.lost(), 5))


@pytest.mark.parametrize(("error", "says"), [
    ("User Authentication Expired", "credentials have expired"), ("Stale Connection", "no longer answers"),
    ("Maximum Connections Exceeded", "max_connections"), ("c4n4ry", "ended the connection with an error: see its log"),
])  # fmt: skip
async def test_the_reason_of_a_nats_server_is_reported(error: str, says: str, free_port: int):
    """That it sent before it closed the connection, and not in its words."""

    async def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"-ERR '%b'\r\n" % error.encode())

    async with opened("nats", free_port, leave) as found:
        text = str(await asyncio.wait_for(found.lost(), 5))
    assert says in text
    assert "c4n4ry" not in text


@pytest.mark.parametrize("kind", [RedisServer, NatsServer])
async def test_a_lost_connection_leaves_no_task_and_no_unread_error(
    kind: type[RedisServer | NatsServer], tmp_path: Path, free_port: int
):
    """Though the server is killed while records are in flight."""
    server = kind(tmp_path, free_port)
    await server.start()
    reported: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
    before = asyncio.all_tasks()
    async with sink_to(server.settings().url, **({"create": True} if kind is NatsServer else {})) as sink:
        server.suspend()
        delivering = asyncio.create_task(sink.deliver([record(number) for number in range(2000)]))
        await asyncio.sleep(0)
        await server.stop()
        with pytest.raises(SinkDown):
            await asyncio.wait_for(delivering, 10)
    await until(lambda: asyncio.all_tasks() == before)
    del delivering
    gc.collect()
    assert reported == []
