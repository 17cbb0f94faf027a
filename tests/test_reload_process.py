"""SIGHUP to the command as a process: a reload, nothing to reload, or a terminal that has gone."""

from __future__ import annotations

import asyncio
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import feed
import orjson
import ports
import pytest
from brokers import Heard, Mosquitto, listening, until
from oracle_broker import OracleBroker
from test_cli import COMMAND, ENVIRONMENT
from test_relay_process import Command, klvrelay

TAPE = feed.recording(60)


def settings(path: Path, broker: str, *sources: str) -> None:
    text = f'[[sink]]\nurl = "{broker}"\n' + "".join(f"[[source]]\n{source}\n" for source in sources)
    path.write_text(text)


def udp(port: int, name: str, more: str = "") -> str:
    return f'url = "udp://127.0.0.1:{port}"\nstream = "{name}"\n{more}'


def reloads(command: Command) -> int:
    return len(re.findall(r"settings (not )?reloaded", command.said))


async def hang_up(command: Command) -> None:
    """Send SIGHUP, and wait until the settings were read."""
    count = reloads(command)
    command.process.send_signal(signal.SIGHUP)
    await until(lambda: reloads(command) > count)


def seqs(heard: Heard, stream: str) -> list[int]:
    return [orjson.loads(data)["seq"] for data in heard.on(f"klvrelay/{stream}/telemetry")]


def last_status(oracle: OracleBroker) -> dict[str, object]:
    return dict(orjson.loads(oracle.payloads("klvrelay/status")[-1]))


