"""The contract of all sources, and `open_source`; next door, `test_source_*.py` for what each kind has of its own."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import feed
import pytest

from klvrelay.klv import Decoder
from klvrelay.record import Packet
from klvrelay.sources import Source, open_source

TAPE = feed.recording()


@dataclass
class Case:
    """A source with somebody who sends to it.

    size    bytes after which all has come
    ends    whether it ends by itself
    begin   makes the sender send
    """

    source: Source
    size: int = len(TAPE.ts)
    ends: bool = True
    begin: Callable[[], None] = lambda: None


@asynccontextmanager
async def file_case(folder: Path, port: int) -> AsyncIterator[Case]:
    path = folder / "tape.ts"
    path.write_bytes(TAPE.ts)
    yield Case(open_source(str(path)))


@asynccontextmanager
async def klv_file_case(folder: Path, port: int) -> AsyncIterator[Case]:
    path = folder / "tape.klv"
    path.write_bytes(TAPE.bare)
    yield Case(open_source(f"file://{path}"), len(TAPE.bare))


@asynccontextmanager
async def follow_case(folder: Path, port: int) -> AsyncIterator[Case]:
    path = folder / "growing.ts"
    path.write_bytes(TAPE.ts[:3000])
    yield Case(open_source(str(path), follow=True), ends=False, begin=lambda: path.write_bytes(TAPE.ts))


@asynccontextmanager
async def stdin_case(folder: Path, port: int) -> AsyncIterator[Case]:
    before, (read, write) = os.dup(0), os.pipe()
    os.dup2(read, 0)
    os.close(read)
    writer = threading.Thread(target=_write, args=(write,))

    try:
        yield Case(open_source("-"), begin=writer.start)
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
    yield Case(open_source(str(path), speed=50))


@asynccontextmanager
async def udp_case(folder: Path, port: int) -> AsyncIterator[Case]:
    yield Case(
        open_source(f"udp://127.0.0.1:{port}"),
        ends=False,
        begin=lambda: feed.send_udp(feed.datagrams(TAPE.ts), port),
    )


@asynccontextmanager
async def udp6_case(folder: Path, port: int) -> AsyncIterator[Case]:
    yield Case(
        open_source(f"udp://[::1]:{port}"),
        ends=False,
        begin=lambda: feed.send_udp(feed.datagrams(TAPE.ts), port, "::1"),
    )


@asynccontextmanager
async def rtp_case(folder: Path, port: int) -> AsyncIterator[Case]:
    yield Case(
        open_source(f"rtp://127.0.0.1:{port}"),
        ends=False,
        begin=lambda: feed.send_udp(feed.rtp_datagrams(feed.datagrams(TAPE.ts)), port),
    )


@asynccontextmanager
async def tcp_case(folder: Path, port: int) -> AsyncIterator[Case]:
    async with feed.tcp_server(TAPE.ts) as port:
        yield Case(open_source(f"tcp://127.0.0.1:{port}"))


@asynccontextmanager
async def rtsp_case(folder: Path, port: int) -> AsyncIterator[Case]:
    payloads = [(0, datagram) for datagram in feed.datagrams(TAPE.ts)]
    async with feed.RtspServer(payloads) as server:
        yield Case(open_source(f"rtsp://127.0.0.1:{server.port}/live", timeout=0.5), len(TAPE.bare))


@asynccontextmanager
async def libav_case(folder: Path, port: int) -> AsyncIterator[Case]:
    path = folder / "tape.ts"
    path.write_bytes(TAPE.ts)
    yield Case(open_source(str(path), demux="libav"), len(TAPE.bare))


KINDS = [
    file_case,
    klv_file_case,
    follow_case,
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


@pytest.fixture(params=KINDS, ids=name_of)
async def case(request: pytest.FixtureRequest, tmp_path: Path, free_port: int) -> AsyncIterator[Case]:
    kind: Kind = request.param
    async with kind(tmp_path, free_port) as case:
        yield case


async def read(case: Case) -> list[Packet]:
    """All packets until the source ends, or all bytes have come; fails after 5 s."""
    got: list[Packet] = []
    async with asyncio.timeout(5), aclosing(begun(case)) as packets:
        async for packet in packets:
            got.append(packet)
            if not case.ends and sum(len(packet.data) for packet in got) >= case.size:
                break
    return got


def begun(case: Case) -> AsyncGenerator[Packet, None]:
    """The packets; the sender begins once the task that reads them first waits, by when sockets are bound."""
    asyncio.get_running_loop().call_soon(case.begin)
    return case.source.packets()


def open_files() -> set[str]:
    """The descriptors of this process that are files, pipes or sockets."""
    return {f"{fd} {os.readlink(f'/proc/self/fd/{fd}')}" for fd in os.listdir("/proc/self/fd") if _is_open(fd)}


def _is_open(fd: str) -> bool:
    return os.path.islink(f"/proc/self/fd/{fd}")


async def freed(files: set[str], threads: set[threading.Thread], within: float) -> None:
    """Return once no descriptor and no thread is there that was not before; fails after `within` seconds."""
    try:
        async with asyncio.timeout(within):
            while (open_files() - files) or (set(threading.enumerate()) - threads):
                await asyncio.sleep(0.005)
    except TimeoutError:
        pytest.fail(f"left behind: {open_files() - files}, {set(threading.enumerate()) - threads}")


async def test_what_was_sent_is_yielded(case):
    """Every byte, once, in order; and the same KLV packets come out of the decoder whatever way they took."""
    got = await read(case)

    wanted = TAPE.ts if got[0].carriage == "ts" else TAPE.bare
    assert b"".join(packet.data for packet in got) == wanted
    assert not any(packet.damaged for packet in got)
    decoder = Decoder("test", None)
    records = [record for packet in got for record in decoder.feed(packet)] + decoder.flush()
    assert [record.raw for record in records] == TAPE.klv
    assert all(record.good for record in records)


@pytest.mark.parametrize("case", [kind for kind in KINDS if kind is not stdin_case], ids=name_of, indirect=True)
async def test_a_source_can_be_read_again(case):
    """After its end a source is opened anew by asking for its packets again, as a relay does on a reconnect."""
    first = await read(case)
    second = await read(case)

    assert b"".join(packet.data for packet in second) == b"".join(packet.data for packet in first)


async def test_live_sources_stamp_their_packets_with_the_arrival(case):
    """A stamp is the wall clock's; what never was live has none."""
    got = await read(case)

    stamps = [packet.received_us for packet in got]
    if case.source.live or case.source.__class__.__name__ in ("ReplaySource", "GrowingSource"):
        assert all(1e15 < stamp < 4e15 for stamp in stamps)
        assert stamps == sorted(stamps)
    else:
        assert set(stamps) == {None}


