"""Sinks over sockets and on standard output: framing, limits, slow readers, and the process."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from brokers import until
from conftest import ROOT
from far_ends import settings_of
from records import platform, record, spoilt
from test_cli import COMMAND

from klvrelay.config.settings import SinkSettings
from klvrelay.config.settings_file import sinks_of_urls
from klvrelay.decoder import decode
from klvrelay.errors import ConfigError, SinkDown
from klvrelay.gap import Gap
from klvrelay.outcome import Outcome
from klvrelay.relay.build import shaper_of
from klvrelay.sinks.contract import Sink
from klvrelay.sinks.open import open_sink

ORBIT = ROOT / "samples" / "orbit.ts"


def sink_to(url: str, **settings: object) -> Sink:
    made = SinkSettings("lines", settings_of(url, **settings))
    return open_sink(made, shaper_of(made), "5f2c9a")


async def test_klv_framing_sends_the_packets_and_nothing_else(tmp_path: Path):
    """Back to back; a reader finds the length in each. What is no KLV packet is counted."""
    got = bytearray()
    served = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got.extend(await reader.read(-1))
        writer.close()
        served.set()

    async with await asyncio.start_unix_server(serve, tmp_path / "klv.sock"):
        async with sink_to(f"unix://{tmp_path}/klv.sock", framing="klv") as sink:
            outcome = await sink.deliver([record(0), spoilt(1), Gap("uav1", "5f2c9a", 2, 3, "memory", None), record(4)])
        await asyncio.wait_for(served.wait(), 5)
    assert outcome == Outcome(delivered=2, unwanted=1, gaps=1)
    assert [each.raw for each in decode(bytes(got))] == [record(0).raw, record(4).raw]


async def test_a_record_that_is_too_large_for_a_datagram_is_left_out():
    """Its neighbours are sent."""
    with socket.socket(type=socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        async with sink_to(f"udp://127.0.0.1:{receiver.getsockname()[1]}") as sink:
            large = record(1, raw=platform(1, (59, b"x" * 70_000)))
            outcome = await sink.deliver([record(0), large, record(2)])
        receiver.setblocking(False)
        lines = [json.loads(receiver.recv(65536)) for _ in range(2)]
    assert outcome == Outcome(delivered=2, left_out=1)
    assert [line["seq"] for line in lines] == [0, 2]


async def test_without_a_receiver_datagrams_are_still_sent(free_port: int, caplog: pytest.LogCaptureFixture):
    """One that starts later gets what follows. The log says so once."""
    async with sink_to(f"udp://127.0.0.1:{free_port}") as sink:
        for number in range(5):
            assert await sink.deliver([record(number)]) == Outcome(delivered=1)
        with socket.socket(type=socket.SOCK_DGRAM) as receiver:
            receiver.bind(("127.0.0.1", free_port))
            receiver.settimeout(5)
            await sink.deliver([record(5)])
            assert json.loads(receiver.recv(65536))["seq"] == 5
    assert len([line for line in caplog.messages if "no receiver is listening" in line]) == 1


async def test_a_server_that_does_not_read_ends_the_connection_after_the_time_limit():
    """Nothing counts as delivered."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        server.bind(("127.0.0.1", 0))
        server.listen()
        large = [record(number, raw=platform(number, (59, b"x" * 9000))) for number in range(2000)]
        async with sink_to(f"tcp://127.0.0.1:{server.getsockname()[1]}", timeout=0.3) as sink:
            with pytest.raises(SinkDown, match="no longer answers") as lost:
                await sink.deliver(large)
    assert lost.value.answered == Outcome()


@pytest.mark.parametrize("scheme", ["tcp", "unix"])
async def test_a_server_that_reads_slowly_gets_everything_once(scheme: str, tmp_path: Path):
    """The time limit counts from the last byte that it took, not for a whole batch."""
    large = [record(number, raw=platform(number, (59, b"x" * 9000))) for number in range(60)]
    with socket.socket(socket.AF_UNIX if scheme == "unix" else socket.AF_INET) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        server.bind(str(tmp_path / "s.sock") if scheme == "unix" else ("127.0.0.1", 0))
        server.listen()
        server.setblocking(False)
        host = tmp_path / "s.sock" if scheme == "unix" else f"127.0.0.1:{server.getsockname()[1]}"
        async with sink_to(f"{scheme}://{host}", timeout=0.3) as sink:
            reading = asyncio.create_task(_read_slowly(server, seconds=1.0))
            begun = asyncio.get_running_loop().time()
            outcome = await sink.deliver(large)
            took = asyncio.get_running_loop().time() - begun
        got = await asyncio.wait_for(reading, 5)
    assert outcome == Outcome(delivered=60)
    assert took > 0.3
    assert [json.loads(line)["seq"] for line in got.splitlines()] == list(range(60))


async def _read_slowly(server: socket.socket, seconds: float) -> bytes:
    """Read 20 kB at a time, with pauses for this time, then the rest."""
    loop, got = asyncio.get_running_loop(), bytearray()
    connection, _ = await loop.sock_accept(server)
    with connection:
        until_fast = loop.time() + seconds
        while piece := await loop.sock_recv(connection, 20_000):
            got += piece
            if loop.time() < until_fast:
                await asyncio.sleep(0.05)
    return bytes(got)


