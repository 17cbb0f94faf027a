"""The far ends of `send`: klvrelay's sources, ffmpeg and ffprobe, multicast, a receiver that disconnects, none at all.
"""

from __future__ import annotations

import asyncio
import json
import os
import pty
import re
import signal
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path

import feed
import pytest
from brokers import until
from test_cli import ran
from test_relay_process import COMMAND, ENVIRONMENT, klvrelay

from klvrelay import decode, sample
from klvrelay.cli.verbs.send import send
from klvrelay.config.url import Url
from klvrelay.decoder import Decoder
from klvrelay.errors import ConfigError, SourceDown
from klvrelay.record import Record
from klvrelay.sending import open_destination
from klvrelay.sources.open import open_source

TAPE = feed.recording(count=30, hz=30, filler=20)


@pytest.fixture
def tape(tmp_path: Path) -> str:
    path = tmp_path / "flight.ts"
    path.write_bytes(TAPE.ts)
    return str(path)


@asynccontextmanager
async def heard(url: str, **options: object) -> AsyncIterator[list[Record]]:
    """The records that a klvrelay source receives meanwhile."""
    records: list[Record] = []

    async def listen() -> None:
        decoder = Decoder("uav1", None)
        async with aclosing(open_source(url, **options).packets()) as packets:  # type: ignore[arg-type]
            async for packet in packets:
                records.extend(decoder.feed(packet))
        records.extend(decoder.flush())

    task = asyncio.create_task(listen())
    try:
        yield records
    finally:
        task.cancel()
        await asyncio.wait([task])


def raws(records: list[Record]) -> list[bytes]:
    return [record.raw for record in records if record.good]


@pytest.mark.parametrize("scheme", ["udp", "rtp"])
async def test_a_klvrelay_source_receives_every_record(scheme: str, tape: str, free_port: int) -> None:
    """By UDP and by RTP: all of it, in order, and nothing damaged."""
    url = f"{scheme}://127.0.0.1:{free_port}"
    async with heard(url, demux="native") as records:
        await feed.listening(free_port)
        job = await send(tape, url, speed=5, quiet=True)
        await until(lambda: len(records) >= 30)
    assert raws(records) == TAPE.klv
    assert (job.size - len(TAPE.ts)) == (12 * job.datagrams if scheme == "rtp" else 0)


async def test_a_klvrelay_source_connects_to_it(tape: str, free_port: int) -> None:
    """tcp:// to a source that listens, and (`listen=1`) from one that connects."""
    async with heard(f"tcp://127.0.0.1:{free_port}?listen=1") as records:
        await feed.listening(free_port, "tcp")
        await send(tape, f"tcp://127.0.0.1:{free_port}", speed=10, quiet=True)
        await until(lambda: len(records) >= 30)
    assert raws(records) == TAPE.klv
    task = asyncio.create_task(send(tape, f"tcp://127.0.0.1:{free_port}?listen=1", speed=10, quiet=True))
    await feed.listening(free_port, "tcp")
    async with heard(f"tcp://127.0.0.1:{free_port}") as records:
        await task
        await until(lambda: len(records) >= 30)
    assert raws(records) == TAPE.klv


@pytest.mark.needs("libsrt")
async def test_srt_carries_every_record(tape: str, free_port: int) -> None:
    """To a klvrelay source that listens."""
    async with heard(f"srt://:{free_port}?mode=listener") as records:
        await feed.listening(free_port)
        await send(tape, f"srt://127.0.0.1:{free_port}", speed=10, quiet=True)
        await until(lambda: len(records) >= 30)
    assert raws(records) == TAPE.klv


@pytest.mark.needs("libsrt")
async def test_srt_waits_for_a_caller(tape: str, free_port: int) -> None:
    """A klvrelay source, with a passphrase."""
    key = "passphrase=0123456789abc"
    task = asyncio.create_task(send(tape, f"srt://127.0.0.1:{free_port}?mode=listener&{key}", speed=10, quiet=True))
    await feed.listening(free_port)
    async with heard(f"srt://127.0.0.1:{free_port}?{key}") as records:
        await task
        await until(lambda: len(records) >= 30)
    assert raws(records) == TAPE.klv


