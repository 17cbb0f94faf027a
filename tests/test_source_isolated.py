"""A source in a separate process behaves the same: contract, records, secrets, and no leaks."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from pathlib import Path

import feed
import pytest
from cases import each_case
from descriptors import open_files
from isolated_cases import KINDS, TAPE, Case, children, freed, isolated, name_of, read, records, until
from isolated_cases import replay_case as replay
from isolated_cases import stdin_case as stdin
from test_cli import ENVIRONMENT

from klvrelay.config.url import Url
from klvrelay.decoder import Decoder
from klvrelay.errors import ConfigError, NotMedia, SourceDown, SourceError
from klvrelay.sources.isolated.source import IsolatedSource
from klvrelay.sources.open import open_source
from klvrelay.text import Secret

pytestmark = pytest.mark.usefixtures("no_process_is_left")

CANARY = "c4n4ry-s3cret"


@pytest.fixture
async def case(request: pytest.FixtureRequest, tmp_path: Path, free_port: int) -> AsyncIterator[Case]:
    async with request.param(tmp_path, free_port) as case:
        yield case


def every_kind(*, but: object = None) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", [kind for kind in KINDS if kind is not but], ids=name_of, indirect=True)


@every_kind()
async def test_an_isolated_source_yields_what_was_sent(case):
    """Every byte, once, in order; and the decoder outputs the same KLV packets."""
    got = await read(case)

    wanted = TAPE.ts if got[0].carriage == "ts" else TAPE.bare
    assert b"".join(packet.data for packet in got) == wanted
    assert not any(packet.damaged for packet in got)
    decoder = Decoder("test", None)
    found = [record for packet in got for record in decoder.feed(packet)] + decoder.flush()
    assert [record.raw for record in found] == TAPE.klv
    assert all(record.good for record in found)


@every_kind(but=stdin)
async def test_a_source_can_be_read_again(case):
    """With a new process for each reading."""
    first = await read(case)
    second = await read(case)

    assert b"".join(packet.data for packet in second) == b"".join(packet.data for packet in first)


@every_kind()
async def test_packets_of_live_sources_have_the_arrival_time(case, request):
    """The arrival at the process; data that was never live has none."""
    got = await read(case)

    stamps = [packet.received_us for packet in got]
    if case.source.live or replay in request.node.callspec.params.values():
        assert all(1e15 < stamp < 4e15 for stamp in stamps)
        assert stamps == sorted(stamps)
    else:
        assert set(stamps) == {None}


@every_kind()
async def test_closing_frees_sockets_files_and_threads(case):
    """A reader that stops in the middle leaves nothing open, and no process."""
    files, threads = open_files(), set(threading.enumerate())
    case.ends, case.size = False, 1

    await read(case)

    await freed(files, threads, within=2)


@every_kind()
async def test_cancelling_its_task_frees_sockets_files_and_threads(case):
    """A reader that is cancelled while it waits for the first packet leaves nothing open."""
    files, threads = open_files(), set(threading.enumerate())

    task = asyncio.create_task(records(case.source))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    await freed(files, threads, within=2)


async def test_a_real_recording_gives_the_same_packets_either_way(shared):
    """Byte for byte and time for time, by the lane, by libav and with original timing."""
    path = str(shared / "data" / "osh_sample_stream.ts")

    for options in {}, {"demux": "libav"}, {"speed": 200.0}:
        plain, apart = await records(open_source(path, **options)), await records(isolated(path, **options))

        assert len(plain) == 277
        assert [r._replace(received_us=None) for r in apart] == [r._replace(received_us=None) for r in plain]


async def test_the_pieces_of_a_large_file_arrive_complete(tmp_path):
    """The packets are equal, though each is larger than the socket buffer."""
    path = tmp_path / "large.ts"
    path.write_bytes(feed.recording(40, filler=1300).ts)  # 10 MB: more than two pieces

    plain = [packet async for packet in open_source(str(path)).packets()]
    apart = [packet async for packet in isolated(str(path)).packets()]

    assert len(plain) > 2
    assert apart == plain


@pytest.mark.needs("ffmpeg")
async def test_data_sent_by_ffmpeg_arrives(tmp_path, free_port):
    """Datagrams of a real sender, from the first one on: all records, in order, each with its arrival time."""
    path = tmp_path / "tape.ts"
    path.write_bytes(feed.recording(30).ts)
    source = isolated(f"udp://127.0.0.1:{free_port}", demux="native")
    decoder, found = Decoder("a", "b"), []

    async def read() -> None:
        async with aclosing(source.packets()) as packets:
            async for packet in packets:
                found.extend(decoder.feed(packet))
                if len(found) >= 29:  # ffmpeg may not send the last one
                    return

    async with asyncio.timeout(10):
        reading = asyncio.create_task(read())
        await feed.listening(free_port)
        async with feed.ffmpeg(path, "-f", "mpegts", f"udp://127.0.0.1:{free_port}?pkt_size=1316"):
            await reading

    assert [r.items["mission_id"] for r in found] == [str(number) for number in range(len(found))]
    assert all(r.good and 1e15 < r.received_us < 4e15 for r in found)


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("udp://127.0.0.1", {}),
        ("gopher://127.0.0.1:70", {}),
        ("udp://127.0.0.1:5000", {"speed": 2.0}),
        ("udp://127.0.0.1:5000", {"timeout": 0}),
        ("x.ts", {"speed": -1.0}),
        ("rtsps://127.0.0.1/live", {"ca_file": "/nowhere.pem"}),
    ],
)
async def test_a_wrong_option_is_refused_before_anything_starts(url, options):
    """With the same message as without isolation."""
    with pytest.raises(ConfigError) as plain:
        open_source(url, **options)

    with pytest.raises(ConfigError) as apart:
        isolated(url, **options)

    assert str(apart.value) == str(plain.value)
    assert not children()


async def test_it_raises_the_error_of_the_source(tmp_path, free_port):
    """The same kind of error, with the same message."""
    junk = tmp_path / "junk.ts"
    junk.write_bytes(bytes(1000))
    cases = (str(junk), NotMedia), (str(tmp_path / "none.ts"), SourceDown), (f"tcp://127.0.0.1:{free_port}", SourceDown)

    for url, kind in cases:
        with pytest.raises(kind) as plain:
            await records(open_source(url))
        with pytest.raises(kind) as apart:
            await records(isolated(url))
        assert str(apart.value) == str(plain.value)


@pytest.mark.needs("libsrt")
def test_a_passphrase_of_the_environment_goes_to_the_process(monkeypatch):
    """Its environment is another one."""
    monkeypatch.setenv("KLVRELAY_SRT_PASSPHRASE", CANARY)

    settings = json.loads(isolated("srt://h:9000")._settings())

    assert settings["options"]["passphrase"] == {"secret": CANARY}
    assert json.loads(isolated("srt://h:9000", passphrase="another-one")._settings())["options"]["passphrase"] == {
        "secret": "another-one"
    }


@each_case("demux", [None, "native", "libav"])
@each_case("url", ["x.ts", "-", "udp://:5000", "rtp://:5000", "tcp://h:1", "rtsp://h/live", "https://h/x"])
def test_every_kind_is_isolated(url, demux):
    """The demultiplexer of each runs in the process."""
    assert type(isolated(url, demux=demux)) is IsolatedSource


async def test_an_error_shows_the_non_secret_parts_of_a_url():
    """Options that are no secret stay in its text, as without isolation."""
    url = "udp://239.255.1.1:5000?interface=no-such-interface&sender=10.20.30.40"
    with pytest.raises(SourceError) as plain:
        await records(open_source(url))

    with pytest.raises(SourceError) as apart:
        await records(isolated(url))

    assert "no-such-interface" in str(plain.value)
    assert str(apart.value) == str(plain.value)


async def test_a_path_of_any_bytes_is_opened(tmp_path):
    """A name that is not UTF-8, or looks like a URL, is a valid name."""
    for name in (b"\xff\xfe.ts", b"udp:", "é ü.ts".encode()):
        path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
        path.write_bytes(TAPE.ts)

        assert len(await records(isolated(Url.parse(path)))) == len(TAPE.klv)


async def test_no_secret_is_where_others_can_read_it(free_port, caplog, monkeypatch):
    """A password is in neither the arguments nor the environment of the process, nor in the log, nor in an error."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("BROKER_PASSWORD", CANARY)
    url = f"rtsp://pilot:{CANARY}@127.0.0.1:{free_port}/live?token={CANARY}"
    came = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.set()
        await reader.read()
        writer.close()

    source = isolated(url, timeout=0.5, passphrase=Secret(CANARY))
    async with await asyncio.start_server(say_nothing, "127.0.0.1", free_port):
        reading = asyncio.create_task(records(source))
        async with asyncio.timeout(5):
            await came.wait()
        [pid] = children()
        seen = Path(f"/proc/{pid}/cmdline").read_bytes()
        with suppress(PermissionError):  # only root may read it
            environment = Path(f"/proc/{pid}/environ").read_bytes()
            assert b"PATH=" in environment
            seen += environment
        with pytest.raises(SourceDown) as fault:
            await reading

    assert b"klvrelay.sources.isolated.child" in seen
    assert CANARY.encode() not in seen
    assert CANARY not in caplog.text + str(fault.value) + repr(fault.value.__dict__) + str(source.url)


