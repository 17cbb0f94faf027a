"""`klvrelay export` on a full disk, after a signal, and when a process is killed: no partial file remains."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import peak
import pytest
from exported import ORBIT, flight
from test_cli import COMMAND, ENVIRONMENT
from test_cli_disk import NO_CACHE
from test_cli_export import RAW, names, tape

from klvrelay.exports.formats import FORMATS

__all__ = ["tape"]


def small_files_only() -> None:
    """In the child process: a file may have 30,000 bytes, as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))


@pytest.mark.parametrize("name", ["jsonl", "csv", "geojson", "kml", "gpx", "parquet", "mcap"])
def test_a_full_disk_is_exit_code_1_and_leaves_no_file(name: str, tmp_path: Path):
    """The error names the file."""
    done = subprocess.run(
        [*COMMAND, "export", str(ORBIT), "--to", name, "out"], cwd=tmp_path, env=NO_CACHE, capture_output=True,
        text=True, timeout=60, preexec_fn=small_files_only,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "klvrelay: out: can't be written: File too large\n")
    assert names(tmp_path) == set()


def test_a_full_standard_output_is_exit_code_1(tape: str):
    """As for other commands."""
    done = subprocess.run(
        ["sh", "-c", '"$@" >/dev/full', "sh", *COMMAND, "export", "-q", tape, "--to", "kml", "-"],
        env=ENVIRONMENT, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    said = "klvrelay: can't write to standard output: No space left on device\n"
    assert (done.returncode, done.stderr) == (1, said)


def awaited(condition: Callable[[], bool]) -> None:
    """Wait until it is true, 30 s at most."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def parts(folder: Path) -> list[Path]:
    return list(folder.glob(".*.part"))


@contextmanager
def exporting(folder: Path, *args: str) -> Iterator[subprocess.Popen[str]]:
    """A command that reads from pipes."""
    with subprocess.Popen(
        [*COMMAND, "export", *args], cwd=folder, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        yield process


@contextmanager
def pipes(folder: Path, *flights: str) -> Iterator[list[int]]:
    """Named pipes that a recorder still writes."""
    for flight_ in flights:
        os.mkfifo(folder / flight_)
    ends = [os.open(folder / flight_, os.O_RDWR) for flight_ in flights]
    try:
        yield ends
    finally:
        for end in ends:
            os.close(end)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_no_partial_file(stop: signal.Signals, tmp_path: Path):
    """Exit code 130."""
    with pipes(tmp_path, "a") as (end,), exporting(tmp_path, "a", "a.jsonl") as process:
        os.write(end, RAW)
        awaited(lambda: bool(parts(tmp_path)))
        process.send_signal(stop)
        _, said = process.communicate(timeout=20)
    assert (process.returncode, said) == (130, "klvrelay: stopped\n")
    assert names(tmp_path) == {"a"}


def test_a_signal_stops_all_jobs(tmp_path: Path):
    """Their processes end, and none leaves a partial file."""
    args = ("a", "b", "out/", "--to", "kml", "--jobs", "2")
    with pipes(tmp_path, "a", "b") as ends, exporting(tmp_path, *args) as process:
        for end in ends:
            os.write(end, RAW)
        awaited(lambda: len(parts(tmp_path / "out")) == 2)
        workers = [int(part.name.split(".")[-2]) for part in parts(tmp_path / "out")]
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert (process.returncode, said) == (130, "klvrelay: stopped\n")
    assert names(tmp_path / "out") == set()
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)


def test_a_killed_command_leaves_no_job(tmp_path: Path):
    """The processes notice, and remove their partial files."""
    args = ("a", "b", "out/", "--to", "gpx", "--jobs", "2")
    with pipes(tmp_path, "a", "b") as ends, exporting(tmp_path, *args) as process:
        for end in ends:
            os.write(end, RAW)
        awaited(lambda: len(parts(tmp_path / "out")) == 2)
        process.kill()
        process.communicate(timeout=20)
        awaited(lambda: not parts(tmp_path / "out"))
    assert names(tmp_path / "out") == set()


def test_a_killed_job_spoils_its_flight_only(tmp_path: Path):
    """As by the kernel when memory is short: it is reported, and its partial file is removed."""
    (tmp_path / "b.klv").write_bytes(RAW)
    args = ("a", "b.klv", "out/", "--to", "gpx", "--jobs", "2")
    with pipes(tmp_path, "a") as (end,), exporting(tmp_path, *args) as process:
        os.write(end, RAW)
        awaited(lambda: any(part.name.startswith(".a") for part in parts(tmp_path / "out")))
        (part,) = (part for part in parts(tmp_path / "out") if part.name.startswith(".a"))
        awaited(lambda: (tmp_path / "out" / "b.gpx").exists())
        os.kill(int(part.name.split(".")[-2]), signal.SIGKILL)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "klvrelay: a: its process ended early with a signal (9)\n" in said
    assert names(tmp_path / "out") == {"b.gpx"}


MOST = {"parquet": 260, "geoparquet": 260}
"""MiB of formats that need more than 80."""


@pytest.mark.long
@pytest.mark.parametrize("name", FORMATS)
async def test_memory_does_not_grow_with_the_flight(name: str, tmp_path: Path):
    """An hour at 30 records a second."""
    records = flight([(9 + n / 1_000_000, 56.0) for n in range(1000)], step_us=33_333)
    with (tmp_path / "flight.klv").open("wb") as file:
        for _ in range(108):
            file.write(b"".join(record.raw for record in records))
    done = await peak.run("export", "-q", str(tmp_path / "flight.klv"), "--to", name, str(tmp_path / "out"))
    assert (done.code, done.err) == (0, "")
    assert done.peak < MOST.get(name, 80)
