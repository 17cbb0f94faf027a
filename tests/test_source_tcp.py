"""TCP sources."""

from __future__ import annotations

import asyncio

import feed
import pytest
from source_reading import read

from klvrelay.errors import NotMedia, SourceDown
from klvrelay.sources.open import open_source

TAPE = feed.recording()


async def send(port, *pieces):
    await feed.listening(port, "tcp")
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
    writer.close()
    await writer.wait_closed()


async def test_with_listen_the_sender_connects(free_port):
    """?listen=1 waits for a sender, however long, and accepts one at a time."""
    source = open_source(f"tcp://127.0.0.1:{free_port}?listen=1", timeout=2)

    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(read(source))
        tasks.create_task(send(free_port, TAPE.ts))

    assert b"".join(packet.data for packet in reading.result()) == TAPE.ts


async def test_waiting_for_a_sender_leaves_no_port_open(free_port):
    """A source that is closed while it listens listens no more."""
    source = open_source(f"tcp://127.0.0.1:{free_port}?listen=1")
    reading = asyncio.create_task(read(source))
    await feed.listening(free_port, "tcp")

    reading.cancel()
    await asyncio.wait([reading])

    server = await asyncio.start_server(lambda r, w: None, "127.0.0.1", free_port)
    server.close()
    await server.wait_closed()


async def test_a_connection_that_falls_silent_is_down():
    """A connection without data for `timeout` seconds is closed, so that it can be made again."""
    async with feed.tcp_server(TAPE.ts, hang=True) as port:
        source = open_source(f"tcp://127.0.0.1:{port}", timeout=0.1)

        with pytest.raises(SourceDown, match=r"sent nothing for 0\.1 s"):
            await read(source)


async def test_data_before_the_silence_is_yielded():
    """All received data is yielded before the source is closed."""
    async with feed.tcp_server(TAPE.ts, hang=True) as port:
        got = []
        with pytest.raises(SourceDown):
            await read(open_source(f"tcp://127.0.0.1:{port}", timeout=0.1), got)

    assert b"".join(packet.data for packet in got) == TAPE.ts


async def test_klv_without_a_container_is_recognised():
    """Bare KLV packets work over TCP too."""
    async with feed.tcp_server(TAPE.bare) as port:
        got = await read(open_source(f"tcp://127.0.0.1:{port}"))

    assert b"".join(packet.data for packet in got) == TAPE.bare
    assert {packet.carriage for packet in got} == {"klv"}


async def test_other_bytes_are_not_media():
    """For example a web server's answer: the error says so."""
    async with feed.tcp_server(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        with pytest.raises(NotMedia, match="neither MPEG-TS nor KLV"):
            await read(open_source(f"tcp://127.0.0.1:{port}"))


async def test_an_unknown_host_is_reported():
    """An unresolvable name is a SourceDown, not a traceback."""
    with pytest.raises(SourceDown, match=r"the name no-such-host\.invalid is not known"):
        await read(open_source("tcp://no-such-host.invalid:5000"))


async def test_a_port_in_use_is_reported(free_port):
    """The source cannot listen where another program does."""
    server = await asyncio.start_server(lambda r, w: None, "127.0.0.1", free_port)
    async with server:
        with pytest.raises(SourceDown, match="can't listen there"):
            await read(open_source(f"tcp://127.0.0.1:{free_port}?listen=1"))
