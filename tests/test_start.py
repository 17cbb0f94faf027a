"""The modules that a command imports: no more than its verb needs."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path

import feed
import pytest
from conftest import freeze
from test_cli import ENVIRONMENT

from klvrelay.cli import loading, stopping
from klvrelay.cli.stopping import Deadline, watch_signals

HEAVY = {
    "aiomqtt", "amqtt", "asyncio", "av", "base64", "bz2", "concurrent", "csv", "dataclasses", "datetime", "difflib",
    "email", "hashlib", "http", "importlib.metadata", "inspect", "ipaddress", "json", "logging", "lzma", "numpy",
    "orjson", "paho", "pathlib", "platform", "queue", "random", "rich", "selectors", "shutil", "socket", "ssl",
    "subprocess", "tempfile", "tomllib", "traceback", "unicodedata", "urllib.parse", "uuid", "zlib",
}  # fmt: skip
"""Modules that take a millisecond or more to load, or import one that does."""

KINDS = {
    "udp": "klvrelay.sources.datagrams.source", "tcp": "klvrelay.sources.tcp.source",
    "srt": "klvrelay.sources.srt.source", "rtsp": "klvrelay.sources.libav.source",
}  # fmt: skip


def loaded(code: str) -> set[str]:
    """Modules that an interpreter has after some code, less those at its start."""
    script = f"import sys\nbefore = set(sys.modules)\n{code}\nprint('\\nloaded', *sys.modules.keys() - before)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60, env=ENVIRONMENT
    )
    return set(done.stdout.rpartition("\nloaded ")[2].split())


@cache
def heavy() -> set[str]:
    """Without those of Python's own argparse: since 3.14 `dataclasses` and with it `inspect`, for its colours."""
    narrow = "lambda prog: argparse.HelpFormatter(prog, width=80)"
    return HEAVY - loaded(f"import argparse; argparse.ArgumentParser(formatter_class={narrow}).add_argument('x')")


def command(*args: str) -> str:
    """Code that runs a command line and continues afterwards."""
    return (
        f"sys.argv = ['klvrelay', *{args!r}]\nfrom klvrelay.__main__ import main\ntry: main()\nexcept SystemExit: pass"
    )


@pytest.fixture
def tape(tmp_path: Path) -> str:
    path = tmp_path / "flight.ts"
    path.write_bytes(feed.recording(20).ts)
    return str(path)


@pytest.mark.parametrize("args", [("--version",), ("--help",), ("decode", "--help")], ids=" ".join)
def test_options_of_the_command_itself_load_nothing_heavy(args: tuple[str, ...]):
    """Its version, its help: not even the C core."""
    found = loaded(command(*args))
    assert "klvrelay.cli.options" in found
    assert not found & {*heavy(), "_cffi_backend", "ctypes", "klvrelay.core"}


@pytest.mark.parametrize("more", [[], ["--quiet"], ["--numbers", "safe"], ["--pid", "0x101"]], ids=" ".join)
def test_a_file_is_decoded_without_heavy_modules(more: list[str], tape: str):
    """No loop, no TLS, no numpy, no second JSON writer."""
    found = loaded(command("decode", *more, tape))
    assert "klvrelay.core" in found
    assert not found & heavy()


def test_the_package_itself_loads_almost_nothing():
    """Before its handler is set, a Ctrl-C is Python's, and shows a traceback."""
    found = loaded("import klvrelay")
    assert "klvrelay.encode" in found
    assert found <= {"klvrelay", "klvrelay.encode", "__future__", "importlib", "importlib._bootstrap", "warnings",
                     "importlib._bootstrap_external"}  # fmt: skip


@pytest.mark.parametrize("scheme", KINDS)
def test_a_kind_of_source_is_loaded_when_it_is_opened(scheme: str):
    """And no other: a file needs no TLS, a datagram no libav."""
    found = loaded(
        f"from klvrelay.sources.open import open_source; open_source('{scheme}://127.0.0.1:5000/', isolate=False)"
    )
    assert {kind for kind in KINDS.values() if kind in found} == {KINDS[scheme]}


def test_a_library_that_only_decodes_loads_no_loop():
    """`klvrelay.decode`, `json_lines` and a record's JSON."""
    code = "import klvrelay; klvrelay.json_lines(b''); [record.json() for record in klvrelay.decode(b'')]"
    assert not loaded(code) & {"asyncio", "dataclasses", "numpy", "orjson", "ssl"}


@pytest.mark.parametrize(
    "args", [["decode", "--frame-times", "missing.ts"], ["decode", "--demux", "libav", "missing.ts"], ["probe", "-"]],
    ids=" ".join,
)  # fmt: skip
def test_a_verb_that_logs_has_its_log(args: list[str]):
    """On standard error, one line per message, before a source is opened."""
    seen = "import logging; print('handlers', *map(type, logging.getLogger('klvrelay').handlers))"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{command(*args)}\n{seen}"], input=b"", capture_output=True, timeout=60,
        env=ENVIRONMENT, check=True,
    )  # fmt: skip
    assert done.stdout.endswith(b"handlers <class 'klvrelay.logs.handler.EventHandler'>\n")


