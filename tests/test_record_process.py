"""`klvrelay record` as a process: real senders, signals, kill -9, a full disk."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import feed
import orjson
import pytest
from brokers import until
from oracle_broker import OracleBroker
from test_cli import COMMAND, ENVIRONMENT, ran
from test_relay_process import CANARY, klvrelay

import klvrelay as library

TAPE = feed.recording(count=200, filler=3)


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.exists() else []


def joined(folder: Path) -> bytes:
    """All recorded bytes; of a file that gets its final name meanwhile nothing."""
    found = b""
    for path in files(folder):
        with suppress(FileNotFoundError):
            found += path.read_bytes()
    return found


def size(folder: Path) -> int:
    return len(joined(folder))


async def send(data: bytes, port: int, pause: float = 0.001) -> None:
    for datagram in feed.datagrams(data):
        feed.send_udp([datagram], port)
        await asyncio.sleep(pause)


async def test_a_signal_completes_the_segment(free_port: int, tmp_path: Path):
    """SIGTERM and Ctrl-C: exit code 0, every received byte, no .part."""
    for number in (signal.SIGTERM, signal.SIGINT):
        folder = tmp_path / number.name
        args = (f"udp://127.0.0.1:{free_port}", str(folder), "--segment-size", "64K", "--stream", "uav/1")
        async with klvrelay("record", *args) as command:
            await feed.listening(free_port)
            await send(TAPE.ts, free_port)
            await until(lambda folder=folder: size(folder) == len(TAPE.ts))
            code, seconds = await command.stop(number)
        assert (code, seconds < 3) == (0, True)
        assert joined(folder) == TAPE.ts
        assert all(re.fullmatch(r"uav%2F1-\d{8}T\d{6}\.\d{6}Z\.ts", path.name) for path in files(folder))
        assert f"{len(TAPE.ts):,} bytes written, {len(files(folder))} segments\n" in command.said
        assert re.search(rf"recording to {folder} as uav%2F1-\*\n.*: receiving data\n", command.said)


@pytest.mark.needs("ffmpeg")
async def test_a_stream_from_ffmpeg_is_recorded_bit_by_bit(free_port: int, tmp_path: Path):
    """ffmpeg writes what it sends to a file: the segments together are that file, and have every record."""
    source, sent, folder = tmp_path / "in.ts", tmp_path / "sent.ts", tmp_path / "out"
    source.write_bytes(feed.recording(count=45, hz=30, filler=30).ts)
    url = f"udp://127.0.0.1:{free_port}"
    async with klvrelay("record", url, str(folder), "--segment-seconds", "0.3") as command:
        await feed.listening(free_port)
        output = "-f", "tee", f"[f=mpegts]{sent}|[f=mpegts]{url}?pkt_size=1316"
        async with feed.ffmpeg(source, *output) as sender:
            assert await asyncio.wait_for(sender.wait(), 15) == 0
        await until(lambda: size(folder) == sent.stat().st_size)
        assert (await command.stop())[0] == 0
    assert joined(folder) == sent.read_bytes()
    together = [record.items["mission_id"] for record in library.decode(joined(folder))]
    assert together == [str(number) for number in range(45)]
    alone = [library.decode(path.read_bytes()) for path in files(folder)]
    got = [record.items["mission_id"] for records in alone for record in records if record.good]
    assert len(alone) >= 3
    # A packet of KLV that a cut goes through is in neither part.
    assert len(got) >= 45 - (len(alone) - 1)
    assert set(got) <= set(together)


async def test_a_recorder_that_was_killed_continues(free_port: int, tmp_path: Path):
    """kill -9, repeatedly: written data stays, the next start completes it, nothing has two names."""
    sent, folder = b"", tmp_path / "out"
    args = (f"udp://127.0.0.1:{free_port}", str(folder), "--segment-size", "100K")
    for number in range(3):
        async with klvrelay("record", *args) as command:
            await feed.listening(free_port)
            await send(TAPE.ts, free_port, 0.0005)
            sent += TAPE.ts
            await until(lambda sent=sent: size(folder) == len(sent))
            assert len([path for path in files(folder) if path.suffix == ".part"]) == 1
            command.process.kill()
            await command.process.wait()
        assert ("segments of an earlier run completed: count=1" in command.said) is (number > 0)
    async with klvrelay("record", *args) as command:
        await until(lambda: not [path for path in files(folder) if path.suffix == ".part"])
        assert (await command.stop())[0] == 0
    assert joined(folder) == sent


async def test_a_relay_that_follows_a_recorder_misses_nothing(oracle: OracleBroker, free_port: int, tmp_path: Path):
    """`run DIR --follow` publishes every record while it is recorded, over many segments and a kill -9 of the recorder.
    """
    folder, topic = tmp_path / "out", "klvrelay/uav1/telemetry"
    args = (f"udp://127.0.0.1:{free_port}", str(folder), "--segment-size", "32K")
    sent = [feed.recording(count=101, filler=3, first_pcr=900_000 * (number + 1)) for number in range(2)]
    async with klvrelay("run", str(folder), "--follow", "--stream", "uav1", "--mqtt", oracle.url) as relay:
        await until(lambda: "connected" in relay.said)  # it waits for the folder by now
        for number, tape in enumerate(sent, 1):
            async with klvrelay("record", *args) as recorder:
                await feed.listening(free_port)
                await send(tape.ts, free_port)
                # The last record of a tape ends where the next one begins.
                await until(lambda number=number: len(oracle.payloads(topic)) >= 101 * number - 1, 30)
                written = sum(len(each.ts) for each in sent[:number])
                await until(lambda written=written: size(folder) == written)
                recorder.process.kill()
                await recorder.process.wait()
        assert (await relay.stop())[0] == 0
    missions = [orjson.loads(data)["items"]["mission_id"] for data in oracle.payloads(topic)]
    assert missions[:201] == [str(number % 101) for number in range(201)]
    assert missions[201:] in ([], ["100"])  # whether it had been read by the stop
    assert len(files(folder)) >= 6


async def test_standard_input_is_recorded_to_its_end(tmp_path: Path):
    """For what only another program can fetch; the recording ends with the input."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "record", "-", str(tmp_path / "out"), "-q", env=ENVIRONMENT, stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    _, said = await asyncio.wait_for(process.communicate(TAPE.ts * 20), 20)

    assert (process.returncode, said) == (0, b"")
    assert joined(tmp_path / "out") == TAPE.ts * 20


