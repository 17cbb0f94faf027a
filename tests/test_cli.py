"""The command line: help, exit codes, one clear line for each error, and no password anywhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import feed
import pytest
from cases import each_case
from conftest import ROOT

from klvrelay import __version__
from klvrelay.cli import main as cli

CANARY = "c4n4ry-s3cret"
COMMAND = (sys.executable, "-m", "klvrelay")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "COLUMNS": "120", "PYTHONUNBUFFERED": ""}
VERBS = (
    "run", "check", "replay", "decode", "probe", "record", "send", "items", "watch", "retained", "spool", "sample",
    "import", "demo", "schema", "export",
)  # fmt: skip


def ran(capfd: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command line."""
    try:
        code = cli.main(args)
    except SystemExit as gone:
        code = int(gone.code or 0)
    return code, *capfd.readouterr()


@pytest.mark.parametrize("verb", ["", *VERBS])
def test_help_teaches(verb: str, capfd: pytest.CaptureFixture[str]):
    """Every option is explained, the exit codes are listed, and there is an example to copy."""
    code, out, said = ran(capfd, *filter(None, [verb, "--help"]))
    assert (code, said) == (0, "")
    assert "exit codes:" in out
    assert not re.search(r"(?m)^  -\S+( [A-Z]\S*)?$\n(  -|\n)", out), "an option without a word"
    if not verb:
        assert all(re.search(rf"(?m)^    {name} +\S", out) for name in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_each_verb_has_an_example(verb: str, capfd: pytest.CaptureFixture[str]):
    """A complete command line."""
    assert re.search(rf"(?m)^\s*(\$ )?klvrelay {verb} \S", ran(capfd, verb, "--help")[1].partition("\n\n")[2])


@pytest.mark.parametrize("verb", ["run", "replay", "watch"])
def test_help_shows_the_forms_of_urls(verb: str, capfd: pytest.CaptureFixture[str]):
    """Brokers, and every kind of source for `run`."""
    _, out, _ = ran(capfd, verb, "--help")
    assert "mqtts://user@broker:8883" in out
    if verb == "run":
        assert all(f"{scheme}://" in out for scheme in ("udp", "rtp", "tcp", "rtsp", "rtsps", "http", "https"))


def test_version(capfd: pytest.CaptureFixture[str]):
    """Name and number."""
    assert ran(capfd, "--version") == (0, f"klvrelay {__version__}\n", "")


@each_case(
    ("args", "hint"),
    [
        ([], "VERB"),
        (["relay"], "run"),
        (["run", "--colour"], "--colour"),
        (["run"], "no source: give one, e.g. udp://0.0.0.0:5000, or -c relay.toml"),
        (["run", "a.ts", "--mqtt", "mqtt://h", "--stall", "x"], "argument --stall x: give a number"),
        (["sample", "a.ts", "--seed", "1.5"], "argument --seed 1.5: give a whole number"),
        (["sample", "a.ts", "--size", "10"], "size '10': give WIDTHxHEIGHT, such as 640x360"),
        (["run", "a.ts"], "no sink: give one"),
        (["run", "a.ts", "--mqtt", "http://h"], "mqtt://"),
        (["run", "a.ts", "--mqtt", "mqtt://h:port"], "port"),
        (["run", "a.ts", "--mqtt", "mqtt://h", "--qos", "7"], "qos"),
        (["run", "a.ts", "--mqtt", "mqtt://h", "--mqtt-version", "4"], "3.1.1"),
        (["run", "a.ts", "--stream", "a", "--stream", "b", "--mqtt", "mqtt://h"], "--stream occurs 2 times for 1"),
        (["run", "gopher://h:1", "--mqtt", "mqtt://h"], "not a supported source"),
        (["run", "srt://h:1?mode=push", "--mqtt", "mqtt://h"], "rendezvous"),
        (["run", "udp://h", "--mqtt", "mqtt://h"], "port is missing"),
        (["run", "a.ts", "--mqtt", "mqtt://h", "--prefix", "a/#"], "prefix"),
        (["run", "a.ts", "--mqtt", "mqtt://h", "--source-timeout", "-1"], "timeout"),
        (["run", "a.ts", "--mqtt", "mqtt://h", "--source-timeout", "0"], "timeout"),
        (["run", "-c", "/nowhere/relay.toml"], "No such file"),
        (["replay", "a.ts"], "--mqtt"),
        (["replay", "a.ts", "--mqtt", "mqtt://h", "--speed", "0"], "speed"),
        (["replay", "a.ts", "--mqtt", "mqtt://h", "--speed", "-1"], "speed"),
        (["replay", "a.ts", "--mqtt", "mqtt://h", "--speed", "nan"], "speed"),
        (["replay", "a.ts", "--mqtt", "mqtt://h", "--speed", "fast"], "speed"),
        (["replay", "-", "--loop", "--mqtt", "mqtt://h"], "loop"),
        (["replay", "udp://:5000", "--mqtt", "mqtt://h"], "only a file"),
        (["decode"], "FILE"),
        (["decode", "a.ts", "--format", "xml"], "csv"),
        (["watch"], "--mqtt"),
        (["sample"], "OUT.ts"),
        (["sample", "x.ts", "--seconds", "0"], "seconds"),
        (["sample", "x.ts", "--seconds", "nan"], "seconds"),
        (["sample", "x.ts", "--size", "big"], "size"),
        (["sample", "x.ts", "--codec", "vp9"], "h265"),
        (["sample", "/nowhere/x.ts"], "can't be written"),
        (["demo", "gopher://h:1"], "not a supported source"),
        (["demo", "--mqtt", "http://h"], "mqtt://"),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, list) else "",
)
@pytest.mark.timeout(5)
def test_wrong_options_are_exit_code_2(args: list[str], hint: str, capfd: pytest.CaptureFixture[str]):
    """The error and what to try; nothing on standard output, and nothing started."""
    code, out, said = ran(capfd, *args)
    assert (code, out) == (2, "")
    assert said.startswith("klvrelay: ")
    assert hint in said
    assert len(said.splitlines()) <= 2


@pytest.mark.parametrize(
    "args",
    [
        [f"rtsp://u:{CANARY}@cam/x"],
        ["decode", "a.ts", f"rtsp://u:{CANARY}@cam/x"],
        ["decode", f"rtsp://u:{CANARY}@127.0.0.1:1/x"],
        ["decode", f"http://u:{CANARY}@127.0.0.1:1/x?token={CANARY}"],
        ["decode", f"foo://u:{CANARY}@cam/x"],
        ["run", f"rtsp://u:{CANARY}@cam:x/x", "--mqtt", "mqtt://h"],
        ["run", "a.ts", "--mqtt", f"mqtt://u:{CANARY}@broker.example"],
        ["run", "a.ts", "--mqtt", f"mqtt://u:{CANARY}@h:x"],
        ["run", "a.ts", "--mqtt", f"mqtt://u:{CANARY}/@h"],
        ["run", "a.ts", "--qos", f"mqtt://u:{CANARY}@h"],
        ["run", "a.ts", f"--mqt=mqtt://u:{CANARY}@h:x"],
        ["run", "a.ts", f"--broker=mqtt://u:{CANARY}@h"],
        ["run", "a.ts", "--mqtt", "mqtt://h", "--publish-bad", f"mqtt://u:{CANARY}@h"],
        ["replay", f"udp://u:{CANARY}@h:5000", "--mqtt", "mqtt://h"],
        ["watch", "--mqtt", f"mqtts://u:{CANARY}@127.0.0.1:x"],
        ["demo", f"foo://u:{CANARY}@h"],
    ],
    ids=lambda args: " ".join(args).replace(CANARY, "..."),
)
def test_no_wrong_command_line_shows_a_password(args: list[str], capfd: pytest.CaptureFixture[str]):
    """Not even where a URL is in the wrong place and is quoted as an unknown verb or option."""
    code, out, said = ran(capfd, *args)
    assert code in (2, 3)
    assert re.search("(?m)^klvrelay: ", said)
    assert CANARY not in out + said


def test_python_m_klvrelay_is_the_command():
    """The same help, without an installed script."""
    done = subprocess.run(
        [*COMMAND, "decode", "--help"], capture_output=True, text=True, timeout=20, env=ENVIRONMENT
    )
    assert done.returncode == 0
    assert "JSON Lines" in done.stdout


def test_help_loads_no_heavy_library():
    """Help appears at once."""
    code = "import sys; from klvrelay.cli.main import parser; parser(); print(*sys.modules)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=ENVIRONMENT)
    loaded = set(done.stdout.split())
    assert "klvrelay.cli.main" in loaded
    assert not loaded & {"av", "aiomqtt", "amqtt", "rich", "numpy", "difflib", "http", "tomllib"}


DECODE, RUN, DEMO = ["decode"], ["run", "--mqtt", "mqtt://127.0.0.1:1"], ["demo"]


@pytest.mark.parametrize(
    ("verb", "kind"),
    [(DECODE, kind) for kind in ("missing", "folder", "empty", "text", "unreadable")]
    + [(RUN, "missing"), (RUN, "text"), (DEMO, "missing")],
    ids=lambda given: given if isinstance(given, str) else given[0],
)
def test_a_file_that_can_not_be_read_is_exit_code_3(
    verb: list[str], kind: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    """One line that names the file and says what to try, at once, even without a broker."""
    # root may read every file except such ones
    path = Path("/proc/self/mem") if kind == "unreadable" and os.geteuid() == 0 else tmp_path / "odd.ts"
    if kind == "folder":
        path.mkdir()
    elif kind == "empty":
        path.touch()
    elif kind == "text":
        path.write_text("This is a text, and no stream at all.\n" * 20_000)
    elif kind == "unreadable" and path.parent == tmp_path:
        path.write_bytes(feed.recording(2).ts)
        path.chmod(0)
    environment = {**ENVIRONMENT, "HOME": str(tmp_path)}
    command = [*COMMAND, verb[0], str(path), *verb[1:]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, env=environment)
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
    assert str(path) in done.stderr
    assert len([line for line in done.stderr.splitlines() if str(path) in line]) <= 2
