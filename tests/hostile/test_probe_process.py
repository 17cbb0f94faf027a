"""The command `probe` on hostile streams: its memory, its reaction to signals, and the file of its page."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import orjson
import pytest
from probe_records import RECORDS
from probe_streams import sample_file
from probe_transport import TRANSPORT
from test_cli import ENVIRONMENT, ran

HOSTILE = TRANSPORT | RECORDS

MEASURED = """
import sys
from klvrelay.cli.main import main
code = main(["probe", "-q", sys.argv[1]])
with open("/proc/self/status") as lines:
    print(next(line.split()[1] for line in lines if line.startswith("VmHWM")), file=sys.stderr)
"""


def memory_for(path: Path) -> int:
    """Maximum KiB of a whole command."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(path)], capture_output=True, text=True, env=ENVIRONMENT, check=True,
        timeout=50,
    )  # fmt: skip
    return int(done.stderr.split()[-1])


@cache
def memory_of_a_sample(folder: Path) -> int:
    path = folder / "normal.ts"
    one = sample_file(folder).read_bytes()
    path.write_bytes((one * (4_000_000 // len(one) + 1))[:4_000_000])
    return memory_for(path)


@pytest.mark.parametrize("name", ["pmt_churn", "starts_on_all_pids", "new_keys", "smallest", "long_texts", "clocks"])
def test_the_memory_is_not_twice_that_of_a_normal_recording(
    name: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
):
    """For 4 MB of any of them."""
    path = tmp_path / "hostile.ts"
    path.write_bytes(HOSTILE[name](4_000_000))
    assert memory_for(path) < 2 * memory_of_a_sample(tmp_path_factory.getbasetemp())


# ---- signals ----


@pytest.fixture
def fed() -> Iterator[subprocess.Popen[bytes]]:
    """A probe that reads standard input; the input stays open."""
    command = [sys.executable, "-m", "klvrelay", "probe", "-", "--json"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=ENVIRONMENT) as process:
        yield process
        process.kill()


def feed(process: subprocess.Popen[bytes], data: bytes) -> None:
    """Write the bytes, and wait until they were read from the pipe."""
    assert process.stdin is not None
    process.stdin.write(data)
    process.stdin.flush()


def test_a_signal_ends_the_probe_of_a_stream_that_never_ends(fed: subprocess.Popen[bytes]):
    """The report covers the data up to then; the exit code is that of the verdict."""
    data = HOSTILE["pmt_churn"](3_000_000)
    feed(fed, data)
    fed.send_signal(signal.SIGTERM)

    out, _ = fed.communicate(timeout=20)

    report = orjson.loads(out)
    assert report["ended"] == "stopped"
    assert 0 < report["size"] <= len(data)
    assert fed.returncode == report["verdict"]["exit_code"] == 4


def test_a_second_signal_ends_a_process_that_waits_for_its_reader(fed: subprocess.Popen[bytes]):
    """The report is larger than a pipe, and the pipe has no reader: one signal is not enough, the second is."""
    feed(fed, HOSTILE["pmt_churn"](2_000_000))
    assert fed.stdin is not None
    assert fed.stdout is not None
    fed.send_signal(signal.SIGTERM)
    assert os.read(fed.stdout.fileno(), 1) == b"{"
    fed.send_signal(signal.SIGTERM)

    assert fed.wait(20) == -signal.SIGTERM


# ---- the file of the page ----


def test_the_page_is_not_for_everybody(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """Mode 0640, whatever the old file had; nothing else is left in the folder, and a link is followed."""
    source, real = sample_file(tmp_path), tmp_path / "kept" / "report.html"
    real.parent.mkdir()
    real.write_text("old")
    real.chmod(0o666)
    link = tmp_path / "link.html"
    link.symlink_to(real)
    before = os.umask(0)
    try:
        ran(capfd, "probe", "-q", str(source), "--html", str(link))
    finally:
        os.umask(before)

    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert real.read_text().startswith("<!DOCTYPE html>")
    assert [path.name for path in real.parent.iterdir()] == ["report.html"]


def test_a_page_goes_to_a_device_too(capfd: pytest.CaptureFixture[str], tmp_path: Path):
    """A path that is not a regular file is written to, not replaced."""
    code, _, said = ran(capfd, "probe", "-q", str(sample_file(tmp_path)), "--html", "/dev/null")
    assert (code, said) == (0, "")
    assert Path("/dev/null").is_char_device()