async def test_a_server_that_sends_without_end_gets_its_records_and_is_slowed_down():
    """What it sends is discarded, a limited amount at a time, so its own connection holds it up."""
    served: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        flood = asyncio.create_task(_flood(writer))
        for number in range(50):
            assert json.loads(await reader.readline())["seq"] == number
        await asyncio.wait({flood}, timeout=0.5)
        served.set_result(flood.cancel())
        writer.transport.abort()

    async with (
        await asyncio.start_server(serve, "127.0.0.1", 0) as server,
        sink_to(f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}") as sink,
    ):
        watch = asyncio.create_task(sink._far_end.lost())  # type: ignore[attr-defined]
        for number in range(50):
            assert await sink.deliver([record(number)]) == Outcome(delivered=1)
        assert await asyncio.wait_for(served, 5), "all was read"
        await asyncio.wait_for(watch, 5)


async def test_a_server_that_answers_reads_everything_after_the_connection_is_closed():
    """Answers that were not read would reset the connection."""
    answered, read = asyncio.Event(), asyncio.Event()
    got = bytearray()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"ok\n" * 100)
        await writer.drain()
        answered.set()
        await closed.wait()
        got.extend(await reader.read(-1))
        writer.close()
        read.set()

    closed = asyncio.Event()
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        async with sink_to(f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}") as sink:
            await sink.deliver([record(0)])
            await asyncio.wait_for(answered.wait(), 5)
        closed.set()
        await asyncio.wait_for(read.wait(), 5)
    assert got.count(b"\n") == 1


async def _flood(writer: asyncio.StreamWriter) -> None:
    """Send 64 MiB: more than the buffers of a connection."""
    for _ in range(1024):
        writer.write(bytes(65536))
        await writer.drain()


async def test_an_idle_connection_that_the_server_closes_is_noticed():
    """Without anything to send."""
    async with await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with sink_to(f"tcp://127.0.0.1:{port}") as sink:
            lost = await asyncio.wait_for(sink._far_end.lost(), 5)  # type: ignore[attr-defined]
    assert re.search(r"the receiver closed the connection", str(lost))


def test_standard_output_has_a_line_for_each_record():
    """And nothing else: logs are on standard error."""
    done = subprocess.run(
        [*COMMAND, "replay", str(ORBIT), "--speed", "1000", "--sink", "-"], capture_output=True, timeout=30, check=True
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["seq"] for line in lines] == list(range(360))
    assert b"360 delivered to standard output" in done.stderr


def test_a_reader_that_goes_away_ends_the_relay():
    """With exit code 1 and without a traceback."""
    with subprocess.Popen(
        [*COMMAND, "replay", str(ORBIT), "--loop", "--speed", "1000", "--sink", "-"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as relay:  # fmt: skip
        assert relay.stdout is not None
        assert relay.stderr is not None
        relay.stdout.readline()
        relay.stdout.close()
        said = relay.stderr.read()
        assert relay.wait(20) == 1
    assert b"can't write to standard output: broken pipe" in said
    assert b"Traceback" not in said


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("tcp://127.0.0.1", "the port is missing"),
        ("tcp://:5000", "the host is missing"),
        ("udp://u:s3cret@h:5", "has no user and no path"),
        ("unix://host/path", "absolute path"),
        ("tcp://h:5?framing=xml", "framing: must be json, klv"),
        ("tcp://h:5?frame=klv", "did you mean framing"),
        ("tcp://h:5?interface=lo", "interface: applies to udp://"),
        ("udp://h:5?ttl=0", "ttl: must be from 1 to 255"),
        ("tpc://h:5", "did you mean tcp"),
        (f"unix:///{'x' * 107}", "at most 107 bytes"),
    ],
)
def test_a_wrong_url_is_refused_with_what_is_valid(url: str, says: str):
    """Without a part that may be a password."""
    with pytest.raises(ConfigError, match=says) as refused:
        sinks_of_urls([url], ())
    assert "s3cret" not in str(refused.value)


def test_sinks_of_the_command_line_have_different_names():
    """By kind, with a number."""
    sinks = sinks_of_urls(["-", "tcp://h:1", "mqtt://h", "mqtt://i"], ["mqtt"])
    assert [sink.name for sink in sinks] == ["lines", "lines-2", "mqtt-2", "mqtt-3"]


async def test_the_server_of_the_page_reads_what_is_sent(free_port: int, tmp_path: Path):
    """The example in docs/lines.md runs as it stands, but for its port."""
    (program,) = re.findall(r"(?ms)^```python\n(.*?)^```", (ROOT / "docs" / "lines.md").read_text())
    assert "5001" in program
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-u", "-c", program.replace("5001", str(free_port)), stdout=asyncio.subprocess.PIPE
    )
    try:
        sink = sink_to(f"tcp://127.0.0.1:{free_port}")
        await _entered(sink)
        await sink.deliver([record(0), record(1)])
        assert server.stdout is not None
        assert await asyncio.wait_for(server.stdout.readline(), 10) == b"uav1 0 None\n"
        await sink.__aexit__(None, None, None)
    finally:
        server.kill()
        await server.wait()


async def _entered(sink: Sink) -> None:
    """Enter it once its far end listens."""
    up = False

    async def attempt() -> None:
        nonlocal up
        while not up:
            try:
                await sink.__aenter__()
                up = True
            except SinkDown:
                await asyncio.sleep(0.05)

    task = asyncio.create_task(attempt())
    await until(lambda: up)
    await task
