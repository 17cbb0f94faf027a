"""The contract of every kind of source, each with its real peer: data, counters, end and stop.

`KINDS` is the table of kinds; a new kind is one more entry.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import feed
import pytest
from descriptors import open_files
from rtsp_servers import gst_server
from srt_peers import transmitter

from klvrelay.decoder import Decoder
from klvrelay.errors import SourceDown, SourceError
from klvrelay.record import Packet, Record, Units
from klvrelay.sources.contract import Source
from klvrelay.sources.open import open_source
from klvrelay.text import Secret

TAPE = feed.recording(20, hz=50, filler=6)
TIMEOUT = 1.0
LIBSRT_CLOSES = 8.0
"""Seconds until libsrt releases the port of a listener that was called; it may be bound again at once."""
GROUP = "239.255.77.1"

Process = asyncio.subprocess.Process


async def nothing() -> None:
    """A peer that sends without being started."""


@dataclass
class Case:
    """One kind of source, and its sender.

    make     another source of the same settings
    begin starts the sender, once the source listens
    wanted minimum number of records, from the first on
    ends     it ends by itself
    exact every byte is output as it was sent
    peer     the process at the far end, while there is one
    """

    make: Callable[[], Source]
    begin: Callable[[], Awaitable[None]] = nothing
    wanted: int = len(TAPE.klv)
    ends: bool = True
    exact: bytes | None = None
    peer: list[Process] = field(default_factory=list)


@dataclass(frozen=True)
class Kind:
    """A row of the table: what makes a case, the programs that it needs, and its properties.

    ends     it ends by itself
    again the data can be read again
    shared   several may read at once
    peer     the far end is a process
    held it has a connection: silence of the far end is detected
    """

    open: Callable[[Path, int], AbstractAsyncContextManager[Case]]
    needs: tuple[str, ...] = ()
    ends: bool = True
    again: bool = True
    shared: bool = False
    peer: bool = False
    held: bool = False


def tape(folder: Path, data: bytes = TAPE.ts, name: str = "tape.ts") -> str:
    path = folder / name
    path.write_bytes(data)
    return str(path)


@asynccontextmanager
async def file_case(folder: Path, port: int) -> AsyncIterator[Case]:
    path = tape(folder)
    yield Case(lambda: open_source(path), exact=TAPE.ts)


@asynccontextmanager
async def klv_file_case(folder: Path, port: int) -> AsyncIterator[Case]:
    path = tape(folder, TAPE.bare, "tape.klv")
    yield Case(lambda: open_source(f"file://{path}"), exact=TAPE.bare)


@asynccontextmanager
async def replay_case(folder: Path, port: int) -> AsyncIterator[Case]:
    path = tape(folder)
    yield Case(lambda: open_source(path, speed=50), exact=TAPE.ts)


@asynccontextmanager
async def follow_case(folder: Path, port: int) -> AsyncIterator[Case]:
    """A file that is still being written."""
    path = tape(folder, TAPE.ts[:3000])

    async def begin() -> None:
        tape(folder)

    yield Case(lambda: open_source(path, follow=True), begin)


@asynccontextmanager
async def libav_case(folder: Path, port: int) -> AsyncIterator[Case]:
    path = tape(folder)
    yield Case(lambda: open_source(path, demux="libav"))


@asynccontextmanager
async def cat_case(folder: Path, port: int) -> AsyncIterator[Case]:
    """A real `cat` into standard input; a new one for each reading."""
    path, before = tape(folder), os.dup(0)
    async with processes() as (peers, start):

        def make() -> Source:
            read, write = os.pipe()
            os.dup2(read, 0)
            os.close(read)
            ends.append(write)
            return open_source("-")

        async def begin() -> None:
            write = ends.pop()
            try:
                await start("cat", path, stdout=write)
            finally:
                os.close(write)

        ends: list[int] = []
        try:
            yield Case(make, begin, exact=TAPE.ts, peer=peers)
        finally:
            os.dup2(before, 0)
            for left in (before, *ends):
                os.close(left)


@asynccontextmanager
async def processes() -> AsyncIterator[tuple[list[Process], Callable[..., Awaitable[Process]]]]:
    """A list of processes and a function that starts another; all have ended after the block."""
    started: list[Process] = []

    async def start(*command: str, stdout: int = asyncio.subprocess.DEVNULL) -> Process:
        process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.DEVNULL, stdout=stdout)
        started.append(process)
        return process

    try:
        yield started, start
    finally:
        await killed(started)


@asynccontextmanager
async def by_ffmpeg(
    folder: Path, port: int, url: str, target: str, *, form: str = "mpegts", server: bool = False, **case: object
) -> AsyncIterator[Case]:
    """ffmpeg that sends in real time to a listener; `server`: it waits for a caller, so it is started first."""
    path = tape(folder)
    copied = ("-i", path, "-map", "0", "-c", "copy", "-flush_packets", "1")
    command = ("ffmpeg", "-v", "fatal", "-nostdin", *feed.in_real_time(), *copied)
    demux = case.pop("demux", None)
    async with processes() as (peers, start):

        def make() -> Source:
            return open_source(url, timeout=TIMEOUT, interface="127.0.0.1" if GROUP in url else None, demux=demux)  # type: ignore[arg-type]

        async def begin() -> None:
            if not server:
                await feed.listening(port, "tcp" if url.startswith("tcp") else "udp")
            await start(*command, "-f", form, target)

        yield Case(make, begin, peer=peers, **case)  # type: ignore[arg-type]


def udp_case(folder: Path, port: int) -> AbstractAsyncContextManager[Case]:
    return by_ffmpeg(
        folder, port, f"udp://127.0.0.1:{port}", f"udp://127.0.0.1:{port}?pkt_size=1316", wanted=18
    )


def udp_native_case(folder: Path, port: int) -> AbstractAsyncContextManager[Case]:
    return by_ffmpeg(
        folder, port, f"udp://127.0.0.1:{port}", f"udp://127.0.0.1:{port}?pkt_size=1316",
        wanted=18, demux="native",
    )  # fmt: skip


def udp_libav_case(folder: Path, port: int) -> AbstractAsyncContextManager[Case]:
    return by_ffmpeg(
        folder, port, f"udp://127.0.0.1:{port}", f"udp://127.0.0.1:{port}?pkt_size=1316",
        wanted=12, demux="libav",
    )  # fmt: skip


def multicast_case(folder: Path, port: int) -> AbstractAsyncContextManager[Case]:
    target = f"udp://{GROUP}:{port}?pkt_size=1316&localaddr=127.0.0.1"
    return by_ffmpeg(folder, port, f"udp://{GROUP}:{port}", target, wanted=18)


def rtp_case(folder: Path, port: int) -> AbstractAsyncContextManager[Case]:
    target = f"rtp://127.0.0.1:{port}?pkt_size=1316"
    return by_ffmpeg(folder, port, f"rtp://127.0.0.1:{port}", target, form="rtp_mpegts", wanted=10)


def tcp_case(folder: Path, port: int) -> AbstractAsyncContextManager[Case]:
    return by_ffmpeg(folder, port, f"tcp://127.0.0.1:{port}?listen=1", f"tcp://127.0.0.1:{port}")


@asynccontextmanager
async def tcp_server_case(folder: Path, port: int) -> AsyncIterator[Case]:
    """A server in this process: ffmpeg's own accepts one connection only."""
    async with feed.tcp_server(TAPE.ts) as place:
        yield Case(lambda: open_source(f"tcp://127.0.0.1:{place}", timeout=TIMEOUT), exact=TAPE.ts)