@pytest.mark.needs("mosquitto")
async def test_a_reload_disturbs_no_other_stream(mosquitto: Mosquitto, tmp_path: Path):
    """A stream receives while others are added, changed and removed, and a bad file is refused: one connection, each
    number once, in order. The changed stream continues its numbers.
    """
    path = tmp_path / "relay.toml"
    with ports.reserved() as one, ports.reserved() as two, ports.reserved() as three:
        settings(path, mosquitto.url, udp(one, "uav1"), udp(two, "uav2"))
        async with listening(mosquitto.port, "klvrelay/#") as heard, klvrelay("run", "-c", str(path)) as command:
            await feed.listening(one)
            await feed.listening(two)
            feed.send_udp(feed.datagrams(TAPE.ts), two)
            await heard.count(len(TAPE.klv) - 1, "klvrelay/uav2/telemetry")
            parts = feed.datagrams(TAPE.ts)
            feed.send_udp(parts[: len(parts) // 3], one)

            settings(path, mosquitto.url, udp(two, "uav2", "stall = 9.0"), udp(three, "uav3"), udp(one, "uav1"))
            await hang_up(command)
            await feed.listening(three)
            await feed.listening(two)
            feed.send_udp(parts[len(parts) // 3 : 2 * len(parts) // 3], one)
            path.write_text("[[sink]]\nurl = 5\n")
            await hang_up(command)
            settings(path, mosquitto.url, udp(two, "uav2", "stall = 9.0"), udp(one, "uav1"))
            await hang_up(command)
            feed.send_udp(parts[2 * len(parts) // 3 :], one)
            feed.send_udp(feed.datagrams(TAPE.ts), two)
            await heard.count(len(TAPE.klv) - 1, "klvrelay/uav1/telemetry")
            await heard.count(2 * (len(TAPE.klv) - 1), "klvrelay/uav2/telemetry")
            code, seconds = await command.stop()
        assert (code, seconds < 5) == (0, True), command.said
        for stream, times in (("uav1", 1), ("uav2", 2)):
            assert seqs(heard, stream) == list(range(len(seqs(heard, stream))))
            assert len(seqs(heard, stream)) >= times * (len(TAPE.klv) - 1)
        assert heard.on("klvrelay/uav1/availability").count(b"online") == 1
        await until(lambda: heard.on("klvrelay/uav3/availability")[-1:] == [b"offline"])
        statuses = [orjson.loads(data) for data in heard.on("klvrelay/status")]
    results = [status["reload"]["result"] for status in statuses if "reload" in status]
    assert list(dict.fromkeys(results)) == ["applied", "refused"]
    assert f"stay in effect: {path}: line 2: sink.url: must be" in command.said
    assert mosquitto.log().count("as klvrelay-") == 1
    assert "settings reloaded: added=uav3 changed=uav2" in command.said
    assert "settings reloaded: removed=uav3" in command.said


async def test_a_broker_is_changed_during_an_outage(oracle: OracleBroker, tmp_path: Path, free_port: int):
    """Its address was wrong: after SIGHUP everything that waited is at the right one. Several signals at once too."""
    path = tmp_path / "relay.toml"
    with ports.reserved() as nobody:
        settings(path, f"mqtt://127.0.0.1:{nobody}", udp(free_port, "uav1"))
        async with klvrelay("run", "-c", str(path)) as command:
            await feed.listening(free_port)
            feed.send_udp(feed.datagrams(TAPE.ts), free_port)
            await until(lambda: "uav1: live" in command.said and "retrying" in command.said)
            settings(path, oracle.url, udp(free_port, "uav1"))
            for _ in range(3):
                command.process.send_signal(signal.SIGHUP)
            await until(lambda: len(oracle.payloads("klvrelay/uav1/telemetry")) >= len(TAPE.klv) - 1)
            code, _ = await command.stop()
    assert code == 0, command.said
    got = [orjson.loads(data)["seq"] for data in oracle.payloads("klvrelay/uav1/telemetry")]
    assert got == list(range(len(got)))
    assert "settings reloaded: sinks=mqtt" in command.said


async def test_a_signal_during_a_stop_changes_nothing(oracle: OracleBroker, tmp_path: Path, free_port: int):
    """A reload and a stop at the same moment: an orderly stop, exit code 0."""
    path = tmp_path / "relay.toml"
    settings(path, oracle.url, udp(free_port, "uav1"))
    async with klvrelay("run", "-c", str(path)) as command:
        await feed.listening(free_port)
        await until(lambda: oracle.payloads("klvrelay/uav1/link"))  # after the broker has answered
        settings(path, oracle.url, udp(free_port, "uav1", "stall = 9.0"))
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGHUP, signal.SIGHUP):
            command.process.send_signal(number)
        assert await asyncio.wait_for(command.process.wait(), 10) == 0
    await until(lambda: last_status(oracle).get("reason") == "stopped")
    assert oracle.wills == []


EARLY = """
import asyncio, os, signal, sys
from klvrelay.cli import loading
from klvrelay.cli import main as cli
from klvrelay.cli import run as command
from klvrelay.cli.hangup import on_hangup

async def verb(args):
    reloaded = asyncio.Event()
    with on_hangup(reloaded.set):
        await asyncio.wait_for(reloaded.wait(), 10)
    os.kill(os.getpid(), signal.SIGHUP)
    print("reloaded")

loading.complete = lambda: os.kill(os.getpid(), signal.SIGHUP)
command.run = verb
sys.argv = ["klvrelay", "run", "-c", "relay.toml"]
sys.exit(cli.main())
"""


def test_a_signal_while_it_starts_or_ends_does_not_end_the_process():
    """A service manager reloads a service as soon as it has started it: the settings are read again."""
    done = subprocess.run(
        [sys.executable, "-c", EARLY], capture_output=True, timeout=60, env=ENVIRONMENT, check=False
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, b"reloaded\n", b"")


async def test_without_a_file_there_is_nothing_to_reload(oracle: OracleBroker, free_port: int):
    """A service that sends SIGHUP to all does not end it."""
    url = f"udp://127.0.0.1:{free_port}"
    async with klvrelay("run", url, "--stream", "uav1", "--mqtt", oracle.url) as command:
        await feed.listening(free_port)
        command.process.send_signal(signal.SIGHUP)
        await until(lambda: "nothing to reload" in command.said)
        assert (await command.stop())[0] == 0
    assert command.said.count("nothing to reload") == 1


@pytest.mark.parametrize("with_file", [False, True], ids=["options", "file"])
async def test_a_terminal_that_goes_stops_it(with_file: bool, oracle: OracleBroker, tmp_path: Path, free_port: int):
    """As SIGTERM does: the streams are offline, and no last will is left."""
    source = [f"udp://127.0.0.1:{free_port}", "--stream", "uav1", "--mqtt", oracle.url]
    if with_file:
        settings(tmp_path / "relay.toml", oracle.url, udp(free_port, "uav1"))
        source = ["-c", str(tmp_path / "relay.toml")]
    child, terminal = pty.fork()
    if not child:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # it is ignored where the tests run under nohup
        os.execve(COMMAND[0], [*COMMAND, "run", *source], ENVIRONMENT)
    ended = asyncio.get_running_loop().run_in_executor(None, os.waitpid, child, 0)
    try:
        await feed.listening(free_port)
        await until(lambda: oracle.payloads("klvrelay/uav1/link"))  # after the broker has answered
    finally:
        os.close(terminal)  # the terminal hangs up
    try:
        _, status = await asyncio.wait_for(asyncio.shield(ended), 15)
    except TimeoutError:
        os.kill(child, signal.SIGKILL)  # otherwise the thread waits for it, and the loop for the thread
        raise
    assert os.waitstatus_to_exitcode(status) == 0
    await until(lambda: last_status(oracle).get("reason") == "stopped")
    assert (last_status(oracle)["state"], oracle.wills) == ("offline", [])


async def test_an_ignored_hang_up_stays_ignored(oracle: OracleBroker, free_port: int):
    """`nohup klvrelay run ...`, with options only: it goes on, and logs nothing."""
    args = ("run", f"udp://127.0.0.1:{free_port}", "--stream", "uav1", "--mqtt", oracle.url)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # inherited, as from nohup
    try:
        process = klvrelay(*args)
        command = await process.__aenter__()
    finally:
        signal.signal(signal.SIGHUP, before)
    try:
        await feed.listening(free_port)
        await until(lambda: oracle.payloads("klvrelay/uav1/link"))  # after the broker has answered
        command.process.send_signal(signal.SIGHUP)
        feed.send_udp(feed.datagrams(TAPE.ts), free_port)
        await until(lambda: oracle.payloads("klvrelay/uav1/telemetry"))
        assert (await command.stop())[0] == 0
        assert "reload" not in command.said
    finally:
        await process.__aexit__(None, None, None)


async def test_outputs_are_changed_by_a_signal(oracle: OracleBroker, tmp_path: Path, free_port: int):
    """The source stays open; an output with a fault is refused with its line, and changes nothing."""
    path = tmp_path / "relay.toml"
    source = udp(free_port, "uav1")
    settings(path, f'{oracle.url}"\n[[sink.output]]\nname = "a', source)
    async with klvrelay("run", "-c", str(path)) as command:
        await feed.listening(free_port)
        parts = feed.datagrams(TAPE.ts)
        feed.send_udp(parts[: len(parts) // 2], free_port)
        await until(lambda: len(oracle.payloads("klvrelay/uav1/a")) >= len(TAPE.klv) // 2 - 2)
        settings(path, f'{oracle.url}"\n[[sink.output]]\nitems = ["positon"]\nname = "b', source)
        await hang_up(command)
        settings(path, f'{oracle.url}"\n[[sink.output]]\nname = "b', source)
        await hang_up(command)
        feed.send_udp(parts[len(parts) // 2 :], free_port)
        await until(lambda: len(oracle.payloads("klvrelay/uav1/b")) >= len(TAPE.klv) // 2 - 2)
        code, _ = await command.stop()
    assert code == 0, command.said
    assert "line 4: sink.output.items: no item or group is named 'positon'; did you mean position?" in command.said
    assert "settings reloaded: sinks=mqtt" in command.said
    first, later = (
        [orjson.loads(data)["seq"] for data in oracle.payloads(f"klvrelay/uav1/{name}")] for name in ("a", "b")
    )
    assert first + later == list(range(len(TAPE.klv)))
