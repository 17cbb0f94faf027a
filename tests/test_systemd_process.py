"""The command as a service that notifies: start, reload, stop, and what a child process sees of it."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import feed
import ports
import pytest
from blockable_relay import BLOCKED
from brokers import until
from oracle_broker import OracleBroker
from service_manager import ServiceManager, service_manager
from settings_file import written
from test_relay_process import Command, klvrelay

BLOCKABLE = [sys.executable, str(Path(__file__).parent / "support" / "blockable_relay.py")]


@pytest.fixture
def manager(tmp_path: Path):
    with service_manager(tmp_path) as found:
        yield found


def text(broker: str, *urls: str) -> str:
    sources = "".join(f'[[source]]\nurl = "{url}"\nstream = "uav{n}"\n' for n, url in enumerate(urls))
    return f'[[sink]]\nurl = "{broker}"\n{sources}'


async def hang_up(command: Command, manager: ServiceManager) -> None:
    """Send SIGHUP, and wait until the service is ready again."""
    count = len(manager.states)
    command.process.send_signal(signal.SIGHUP)
    await until(lambda: manager.states[count:] == ["RELOADING", "READY"])


async def test_a_service_starts_reloads_and_stops(oracle: OracleBroker, manager: ServiceManager, tmp_path: Path):
    """READY once the broker is connected and the socket open; RELOADING and READY at each reload, also of settings that
    are refused; STOPPING before the end.
    """
    with ports.reserved() as port, ports.reserved() as other:
        path = written(tmp_path, text(oracle.url, f"udp://127.0.0.1:{port}"))
        environment = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "3000000"}
        async with klvrelay("run", "-c", path, **environment) as command:
            await until(lambda: manager.states == ["READY"])
            await until(lambda: "connected" in command.said)
            await feed.listening(port)

            written(tmp_path, text(oracle.url, f"udp://127.0.0.1:{port}", f"udp://127.0.0.1:{other}"))
            before = time.monotonic()
            await hang_up(command, manager)
            await until(lambda: "settings reloaded: added=uav1" in command.said)
            began = int(manager.values("MONOTONIC_USEC")[0]) / 1e6
            assert before <= began <= time.monotonic()

            written(tmp_path, "[[sink]]\nurl = 5\n")
            await hang_up(command, manager)
            await until(lambda: "settings not reloaded" in command.said)

            await until(lambda: "0 of 2 streams live, mqtt connected, 0 records wait" in manager.values("STATUS"))
            await until(lambda: len(manager.times("WATCHDOG")) > 2)
            code, _ = await command.stop()
    assert code == 0
    assert manager.states == ["READY", *["RELOADING", "READY"] * 2, "STOPPING"]
    assert len(manager.values("STATUS")) == len(set(manager.values("STATUS")))


async def test_a_process_whose_loop_is_blocked_is_not_fed(
    oracle: OracleBroker, manager: ServiceManager, free_port: int
):
    """Before and after, signs of life come at a third of the limit; meanwhile there is none."""
    url = f"udp://127.0.0.1:{free_port}"
    environment = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "600000"}
    async with klvrelay("run", url, "--mqtt", oracle.url, program=BLOCKABLE, **environment) as command:
        await until(lambda: manager.states == ["READY"] and len(manager.times("WATCHDOG")) > 2)
        blocked = time.monotonic()
        command.process.send_signal(signal.SIGUSR1)
        await until(lambda: manager.times("WATCHDOG")[-1] > blocked + BLOCKED)
        assert not [at for at in manager.times("WATCHDOG") if blocked + 0.3 < at < blocked + BLOCKED]
        code, _ = await command.stop()
    assert code == 0


async def test_an_isolated_source_cannot_notify(oracle: OracleBroker, manager: ServiceManager, free_port: int):
    """The process that reads it does not have the socket in its environment."""
    url = f"udp://127.0.0.1:{free_port}"
    environment = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "3000000"}
    async with klvrelay("run", url, "--isolate", "--mqtt", oracle.url, **environment) as command:
        await until(lambda: manager.states == ["READY"])
        child = Path(f"/proc/{command.process.pid}/task/{command.process.pid}/children").read_text().split()[0]
        variables = Path(f"/proc/{child}/environ").read_bytes()
        assert b"PATH=" in variables
        assert b"NOTIFY_SOCKET" not in variables
        assert b"WATCHDOG" not in variables
        await command.stop()


async def test_a_file_that_ends_is_a_stop(oracle: OracleBroker, manager: ServiceManager, tmp_path: Path):
    """The relay ends by itself, and announces it."""
    (tape := tmp_path / "uav1.ts").write_bytes(feed.recording(40).ts)
    async with klvrelay("run", str(tape), "--mqtt", oracle.url, NOTIFY_SOCKET=manager.address) as command:
        assert await command.process.wait() == 0
        await until(lambda: "STOPPING" in manager.states)


async def test_a_socket_that_is_away_does_not_hurt_the_relay(oracle: OracleBroker, tmp_path: Path):
    """It is logged once, and the records arrive."""
    (tape := tmp_path / "uav1.ts").write_bytes(feed.recording(40).ts)
    environment = {"NOTIFY_SOCKET": str(tmp_path / "none"), "WATCHDOG_USEC": "300000", "WATCHDOG_PID": str(os.getpid())}
    async with klvrelay("replay", str(tape), "--mqtt", oracle.url, **environment) as command:
        assert await command.process.wait() == 0
        await until(lambda: "systemd not notified" in command.said)
    assert command.said.count("systemd not notified: reason='No such file or directory'") == 1
    assert len(oracle.payloads("klvrelay/uav1/telemetry")) == 40