async def test_closing_frees_sockets_files_and_threads(case):
    """Nothing is left of a source whose reader had enough in the midst of it."""
    files, threads = open_files(), set(threading.enumerate())

    async with asyncio.timeout(5), aclosing(begun(case)) as packets:
        await anext(packets)

    await freed(files, threads, within=2)


async def test_cancelling_its_task_frees_sockets_files_and_threads(case):
    """A reader that is cancelled at any moment, here while it waits for the first packet, leaves nothing."""
    files, threads = open_files(), set(threading.enumerate())

    task = asyncio.create_task(read(Case(case.source, ends=False)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()

    await freed(files, threads, within=2)


async def test_no_source_shows_a_password(case):
    """What is printed of a source is its URL without credentials."""
    assert "***" not in str(case.source.url)
    assert case.source.dropped == 0


async def test_all_ways_of_a_real_recording_give_the_same_packets(shared, free_port):
    """The transport lane and libav agree on a real flight, byte for byte and time for time."""
    path = str(shared / "data" / "osh_sample_stream.ts")

    by_lane = await records(open_source(path))
    by_libav = await records(open_source(path, demux="libav"))
    by_replay = await records(open_source(path, speed=200))

    assert len(by_lane) == 277
    assert [(r.raw, r.pts, r.pid) for r in by_libav] == [(r.raw, r.pts, r.pid) for r in by_lane]
    assert [(r.raw, r.pts, r.pid) for r in by_replay] == [(r.raw, r.pts, r.pid) for r in by_lane]


async def records(source: Source) -> list:
    decoder, found = Decoder("test", None), []
    async with aclosing(source.packets()) as packets:
        async for packet in packets:
            found += decoder.feed(packet)
    return found + decoder.flush()
