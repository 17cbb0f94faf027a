"""The command as a process: a real sender, mosquitto, a real subscriber, and signals."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import feed
import orjson
import pytest
from brokers import Heard, Mosquitto, listening, until
from oracle_broker import OracleBroker
from test_cli import COMMAND, ENVIRONMENT

from klvrelay import sample

CANARY = "c4n4ry-s3cret"
pytestmark = pytest.mark.needs("mosquitto")


class Command:
    """A running `klvrelay ...`; its output is in `said`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said = ""
        self.printed = ""

    async def listen(self, stream: asyncio.StreamReader, name: str) -> None:
        while data := await stream.read(65536):
            setattr(self, name, getattr(self, name) + data.decode())

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Exit code after the signal, and the seconds until then."""
        start = time.monotonic()
        self.process.send_signal(number)
        code = await asyncio.wait_for(self.process.wait(), 10)
        return code, time.monotonic() - start


@asynccontextmanager
async def klvrelay(
    *args: str, cwd: Path | None = None, program: Sequence[str] = COMMAND, **environment: str
) -> AsyncIterator[Command]:
    process = await asyncio.create_subprocess_exec(
        *program, *args, cwd=cwd, env={**ENVIRONMENT, **environment}, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    command = Command(process)
    assert process.stdout is not None
    assert process.stderr is not None
    pipes = (process.stderr, "said"), (process.stdout, "printed")
    listeners = [asyncio.create_task(command.listen(*pipe)) for pipe in pipes]
    try:
        yield command
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await asyncio.wait(listeners)
    assert "Traceback" not in command.said
    assert CANARY not in command.said + command.printed


def telemetry(heard: Heard, stream: str = "uav1") -> list[dict[str, object]]:
    return [orjson.loads(data) for data in heard.on(f"klvrelay/{stream}/telemetry")]


@pytest.mark.needs("ffmpeg")
async def test_every_record_that_ffmpeg_sends_arrives_in_order(mosquitto: Mosquitto, free_port: int, tmp_path: Path):
    """A recording with video in real time by UDP, mosquitto, a subscriber: all, from the first one on; then SIGTERM."""
    path = tmp_path / "orbit.ts"
    made = sample.write(path, seconds=2, size="160x96", fps=15)
    url = f"udp://127.0.0.1:{free_port}"
    async with listening(mosquitto.port, "klvrelay/#") as heard:
        async with klvrelay("run", url, "--stream", "uav1", "--mqtt", mosquitto.url) as command:
            await feed.listening(free_port)
            async with feed.ffmpeg(path, "-f", "mpegts", f"{url}?pkt_size=1316") as sender:
                assert await asyncio.wait_for(sender.wait(), 15) == 0
            await heard.count(made.packets, "klvrelay/uav1/telemetry")
            code, seconds = await command.stop()
        assert (code, seconds < 5) == (0, True)
        records = telemetry(heard)
        assert [r["seq"] for r in records] == list(range(made.packets))
        stamps = [record.time_us async for record in _recorded(path)]
        assert [r["time_us"] for r in records] == stamps
        assert {orjson.dumps(r["quality"]) for r in records} == {b'{"checksum":"ok","transport":"ok"}'}
        await until(lambda: heard.on("klvrelay/uav1/availability")[-1:] == [b"offline"])
        assert b"online" in heard.on("klvrelay/uav1/availability")
        assert heard.on("klvrelay/uav1/rejected") == []


async def _recorded(path: Path):  # type: ignore[no-untyped-def]
    from klvrelay import stream

    async for record in stream(path):
        yield record


@pytest.mark.long
@pytest.mark.needs("ffmpeg")
async def test_every_record_of_a_real_recording_arrives(mosquitto: Mosquitto, free_port: int, shared: Path):
    """osh_sample_stream.ts by ffmpeg in real time: 277 of 277."""
    path, url = shared / "data" / "osh_sample_stream.ts", f"udp://127.0.0.1:{free_port}"
    async with listening(mosquitto.port, "klvrelay/#") as heard:
        async with klvrelay("run", url, "--stream", "uav1", "--mqtt", mosquitto.url) as command:
            await feed.listening(free_port)
            async with feed.ffmpeg(path, "-f", "mpegts", f"{url}?pkt_size=1316") as sender:
                assert await asyncio.wait_for(sender.wait(), 30) == 0
            await heard.count(277, "klvrelay/uav1/telemetry")
            assert (await command.stop())[0] == 0
        assert [r["seq"] for r in telemetry(heard)] == list(range(277))
        states = heard.on("klvrelay/uav1/state")
        assert 8 <= len(states) <= 12


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_with_everything_delivered(number: signal.Signals, oracle: OracleBroker, free_port: int):
    """Exit code 0 within five seconds, in the middle of a burst; all received records are at the broker."""
    tape, url = feed.recording(400), f"udp://127.0.0.1:{free_port}"
    async with klvrelay("run", url, "--stream", "uav1", "--mqtt", oracle.url) as command:
        await feed.listening(free_port)
        await until(lambda: oracle.payloads("klvrelay/status"))
        feed.send_udp(feed.datagrams(tape.ts), free_port)
        await until(lambda: len(oracle.payloads("klvrelay/uav1/telemetry")) > 20)
        code, seconds = await command.stop(number)
    assert (code, seconds < 5) == (0, True)
    seqs = [orjson.loads(data)["seq"] for data in oracle.payloads("klvrelay/uav1/telemetry")]
    assert seqs == list(range(len(seqs)))
    summary = r"(\d+) records, 0 bad or damaged, \d+ packets dropped; (\d+) delivered to \S+, 0 shed, 0 waiting"
    found = re.search(summary, command.said)
    assert found, command.said
    assert int(found[1]) == int(found[2]) == len(seqs)
    assert oracle.wills == []


async def test_kill_9_publishes_the_last_will(mosquitto: Mosquitto, free_port: int):
    """A subscriber sees that the relay is lost; the next run publishes online again."""
    args = ("run", f"udp://127.0.0.1:{free_port}", "--stream", "uav1", "--mqtt", mosquitto.url)
    async with listening(mosquitto.port, "klvrelay/status") as heard:
        for turn in (1, 2):
            async with klvrelay(*args) as command:
                await heard.count(2 * turn - 1)
                command.process.kill()
                await heard.count(2 * turn)
    states = [orjson.loads(m.payload) for m in heard.messages]
    assert [s["state"] for s in states] == ["online", "offline"] * 2
    assert states[1]["reason"] == "lost"
    assert states[0]["boot"] == states[1]["boot"] != states[2]["boot"]


async def test_a_broker_that_refuses_the_password_is_exit_code_5(mosquitto: Mosquitto, tmp_path: Path):
    """One line, no retry, no password."""
    await mosquitto.stop()
    mosquitto.configure(f"listener 1883 127.0.0.1\nallow_anonymous false\npassword_file {tmp_path}/none\n")
    (tmp_path / "none").touch(0o600)
    await mosquitto.start()
    args = ("run", "udp://127.0.0.1:1", "--mqtt", mosquitto.url, "--username", "relay")
    async with klvrelay(*args, KLVRELAY_MQTT_PASSWORD=CANARY) as command:
        assert await asyncio.wait_for(command.process.wait(), 10) == 5
    assert sum("refuses" in line for line in command.said.splitlines()) == 1


async def test_a_broker_and_a_source_that_fail_are_logged_once():
    """Several attempts of each: one line for each of the two, and one at the end; SIGTERM ends it all the same."""
    tries = []

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tries.append(writer.get_extra_info("sockname")[1])
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1") as both:
        port = both.sockets[0].getsockname()[1]
        args = ("run", f"tcp://127.0.0.1:{port}", "--stream", "uav1", "--mqtt", f"mqtt://127.0.0.1:{port}")
        async with klvrelay(*args) as command:
            await until(lambda: len(tries) >= 3 * 3)  # MQTT 5, 3.1.1, and the source
            code, seconds = await command.stop()
    assert (code, seconds < 5) == (0, True)
    lines = command.said.splitlines()
    assert sum("uav1: tcp://" in line for line in lines) == 1
    assert sum("without an MQTT answer" in line for line in lines) == 1
    assert sum("records wait in memory only: records=10000" in line for line in lines) == 1
    assert sum("incidents are kept in memory only" in line for line in lines) == 1
    assert len(lines) == 5


async def test_a_broker_restart_with_a_clean_stop_loses_nothing(mosquitto: Mosquitto, tmp_path: Path):
    """mosquitto restarts in the middle of a replay: a persistent subscriber has every number, in order."""
    path = tmp_path / "flight.ts"
    path.write_bytes(feed.recording(240, 60.0).ts)
    seqs: list[int] = []
    async with klvrelay("replay", str(path), "--speed", "4", "--stream", "uav1", "--mqtt", mosquitto.url) as command:
        async with listening(mosquitto.port, "klvrelay/#") as heard:
            await heard.count(60, "klvrelay/uav1/telemetry")
            await mosquitto.stop()
        seqs += [int(str(r["seq"])) for r in telemetry(heard)]
        await mosquitto.start()
        async with listening(mosquitto.port, "klvrelay/#") as heard:
            assert await asyncio.wait_for(command.process.wait(), 15) == 0
            await until(lambda: telemetry(heard)[-1:] and telemetry(heard)[-1]["seq"] == 239)
        later = [int(str(r["seq"])) for r in telemetry(heard)]
    assert seqs == list(range(len(seqs)))
    assert later == list(range(later[0], 240))
    assert "240 delivered to mqtt://" in command.said
    assert "0 shed" in command.said


async def test_a_file_without_klv_is_reported(oracle: OracleBroker, tmp_path: Path):
    """`run` on a recording without metadata says so, with the exit code of `decode`."""
    path = tmp_path / "video.ts"
    path.write_bytes((b"\x47\x1f\xff\x10" + b"\xff" * 184) * 500)
    async with klvrelay("run", str(path), "--mqtt", oracle.url) as command:
        code = await asyncio.wait_for(command.process.wait(), 10)
    assert "no KLV" in command.said
    assert code == 4


async def test_settings_from_a_file_work_like_options(oracle: OracleBroker, tmp_path: Path):
    """`-c relay.toml`, an option over it, two sources by name."""
    for name in ("a.ts", "b.ts"):
        (tmp_path / name).write_bytes(feed.recording(20).ts)
    (tmp_path / "relay.toml").write_text(
        f'[[sink]]\nurl = "{oracle.url}"\nprefix = "site"\nqos = 0\n[[source]]\nurl = "a.ts"\n'
        '[[source]]\nurl = "b.ts"\nstream = "second"\n'
    )
    async with klvrelay("run", "-c", "relay.toml", "--qos", "1", cwd=tmp_path) as command:
        assert await asyncio.wait_for(command.process.wait(), 10) == 0
    for stream in ("a", "second"):
        seqs = [orjson.loads(data)["seq"] for data in oracle.payloads(f"site/{stream}/telemetry")]
        assert seqs == list(range(20))
    assert {p.qos for p in oracle.published} == {1}


async def test_a_long_run_leaks_no_descriptor(oracle: OracleBroker, free_port: int):
    """A source that is refused repeatedly, and a broker that restarts."""
    args = ("run", f"tcp://127.0.0.1:{free_port}", "--stream", "uav1", "--mqtt", oracle.url)
    async with klvrelay(*args) as command:
        def held() -> int:
            return len(os.listdir(f"/proc/{command.process.pid}/fd"))

        counts = []
        for turn in range(3):
            await until(lambda turn=turn: len(oracle.guests) > turn)
            await until(lambda turn=turn: len(oracle.payloads("klvrelay/status")) > turn)
            counts.append(held())
            oracle.cut(reset=True)
        assert max(counts) - min(counts) <= 2
