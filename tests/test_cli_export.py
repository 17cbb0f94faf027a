"""`klvrelay export`: which files it writes, and what it leaves out."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from exported import ORBIT, flight, layer_of
from records import platform, spoilt
from test_cli import COMMAND, ENVIRONMENT, ran

from klvrelay.encode import encode
from klvrelay.exports.formats import FORMATS

RAW = b"".join(record.raw for record in flight([(9 + n / 1000, 56.0) for n in range(20)]))
"""Twenty records, one second apart."""


@pytest.fixture
def tape(tmp_path: Path) -> str:
    """A flight as bare KLV."""
    path = tmp_path / "flight.klv"
    path.write_bytes(RAW)
    return str(path)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_suffix_chooses_the_format(tape: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """The summary says what was written."""
    out = tmp_path / "track.geojson"
    assert ran(capfd, "export", tape, str(out)) == (0, "", f"wrote {out}: 20 records\n")
    assert len(layer_of(out)) == 1


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_can_be_chosen(name: str, tape: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """By --to; the file has any name."""
    out = tmp_path / "out"
    assert ran(capfd, "export", "-q", tape, "--to", name, str(out)) == (0, "", "")
    assert out.stat().st_size >= len(RAW)


def test_help_lists_every_format(capfd: pytest.CaptureFixture[str]):
    """With what it is for."""
    _, out, _ = ran(capfd, "export", "--help")
    assert all(f"  {form.name:12}{form.text}" in out for form in FORMATS.values())


@pytest.mark.parametrize("name", ["kml", "parquet", "mcap"])
def test_standard_output_gets_the_same_file(name: str, tape: str, tmp_path: Path):
    """Although it is a pipe, in which no format can go back."""
    command = [*COMMAND, "export", "-q", tape, "--to", name]
    subprocess.run([*command, "out"], cwd=tmp_path, env=ENVIRONMENT, check=True)
    done = subprocess.run([*command, "-"], env=ENVIRONMENT, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == (tmp_path / "out").read_bytes()


def test_standard_input_is_a_flight(tape: str):
    """As the file itself, except for the name of the stream."""
    done = subprocess.run(
        [*COMMAND, "export", "-q", "-", "--to", "klv", "-"], input=RAW, env=ENVIRONMENT, capture_output=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, RAW, b"")


def test_a_reader_that_closes_is_no_error(tape: str):
    """As after `| head`."""
    done = subprocess.run(
        ["sh", "-c", '"$@" | head -c 10 >/dev/null', "sh", *COMMAND, "export", str(ORBIT), "--to", "jsonl", "-"],
        env=ENVIRONMENT, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert "Traceback" not in done.stderr


def test_several_flights_become_files_of_a_folder(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """In processes; a flight that cannot be read spoils nothing else, and gives the exit code."""
    for name in ("a.klv", "b.klv"):
        (tmp_path / name).write_bytes(RAW)
    (tmp_path / "c.klv").write_bytes(b"not a recording" * 100)
    flights = [str(tmp_path / name) for name in ("a.klv", "b.klv", "c.klv", "d.klv")]
    code, out, said = ran(capfd, "export", *flights, "--to", "gpx", f"{tmp_path}/out/", "--jobs", "2")
    assert (code, out) == (3, "")
    assert names(tmp_path / "out") == {"a.gpx", "b.gpx"}
    lines = sorted(said.splitlines())
    assert [line for line in lines if line.startswith("wrote")] == [
        f"wrote {tmp_path}/out/a.gpx: 20 records", f"wrote {tmp_path}/out/b.gpx: 20 records",
    ]  # fmt: skip
    assert any("c.klv contains text" in line for line in lines)
    assert any("d.klv: no such file" in line for line in lines)


def test_one_job_gives_the_same_files(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """In this process, one after another."""
    for name in ("a.klv", "b.klv"):
        (tmp_path / name).write_bytes(RAW)
    flights = [str(tmp_path / name) for name in ("a.klv", "b.klv")]
    for jobs in ("1", "2"):
        assert ran(capfd, "export", "-q", *flights, "--to", "czml", f"{tmp_path}/{jobs}/", "--jobs", jobs)[0] == 0
    for name in ("a.czml", "b.czml"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


def test_flights_of_the_same_name_get_different_files(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """None replaces another."""
    flights = []
    for name in ("monday", "tuesday"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "flight.klv").write_bytes(RAW)
        flights.append(str(tmp_path / name / "flight.klv"))
    (tmp_path / "out").mkdir()
    assert ran(capfd, "export", "-q", *flights, "--to", "jsonl", str(tmp_path / "out"), "--jobs", "1")[0] == 0
    assert len(names(tmp_path / "out")) == 2


def test_a_folder_of_segments_is_one_flight(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """As for decode."""
    tapes = tmp_path / "tapes"
    tapes.mkdir()
    for second in range(3):
        (tapes / f"uav1-20261122T18150{second}.000000Z.klv").write_bytes(RAW)
    code, _, said = ran(capfd, "export", str(tapes), str(tmp_path / "all.jsonl"))
    assert (code, said) == (0, f"wrote {tmp_path}/all.jsonl: 60 records\n")


def test_several_pids_need_a_folder_or_a_choice(shared: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """Two aircraft are not mixed in one track."""
    source = str(shared / "cases" / "two_uav.ts")
    code, _, said = ran(capfd, "export", source, str(tmp_path / "a.jsonl"))
    assert (code, names(tmp_path)) == (2, set())
    assert "several PIDs (0x101, 0x201): select one with --pid" in said
    assert ran(capfd, "export", "-q", source, "--pid", "0x201", str(tmp_path / "a.jsonl"))[0] == 0
    assert ran(capfd, "export", "-q", source, "--to", "jsonl", f"{tmp_path}/both/")[0] == 0
    assert names(tmp_path / "both") == {"two_uav.jsonl", "two_uav.513.jsonl"}
    lines = (tmp_path / "a.jsonl").read_bytes().splitlines()
    assert {json.loads(line)["pid"] for line in lines} == {0x201}


def test_bad_records_are_left_out_and_counted(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """Unless --bad."""
    path, out = tmp_path / "a.klv", tmp_path / "a.jsonl"
    path.write_bytes(platform(0) + spoilt(1).raw + platform(2) + platform(3)[:-20])
    code, _, said = ran(capfd, "export", str(path), str(out))
    assert (code, said) == (0, f"wrote {out}: 2 records; left out: 1 damaged, 1 bad checksum\n")
    code, _, said = ran(capfd, "export", str(path), str(out), "--bad", "--force")
    assert (code, said) == (0, f"wrote {out}: 4 records\n")


def test_a_flight_with_bad_records_only_is_an_error(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """That names --bad; there is no empty file."""
    path = tmp_path / "a.klv"
    path.write_bytes(spoilt(1).raw)
    code, _, said = ran(capfd, "export", str(path), str(tmp_path / "a.jsonl"))
    assert (code, names(tmp_path)) == (4, {"a.klv"})
    assert said == f"klvrelay: {path}: every record (1) is damaged or has a bad checksum; --bad includes them\n"


def test_a_flight_without_positions_is_no_track(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """The error says what is missing; formats of whole records have it."""
    path = tmp_path / "a.klv"
    path.write_bytes(platform(0) + encode({"precision_time_stamp": 1_700_000_000_000_000}))
    code, _, said = ran(capfd, "export", str(path), str(tmp_path / "a.gpx"))
    assert (code, names(tmp_path)) == (4, {"a.klv"})
    assert said == f"klvrelay: {path}: none of 2 records has the position or time that gpx needs\n"
    assert ran(capfd, "export", str(path), str(tmp_path / "a.csv"))[0] == 0


def test_every_thins_by_time(tape: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """Records are a second apart: every fifth is kept, and the others are counted."""
    out = tmp_path / "a.jsonl"
    code, _, said = ran(capfd, "export", tape, str(out), "--every", "5")
    assert (code, said) == (0, f"wrote {out}: 4 records; left out: 16 by --every\n")
    assert [json.loads(line)["seq"] for line in out.read_bytes().splitlines()] == [0, 5, 10, 15]


def test_no_file_is_replaced_without_force(tape: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """Nor is a recording, even with it."""
    out = tmp_path / "a.jsonl"
    out.write_text("mine")
    code, _, said = ran(capfd, "export", tape, str(out))
    assert (code, out.read_text()) == (2, "mine")
    assert said == f"klvrelay: {out} exists: give another name, or --force to replace it\n"
    assert ran(capfd, "export", "-q", tape, str(out), "--force") == (0, "", "")
    code, _, said = ran(capfd, "export", tape, tape, "--force")
    assert (code, Path(tape).read_bytes()) == (2, RAW)
    assert said == f"klvrelay: OUT {tape} is one of the recordings; give another name\n"


@pytest.mark.parametrize(("args", "wanted"), [
    ("FLIGHT", "missing OUT: give the recordings, and then the file or folder to write"),
    ("FLIGHT a.foo", "OUT a.foo: no format has this suffix; use --to: jsonl, csv, klv"),
    ("FLIGHT --to shape a", "unknown format shape; valid formats: jsonl, csv"),
    ("FLIGHT FLIGHT a.kml", "OUT a.kml: 2 flights need a folder: end its name with /"),
    ("udp://:5000 a.kml", "export reads recordings; record the source first"),
    ("FLIGHT a.kml --points", "--points has no effect with kml; it applies to geojson"),
    ("FLIGHT a.parquet --compress zstd", "--compress has no effect with parquet; it applies to jsonl, csv"),
    ("FLIGHT a.parquet.zst", "parquet compresses by itself: leave out the compression"),
    ("FLIGHT a.parquet --items sensor_lat", "sensor_lat is not an item of ST 0601"),
    ("FLIGHT nowhere/a.kml", "nowhere/a.kml: can't be written: No such file or directory; create its folder first"),
    ("FLIGHT a.kml --every -1", "--every: -1: give seconds from 0 to 86400"),
    ("FLIGHT a.kml --every nan", "--every: nan: give seconds from 0 to 86400"),
    ("- - a/ --to kml", "standard input can be read only once"),
    ("FLIGHT /dev/null --to kml", "/dev/null exists, and is not a file: give another name"),
])  # fmt: skip
def test_what_makes_no_sense_is_refused(
    args: str, wanted: str, tape: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
):  # fmt: skip
    """Before anything is written, with what to do instead."""
    monkeypatch.chdir(tmp_path)
    code, out, said = ran(capfd, "export", *args.replace("FLIGHT", tape).split())
    assert (code, out) == (2, "")
    assert wanted in said
    assert names(tmp_path) == {"flight.klv"}


def test_a_folder_with_recordings_of_the_format_is_refused(
    tape: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    """A recording could be replaced with --force, or another one be added to a folder of segments."""
    code, _, said = ran(capfd, "export", tape, "--to", "klv", f"{tmp_path}/", "--force")
    assert (code, said) == (2, f"klvrelay: OUT {tmp_path}/ holds recordings that end with .klv; give another folder\n")
    code, _, said = ran(capfd, "export", str(tmp_path), "--to", "kml", str(tmp_path))
    assert (code, said) == (2, f"klvrelay: OUT {tmp_path} is one of the recordings; give another name\n")
    assert ran(capfd, "export", "-q", tape, "--to", "kml", f"{tmp_path}/") == (0, "", "")
    assert (names(tmp_path), Path(tape).read_bytes()) == ({"flight.klv", "flight.kml"}, RAW)


def test_compression_follows_from_the_name(tape: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """OUT ends with .zst, or --compress for a folder."""
    from klvrelay.shape.encoding.compression import zstd_module

    assert ran(capfd, "export", "-q", tape, str(tmp_path / "a.klv.zst"))[0] == 0
    assert zstd_module().decompress((tmp_path / "a.klv.zst").read_bytes()) == RAW
    assert ran(capfd, "export", "-q", tape, "--to", "kml", "--compress", "zstd", f"{tmp_path}/out/")[0] == 0
    assert names(tmp_path / "out") == {"flight.kml.zst"}
