"""klvrelay under the real systemd, in a container that boots: start, reload, watchdog, restart and stop."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEBIANS = {(3, 11): "bookworm", (3, 13): "trixie"}
"""The release that has this Python, whose compiled packages it uses."""
DEBIAN = DEBIANS.get(sys.version_info[:2], "")
WATCHDOG = 3
PATIENCE = 60.0

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(900),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to build a root folder and boot it"),
    pytest.mark.skipif(not DEBIAN, reason="needs the Python of a Debian release"),
    pytest.mark.needs("mmdebstrap", "systemd-nspawn", "nsenter"),
]

RELAY = """\
[[sink]]
url = "/var/lib/klvrelay/files"
[[source]]
url = "udp://127.0.0.1:5000"
stream = "uav1"
"""


def unit() -> str:
    """That of the documentation, with the interpreter and the settings of this test."""
    text = (ROOT / "docs" / "systemd.md").read_text()
    found = re.search(r"```ini\n(.*?)```", text, re.DOTALL)
    assert found is not None
    unit, count = re.subn(r"^ExecStart=\S+", "ExecStart=/usr/bin/python3 -m klvrelay", found[1], flags=re.MULTILINE)
    unit, changed = re.subn(r"^WatchdogSec=\d+", f"WatchdogSec={WATCHDOG}", unit, flags=re.MULTILINE)
    assert (count, changed) == (1, 1)
    return unit.replace("[Service]\n", "[Service]\nEnvironment=PYTHONPATH=/opt/src:/opt/site\n")


class Machine:
    """The booted container."""

    def __init__(self, leader: str) -> None:
        self._inside = ["nsenter", "-t", leader, "-m", "-u", "-i", "-n", "-p"]

    def run(self, *words: str, check: bool = True) -> str:
        done = subprocess.run(
            [*self._inside, *words], check=False, timeout=PATIENCE, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert not check or done.returncode == 0, f"{words}: {done.stdout}"
        return done.stdout

    def log(self) -> str:
        return self.run("journalctl", "-u", "klvrelay", "--no-pager", check=False)

    def show(self) -> dict[str, str]:
        names = "ActiveState,StatusText,NRestarts,MainPID,Result"
        return dict(line.split("=", 1) for line in self.run("systemctl", "show", "klvrelay", "-p", names).splitlines())


def wait_until(holds: Callable[[], object], message: Callable[[], str]) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, message()
        time.sleep(0.1)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    root = tmp_path_factory.mktemp("machine") / "root"
    packages, old = "--include=systemd,systemd-sysv,dbus,procps,python3", '--aptopt=Acquire::Check-Valid-Until "false"'
    command = ["mmdebstrap", "--quiet", "--variant=minbase", packages, old, DEBIAN, root]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=600)
    try:
        for name in ("src", "site"):
            (root / "opt" / name).mkdir()
        (root / "etc/klvrelay").mkdir()
        (root / "etc/klvrelay/relay.toml").write_text(RELAY)
        (root / "etc/systemd/system/klvrelay.service").write_text(unit())
        yield from booted(root)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def booted(root: Path) -> Iterator[Machine]:
    said = root.parent / "boot.log"
    command = [
        "systemd-nspawn", "-q", "-D", root, "--register=no", "--keep-unit", "--private-network",
        f"--machine=klv{os.getpid()}",
        f"--bind-ro={ROOT / 'src'}:/opt/src", f"--bind-ro={sysconfig.get_path('purelib')}:/opt/site", "-b",
    ]  # fmt: skip
    with said.open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        yield started(process, said)
    finally:
        process.terminate()  # SIGTERM powers the machine off
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def started(process: subprocess.Popen[bytes], said: Path) -> Machine:
    """The machine once systemd runs; skips the tests where it cannot."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    end = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < end:
        if leader := children.read_text().split():
            machine = Machine(leader[0])
            if machine.run("systemctl", "is-system-running", check=False).strip() in ("running", "degraded"):
                return machine
        time.sleep(0.2)
    pytest.skip(f"systemd does not boot in a container here: {said.read_text(errors='replace')[-300:].strip()}")


@pytest.fixture
def relay(machine: Machine) -> Iterator[Machine]:
    """The running service: `systemctl start` returns once it is ready."""
    machine.run("systemctl", "reset-failed", check=False)
    machine.run("systemctl", "start", "klvrelay")
    assert machine.show()["ActiveState"] == "active"
    yield machine
    machine.run("systemctl", "stop", "klvrelay")


def test_a_service_is_ready_and_has_a_status(relay: Machine):
    """As `systemctl status` shows it."""
    assert relay.show()["StatusText"] == "0 of 1 stream live, files connected, 0 records wait"


def test_a_reload_ends_also_if_the_settings_are_refused(relay: Machine):
    """`systemctl reload` returns, and the service continues with the same process."""
    process = relay.show()["MainPID"]
    relay.run("systemctl", "reload", "klvrelay")
    wait_until(lambda: "settings reloaded: nothing changed" in relay.log(), relay.log)
    relay.run("sh", "-c", "echo '[[sink]' > /etc/klvrelay/relay.toml")
    try:
        relay.run("systemctl", "reload", "klvrelay")
        wait_until(lambda: "settings not reloaded" in relay.log(), relay.log)
    finally:
        relay.run("sh", "-c", f"cat > /etc/klvrelay/relay.toml <<'EOF'\n{RELAY}EOF")
    wait_until(lambda: relay.show()["ActiveState"] == "active", relay.log)
    assert relay.show()["MainPID"] == process


def test_the_watchdog_restarts_a_relay_that_is_stuck(relay: Machine):
    """SIGSTOP stops the loop and all threads; the next process is ready again."""
    before = relay.show()
    time.sleep(2 * WATCHDOG)  # it is fed
    assert relay.show()["MainPID"] == before["MainPID"]
    relay.run("kill", "-STOP", before["MainPID"])
    wait_until(lambda: int(relay.show()["NRestarts"]) > int(before["NRestarts"]), relay.log)
    wait_until(lambda: relay.show()["ActiveState"] == "active", relay.log)
    assert relay.show()["MainPID"] != before["MainPID"]
    assert "Watchdog timeout" in relay.log()


def test_a_killed_relay_is_started_again(relay: Machine):
    """After kill -9."""
    before = relay.show()
    relay.run("kill", "-KILL", before["MainPID"])
    wait_until(lambda: relay.show()["MainPID"] not in ("0", before["MainPID"]), relay.log)
    wait_until(lambda: relay.show()["ActiveState"] == "active", relay.log)


def test_a_stop_is_clean(relay: Machine):
    """Exit code 0, and no restart."""
    relay.run("systemctl", "stop", "klvrelay")
    shown = relay.show()
    assert (shown["ActiveState"], shown["Result"]) == ("inactive", "success")
