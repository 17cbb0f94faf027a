"""`replay`, `watch` and `sample` in operation."""

from __future__ import annotations

import asyncio
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import feed
import orjson
import pytest
from brokers import Mosquitto, until
from oracle_broker import OracleBroker
from test_cli import ENVIRONMENT, ran
from test_relay_process import klvrelay

from klvrelay import decode, sample

TELEMETRY = "klvrelay/uav1/telemetry"


def tape(folder: Path, count: int = 60, hz: float = 30.0) -> str:
    path = folder / "flight.ts"
    path.write_bytes(feed.recording(count, hz).ts)
    return str(path)


@pytest.mark.parametrize(("speed", "least"), [("4", 0.45), ("1", 0.42)])
async def test_replay_keeps_the_original_timing(speed: str, least: float, oracle: OracleBroker, tmp_path: Path):
    """Two seconds (half a second at normal speed) of records arrive evenly over their time divided by the speed."""
    path = tape(tmp_path, 60 if speed == "4" else 15)
    arrivals: list[float] = []
    async with klvrelay("replay", path, "--speed", speed, "--stream", "uav1", "--mqtt", oracle.url) as command:

        def hear() -> bool:
            new = len(oracle.payloads(TELEMETRY)) - len(arrivals)
            arrivals.extend([time.monotonic()] * new)
            return len(arrivals) == (60 if speed == "4" else 15)

        await until(hear, 10)
        assert await asyncio.wait_for(command.process.wait(), 10) == 0
    took = arrivals[-1] - arrivals[0]
    assert 0.8 * least <= took <= 4 * least  # the first one may be received late
    half = sum(at - arrivals[0] < took / 2 for at in arrivals)
    assert len(arrivals) * 0.3 < half < len(arrivals) * 0.7
    stamps = [orjson.loads(data)["received"] for data in oracle.payloads(TELEMETRY)]
    assert stamps == sorted(stamps)


async def test_replay_in_a_loop_continues_until_it_is_stopped(oracle: OracleBroker, tmp_path: Path):
    """Sequence numbers continue across rounds, nothing is damaged at a boundary; a signal ends it with exit code 0."""
    args = ("replay", tape(tmp_path, 10), "--speed", "10", "--loop", "--stream", "uav1", "--mqtt", oracle.url)
    async with klvrelay(*args) as command:
        await until(lambda: len(oracle.payloads(TELEMETRY)) >= 35, 10)
        assert (await command.stop(signal.SIGINT))[0] == 0
    records = [orjson.loads(data) for data in oracle.payloads(TELEMETRY)]
    assert [r["seq"] for r in records] == list(range(len(records)))
    assert [r["items"]["mission_id"] for r in records] == [str(n % 10) for n in range(len(records))]
    assert oracle.payloads("klvrelay/uav1/rejected") == []


@pytest.mark.needs("mosquitto")
async def test_watch_prints_lines_where_there_is_no_terminal(mosquitto: Mosquitto, tmp_path: Path):
    """Streams, their state and rate, repeatedly; Ctrl-C ends it without a message."""
    args = ("replay", tape(tmp_path, 30), "--loop", "--stream", "uav1", "--mqtt", mosquitto.url)
    async with klvrelay("watch", "--mqtt", mosquitto.url) as watch, klvrelay(*args) as replay:
        await until(lambda: re.search(r"(?m)^uav1 live .*rate=[1-9]", watch.printed), 10)
        assert (await watch.stop(signal.SIGINT))[0] in (0, 130)
        await replay.stop()


async def test_watch_without_a_broker_is_exit_code_5(free_port: int):
    """One clear line."""
    async with klvrelay("watch", "--mqtt", f"mqtt://127.0.0.1:{free_port}") as watch:
        assert await asyncio.wait_for(watch.process.wait(), 10) == 5
    assert re.fullmatch(r"klvrelay: mqtt://127\.0\.0\.1:\d+: connection refused.*\n", watch.said)


def test_sample_obeys_its_options(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """Rate, carriage, codec, seed; the same options give the same bytes, another seed another flight."""
    options = ("--seconds", "1", "--size", "160x96", "--fps", "10", "--klv-rate", "5", "--carriage", "async")
    made = {}
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        path = tmp_path / f"{name}.ts"
        code, out, said = ran(capfd, "sample", str(path), *options, "--seed", seed)
        assert (code, out) == (0, "")
        assert "5 KLV packets (async)" in said
        made[name] = path.read_bytes()
    assert made["a"] == made["b"]
    records, others = decode(made["a"]), decode(made["c"])
    assert len(records) == len(others) == 5
    assert {r.pts for r in records} == {None}
    assert records[0].items["sensor_latitude"] != others[0].items["sensor_latitude"]


def test_sample_over_a_folder_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """Exit code 2, and the folder is unchanged."""
    code, _, said = ran(capfd, "sample", str(tmp_path), "--seconds", "1")
    assert code == 2
    assert re.fullmatch(r"klvrelay: .*not a file.*\n", said)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_sample_is_stopped_by_a_signal(number: signal.Signals, tmp_path: Path):
    """In the middle of a long recording: it ends at once, without a message or a partial file."""
    async with klvrelay("sample", str(tmp_path / "long.ts"), "--seconds", "3000", "--size", "160x96") as command:
        await until(lambda: [p for p in tmp_path.iterdir() if p.stat().st_size], 10)
        command.process.send_signal(number)
        assert await asyncio.wait_for(command.process.wait(), 5) in (0, 130, 143)
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_while_the_command_loads_leaves_no_traceback():
    """It ends as any program that a signal ends."""
    pressed = """
import os, signal, sys
class Pressed:
    def find_spec(self, name, path=None, target=None):
        if name == "klvrelay.cli.main":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Pressed())
from klvrelay.__main__ import main
main()
"""
    found = subprocess.run([sys.executable, "-c", pressed], capture_output=True, env=ENVIRONMENT, timeout=60)

    assert (found.returncode, found.stderr) == (-signal.SIGINT, b"")


async def test_decode_is_stopped_by_a_signal(tmp_path: Path):
    """While it reads a pipe without data."""
    import os

    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    async with klvrelay("decode", str(fifo)) as command:
        keep = await asyncio.to_thread(os.open, fifo, os.O_RDWR)
        os.write(keep, feed.recording(5).ts)
        await until(lambda: command.printed.count("\n") >= 5)
        code, seconds = await command.stop(signal.SIGINT)
        os.close(keep)
    assert (code in (0, 130), seconds < 2) == (True, True)


def test_sample_and_decode_agree_on_every_item(tmp_path: Path):
    """The packets that `sample` writes are decoded by `decode` to the intended values."""
    path = tmp_path / "orbit.ts"
    for carriage in ("sync", "async"):
        sample.write(path, seconds=0.5, size="160x96", fps=10, carriage=carriage, seed=4)
        written = list(sample.packets(seconds=0.5, klv_rate=10, size="160x96", seed=4))
        assert [r.raw for r in decode(path.read_bytes())] == written