async def test_a_terminal_shows_the_progress(free_port: int, tmp_path: Path):
    """One line that is overwritten: state, rate, bytes, segments; none with -q."""
    for quiet in (False, True):
        ours, theirs = os.openpty()
        url = f"udp://127.0.0.1:{free_port}"
        command = [*COMMAND, "record", url, str(tmp_path / str(quiet)), *["-q"] * quiet]
        environment = {**ENVIRONMENT, "TERM": "xterm", "COLUMNS": "120"}
        with subprocess.Popen(command, stderr=theirs, env=environment) as process:
            os.close(theirs)
            os.set_blocking(ours, False)
            said = ""
            await feed.listening(free_port)
            deadline = time.monotonic() + (1.0 if quiet else 10.0)
            line = re.compile(r"recording: \d+\.\d\d Mbit/s, .* in 1 segment\b")
            while time.monotonic() < deadline and not line.search(said):
                await send(TAPE.ts[:13160], free_port, 0.005)
                said += _read(ours)
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 0
        os.close(ours)
        assert ("Mbit/s" in said) is not quiet


def _read(terminal: int) -> str:
    try:
        return os.read(terminal, 65536).decode()
    except BlockingIOError:
        return ""


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("rtsp://user:" + CANARY + "@camera/live",), 2, "-f mpegts - | klvrelay record - DIR"),
        (("https://camera/live.ts",), 2, "curl -sN URL | klvrelay record - DIR"),
        (("udp://camera",), 2, "a port is missing"),
        (("udp://:5000", "--keep-size", "lots"), 2, "--keep-size lots: give bytes"),
        (("udp://:5000", "--keep-size", "64M"), 2, "is less than two segments"),
        (("none.ts",), 3, "no such file"),
    ],
)
def test_a_source_that_cannot_be_recorded_is_an_error(
    args: tuple[str, ...], code: int, said: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    """One line that says what to do instead, and no password."""
    got, _, err = ran(capfd, "record", args[0], str(tmp_path), *args[1:])

    assert (got, said in err) == (code, True), err
    assert CANARY not in err
    assert ("recording to" in err) is (code == 3)


def test_a_folder_that_can_not_be_written_is_not_recorded_to(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """One line says so, and none that it records."""
    (tmp_path / "file").touch()
    code, _, err = ran(capfd, "record", "udp://127.0.0.1:5000", str(tmp_path / "file"))

    assert (code, "cannot record there" in err, "recording" in err) == (2, True, False), err


# ---- a full disk ----


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    made = mount and subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=1m", "none", folder], stderr=subprocess.PIPE, text=True, check=False
    )
    if not made or made.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {made.stderr.strip() if made else 'no mount'}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


async def test_a_full_disk_removes_the_oldest_segments_only(tiny_disk: Path, free_port: int):
    """The disk is full below every limit: logged once, and new data is complete."""
    args = (f"udp://127.0.0.1:{free_port}", str(tiny_disk), "--segment-size", "64K", "--keep-size", "1G")
    async with klvrelay("record", *args) as command:
        await feed.listening(free_port)
        for _ in range(10):
            await send(TAPE.ts, free_port, 0.0005)
        await until(lambda: joined(tiny_disk).endswith(TAPE.ts))
        assert (await command.stop())[0] == 0
    data = joined(tiny_disk)
    assert 700_000 < len(data) <= 1 << 20
    assert (TAPE.ts * 10).endswith(data)
    assert command.said.count("disk full, removing the oldest segments") == 1
    assert "lost" not in command.said
    summary = re.search(r"(\d+) segments kept of (\d+) begun, (\d+) old ones removed", command.said)
    assert summary, command.said
    kept, begun, removed = map(int, summary.groups())
    assert kept == len(files(tiny_disk)) == begun - removed


async def test_a_disk_filled_by_others_is_waited_for(tiny_disk: Path, free_port: int):
    """The newest four segments stay; data received meanwhile is counted; with space it continues automatically."""
    args = (f"udp://127.0.0.1:{free_port}", str(tiny_disk), "--segment-size", "32K")
    async with klvrelay("record", *args) as command:
        await feed.listening(free_port)
        await send(TAPE.ts, free_port)
        await until(lambda: size(tiny_disk) == len(TAPE.ts))
        other = tiny_disk / "flight.ts"
        async with asyncio.timeout(20):
            while "write failed, received data is lost until writing succeeds: reason='No space" not in command.said:
                fill(other)
                await send(TAPE.ts[:37_600], free_port)
        assert 4 <= len(files(tiny_disk)) - 1 <= 5
        assert other.exists()
        other.unlink()
        await asyncio.sleep(1.2)
        await send(TAPE.ts, free_port)
        await until(lambda: joined(tiny_disk).endswith(TAPE.ts[-40_000:]))
        await until(lambda: "writing succeeds again" in command.said)
        assert (await command.stop())[0] == 1
    assert (command.said.count("write failed"), command.said.count("writing succeeds again")) == (1, 1)
    assert re.search(r"klvrelay: .* from udp://\S+ were lost: they could not be written to disk\n", command.said)
    assert all(path.suffix == ".ts" for path in files(tiny_disk))


async def test_a_disk_that_stays_full_is_a_failure(tiny_disk: Path, free_port: int):
    """No received data is on disk: the summary does not count it, and the exit code is 1."""
    fill(tiny_disk / "flight.ts")
    args = (f"udp://127.0.0.1:{free_port}", str(tiny_disk), "--segment-size", "32K")
    async with klvrelay("record", *args) as command:
        await feed.listening(free_port)
        await until(lambda: "recording to" in command.said)
        await send(TAPE.ts[:37_600], free_port)
        await until(lambda: "write failed" in command.said)
        assert (await command.stop())[0] == 1
    assert "0 bytes written, 0 segments" in command.said
    assert "were lost: they could not be written to disk" in command.said
    assert [path.name for path in files(tiny_disk)] == ["flight.ts"]


def fill(path: Path) -> None:
    """Use all available space."""
    with path.open("ab", 0) as file, suppress(OSError):
        while file.write(bytes(4096)):
            pass


async def test_a_pipe_waits_for_a_full_disk(tiny_disk: Path, tmp_path: Path):
    """Sources that can wait lose nothing: the writer is blocked until there is space again."""
    other = tiny_disk / "other"
    other.write_bytes(bytes(1 << 20))
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "record", "-", str(tiny_disk), "--segment-size", "200K", env=ENVIRONMENT, stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stderr is not None
    process.stdin.write(TAPE.ts * 3)
    process.stdin.write_eof()
    async with asyncio.timeout(20):
        while b"the source waits" not in (line := await process.stderr.readline()):
            assert line, "it ended"
        await asyncio.sleep(0.3)
        assert process.returncode is None
        other.unlink()
        await process.communicate()

    assert process.returncode == 0
    assert joined(tiny_disk) == TAPE.ts * 3
