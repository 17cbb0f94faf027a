"""`klvrelay demo`: records within seconds, the command to subscribe, and a clean end by Ctrl-C."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import feed
import orjson
import pytest
from brokers import Mosquitto, listening, until
from test_cli import ran
from test_relay_process import Command, klvrelay

from klvrelay.cli.verbs import demo as verb
from klvrelay.cli.verbs.demo import demo as run_demo
from klvrelay.errors import ConfigError

TAPE = feed.recording(60)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder with a recording in it."""
    (tmp_path / "flight.ts").write_bytes(TAPE.ts)
    return tmp_path


@asynccontextmanager
async def demo(folder: Path, *args: str) -> AsyncIterator[Command]:
    async with klvrelay("demo", *args, cwd=folder, HOME=str(folder), XDG_CACHE_HOME="", COLUMNS="200") as command:
        yield command


async def subscribe_line(command: Command) -> int:
    """The port in the command that it prints for another terminal."""
    pattern = r"(?m)^ *mosquitto_sub -h 127\.0\.0\.1(?: -p (\d+))? -t 'klvrelay/#' -v$"
    await until(lambda: re.search(pattern, command.printed) or command.process.returncode is not None, 15)
    found = re.search(pattern, command.printed)
    assert found, command.said + command.printed
    return int(found[1] or 1883)


async def ended_by_ctrl_c(command: Command) -> None:
    code, seconds = await command.stop(signal.SIGINT)
    assert code in (0, 130)
    assert seconds < 5
    assert "Traceback" not in command.said + command.printed
    assert not re.search("never retrieved|was destroyed|Exception", command.said + command.printed)


async def test_demo_shows_records_and_how_to_subscribe(folder: Path):
    """The first record in full, then one line for several; another subscriber gets them all."""
    async with demo(folder, "flight.ts", "--port", "0") as command:
        port = await subscribe_line(command)
        async with listening(port, "klvrelay/#", protocol=4) as heard:
            await heard.count(10, "klvrelay/flight/telemetry")
        await until(lambda: command.printed.count("klvrelay/flight/telemetry") >= 3, 10)
        assert '"schema": "klvrelay/1"' in command.printed
        assert re.search(r"klvrelay/flight/telemetry  seq \d+  2012-06-29T", command.printed)
        assert re.search(r"klvrelay/flight/availability  online", command.printed)
        assert f"watch --mqtt mqtt://127.0.0.1:{port}" in command.printed
        await ended_by_ctrl_c(command)


async def test_demo_serves_the_web_at_the_given_address(folder: Path, free_port: int):
    """Metrics, health and the API; the log has the address."""
    async with demo(folder, "flight.ts", "--port", "0", "--http", f"127.0.0.1:{free_port}") as command:
        await until(lambda: f"url=http://127.0.0.1:{free_port}" in command.said, 10)
        await ended_by_ctrl_c(command)


async def test_demo_reports_an_address_of_the_web_that_is_in_use(folder: Path):
    """Without the option it takes a free port instead."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        async with demo(folder, "flight.ts", "--port", "0", "--http", address) as command:
            assert await asyncio.wait_for(command.process.wait(), 10) == 2
            await until(lambda: f"{address} cannot be used: address already in use" in command.said, 10)


async def test_demo_uses_and_reports_another_port_where_its_own_is_in_use(folder: Path):
    """It prints the other port, and uses it in the command that subscribes."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        asked = taken.getsockname()[1]
        async with demo(folder, "flight.ts", "--port", str(asked)) as command:
            port = await subscribe_line(command)
            assert port != asked
            assert f"port {asked} is in use: the broker listens on {port}" in command.printed
            await ended_by_ctrl_c(command)