async def test_the_child_is_confined(free_port):
    """A separate session, no core file, no new rights; it dies with its parent, and first where memory is short."""
    source = isolated(f"udp://127.0.0.1:{free_port}")
    reading = asyncio.create_task(records(source))
    await feed.listening(free_port)
    [pid] = children()

    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    limits = Path(f"/proc/{pid}/limits").read_text()
    score = int(Path(f"/proc/{pid}/oom_score_adj").read_text())

    assert status["NoNewPrivs"] == "1"
    assert int(status["SigIgn"], 16) & 1 << signal.SIGINT - 1
    assert os.getsid(pid) == pid != os.getsid(0)
    assert [line.split()[4] for line in limits.splitlines() if "core file" in line] == ["0"]
    assert score > int(Path("/proc/self/oom_score_adj").read_text())
    assert os.getpriority(os.PRIO_PROCESS, pid) == os.getpriority(os.PRIO_PROCESS, 0)
    reading.cancel()
    await asyncio.wait([reading])


async def test_a_signal_to_all_processes_is_handled_by_the_relay(free_port):
    """As a terminal or a service manager sends it: the source continues until the relay closes it."""
    source = isolated(f"udp://127.0.0.1:{free_port}")
    async with asyncio.timeout(5), aclosing(source.packets()) as packets:
        reading = asyncio.create_task(anext(packets))
        await feed.listening(free_port)
        [pid] = children()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(pid, number)
        feed.send_udp([TAPE.ts[:188]], free_port)

        assert (await reading).data == TAPE.ts[:188]


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 5, 8, 13, 40, 200])
async def test_it_can_be_cancelled_at_any_turn(turns, tmp_path):
    """Before the process exists, while it starts, while it reads: nothing is left."""
    files, threads = open_files(), set(threading.enumerate())
    fifo = tmp_path / "silent"
    os.mkfifo(fifo)

    task = asyncio.create_task(records(isolated(str(fifo))))
    for _ in range(turns):
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    await freed(files, threads, within=2)


