"""Ctrl-C at many moments during the start of a command: no traceback."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import feed
import pytest
from test_cli import ENVIRONMENT

PRESSED = """
import os, signal, sys

class Pressed:
    count = 0

    def find_spec(self, name, path=None, target=None):
        Pressed.count += 1
        if Pressed.count == {moment}:
            os.kill(os.getpid(), signal.SIGINT)

sys.argv = ["klvrelay", *{args!r}]
from klvrelay.__main__ import main
sys.meta_path.insert(0, Pressed())
try:
    code = main()
finally:
    os.write(3, b"%d" % Pressed.count)
sys.exit(code)
"""
MOMENTS = 6
pytestmark = pytest.mark.timeout(120)
# Each ends by itself: the file is short or missing, or the port is closed.
VERBS = {
    "items": ["items", "13"],
    "decode": ["decode", "-q", "flight.ts"],
    "probe": ["probe", "-q", "flight.ts"],
    "sample": ["sample", "-q", "out.ts", "--seconds", "0.2", "--size", "160x96"],
    "run": ["run", "none.ts", "--mqtt", "mqtt://127.0.0.1:1"],
    "replay": ["replay", "none.ts", "--mqtt", "mqtt://127.0.0.1:1"],
    "record": ["record", "none.ts", "tapes"],
    "send": ["send", "flight.ts", "udp://127.0.0.1:9", "--speed", "1000"],
    "watch": ["watch", "--mqtt", "mqtt://127.0.0.1:1"],
    "demo": ["demo", "none.ts", "--port", "0"],
}

ENDS = (-signal.SIGINT, 128 + signal.SIGINT, 0, 3, 5, 6, 7)
"""Exit codes: ended by a signal, stopped, or already at its end."""


def pressed(args: list[str], moment: int, folder: Path) -> subprocess.CompletedProcess[str]:
    """A command that gets SIGINT when it imports its `moment`th module."""
    script = PRESSED.format(args=args, moment=moment)
    return subprocess.run(
        ["sh", "-c", '"$@" 3>count', "sh", sys.executable, "-c", script],
        cwd=folder, env={**ENVIRONMENT, "HOME": str(folder)}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize("verb", VERBS)
def test_ctrl_c_at_any_moment_of_the_start_shows_no_traceback(verb: str, tmp_path: Path):
    """It ends by the signal or as a stopped command; there is no other output."""
    (tmp_path / "flight.ts").write_bytes(feed.recording(20).ts)
    pressed(VERBS[verb], 0, tmp_path)
    count = int((tmp_path / "count").read_text())
    for moment in range(1, count + 1, max(1, count // MOMENTS)):
        done = pressed(VERBS[verb], moment, tmp_path)
        assert done.returncode in ENDS, (moment, done.stderr)
        assert not {"Traceback", "Exception", "never"} & set(done.stderr.split()), (moment, done.stderr)
