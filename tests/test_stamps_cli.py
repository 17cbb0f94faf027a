"""`klvrelay decode --frame-times`: one line per stamped frame, and how it ends."""

from __future__ import annotations

import csv
import io
import signal
import subprocess
import time
from pathlib import Path

import feed
import orjson
import pytest
import stamped
from conftest import ROOT
from test_cli import COMMAND, ENVIRONMENT, ran

import klvrelay
from klvrelay import frame_times, sample

KEYS = ["schema", "stream", "pid", "codec", "pts", "time", "time_us", "nanoseconds", "status", "flags"]


@pytest.fixture(scope="module")
def flight(tmp_path_factory) -> Path:
    """A second of the product's own sample."""
    path = tmp_path_factory.mktemp("flight") / "flight.ts"
    sample.write(path, seconds=1, size=(160, 90))
    return path


def test_frame_times_on_the_command_line(flight: Path, capfd: pytest.CaptureFixture[str]):
    """One line of JSON per frame, and their number on standard error."""
    code, out, said = ran(capfd, "decode", str(flight), "--frame-times")

    documents = [orjson.loads(line) for line in out.splitlines()]
    assert (code, said) == (0, "30 video frames with a time stamp\n")
    assert [list(document) for document in documents] == [KEYS] * 30
    first, frame = documents[0], next(iter(frame_times(flight)))
    assert first == {
        "schema": "klvrelay/frame-time/1",
        "stream": flight.stem,
        "pid": 0x100,
        "codec": frame.codec,
        "pts": frame.pts,
        "time": first["time"],
        "time_us": frame.time_us,
        "nanoseconds": None,
        "status": {"locked": True, "discontinuity": False, "reverse": False},
        "flags": [],
    }
    record = orjson.loads(next(klvrelay.open(flight)).json())
    assert first["time"] == record["time"]


def test_special_cases_are_flags(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """Nanoseconds where microseconds belong, and a body without its marker bytes."""
    odd = stamped.body(stamped.START * 1000 + 789, 0xFF).replace(b"\xff", b"\x7f")
    (tmp_path / "odd.ts").write_bytes(stamped.mpeg2(odd))

    code, out, said = ran(capfd, "decode", str(tmp_path / "odd.ts"), "--frame-times", "-q")

    documents = [orjson.loads(line) for line in out.splitlines()]
    assert (code, said, len(documents)) == (0, "", 10)
    assert documents[0] | {"pts": None} == {
        "schema": "klvrelay/frame-time/1",
        "stream": "odd",
        "pid": 256,
        "codec": "mpeg2video",
        "pts": None,
        "time": "2012-06-29T13:45:12.123456Z",
        "time_us": stamped.START,
        "nanoseconds": 789,
        "status": {"locked": True, "discontinuity": True, "reverse": True},
        "flags": ["nanoseconds_in_microsecond_field", "odd_body"],
    }


def test_frame_times_as_csv(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """The same in columns."""
    (tmp_path / "odd.ts").write_bytes(stamped.mpeg2(stamped.body(stamped.START * 1000 + 789, 0x9F)))

    code, out, _ = ran(capfd, "decode", str(tmp_path / "odd.ts"), "--frame-times", "--format", "csv")

    rows = list(csv.DictReader(io.StringIO(out, newline="")))
    assert (code, len(rows)) == (0, 10)
    assert rows[0] | {"pts": ""} == {
        "stream": "odd",
        "pid": "256",
        "codec": "mpeg2video",
        "pts": "",
        "time": "2012-06-29T13:45:12.123456Z",
        "time_us": str(stamped.START),
        "nanoseconds": "789",
        "locked": "false",
        "discontinuity": "false",
        "reverse": "false",
        "flags": "nanoseconds_in_microsecond_field",
    }


@pytest.mark.parametrize("video", [False, True], ids=["no video", "video"])
def test_no_frame_time_is_reported(video: bool, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """Exit code 4, as where there is no KLV."""
    data = stamped.muxed("mpeg2video", stamped.encoded("mpeg2video", 10)) if video else feed.recording().ts
    (tmp_path / "plain.ts").write_bytes(data)

    code, out, said = ran(capfd, "decode", str(tmp_path / "plain.ts"), "--frame-times")

    assert (code, out) == (4, "")
    assert said == f"klvrelay: {tmp_path}/plain.ts: no video frame carries a time stamp (ST 0604)\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_while_it_waits_for_its_input(number: signal.Signals, flight: Path):
    """From a pipe that stays open: the times so far are printed, and the exit code is 0."""
    command = [*COMMAND, "decode", "-", "--frame-times", "-q"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT, cwd=ROOT
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(flight.read_bytes() * 8)
        process.stdin.flush()
        first = process.stdout.readline()
        time.sleep(0.2)
        process.send_signal(number)
        assert process.wait(10) == 0
        assert process.stderr.read() == b""
    assert orjson.loads(first)["stream"] == "stdin"