@pytest.mark.needs("libsrt", "srt-live-transmit")
async def test_srt_live_transmit_receives_what_is_sent(tape: str, free_port: int, tmp_path: Path) -> None:
    """The tool of libsrt as the receiver: the file is unchanged."""
    process = await asyncio.create_subprocess_exec(
        "srt-live-transmit", f"srt://:{free_port}?mode=listener", "file://con",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        await feed.listening(free_port)
        assert process.stdout is not None
        reading = asyncio.create_task(process.stdout.readexactly(len(TAPE.ts)))
        await send(tape, f"srt://127.0.0.1:{free_port}", speed=2, quiet=True)
        assert await asyncio.wait_for(reading, 5) == TAPE.ts
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@pytest.mark.needs("libsrt")
async def test_srt_without_an_answer_is_exit_code_3(tape: str, free_port: int) -> None:
    """One line, without the passphrase."""
    url = f"srt://127.0.0.1:{free_port}?passphrase=c4n4ry-s3cret"
    async with klvrelay("send", tape, url, "--timeout", "0.5") as command:
        assert await asyncio.wait_for(command.process.wait(), 10) == 3
    assert re.search(r"(?m)^klvrelay: srt://127\.0\.0\.1:\d+\?passphrase=\*\*\*: ", command.said)


async def test_rtp_headers_are_those_of_rfc_2250(tape: str, free_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Version 2, payload type 33, consecutive numbers, one sender, and time stamps of the due times; past a wrap."""
    monkeypatch.setattr("klvrelay.sending.udp.random.getrandbits", lambda bits: (1 << bits) - 2)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        sock.bind(("127.0.0.1", free_port))
        sock.setblocking(False)
        job = await send(tape, f"rtp://127.0.0.1:{free_port}?ssrc=77", speed=10, quiet=True)
        datagrams = [sock.recv(2048) for _ in range(job.datagrams)]
    heads = [struct.unpack(">BBHII", data[:12]) for data in datagrams]
    assert {(first, kind, ssrc) for first, kind, _, _, ssrc in heads} == {(0x80, 33, 77)}
    assert [number for _, _, number, _, _ in heads] == [(heads[0][2] + n) & 0xFFFF for n in range(len(heads))]
    ticks = [(stamp - heads[0][3]) & 0xFFFFFFFF for _, _, _, stamp, _ in heads]
    assert ticks == sorted(ticks)
    assert ticks[-1] == pytest.approx(90_000, abs=4_000)
    assert b"".join(data[12:] for data in datagrams) == TAPE.ts


async def test_bare_klv_reaches_a_klvrelay_source(tmp_path: Path, free_port: int) -> None:
    """By UDP, one packet per datagram, and by TCP."""
    path = tmp_path / "flight.klv"
    path.write_bytes(TAPE.bare)
    async with heard(f"udp://127.0.0.1:{free_port}") as records:
        await feed.listening(free_port)
        await send(str(path), f"udp://127.0.0.1:{free_port}", speed=10, quiet=True)
        await until(lambda: len(records) >= 29)
    assert raws(records) == TAPE.klv[: len(records)]
    async with feed_sink() as (port, came):
        await send(str(path), f"tcp://127.0.0.1:{port}", speed=10, quiet=True)
        await until(lambda: len(came) >= len(TAPE.bare))
    assert bytes(came) == TAPE.bare


@asynccontextmanager
async def feed_sink(*, most: int = 1 << 30) -> AsyncIterator[tuple[int, bytearray]]:
    """A TCP server that stores what it receives, and closes after `most` bytes."""
    came = bytearray()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while len(came) < most and (piece := await reader.read(65536)):
            came.extend(piece)
        writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], came


async def test_multicast_uses_the_requested_interface(tape: str, free_port: int) -> None:
    """A group on loopback, with a time to live."""
    group = f"udp://239.77.1.2:{free_port}"
    async with heard(group, interface="lo") as records:
        await feed.listening(free_port)
        await send(tape, f"{group}?ttl=1&interface=127.0.0.1", speed=10, quiet=True)
        await until(lambda: len(records) >= 30)
    assert raws(records) == TAPE.klv


async def test_ipv6_works_too(tape: str, free_port: int) -> None:
    """To a host; a group needs a route, which loopback does not have everywhere."""
    async with heard(f"udp://[::1]:{free_port}") as records:
        await feed.listening(free_port)
        await send(tape, f"udp://[::1]:{free_port}", speed=10, quiet=True)
        await until(lambda: len(records) >= 30)
    assert raws(records) == TAPE.klv


# ---- independent receivers ----


@pytest.fixture(scope="module")
def orbit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample with video, of two seconds."""
    path = tmp_path_factory.mktemp("send") / "orbit.ts"
    sample.write(path, seconds=2, size="160x96", fps=15, seed=4)
    return path


async def settled(path: Path) -> None:
    """Return once a file that is being written has not grown for a while."""
    size = -1
    async with asyncio.timeout(10):
        while size != (size := path.stat().st_size if path.exists() else 0) or not size:
            await asyncio.sleep(0.3)


@pytest.mark.needs("ffmpeg")
@pytest.mark.parametrize("scheme", ["udp", "rtp", "tcp"])
async def test_ffmpeg_receives_what_is_sent(scheme: str, orbit: Path, free_port: int, tmp_path: Path) -> None:
    """ffmpeg as the receiver: the KLV packets that it writes are those of the file, and it reports no error."""
    out, url = tmp_path / "copy.ts", f"{scheme}://127.0.0.1:{free_port}"
    listens = "?listen=1" if scheme == "tcp" else ""
    process = await asyncio.create_subprocess_exec(
        "ffmpeg", "-v", "warning", "-nostdin", "-analyzeduration", "500000", "-probesize", "50000",
        "-f", "rtp" if scheme == "rtp" else "mpegts", "-i", url + listens,
        "-map", "0", "-c", "copy", "-flush_packets", "1", "-f", "mpegts", str(out),
        stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        await feed.listening(free_port, "tcp" if scheme == "tcp" else "udp")
        await send(str(orbit), url, speed=1, quiet=True)
        if scheme != "tcp":  # UDP has no end of stream
            await settled(out)
            process.kill()
        _, said = await asyncio.wait_for(process.communicate(), 20)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    sent = [record.raw for record in decode(orbit.read_bytes())]
    came = [record.raw for record in decode(out.read_bytes()) if record.good]
    assert not re.search(rb"(?i)corrupt|continuity|missed|dropp", said), said.decode()
    assert len(sent) == 30
    first = sent.index(came[0])
    assert came == sent[first : first + len(came)]
    assert len(came) >= 20 if scheme != "tcp" else came == sent  # it holds the last ones until it knows of the end


@pytest.mark.needs("ffprobe")
@pytest.mark.parametrize("scheme", ["udp", "tcp"])
async def test_ffprobe_knows_the_streams_that_are_sent(scheme: str, orbit: Path, free_port: int) -> None:
    """Video and KLV, by their names."""
    url = f"{scheme}://127.0.0.1:{free_port}"
    process = await asyncio.create_subprocess_exec(
        "ffprobe", "-v", "error", "-show_streams", "-of", "json", f"{url}?listen=1" if scheme == "tcp" else url,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    task = None
    try:
        await feed.listening(free_port, scheme)
        task = asyncio.create_task(send(str(orbit), url, speed=2, loop=True, quiet=True))
        out, _ = await asyncio.wait_for(process.communicate(), 20)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        if task:
            task.cancel()
            await asyncio.wait([task])
            with suppress(SourceDown, asyncio.CancelledError):
                await task
    found = {(stream["codec_type"], stream["codec_name"]) for stream in json.loads(out)["streams"]}
    assert found == {("video", "h264"), ("data", "klv")}


# ---- the command ----


async def test_it_continues_without_a_receiver(tape: str, free_port: int) -> None:
    """Logged once; a later receiver gets the rest."""
    url = f"udp://127.0.0.1:{free_port}"
    async with klvrelay("send", tape, url, "--loop", "--speed", "4") as command:
        await until(lambda: "nobody listens there; sending on" in command.said)
        async with heard(url) as records:
            await until(lambda: len(raws(records)) >= 20)
        assert (await command.stop(signal.SIGINT))[0] == 0
    assert command.said.count("nobody listens") == 1
    assert re.search(r"sent \d+\.\d s of \S+flight\.ts to udp://127\.0\.0\.1:\d+ in .*: [\d,]+ datagrams", command.said)


async def test_a_terminal_shows_the_progress(tape: str, free_port: int) -> None:
    """One line that is overwritten: time, rate, datagrams, damage so far; then the summary."""
    mine, theirs = pty.openpty()
    args = ("send", tape, f"udp://127.0.0.1:{free_port}", "--impair", "loss=20%,seed=1")
    process = await asyncio.create_subprocess_exec(*COMMAND, *args, env=ENVIRONMENT, stderr=theirs)
    os.close(theirs)
    os.set_blocking(mine, False)
    shown = b""
    try:
        while process.returncode is None:
            with suppress(BlockingIOError, OSError):
                shown += os.read(mine, 65536)
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), 0.02)
        with suppress(BlockingIOError, OSError):
            shown += os.read(mine, 65536)
    finally:
        os.close(mine)
    lines = re.findall(rb"\r\x1b\[K *\d\.\d s +\d+\.\d\d Mbit/s  \d+ datagrams, \d\.\d MB; \d+ lost", shown)
    assert len(lines) >= 2, shown
    assert re.search(rb"\r\x1b\[Ksent 1\.0 s of .* lost \(seed=1\)\r\n$", shown), shown


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_while_it_waits(number: signal.Signals, tape: str, free_port: int) -> None:
    """For a receiver that never connects: exit code 0, at once."""
    async with klvrelay("send", tape, f"tcp://127.0.0.1:{free_port}?listen=1") as command:
        await until(lambda: "waiting for a receiver" in command.said)
        code, seconds = await command.stop(number)
    assert code == 0
    assert seconds < 2


async def test_it_waits_for_the_next_receiver_in_a_loop(tape: str, free_port: int) -> None:
    """One disconnects, another connects and gets the file from its beginning."""
    async with klvrelay("send", tape, f"tcp://127.0.0.1:{free_port}?listen=1", "--loop", "--speed", "20") as command:
        for number in range(3):
            await until(lambda number=number: command.said.count("waiting for a receiver") == number + 1)
            reader, writer = await asyncio.open_connection("127.0.0.1", free_port)
            assert await reader.readexactly(len(TAPE.ts) + 1000) == TAPE.ts + TAPE.ts[:1000]
            writer.transport.abort()
        await until(lambda: command.said.count("the receiver closed the connection") == 3)
        assert (await command.stop())[0] == 0


async def test_a_receiver_that_disconnects_is_reported(tape: str) -> None:
    """On a connection that the command made: exit code 3, and why."""
    async with (
        feed_sink(most=5000) as (port, _),
        klvrelay("send", tape, f"tcp://127.0.0.1:{port}", "--loop") as command,
    ):
        assert await asyncio.wait_for(command.process.wait(), 10) == 3
    assert re.search(r"(?m)^klvrelay: tcp://127\.0\.0\.1:\d+: the receiver closed the connection$", command.said)


async def test_the_impairment_is_reported_at_the_end(tape: str, free_port: int) -> None:
    """With the seed that reproduces it."""
    args = ("send", tape, f"udp://127.0.0.1:{free_port}", "--speed", "20", "--impair", "loss=10%,flip=10%")
    async with klvrelay(*args) as command:
        assert await asyncio.wait_for(command.process.wait(), 10) == 0
    found = re.search(r"; of (\d+) datagrams: (\d+) lost, (\d+) flipped \(seed=(\d+)\)", command.said)
    assert found, command.said
    assert int(found[1]) == -(-len(TAPE.ts) // 1316)
    async with klvrelay(*args[:-1], f"{args[-1]},seed={found[4]}") as again:
        assert await asyncio.wait_for(again.process.wait(), 10) == 0
    assert found[0] in again.said


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["TAPE", "out.ts"], 2, "is not a destination: give udp://"),
        (["TAPE", "ftp://h:1"], 2, "ftp:// is not a supported destination.*give udp://, rtp://, tcp://, srt://"),
        (["TAPE", "udp://127.0.0.1"], 2, "give host and port"),
        (["TAPE", "udp://:5000"], 2, "give host and port"),
        (["TAPE", "udp://127.0.0.1:5000?ttl=256"], 2, "ttl is a number from 0 to 255"),
        (["TAPE", "udp://127.0.0.1:5000?ssrc=1"], 2, "unknown option ssrc; valid options: interface"),
        (["TAPE", "udp://127.0.0.1:5000?pkt_size=x"], 2, "pkt_size must be a number"),
        (["TAPE", "udp://127.0.0.1:5000?pkt_size=70000"], 2, "pkt_size 70000: give a size"),
        (["TAPE", "tcp://:5000"], 2, r"a host is missing; to wait for a receiver, use tcp://:5000\?listen=1"),
        (["TAPE", "tcp://127.0.0.1:5000?ttl=3"], 2, "unknown option ttl"),
        (["TAPE", "tcp://127.0.0.1:PORT"], 3, "nobody listens there: start the receiver first"),
        (["TAPE", "tcp://127.0.0.1:PORT", "--impair", "loss=1%"], 2, "only flip applies.*level=ts"),
        (["TAPE", "tcp://127.0.0.1:PORT", "--impair", "delay=5"], 2, "delay and jitter apply to datagrams"),
        (["TAPE", "tcp://127.0.0.1:PORT", "--interface", "lo"], 2, "for udp:// and rtp://"),
        (["TAPE", "udp://127.0.0.1:PORT", "--interface", "nope0"], 3, "there is no network interface nope0"),
        (["TAPE", "udp://no-such-host.invalid:5000"], 3, "the name no-such-host.invalid is not known"),
        (["TAPE", "udp://127.0.0.1:5000", "--speed", "0"], 2, "speed 0"),
        (["TAPE", "udp://127.0.0.1:5000", "--impair", "los=1%"], 2, "unknown 'los=1%'"),
        (["none.ts", "udp://127.0.0.1:5000"], 3, "no such file"),
        (["udp://127.0.0.1:5001", "udp://127.0.0.1:5000"], 2, "give a file"),
    ],
)
def test_an_error_is_one_line(
    args: list[str], code: int, said: str, tape: str, free_port: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """2 for wrong options, 3 for a missing file or an unreachable far end."""
    given = [arg.replace("TAPE", tape).replace("PORT", str(free_port)) for arg in args]
    result, out, errors = ran(capfd, "send", *given)
    assert (result, out) == (code, "")
    assert re.search(f"(?s)^klvrelay: .*{said}", errors), errors
    assert "Traceback" not in errors


def test_a_password_in_a_url_is_not_shown(tape: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Nor a passphrase among the options."""
    code, _, said = ran(capfd, "send", tape, "tcp://user:c4n4ry-s3cret@127.0.0.1:1?key=c4n4ry-s3cret")
    assert code == 2
    assert "c4n4ry" not in said


def test_a_connection_is_not_opened_before_its_context_is_entered() -> None:
    """The same for every kind; a time-out of nothing is refused."""
    for url in ("udp://239.1.1.1:5000", "rtp://[::1]:5000", "tcp://127.0.0.1:1"):
        line = open_destination(Url.parse(url))
        assert line.lossy == (line.url.scheme in ("udp", "rtp"))
    with pytest.raises(ConfigError, match="timeout 0"):
        open_destination(Url.parse("udp://127.0.0.1:1"), timeout=0)