@asynccontextmanager
async def srt_case(folder: Path, port: int) -> AsyncIterator[Case]:
    """srt-live-transmit calls; a new one for each reading, which is silent when all is sent."""
    async with AsyncExitStack() as stack:
        peers: list[Process] = []

        async def begin() -> None:
            await feed.listening(port)
            target = f"srt://127.0.0.1:{port}?latency=40"
            peers.append(await stack.enter_async_context(transmitter(target, feed.datagrams(TAPE.ts))))

        def make() -> Source:
            return open_source(f"srt://127.0.0.1:{port}?mode=listener&latency=40", timeout=TIMEOUT)

        yield Case(make, begin, wanted=18, peer=peers)


@asynccontextmanager
async def http_case(folder: Path, port: int) -> AsyncIterator[Case]:
    """Python's web server in a separate process."""
    tape(folder)
    async with processes() as (peers, start):
        command = (sys.executable, "-m", "http.server", "-b", "127.0.0.1", "-d", str(folder), str(port))
        server = await start("sh", "-c", 'exec "$@" 2>/dev/null', "sh", *command)
        await feed.listening(port, "tcp")
        assert server.returncode is None
        yield Case(lambda: open_source(f"http://127.0.0.1:{port}/tape.ts", timeout=TIMEOUT), peer=peers)


