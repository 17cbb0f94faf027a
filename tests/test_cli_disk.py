"""A full disk, and recordings to standard output: the message, the exit code, the files left."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from test_cli import COMMAND, ENVIRONMENT, ran
from test_standard import shell

import klvrelay
from klvrelay import sample
from klvrelay.cli.verbs.rates import bits_a_second
from klvrelay.errors import ConfigError
from klvrelay.sample.settings import check

NO_CACHE = {**ENVIRONMENT, "PYTHONDONTWRITEBYTECODE": "1"}
"""For a process with the limit: Python would leave a part of a .pyc, which no later process can load."""
SMALL = ("--seconds", "1", "--size", "160x96", "--fps", "10", "-q")


def small_files_only() -> None:
    """In the child process: a file may have 10,000 bytes, as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))


def limited(*args: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *args], cwd=folder, env=NO_CACHE, capture_output=True, text=True, timeout=60,
        preexec_fn=small_files_only,
    )  # fmt: skip


def test_a_sample_on_a_full_disk_is_exit_code_1(tmp_path: Path):
    """It is no wrong option, and no partial file is left."""
    done = limited("sample", "a.ts", *SMALL, folder=tmp_path)
    assert (done.returncode, done.stderr) == (1, "klvrelay: a.ts: can't be written (File too large)\n")
    assert list(tmp_path.iterdir()) == []


def test_a_probe_page_on_a_full_disk_is_exit_code_1_and_named(tmp_path: Path):
    """The error names the target file, not a temporary one."""
    sample.write(tmp_path / "a.ts", seconds=1, size="160x96", fps=10)
    done = limited("probe", "a.ts", "-q", "--html", "page.html", folder=tmp_path)
    assert (done.returncode, done.stderr) == (1, "klvrelay: --html page.html: can't be written: File too large\n")
    assert [path.name for path in tmp_path.iterdir()] == ["a.ts"]


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("verb", ["--help", "--version", "run --help", "sample - -q --seconds 1 --size 160x96"])
def test_output_to_a_full_disk_is_exit_code_1(verb: str, unbuffered: str):
    """Even where Python writes unbuffered: argparse would hide the error."""
    done = shell(f"$KLVRELAY {verb} >/dev/full", unbuffered=unbuffered)
    said = "klvrelay: can't write to standard output: No space left on device\n"
    assert (done.returncode, done.stderr) == (1, said)


def test_a_sample_goes_to_standard_output(tmp_path: Path):
    """The same bytes as in a file, and the summary on standard error."""
    sample.write(tmp_path / "a.ts", seconds=1, size="160x96", fps=10)
    done = subprocess.run(
        [*COMMAND, "sample", "-", *SMALL[:-1]], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, (tmp_path / "a.ts").read_bytes())
    assert done.stderr.startswith(b"wrote standard output: 1 s, 10 frames of h264, 10 KLV packets (sync)")
    assert len(klvrelay.decode(done.stdout)) == 10
    assert [path.name for path in tmp_path.iterdir()] == ["a.ts"]


@pytest.mark.parametrize("codec", ["h264", pytest.param("h265", marks=pytest.mark.long)])
def test_a_sample_does_not_depend_on_uninitialised_memory(codec: str):
    """Whatever memory holds when it is allocated, equal options give equal bytes."""
    command = [*COMMAND, "sample", "-", "-q", "--codec", codec, "--seconds", "1", "--size", "400x224", "--fps", "10"]
    found = {
        subprocess.run(
            command, env={**ENVIRONMENT, "MALLOC_PERTURB_": fill}, capture_output=True, timeout=50, check=True
        ).stdout
        for fill in ("0", "1")
    }
    assert len(found) == 1


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_sample_whose_reader_closes_is_no_error(unbuffered: str):
    """`sample - | head -c 1000`."""
    done = shell(f"$KLVRELAY sample - {' '.join(SMALL)} | head -c 1000 | wc -c", unbuffered=unbuffered)
    assert (done.stdout.strip(), done.stderr) == ("1000", "")


def test_a_terminal_gets_no_sample():
    """Binary output would disturb the terminal."""
    master, terminal = os.openpty()
    try:
        done = subprocess.run(
            [*COMMAND, "sample", "-", *SMALL], env=ENVIRONMENT, stdout=terminal, stderr=subprocess.PIPE, timeout=60
        )
    finally:
        os.close(master)
        os.close(terminal)
    assert done.returncode == 2
    assert b"standard output is a terminal" in done.stderr


@pytest.mark.parametrize(
    ("text", "rate"),
    [("2M", 2_000_000), ("2.5m", 2_500_000), ("300k", 300_000), (".5M", 500_000), ("64000", 64_000)],
)
def test_a_bit_rate_may_have_a_unit(text: str, rate: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """k and M of 1000, with decimals, in lower or upper case."""
    rates = []

    def checked(**given):
        rates.append(given["bit_rate"])
        return check(**given)

    monkeypatch.setattr("klvrelay.sample.check", checked)
    from klvrelay.cli.main import main

    assert main(["sample", str(tmp_path / "a.ts"), "--bit-rate", text, *SMALL]) == 0
    assert rates == [rate] == [bits_a_second(text)]


@pytest.mark.parametrize("text", ["fast", "2MB", "-2M", "2 M M", "1", "", "nan", "1e6", "200G", "0x10k", "٢M"])
def test_an_invalid_bit_rate_is_refused(text: str, capfd: pytest.CaptureFixture[str]):
    """Exit code 2, and the valid forms."""
    code, out, said = ran(capfd, "sample", "x.ts", f"--bit-rate={text}")
    assert (code, out) == (2, "")
    assert said.startswith(("klvrelay: argument --bit-rate: ", "klvrelay: bit_rate: "))
    assert "bits per second" in said


def test_the_library_distinguishes_a_disk_error_from_an_invalid_name(tmp_path: Path):
    """An invalid file name is the caller's mistake."""
    with pytest.raises(ConfigError):
        sample.write(tmp_path / ("a" * 300), seconds=1, size="160x96", fps=10)
    script = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (99, 99)); from klvrelay import sample, errors\n"
        "try: sample.write('a.ts', seconds=1, size='160x96', fps=10)\n"
        "except errors.KlvrelayError as fault: print(type(fault).__name__)"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=tmp_path, env=NO_CACHE, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("KlvrelayError\n", "")