async def test_demo_uses_the_default_port_of_mqtt(monkeypatch: pytest.MonkeyPatch):
    """Where no other is set."""
    asked = []

    class Broker:
        def __init__(self, port: int) -> None:
            asked.append(port)

        async def __aenter__(self) -> None:
            raise ConfigError("enough")

        async def __aexit__(self, *_: object) -> None: ...

    monkeypatch.setattr("klvrelay.cli.verbs.demo.EmbeddedBroker", Broker)
    for port in (None, 0, 5):
        with pytest.raises(ConfigError, match="enough"):
            await run_demo("udp://127.0.0.1:5000", None, port=port)
    assert asked == [1883, 0, 5]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["gopher://h:1"], "gopher:// is not a supported source"),
        (["udp://h"], "port is missing"),
        (["flight.ts", "--mqtt", "http://h"], "must begin with mqtt://"),
        (["flight.ts", "--mqtt", "mqtt://h", "--port", "5"], "--port is for the embedded broker"),
        (["flight.ts", "--http", "8080"], "--http: must be an address and a port"),
        (["flight.ts", "--http", "0.0.0.0:8080"], "the demo serves this machine only"),
        (["flight.ts", "--port", "70000"], "give a number from 0 to 65535"),
        (["flight.ts", "--mqtt-password-file", "PASSWORD"], "the embedded broker needs no password"),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, list) else "",
)  # fmt: skip
def test_demo_checks_its_options_before_it_starts_a_broker(
    args: list[str], said: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    """One line and exit code 2, whether or not the MQTT port is taken."""
    password = tmp_path / "password"
    password.write_text("secret\n")
    password.chmod(0o600)
    monkeypatch.setattr("klvrelay.cli.verbs.demo.EmbeddedBroker", lambda *_: pytest.fail("a broker was started"))
    given = [str(password) if arg == "PASSWORD" else arg for arg in args]
    code, out, complaint = ran(capfd, "demo", *given)
    assert (code, out) == (2, "")
    assert said in complaint


@pytest.mark.needs("mosquitto")
async def test_demo_accepts_another_broker_and_source(folder: Path, mosquitto: Mosquitto, free_port: int):
    """`--mqtt` and a live source: no embedded broker, and received records are shown."""
    async with listening(mosquitto.port, "klvrelay/#") as heard:
        async with demo(folder, f"udp://127.0.0.1:{free_port}", "--mqtt", mosquitto.url) as command:
            assert await subscribe_line(command) == mosquitto.port
            await feed.listening(free_port)
            feed.send_udp(feed.datagrams(TAPE.ts), free_port)
            await until(lambda: '"schema": "klvrelay/1"' in command.printed)
            await ended_by_ctrl_c(command)
        messages = await heard.count(60, f"klvrelay/udp-127.0.0.1-{free_port}/telemetry")
    assert [orjson.loads(m.payload)["seq"] for m in messages] == list(range(60))


async def test_demo_without_a_broker_is_one_line(folder: Path, free_port: int):
    """The port is closed: one line, exit code 5."""
    async with demo(folder, "flight.ts", "--mqtt", f"mqtt://127.0.0.1:{free_port}") as command:
        assert await asyncio.wait_for(command.process.wait(), 15) == 5
    assert re.search(r"(?m)^klvrelay: mqtt://127\.0\.0\.1:\d+: connection refused", command.said)


@pytest.mark.needs("mosquitto")
async def test_demo_reports_a_lost_broker(folder: Path, mosquitto: Mosquitto):
    """One line, or it continues when the broker returns; never a traceback."""
    async with demo(folder, "flight.ts", "--mqtt", mosquitto.url) as command:
        await until(lambda: '"schema": "klvrelay/1"' in command.printed, 15)
        await mosquitto.stop()
        await until(lambda: "mqtt://127.0.0.1" in command.said)
        if command.process.returncode is None:
            with suppress(ProcessLookupError):
                command.process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(command.process.wait(), 20) in (0, 5, 130)


async def test_ctrl_c_while_the_sample_is_made_ends_it(folder: Path):
    """The first run makes a recording for a while: it can be stopped then too, and leaves no partial file."""
    async with demo(folder, "--port", "0") as command:
        await until(lambda: "creating a sample" in command.said, 15)
        await until(lambda: list(folder.glob(".cache/klvrelay/.*.part")), 10)
        command.process.send_signal(signal.SIGINT)
        # The first frame takes a second of computing; on a busy machine that is several.
        assert await asyncio.wait_for(command.process.wait(), 20) in (0, 130)
    assert list(folder.glob(".cache/klvrelay/*")) == []


async def test_a_sample_that_is_stopped_logs_no_error(folder: Path, monkeypatch: pytest.MonkeyPatch, caplog):
    """The fault that ends its thread is expected."""
    begun, never, loop = asyncio.Event(), threading.Event(), asyncio.get_running_loop()

    def make(path: Path, *, seconds: int, step: Callable[[], None]) -> None:
        loop.call_soon_threadsafe(begun.set)
        while not never.wait(0.001):
            step()

    monkeypatch.setattr(verb, "SAMPLE", folder / "none.ts")
    monkeypatch.setattr(verb, "make_sample", make)
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    task = asyncio.create_task(verb.sample_file())
    await asyncio.wait_for(begun.wait(), 5)
    task.cancel()
    await asyncio.wait({task}, timeout=5)
    assert task.cancelled()
    assert caplog.records == []