@asynccontextmanager
async def http_live_case(folder: Path, port: int) -> AsyncIterator[Case]:
    """A server that neither announces a length nor serves ranges."""
    async with feed.http_server(TAPE.ts, ranges=False, length=False) as place:
        yield Case(lambda: open_source(f"http://127.0.0.1:{place}/live", timeout=TIMEOUT))


@asynccontextmanager
async def rtsp_case(folder: Path, port: int) -> AsyncIterator[Case]:
    """GStreamer's server: MPEG-TS in RTP."""
    async with gst_server(folder, TAPE, seconds=0.3) as server:
        url = server.url("ts")
        yield Case(lambda: open_source(url, timeout=2.0), peer=[server.process])


@asynccontextmanager
async def rtsp_track_case(folder: Path, port: int) -> AsyncIterator[Case]:
    """KLV as a separate RTP track (RFC 6597)."""
    payloads = [(3000 * number, packet) for number, packet in enumerate(TAPE.klv)]
    async with feed.RtspServer(payloads, feed.RtspServer.KLV) as server:
        yield Case(lambda: open_source(f"rtsp://127.0.0.1:{server.port}/live", timeout=TIMEOUT))


KINDS = {
    "file": Kind(file_case, shared=True),
    "KLV file": Kind(klv_file_case, shared=True),
    "replay": Kind(replay_case, shared=True),
    "growing file": Kind(follow_case, ends=False, shared=True),
    "file by libav": Kind(libav_case, shared=True),
    "stdin": Kind(cat_case, ("cat",), again=False, peer=True),
    "udp": Kind(udp_case, ("ffmpeg",), ends=False, peer=True),
    "udp native": Kind(udp_native_case, ("ffmpeg",), ends=False, peer=True),
    "udp by libav": Kind(udp_libav_case, ("ffmpeg",), ends=False, peer=True),
    "multicast": Kind(multicast_case, ("ffmpeg",), ends=False, shared=True, peer=True),
    "rtp": Kind(rtp_case, ("ffmpeg",), ends=False, peer=True),
    "tcp, called": Kind(tcp_case, ("ffmpeg",), peer=True, held=True),
    "tcp": Kind(tcp_server_case, shared=True),
    "srt": Kind(srt_case, ("libsrt", "srt-live-transmit"), ends=False, peer=True, held=True),
    "http": Kind(http_case, shared=True, peer=True),
    "http, endless": Kind(http_live_case, shared=True),
    "rtsp": Kind(rtsp_case, ("gst-rtsp-server",), shared=True, peer=True),
    "rtsp, a separate track": Kind(rtsp_track_case, shared=True),
}


def kinds(wanted: Callable[[Kind], bool] = lambda kind: True) -> pytest.MarkDecorator:
    """The kinds with a property, each skipped where its program is missing."""
    params = [
        pytest.param(kind, id=name, marks=[pytest.mark.needs(*kind.needs)] if kind.needs else [])
        for name, kind in KINDS.items()
        if wanted(kind)
    ]
    return pytest.mark.parametrize("case", params, indirect=True)


@pytest.fixture
async def case(request: pytest.FixtureRequest, tmp_path: Path, free_port: int) -> AsyncIterator[Case]:
    kind: Kind = request.param
    async with kind.open(tmp_path, free_port) as case:
        case.ends = kind.ends
        yield case


@asynccontextmanager
async def begun(case: Case, source: Source) -> AsyncIterator[AsyncGenerator[Packet | Units, None]]:
    """A source's packets, while its peer sends."""
    async with aclosing(source.packets()) as packets:
        sending = asyncio.ensure_future(case.begin())
        try:
            yield packets
        finally:
            sending.cancel()
            await asyncio.wait([sending])
            if case.begin is not nothing:
                await killed(case.peer)  # the next reading has a new sender