def test_the_garbage_collector_runs_once_the_work_begins(monkeypatch: pytest.MonkeyPatch):
    """It is disabled while modules load, and their objects are frozen."""
    monkeypatch.setattr(gc, "freeze", freeze)
    try:
        loading.begin()
        assert not gc.isenabled()
        before, loaded = gc.get_freeze_count(), [[number] for number in range(1000)]
        loading.complete()
        assert gc.isenabled()
        assert gc.get_freeze_count() - before >= len(loaded)
    finally:
        gc.enable()


@pytest.mark.parametrize("args", [["decode", "-"], ["items", "13"]], ids=" ".join)
def test_the_garbage_collector_runs_while_a_verb_does(args: list[str]):
    """A pipe may run for days."""
    seen = f"""
import gc, io
class Out(io.TextIOWrapper):
    def flush(self):
        seen.append(gc.isenabled())
        super().flush()
seen = []
out, sys.stdout = sys.stdout, Out(io.FileIO(2, "w", closefd=False))
{command(*args)}
sys.stdout = out
print(all(seen), bool(seen))
"""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{seen}"], input=feed.recording(3).ts, capture_output=True, timeout=60,
        env=ENVIRONMENT, check=True,
    )  # fmt: skip
    assert done.stdout.split() == [b"True", b"True"]


BROKEN_OFF = """
import asyncio, signal
from klvrelay.cli import main as cli
from klvrelay.cli import demo as command
new, demo = asyncio.new_event_loop, command.run

def broken_loop():
    signal.raise_signal(signal.SIGINT)
    return new()

def broken_verb(args):
    signal.raise_signal(signal.SIGINT)
    return demo(args)

{patch}
sys.exit(cli.main())
"""


@pytest.mark.parametrize(
    ("patch", "code", "said"),
    [
        ("asyncio.new_event_loop = asyncio.events.new_event_loop = broken_loop", 130, b"klvrelay: stopped\n"),
        ("command.run = broken_verb", 0, b""),
    ],
    ids=["loop", "verb"],
)  # fmt: skip
def test_a_signal_while_a_loop_is_made_leaves_no_coroutine(patch: str, code: int, said: bytes):
    """Python would report one that was never awaited on standard error."""
    script = f"import sys\nsys.argv = ['klvrelay', 'demo']\n{BROKEN_OFF.format(patch=patch)}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60, env=ENVIRONMENT)

    assert (done.returncode, done.stderr) == (code, said)


def test_a_later_signal_interrupts_what_the_first_could_not(monkeypatch: pytest.MonkeyPatch):
    """A write to a pipe whose reader has stopped continues after the first one, and after one that repeats it."""
    before = signal.getsignal(signal.SIGINT)
    with watch_signals() as asked:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        assert asked()
        monkeypatch.setattr(stopping, "SAME", -1.0)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)  # it interrupts once

    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("interrupts", [False, True])
def test_a_late_interrupt_has_no_effect(interrupts: bool):
    """The verb was stopped in order: another one, before the process exits, does not end it."""
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        with contextlib.suppress(KeyboardInterrupt), watch_signals(interrupts=interrupts):
            signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        with watch_signals():
            pass
        assert signal.getsignal(signal.SIGINT) is not signal.SIG_DFL
    finally:
        signal.signal(signal.SIGINT, before)


def test_only_the_first_signal_sets_the_deadline():
    """Later ones neither move it nor begin another."""
    deadline = Deadline()
    try:
        for _ in range(3):
            deadline.set()
        assert [thread.name for thread in threading.enumerate()].count("klvrelay-deadline") == 1
    finally:
        deadline.lift()


def test_an_interrupted_write_waits_for_no_reader(tape: str):
    """At the exit nothing is written to a full pipe whose reader has stopped."""
    script = f"""
import os, signal, sys
from klvrelay.cli import main as cli
from klvrelay.cli import stopping
from klvrelay.cli.verbs import decode
stopping.SAME = -1.0
os.set_blocking(1, False)
try:
    while os.write(1, bytes(4096)): pass
except BlockingIOError:
    os.set_blocking(1, True)
def broken_off(text):
    sys.stdout.buffer.write(b"left")
    for _ in range(2):
        signal.raise_signal(signal.SIGINT)
decode.write_all = broken_off
sys.argv = ["klvrelay", "decode", "--quiet", {tape!r}]
sys.exit(cli.main())
"""
    reading, writing = os.pipe()
    try:
        done = subprocess.run(
            [sys.executable, "-c", script], stdout=writing, stderr=subprocess.PIPE, timeout=60, env=ENVIRONMENT
        )
    finally:
        os.close(reading)
        os.close(writing)

    assert (done.returncode, done.stderr) == (130, b"klvrelay: stopped\n")


def test_the_log_opens_no_file_later():
    """The redaction of passwords is loaded with it: a message may be about a full table of descriptors."""
    script = """
import builtins, errno, logging, os, sys
from klvrelay.cli import main as cli
from klvrelay.cli import demo as command

async def verb(args):
    def refuse(*_, **__):
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
    builtins.__import__ = refuse
    logging.getLogger("klvrelay").warning("cam: %s", "Too many open files")

command.run = verb
sys.argv = ["klvrelay", "demo"]
cli.main()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, env=ENVIRONMENT)

    assert done.stderr.endswith(" cam: Too many open files\n")
    assert done.stderr.count("\n") == 1
