"""Standard input, output and error that are closed, full, or left by their reader: one clear line, no traceback."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from probe_streams import klv_only, record, sample_file
from test_cli import COMMAND, ENVIRONMENT


@pytest.fixture(scope="module")
def flight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """More records than a buffer holds, and stamped frames."""
    return sample_file(tmp_path_factory.mktemp("flight"), seconds=4)


def shell(line: str, *, unbuffered: str = "") -> subprocess.CompletedProcess[str]:
    """A shell command line as a user types it; KLVRELAY stands for the command."""
    environment = ENVIRONMENT | {"KLVRELAY": " ".join(COMMAND), "PYTHONUNBUFFERED": unbuffered}
    return subprocess.run(["bash", "-c", line], env=environment, capture_output=True, text=True, timeout=60)


WRITERS = [
    "decode FLIGHT", "decode FLIGHT --format csv", "decode FLIGHT --frame-times", "probe FLIGHT", "probe FLIGHT --json",
    "items 13", "items --sets", "items 13 --json", "--help", "decode --help",
]  # fmt: skip


@pytest.mark.parametrize("verb", WRITERS)
@pytest.mark.parametrize(
    ("to", "why"), [(">&-", "Bad file descriptor"), (">/dev/full", "No space left on device")], ids=["closed", "full"]
)
def test_output_that_can_not_be_written_is_one_line_and_exit_code_1(verb: str, to: str, why: str, flight: Path):
    """For each verb that prints."""
    done = shell(f"$KLVRELAY {verb.replace('FLIGHT', str(flight))} --quiet {to}" if "FLIGHT" in verb
                 else f"$KLVRELAY {verb} {to}")  # fmt: skip

    if verb.endswith("--help") and to == ">&-":
        assert (done.returncode, "Traceback" in done.stderr) == (1, False)
        return
    assert (done.returncode, done.stderr) == (1, f"klvrelay: can't write to standard output: {why}\n")


@pytest.mark.parametrize("verb", WRITERS)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_closes_is_no_error(verb: str, unbuffered: str, flight: Path):
    """`| head -1`: one line was read, there is no message and no error."""
    line = f"$KLVRELAY {verb.replace('FLIGHT', str(flight))} 2>&1 >&3 | cat >&2"
    done = shell(f"{{ {line}; }} 3>&1 | head -1", unbuffered=unbuffered)

    assert len(done.stdout.splitlines()) == 1
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
    assert "klvrelay:" not in done.stderr


def test_errors_that_can_not_be_written_change_no_exit_code(tmp_path: Path):
    """Standard error closed or full: the exit code still reports the error, and none of its text goes to the output."""
    for to in ("2>&-", "2>/dev/full"):
        done = shell(f"$KLVRELAY decode {tmp_path}/none.ts {to}")
        assert (done.returncode, done.stdout, done.stderr) == (3, "", "")


def test_records_are_printed_though_standard_error_is_closed(flight: Path):
    """No summary line among the records."""
    done = shell(f"$KLVRELAY decode {flight} 2>&-")
    assert done.returncode == 0
    assert all(line.startswith('{"schema":"klvrelay/1"') for line in done.stdout.splitlines())


def test_a_file_that_is_opened_never_takes_the_place_of_a_closed_stream(flight: Path, tmp_path: Path):
    """With standard output and error closed, the page of a probe contains only the page."""
    done = shell(f"$KLVRELAY probe {flight} --html {tmp_path}/page.html <&- >&- 2>&-")
    assert done.returncode == 1
    assert (tmp_path / "page.html").read_text().startswith("<!DOCTYPE html>")


def test_a_closed_standard_input_can_not_be_read():
    """One line, exit code 3."""
    done = shell("$KLVRELAY decode - <&-")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == "klvrelay: standard input: can't be read: Bad file descriptor\n"


def test_a_file_name_cannot_control_the_terminal(tmp_path: Path):
    """Control characters and line ends in it are printed as escapes, on one line."""
    name = "a\x1b[31m\nb\u202e.ts"
    (tmp_path / name).write_text("no stream")
    (tmp_path / "good\x1b[31m\n.klv").write_bytes(klv_only([record(n) for n in range(3)]))
    for verb, path, code in (("decode", name, 3), ("probe", name, 3), ("decode", "none\x1b.ts", 3),
                             ("probe", "good\x1b[31m\n.klv", 0)):  # fmt: skip
        done = subprocess.run([*COMMAND, verb, os.fspath(tmp_path / path)], env=ENVIRONMENT, capture_output=True,
                              text=True, timeout=60)  # fmt: skip
        assert done.returncode == code
        assert "\x1b" not in done.stdout + done.stderr
        assert "\u202e" not in done.stdout + done.stderr
        assert code == 0 or done.stderr.count("\n") == 1
