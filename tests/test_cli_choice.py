"""`--pid` and `--program` of every verb: what they select, and the error where they select nothing."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import orjson
import pytest
from several_programs import two

import klvrelay
from klvrelay.cli import options
from klvrelay.cli.main import main
from klvrelay.cli.relay_settings import relay_settings

NEEDS = {
    "run": ["a.ts"], "replay": ["a.ts", "--mqtt", "mqtt://h"], "decode": ["a.ts"], "probe": ["a.ts"],
    "watch": ["--mqtt", "mqtt://h"], "sample": ["a.ts"], "demo": [],
    "import": ["a.csv", "a.ts"],
}  # fmt: skip


@pytest.fixture
def mux(tmp_path: Path) -> Path:
    path = tmp_path / "cam.ts"
    path.write_bytes(two(program=2))
    return path


@pytest.mark.parametrize("verb", NEEDS)
def test_every_verb_that_selects_takes_both(verb: str) -> None:
    """In hexadecimal or decimal, and a PID as often as wanted."""
    args = options.parser().parse_args([verb, *NEEDS[verb], "--pid", "0x101", "--pid", "513", "--program", "2"])
    assert (args.pid, args.program) == ([257, 513], 2)


@pytest.mark.parametrize(
    ("option", "value"),
    [("--pid", "0x2000"), ("--pid", "klv"), ("--pid", "-1"), ("--program", "0"), ("--program", "x")],
)
def test_an_invalid_pid_or_program_is_refused(option: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With the valid range, and exit code 2."""
    assert main(["decode", "a.ts", f"{option}={value}"]) == 2
    assert "give a number from" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("choice", "pids"),
    [
        ([], {257: 20, 513: 20}), (["--pid", "0x201"], {513: 20}), (["--program", "1"], {257: 20}),
        (["--pid", "257", "--pid", "513"], {257: 20, 513: 20}), (["--pid", "257", "--program", "1"], {257: 20}),
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("demux", ["native", "libav"])
def test_decode_prints_the_selected_records(
    choice: list[str], pids: dict[int, int], demux: str, mux: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """And the summary says how many records of how many packets."""
    assert main(["decode", str(mux), "--demux", demux, *choice]) == 0
    out, err = capfdbinary.readouterr()
    found = [orjson.loads(line)["pid"] for line in out.splitlines()]
    assert {pid: found.count(pid) for pid in found} == pids
    count = sum(pids.values())
    assert (f"{count} records of 40 KLV packets" if count < 40 else "40 records, ").encode() in err


@pytest.mark.parametrize("verb", ["decode", "probe"])
def test_a_missing_selection_is_reported(verb: str, mux: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The error lists the KLV that exists, with exit code 4."""
    assert main([verb, str(mux), "--program", "7", "-q"]) == 4
    expected = "program 7 was selected; KLV is on PID 0x101 (program 1), PID 0x201 (program 2)"
    assert expected in capsys.readouterr().err


def test_probe_reports_the_chosen_klv_only(mux: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its sections and findings; other KLV is not a fault."""
    assert main(["probe", str(mux), "--pid", "0x201", "--json", "-q"]) in (0, 6)
    report = orjson.loads(capsys.readouterr().out)
    assert [stream["pid"] for stream in report["klv"]] == [513]
    assert not any("0x101" in finding["where"] for finding in report["findings"])


def test_sample_writes_its_klv_there(tmp_path: Path) -> None:
    """On the requested PID and program; a PID in use is refused."""
    path = str(tmp_path / "orbit.ts")
    assert main(["sample", path, "--seconds", "0.5", "--size", "128x72", "--pid", "0x155", "--program", "9", "-q"]) == 0
    assert {(r.pid, r.program) for r in klvrelay.open(path)} == {(0x155, 9)}
    for wrong in (["--pid", "0x100"], ["--pid", "0x1000"], ["--pid", "5"], ["--pid", "257", "--pid", "258"]):
        assert main(["sample", path, *wrong]) == 2


@pytest.mark.parametrize("option", ["--pid", "--program"])
@pytest.mark.parametrize(
    ("command", "hint"),
    [
        ("record {mux} {tmp}", "all PIDs are kept; select them with decode, run or replay"),
        ("send {mux} udp://127.0.0.1:9", "all PIDs are kept; select them with decode, run or replay"),
        ("items 13", "unknown option"),
        ("retained --mqtt mqtt://127.0.0.1:9", "unknown option"),
    ],
)
def test_a_verb_that_selects_no_pid_refuses_the_option(
    option: str, command: str, hint: str, mux: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would have no effect. Nothing is recorded or sent, and --help does not list it."""
    tapes = tmp_path / "tapes"
    assert main([*command.format(mux=mux, tmp=tapes).split(), option, "1"]) == 2
    error = capsys.readouterr().err
    assert option in error
    assert hint in error
    assert not tapes.exists()
    with pytest.raises(SystemExit):
        main([command.split()[0], "--help"])
    assert option not in capsys.readouterr().out


def test_frame_times_are_chosen_by_the_pid_of_the_video(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """A PID without such frames has none; a program does not select video."""
    path = str(tmp_path / "orbit.ts")
    assert main(["sample", path, "--seconds", "0.5", "--size", "128x72", "-q"]) == 0
    assert main(["decode", path, "--frame-times", "--pid", "0x100", "-q"]) == 0
    assert len(capfdbinary.readouterr().out.splitlines()) == 15
    assert main(["decode", path, "--frame-times", "--pid", "0x101", "-q"]) == 4
    assert b"on PID 0x101; they are on PID 0x100\n" in capfdbinary.readouterr().err
    assert main(["decode", path, "--frame-times", "--program", "1", "-q"]) == 2


def test_csv_has_both_columns(mux: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """As plain numbers."""
    assert main(["decode", str(mux), "--format", "csv", "-q", "--pid", "513"]) == 0
    rows = list(csv.DictReader(io.StringIO(capfdbinary.readouterr().out.decode())))
    assert {(row["stream"], row["pid"], row["program"]) for row in rows} == {("cam", "513", "2")}


def test_run_applies_the_selection_to_each_source(mux: Path, tmp_path: Path) -> None:
    """For those of the command line and of a file alike."""
    path = tmp_path / "relay.toml"
    path.write_text(f'[[sink]]\nurl = "mqtt://h"\n[[source]]\nurl = "{mux}"\npids = {{0x201 = "uav2"}}')
    for given in ([str(mux), "--mqtt", "mqtt://h"], ["-c", str(path)]):
        args = options.parser().parse_args(["run", *given, "--pid", "0x201", "--program", "2"])
        (source,) = relay_settings(args).sources
        assert (source.only, source.program) == ({513}, 2)
