"""Ctrl-C at many moments while a command starts: it ends, and prints no traceback."""

from __future__ import annotations

import array
import fcntl
import os
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import feed
import pytest
from test_cli import ENVIRONMENT

FINDER = """
import os, signal, sys, weakref

class Pressed:
    count = 0

    def find_spec(self, name, path=None, target=None):
        Pressed.count += 1
        if Pressed.count == {moment}:
            lock = set()
            watch = weakref.ref(lock, lambda _: os.kill(os.getpid(), signal.SIGINT))
            del lock

sys.argv = ["klvrelay", *{args!r}]
"""
PRESSED = (
    FINDER
    + """
from klvrelay.__main__ import main
sys.meta_path.insert(0, Pressed())
try:
    code = main()
finally:
    os.write(3, b"%d" % Pressed.count)
sys.exit(code)
"""
)
SCRIPT = (
    FINDER
    + """
code = compile(open({script!r}).read(), {script!r}, "exec")
sys.meta_path.insert(0, Pressed())
exec(code)
"""
)
pytestmark = pytest.mark.timeout(120)
# Each ends without a signal: the file is short or missing, or the broker is unreachable.
VERBS = {
    "items": ["items", "13"],
    "schema": ["schema", "status"],
    "decode": ["decode", "-q", "flight.ts"],
    "frame-times": ["decode", "-q", "--frame-times", "flight.ts"],
    "probe": ["probe", "-q", "flight.ts"],
    "export": ["export", "-q", "flight.ts", "out.csv", "--force"],
    "sample": ["sample", "-q", "out.ts", "--seconds", "0.2", "--size", "160x96"],
    "run": ["run", "none.ts", "--mqtt", "mqtt://127.0.0.1:1"],
    "replay": ["replay", "none.ts", "--mqtt", "mqtt://127.0.0.1:1"],
    "record": ["record", "none.ts", "tapes"],
    "send": ["send", "flight.ts", "udp://127.0.0.1:9", "--speed", "1000"],
    "watch": ["watch", "--mqtt", "mqtt://127.0.0.1:1"],
    "spool": ["spool", "none"],
    "demo": ["demo", "none.ts", "--port", "0"],
}

ENDS = (-signal.SIGINT, 128 + signal.SIGINT, 0, 2, 3, 4, 5, 6, 7)
"""Exit codes: ended by the signal, stopped, or complete before the signal."""


def pressed(args: list[str], moment: int, folder: Path) -> subprocess.CompletedProcess[str]:
    """A command that gets SIGINT in a callback of its `moment`th import, where Python discards exceptions."""
    return run(PRESSED.format(args=args, moment=moment), folder)


def run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", '"$@" 3>count', "sh", sys.executable, "-c", script],
        cwd=folder, env={**ENVIRONMENT, "HOME": str(folder)}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize("moments", [2, pytest.param(12, marks=pytest.mark.long)])
@pytest.mark.parametrize("verb", VERBS)
def test_ctrl_c_at_any_moment_of_the_start_shows_no_traceback(verb: str, moments: int, tmp_path: Path):
    """The signal ends it, or it stops; no other output appears."""
    (tmp_path / "flight.ts").write_bytes(feed.recording(20).ts)
    pressed(VERBS[verb], 0, tmp_path)
    count = int((tmp_path / "count").read_text())
    for moment in range(1, count + 1, max(1, count // moments)):
        done = pressed(VERBS[verb], moment, tmp_path)
        assert done.returncode in ENDS, (moment, done.stderr)
        assert not {"Traceback", "Exception", "never"} & set(done.stderr.split()), (moment, done.stderr)


def test_ctrl_c_ends_the_installed_script_from_its_first_import(tmp_path: Path):
    """By the signal, without output: it sets its handler before it imports anything."""
    script = str(Path(__file__).parents[1] / "bin" / "klvrelay")
    done = run(SCRIPT.format(args=["--version"], moment=1, script=script), tmp_path)
    assert done.returncode in (-signal.SIGINT, 128 + signal.SIGINT)
    assert (done.stdout, done.stderr) == ("", "")


def test_the_installed_script_runs_the_command(tmp_path: Path):
    """With its exit code."""
    script = str(Path(__file__).parents[1] / "bin" / "klvrelay")
    done = run(SCRIPT.format(args=["--version"], moment=0, script=script), tmp_path)
    assert (done.returncode, done.stdout.split()[0], done.stderr) == (0, "klvrelay", "")


def test_ctrl_c_while_csv_is_written_stops_the_command(tmp_path: Path):
    """Even if the reader of the output does not read."""
    path = tmp_path / "flight.ts"
    path.write_bytes(feed.recording(2000).ts)
    reader, writer = os.pipe()
    full = fcntl.fcntl(reader, fcntl.F_GETPIPE_SZ)
    command = [sys.executable, "-m", "klvrelay", "decode", "-q", "--format", "csv", str(path)]
    with subprocess.Popen(command, stdout=writer, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT) as process:
        os.close(writer)
        waiting, end = array.array("i", [0]), time.monotonic() + 30
        while waiting[0] < full and time.monotonic() < end:
            time.sleep(0.01)
            fcntl.ioctl(reader, termios.FIONREAD, waiting)
        process.send_signal(signal.SIGINT)
        _, text = process.communicate(timeout=20)
    os.close(reader)

    assert waiting[0] == full
    assert (process.returncode, text) == (130, "klvrelay: stopped\n")


async def test_an_interrupted_check_is_not_a_success(free_port: int, tmp_path: Path):
    """Exit code 130: nothing is known of the sources that were being tried."""
    path = tmp_path / "relay.toml"
    path.write_text(f'[[sink]]\nurl = "mqtt://127.0.0.1:1"\n[[source]]\nurl = "udp://127.0.0.1:{free_port}"\n')
    command = [sys.executable, "-m", "klvrelay", "check", str(path), "--connect", "--seconds", "60"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as process:
        await feed.listening(free_port)
        process.send_signal(signal.SIGINT)
        output, text = process.communicate(timeout=20)

    assert (process.returncode, output, text) == (130, "", "klvrelay: stopped\n")