async def test_a_second_cancellation_does_not_wait(tmp_path):
    """A second cancellation during the stop kills the process at once."""
    fifo = tmp_path / "silent"
    os.mkfifo(fifo)
    task = asyncio.create_task(records(isolated(str(fifo))))
    [pid] = await until(children)
    os.kill(pid, signal.SIGSTOP)
    task.cancel()
    await asyncio.sleep(0.01)
    begun = time.monotonic()
    task.cancel()

    await asyncio.wait([task])

    assert time.monotonic() - begun < 0.5
    assert not children()


async def test_sixteen_processes_start_at_once(tmp_path):
    """Each yields its own stream."""
    paths = []
    for number in range(16):
        paths.append(tmp_path / f"{number}.ts")
        paths[-1].write_bytes(feed.recording(number + 1).ts)

    found = await asyncio.gather(*(records(isolated(str(path))) for path in paths))

    assert [len(of_one) for of_one in found] == list(range(1, 17))


@pytest.mark.long
@pytest.mark.timeout(240)
async def test_two_hundred_readings_leak_nothing(tmp_path):
    """As many descriptors, threads and children as before; some end, some are closed in the middle."""
    path = tmp_path / "tape.ts"
    path.write_bytes(TAPE.ts)
    source = isolated(str(path), speed=100)
    await records(source)
    files, threads = open_files(), set(threading.enumerate())

    for cycle in range(200):
        if cycle % 2:
            assert len(await records(source)) == len(TAPE.klv)
            continue
        async with aclosing(source.packets()) as packets:
            await anext(packets)

    await freed(files, threads, within=2)


PARENT = """
import asyncio, sys
from klvrelay.sources.open import open_source
from klvrelay.sources.isolated.source import IsolatedSource
async def main():
    async for packet in open_source(sys.argv[1], isolate=True).packets():
        pass
asyncio.run(main())
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV], ids=lambda number: number.name)
def test_no_process_outlives_the_relay(number, tmp_path):
    """However the relay dies, the process ends with it, even a stopped one."""
    fifo = tmp_path / "silent"
    os.mkfifo(fifo)
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(fifo)], env=ENVIRONMENT, stderr=subprocess.DEVNULL
    )
    try:
        child = _eventually(lambda: _child_of(parent.pid))
        _eventually(lambda: _ignores(child, signal.SIGINT))
        if number == signal.SIGKILL:
            os.kill(child, signal.SIGSTOP)
    finally:
        parent.send_signal(number)
        parent.wait()

    _eventually(lambda: not _runs(child))


def _eventually(condition, within: float = 20.0):
    deadline = time.monotonic() + within
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


def _child_of(pid: int) -> int:
    pids = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(pids[0]) if pids else 0


def _ignores(pid: int, number: signal.Signals) -> bool:
    ignored = Path(f"/proc/{pid}/status").read_text().partition("SigIgn:\t")[2].split()[0]
    return bool(int(ignored, 16) & 1 << number - 1)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