async def killed(peers: list[Process]) -> None:
    for process in peers:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@dataclass
class Read:
    """The output: records, and the bytes of the packets."""

    records: list[Record] = field(default_factory=list)
    data: bytes = b""


async def read(case: Case, source: Source, within: float = 8.0) -> Read:
    """All until the source ends, or as many records as the peer certainly sends."""
    got, decoder = Read(), Decoder("test", None)
    async with asyncio.timeout(within), begun(case, source) as packets:
        async for packet in packets:
            got.records += decoder.feed(packet)
            got.data += packet.data if isinstance(packet, Packet) else b""
            if not case.ends and len(got.records) >= case.wanted:
                return got
    got.records += decoder.flush()
    return got


async def freed(files: set[str], threads: set[threading.Thread], within: float = 2.0) -> None:
    """Return once no new descriptor and no new thread is left; fails after `within` seconds."""
    try:
        async with asyncio.timeout(within):
            while (open_files() - files) or (running() - threads):
                await asyncio.sleep(0.005)
    except TimeoutError:
        pytest.fail(f"left behind: {open_files() - files}, {running() - threads}")


def running() -> set[threading.Thread]:
    """All threads except those of the loop's executor, which the loop ends itself."""
    return {thread for thread in threading.enumerate() if not thread.name.startswith("asyncio_")}


def is_tape(case: Case, got: Read) -> None:
    """The records of the tape, in order, each once and valid, from the first on."""
    assert [record.raw for record in got.records] == TAPE.klv[: len(got.records)]
    assert all(record.good for record in got.records)
    assert len(got.records) >= case.wanted


@kinds()
async def test_a_source_yields_what_was_sent(case: Case):
    """Every record, once, in order, valid; where nothing is repacked, every byte too."""
    got = await read(case, case.make())

    is_tape(case, got)
    if case.exact is not None:
        assert got.data == case.exact


@kinds(lambda kind: kind.again)
async def test_a_source_can_be_read_again(case: Case):
    """After its end a source is opened again by asking for its packets, as a relay does on a reconnect."""
    source = case.make()
    is_tape(case, await read(case, source))
    is_tape(case, await read(case, source))


@kinds()
async def test_a_new_source_with_the_same_settings_works_afterwards(case: Case):
    """No port, connection or file blocks it."""
    is_tape(case, await read(case, case.make()))
    is_tape(case, await read(case, case.make()))


@kinds(lambda kind: kind.shared)
async def test_two_readers_do_not_disturb_each_other(case: Case):
    """Where the far end accepts several, each gets all data."""
    first, second = case.make(), case.make()
    both = Case(case.make, wanted=case.wanted, ends=case.ends)
    waiting = asyncio.create_task(read(both, second))
    await asyncio.sleep(0)
    is_tape(case, await read(case, first))
    is_tape(case, await waiting)


@kinds()
async def test_records_of_live_sources_have_the_arrival_time(case: Case):
    """It is the system time; data that was never live has none."""
    source = case.make()
    stamps = [record.received_us for record in (await read(case, source)).records]

    if type(source).__name__ == "GrowingSource":  # data that existed at the opening was never live
        stamps = stamps[stamps.count(None) :]
    if source.live or type(source).__name__ in ("ReplaySource", "GrowingSource"):
        assert all(stamp is not None and 1e15 < stamp < 4e15 for stamp in stamps)
        assert stamps == sorted(stamps)
    else:
        assert set(stamps) == {None}


@kinds()
async def test_the_link_counts_received_data(case: Case):
    """From nothing, up to date, and continuously however often the source is opened."""
    source = case.make()
    assert source.link.size == 0

    got = await read(case, source)

    first, least = source.link.size, max(len(got.data), sum(len(record.raw) for record in got.records))
    assert first >= least
    if source.url.scheme != "stdin":
        again = await read(case, source)
        assert source.link.size >= first + sum(len(record.raw) for record in again.records)
    assert source.dropped == 0


