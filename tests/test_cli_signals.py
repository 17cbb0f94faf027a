"""Several signals in quick succession, as `timeout -s INT` sends them: the stop is as orderly as after one."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys

import orjson
import pytest
from brokers import Mosquitto, listening, until
from conftest import ROOT
from test_cli import ENVIRONMENT
from test_relay_process import klvrelay

SAMPLE = str(ROOT / "samples" / "orbit.ts")
GAPS = (0.0, 0.003, 0.012, 0.03)
"""Seconds between two signals."""
FAULTS = ("Traceback", "exception", "Exception", "never")

STOPPED = """
import asyncio, os, signal, sys
from klvrelay.cli import main as cli
from klvrelay.cli import demo as command

async def verb(args):
    os.kill(os.getpid(), signal.{name})
    try:
        await asyncio.sleep(30)
    finally:
        for _ in range(4):
            os.kill(os.getpid(), signal.{name})
            await asyncio.sleep(0.001)
        print("cleaned up")

signal.signal(signal.SIGINT, signal.SIG_DFL)  # as the script does
command.run = verb
sys.argv = ["klvrelay", "demo"]
sys.exit(cli.main())
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_later_signals_do_not_interrupt_the_clean_up(name: str):
    """The first one cancels the verb, the others have no effect, and the exit code is that of a stop."""
    done = subprocess.run(
        [sys.executable, "-c", STOPPED.format(name=name)], capture_output=True, timeout=60, env=ENVIRONMENT, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, b"cleaned up\n", b"")


REPORTED = """
import os, signal, sys
from klvrelay.cli import main as cli
from klvrelay.cli import standard_streams

def interrupted(text):
    for _ in range(3):
        os.kill(os.getpid(), signal.SIGINT)
    print_error(text)

print_error, standard_streams.print_error = standard_streams.print_error, interrupted
signal.signal(signal.SIGINT, signal.SIG_DFL)
sys.argv = ["klvrelay", "decode", "/no/such/file"]
sys.exit(cli.main())
"""


def test_signals_while_an_error_is_reported_print_no_traceback():
    """The first one ends the process, as while it loads."""
    done = subprocess.run(
        [sys.executable, "-c", REPORTED], capture_output=True, timeout=60, env=ENVIRONMENT, check=False
    )

    assert (done.returncode, done.stderr) == (-signal.SIGINT, b"")


@pytest.mark.needs("mosquitto")
@pytest.mark.parametrize("count", [2, 5])
@pytest.mark.parametrize("gap", GAPS)
async def test_quick_signals_leave_the_last_values_right(gap: float, count: int, mosquitto: Mosquitto):
    """The last status has the counts, the last link says that the stream ended, and nothing else is logged."""
    args = ("run", SAMPLE, "--follow", "--stream", "a", "--mqtt", mosquitto.url)
    async with klvrelay(*args) as command:
        await until(lambda: "connected" in command.said and "live" in command.said)
        for _ in range(count):
            with contextlib.suppress(ProcessLookupError):  # it may have ended by now, which `send_signal` would hide
                os.kill(command.process.pid, signal.SIGINT)
            await asyncio.sleep(gap)  # what is tested: it is no wait for anything
        assert await asyncio.wait_for(command.process.wait(), 30) == 0, command.said
    async with listening(mosquitto.port) as heard:
        (status,) = await heard.count(1, "klvrelay/status")
        (link,) = await heard.count(1, "klvrelay/a/link")

    found = re.search(r"(\d+) records, .*; (\d+) delivered to ", command.said)
    assert found, command.said
    assert orjson.loads(bytes(status.payload))["records"]["delivered"] == int(found[2]) == int(found[1]) > 0
    assert orjson.loads(bytes(link.payload))["state"] == "ended"
    assert not [word for word in FAULTS if word in command.said], command.said
