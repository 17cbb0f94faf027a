"""The log of the command as a process: options, variables, settings, SIGHUP, and the last lines before an end."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import feed
import orjson
import pytest
from brokers import until
from cases import each_case
from logged import lines_of
from test_cli import ran
from test_relay_process import Command, klvrelay

from klvrelay.cli.options import parser
from klvrelay.config.settings_file import read_settings

CANARY = "c4n4ry-s3cret"
TAPE = feed.recording(30)
UTC = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


@pytest.fixture
def flight(tmp_path: Path) -> Path:
    path = tmp_path / "flight.ts"
    path.write_bytes(TAPE.ts)
    return path


async def ended(*args: str, cwd: Path, **environment: str) -> Command:
    async with klvrelay(*args, cwd=cwd, **environment) as command:
        await asyncio.wait_for(command.process.wait(), 20)
    return command


async def test_every_line_of_a_json_log_is_an_object(flight: Path, tmp_path: Path):
    """Also the error that ends the command, and without the password of its arguments."""
    sink = f"mqtt://u:{CANARY}@127.0.0.1:1"
    command = await ended("run", "flight.ts", "--sink", "-", "--log-format", "json", cwd=tmp_path)
    failed = await ended("run", "none.ts", "--mqtt", sink, "--allow-plaintext", "--log-format", "json", cwd=tmp_path)

    refused = await ended("record", "flight.ts", "flight.ts", "--log-format", "json", cwd=tmp_path)

    events = [orjson.loads(line) for one in (command, failed, refused) for line in one.said.splitlines()]

    assert {"stream": "flight"} in [event.get("klvrelay") for event in events]
    assert {"sink": "lines"} in [event.get("klvrelay") for event in events]
    assert refused.process.returncode == 2
    assert events[-1]["log.level"] == "error"
    assert all(re.fullmatch(UTC, event["@timestamp"]) for event in events)
    assert CANARY not in command.said + failed.said


@each_case("verb", ["run", "replay", "record", "send"])
def test_the_verbs_that_run_long_have_the_options(verb: str):
    """And --help says what --quiet does with them."""
    arguments = {"record": ["a.ts", "b"], "send": ["a.ts", "udp://h:1"]}.get(verb, ["a.ts"])
    found = parser().parse_args([verb, *arguments, "--log-format", "json", "--log-file", "x"])
    assert (found.log_format, found.log_file) == ("json", "x")


async def test_a_file_has_the_whole_log(flight: Path, tmp_path: Path):
    """With time in UTC and level; standard error has the error that ends the command only."""
    command = await ended("run", "flight.ts", "--sink", "-", "--log-file", "log", cwd=tmp_path)
    assert command.said == ""
    lines = lines_of(tmp_path / "log")
    assert all(re.match(rf"{UTC} (INFO|WARNING) ", line) for line in lines)
    assert "30 records" in lines[-1]

    (tmp_path / "bad").mkdir()
    failed = await ended("record", "flight.ts", "log", "--log-file", "log2", cwd=tmp_path)
    assert failed.said.startswith("klvrelay: ")
    assert lines_of(tmp_path / "log2")[-1].endswith(f"ERROR {failed.said.removeprefix('klvrelay: ').strip()}")


async def test_variables_choose_the_log_and_options_override_them(flight: Path, tmp_path: Path):
    """For verbs with and without a settings file; quiet applies to the file too."""
    environment = {"KLVRELAY_LOG_FORMAT": "json", "KLVRELAY_LOG_FILE": "log"}
    await ended("replay", "flight.ts", "--speed", "1000", "--sink", "-", cwd=tmp_path, **environment)
    options = ("--log-file", "other", "--log-format", "text")
    await ended("run", "flight.ts", "--sink", "-", *options, cwd=tmp_path, **environment)
    await ended("run", "flight.ts", "--sink", "-", "-q", "--log-file", "quiet", cwd=tmp_path, **environment)

    assert all(orjson.loads(line)["message"] for line in lines_of(tmp_path / "log"))
    assert re.match(UTC, lines_of(tmp_path / "other")[0])
    assert lines_of(tmp_path / "quiet") == []


@each_case(
    ("options", "text"),
    [
        (["--log-format", "xml"], "--log-format: must be one of text, json, journal"),
        (["--log-file", "no/such/log"], "log.file: can't open no/such/log: No such file or directory"),
        (["--log-file", "/"], "log.file: can't open /: Is a directory"),
        (["--log-file", "/dev/null"], "log.file: can't open /dev/null: not a regular file"),
        (["--log-file", ""], "--log-file: must be the name of a file"),
        (["--log-file", "x", "--log-format", "journal"], '--log-file: has no effect with format = "journal"'),
    ],
)  # fmt: skip
def test_a_log_that_cannot_be_is_refused_at_the_start(options: list[str], text: str, capfd: pytest.CaptureFixture[str]):
    """With exit code 2, and the key or the option."""
    for verb in (["run", "-", "--sink", "-"], ["replay", "a.ts", "--sink", "-"], ["record", "-", "folder"]):
        code, _, err = ran(capfd, *verb, *options)
        assert code == 2
        expected = text.replace("log.file:", "--log-file:") if verb[0] == "run" else text  # it reads all settings first
        assert err.startswith(f"klvrelay: {expected}")


async def test_a_second_process_with_the_same_file_is_refused(flight: Path, tmp_path: Path):
    """It says why, and the first one continues."""
    log = ("--log-file", "log")
    async with klvrelay("run", "flight.ts", "--follow", "--sink", "-", *log, cwd=tmp_path):
        await until(lambda: (tmp_path / "log").exists() and (tmp_path / "log").stat().st_size > 0)
        other = await ended("run", "-", "--sink", "-", *log, cwd=tmp_path)
    assert other.process.returncode == 2
    assert "log.file: can't open log: another process writes to it" in other.said


def settings(folder: Path, log: str) -> None:
    source = '[[source]]\nurl = "flight.ts"\nfollow = true\n'
    (folder / "relay.toml").write_text(f'[[sink]]\nurl = "-"\n{source}[log]\n{log}\n')


def text_of(path: Path) -> str:
    return path.read_text() if path.exists() else ""


async def test_a_reload_changes_the_log(flight: Path, tmp_path: Path):
    """Format, file and limits; a file that cannot be opened is refused, and the earlier log stays in use."""
    first, second = tmp_path / "first", tmp_path / "second"
    settings(tmp_path, 'file = "first"')
    async with klvrelay("run", "-c", "relay.toml", cwd=tmp_path) as command:
        await until(lambda: "connected" in text_of(first))
        settings(tmp_path, 'file = "second"\nformat = "json"\nsize = "1M"')
        command.process.send_signal(signal.SIGHUP)
        await until(lambda: "settings reloaded" in text_of(second))
        assert "settings=log.format,log.file,log.size" in text_of(second)
        settings(tmp_path, 'file = "no/such/third"')
        command.process.send_signal(signal.SIGHUP)
        await until(lambda: "log.file: can't open no/such/third" in text_of(second))
        settings(tmp_path, 'file = "second"\nformat = "text"')
        command.process.send_signal(signal.SIGHUP)
        await until(lambda: "INFO settings reloaded: settings=log.format,log.size" in text_of(second))
        settings(tmp_path, "")
        command.process.send_signal(signal.SIGHUP)
        await until(lambda: "settings reloaded: settings=log.file" in command.said)


@each_case("has_settings", [True, False])
def test_a_log_that_was_moved_away_is_opened_again_at_sighup(has_settings: bool, flight: Path, tmp_path: Path):
    """With a settings file and without."""

    async def check() -> None:
        log = tmp_path / f"log-{has_settings}"
        settings(tmp_path, f'file = "{log.name}"')
        given = ("flight.ts", "--follow", "--sink", "-", "--log-file", log.name)
        async with klvrelay("run", *(("-c", "relay.toml") if has_settings else given), cwd=tmp_path) as command:
            await until(lambda: "connected" in text_of(log))
            os.rename(log, tmp_path / "moved")
            command.process.send_signal(signal.SIGHUP)
            await until(log.exists)
            assert (await command.stop())[0] == 0
        assert "records" in text_of(log)
        assert "nothing to reload" not in text_of(log) + command.said

    asyncio.run(check())


def test_the_settings_of_the_log_are_printed(capfd: pytest.CaptureFixture[str]):
    """With the names of their options."""
    code, out, _ = ran(capfd, "run", "-", "--sink", "-", "--log-file", "log", "--log-format", "json", "--print-config")
    assert code == 0
    table = out.partition("[log]\n")[2].splitlines()[:4]
    assert [re.sub(" +", " ", line) for line in table] == [
        'format = "json" # --log-format', 'file = "log" # --log-file', 'size = "10M" # default', "count = 5 # default",
    ]  # fmt: skip


CRASH = """\
import sys
from klvrelay.config.log import LogSettings
from klvrelay.log import change_log, log_later, logger
log_later(lambda text: text.replace("c4n4ry-s3cret", "***"), quiet=False)
change_log(LogSettings(format="json", file=sys.argv[1]))
logger().info("before")
raise ValueError("c4n4ry-s3cret")
"""


def test_a_crash_is_in_the_log(tmp_path: Path):
    """With its traceback on one line, after all earlier lines, and without a secret."""
    command = (sys.executable, "-c", CRASH, tmp_path / "log")
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1
    assert done.stderr.endswith("ValueError: ***\n")
    first, last = map(orjson.loads, lines_of(tmp_path / "log"))
    assert first["message"] == "before"
    assert (last["log.level"], last["message"]) == ("critical", "internal error: ValueError")
    assert "ValueError: ***" in last["error.stack_trace"]


def test_the_table_of_the_log_may_be_absent():
    """Then the log is text on standard error."""
    found = read_settings(None).settings.log
    assert (found.format, found.file, found.size, found.count) == ("text", None, 10 << 20, 5)