@kinds()
async def test_closing_frees_sockets_files_and_threads(case: Case):
    """A reader that stops in the middle leaves nothing open."""
    source, threads, files = case.make(), set(threading.enumerate()), open_files()

    async with asyncio.timeout(5), begun(case, source) as packets:
        await anext(packets)
        began = asyncio.get_running_loop().time()
        await packets.aclose()
        assert asyncio.get_running_loop().time() - began < 0.2

    await killed(case.peer)
    await freed(files, threads, LIBSRT_CLOSES if source.url.scheme == "srt" else 2 * TIMEOUT + 1)


@kinds()
async def test_cancelling_its_task_frees_sockets_files_and_threads(case: Case):
    """A reader that is cancelled at any moment, here while it waits for the first packet, leaves nothing open."""
    source, threads = case.make(), set(threading.enumerate())
    files = open_files()
    still = Case(case.make, ends=False)

    task = asyncio.create_task(read(still, source))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()

    await freed(files, threads)


@kinds(lambda kind: kind.peer and kind.ends)
async def test_a_peer_that_dies_is_noticed(case: Case):
    """Killed in the middle: a source with a connection ends, or is down, in time."""
    async with asyncio.timeout(8), begun(case, case.make()) as packets:
        await anext(packets)
        await killed(case.peer)
        async with asyncio.timeout(TIMEOUT + 1.5):
            with suppress(SourceDown):
                async for _ in packets:
                    pass


@kinds(lambda kind: kind.peer and not kind.ends and not kind.held)
async def test_a_sender_that_dies_is_no_end(case: Case):
    """A dead sender of datagrams equals a silent one: the source receives the next one."""
    late = set(TAPE.klv[case.wanted - 1 :])
    decoder = Decoder("test", None)
    async with asyncio.timeout(8), begun(case, case.make()) as packets:
        decoder.feed(await anext(packets))
        await killed(case.peer)
        await case.begin()
        async for packet in packets:
            if any(record.raw in late for record in decoder.feed(packet)):
                break


@kinds(lambda kind: kind.held)
async def test_a_peer_that_freezes_is_noticed(case: Case):
    """Stopped, with the connection open: down after the timeout, and the error says for how long no data arrived."""
    with pytest.raises(SourceDown, match=f"sent nothing for {TIMEOUT:g} s"):
        await read_frozen(case)


async def read_frozen(case: Case) -> None:
    async with asyncio.timeout(TIMEOUT + 3), begun(case, case.make()) as packets:
        await anext(packets)
        for process in case.peer:
            process.send_signal(signal.SIGSTOP)
        async for _ in packets:
            pass


SECRET = "c4n4ry"


@pytest.mark.parametrize(
    "url",
    [
        f"rtsp://user:{SECRET}@127.0.0.1:1/live?token={SECRET}",
        f"rtsps://user:{SECRET}@127.0.0.1:1/live",
        f"http://user:{SECRET}@127.0.0.1:1/live.ts?token={SECRET}",
        f"https://user:{SECRET}@127.0.0.1:1/live.m3u8?token={SECRET}",
        f"tcp://user:{SECRET}@127.0.0.1:1",
        f"udp://user:{SECRET}@192.0.2.1:1",
    ],
)
async def test_no_source_shows_a_secret(url: str):
    """Neither in the text form of a source nor in its errors."""
    source = open_source(url, timeout=0.3, passphrase=Secret(SECRET))
    shown = [str(source.url), repr(source.url), str(source), repr(source)]
    with pytest.raises(SourceError) as failed:
        async with asyncio.timeout(5), aclosing(source.packets()) as packets:
            await anext(packets)
    assert SECRET not in "".join([*shown, str(failed.value), repr(failed.value)])


async def test_all_demultiplexers_give_the_same_records_of_a_real_recording(shared: Path):
    """The transport lane, libav and a replay agree on a real flight, byte for byte and time for time."""
    path = str(shared / "data" / "osh_sample_stream.ts")
    found = []
    for source in (open_source(path), open_source(path, demux="libav"), open_source(path, speed=200)):
        got = await read(Case(lambda s=source: s), source)  # type: ignore[misc]
        found.append([(record.raw, record.pts, record.pid) for record in got.records])

    assert len(found[0]) == 277
    assert found[1] == found[0]
    assert found[2] == found[0]
