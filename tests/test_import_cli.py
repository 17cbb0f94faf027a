"""`klvrelay import` on the command line: its errors, its files, its plan, and how it stops."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
from pathlib import Path

import pytest
from cases import each_case
from imported import BRACKETS, make_video, records_of, srt
from test_cli import COMMAND, ENVIRONMENT, ran
from test_cli_disk import limited

from klvrelay.cli.main import main
from klvrelay.importing.times import offset_text


@pytest.fixture
def flight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a.srt and a.mp4, the working directory."""
    (tmp_path / "a.srt").write_text(srt(BRACKETS, 12))
    make_video(tmp_path / "a.mp4", 12, created="2023-05-01T10:34:56Z", audio=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"a.srt", "a.mp4"}


def test_the_summary_says_what_was_done_assumed_and_left_out(flight, capfd):
    """Exit code 0; the items of options are in every record."""
    args = ["--mission", "M-17", "--platform", "Mavic 3", "--sensor", "EO", "--classification", "unclassified"]
    code, out, said = ran(
        capfd, "import", "a.srt", "--video", "a.mp4", "a.ts", *args, "--country", "dnk", "--set", "59=K1"
    )
    assert (code, out) == (0, "")
    assert said.startswith("wrote a.ts: 12 frames of h264, 12 KLV packets, ")
    assert "note: UTC offset +02:00, by the video's creation time; if wrong, give --utc-offset\n" in said
    assert "note: left out of the output: 1 audio stream\n" in said
    assert "note: the platform's heading is taken to be the gimbal's yaw" in said
    assert "missing of the minimum set" not in said
    items = records_of(flight / "a.ts")[0].items
    assert (items["mission_id"], items["platform_designation"]) == ("M-17", "Mavic 3")
    assert items["platform_call_sign"] == "K1"
    assert items["security_local_set"]["classifying_country"] == "//DNK"
    assert names(flight) == {"a.ts"}


def test_what_is_missing_is_named(flight, capfd):
    """With the options that add it."""
    _, _, said = ran(capfd, "import", "a.srt", "--video", "a.mp4", "a.ts")
    assert "missing of the minimum set (ST 0902): mission_id, platform_designation, image_source_sensor," in said


def test_quiet_leaves_only_warnings(flight, capfd):
    """A time without a zone is one."""
    make_video(flight / "b.mp4", 12)
    code, out, said = ran(capfd, "import", "a.srt", "--video", "b.mp4", "a.ts", "-q")
    assert (code, out) == (0, "")
    assert said.startswith("warning: the telemetry's times have no zone and are taken as UTC; if local, give ")
    assert said.count("\n") == 1


def test_a_dry_run_writes_nothing_and_shows_the_plan(flight, capfd):
    """The first records as they would be decoded, where values come from, and what is missing."""
    (flight / "a.csv").write_text("t,hoehe,lat,strange\n0,100,48.5,x\n0.1,200,48.5,x\n")
    args = ["--map", "time=t,altitude=hoehe:ft", "--start", "2026-06-01T09:30:00Z", "--dry-run"]
    code, out, said = ran(capfd, "import", "a.csv", "--video", "a.mp4", "a.ts", *args)
    assert (code, said) == (0, "")
    assert names(flight) == {"a.csv"}
    assert "telemetry  a.csv: CSV, 2 rows\n" in out
    assert "video      a.mp4: h264, 128x72, 29.97 frames/s, 0.4 s\n" in out
    assert "column     hoehe (ft) -> sensor_true_altitude\n" in out
    assert 'record     2026-06-01T09:30:00.000Z {"sensor_latitude":48.49999998,"sensor_true_altitude":' in out
    assert out.count("record     ") == 3
    assert "note: columns that were not recognised: strange; map them with --map\n" in out
    assert "missing of the minimum set (ST 0902): mission_id," in out


def test_a_dry_run_says_if_no_time_matches(flight, capfd):
    """Instead of an empty list."""
    (flight / "a.csv").write_text("time,lat\n2023-01-01T00:00:00Z,48.5\n2023-01-01T00:00:01Z,48.5\n")
    _, out, _ = ran(capfd, "import", "a.csv", "--video", "a.mp4", "a.ts", "--start", "2024-01-01", "--dry-run")
    assert "warning: no telemetry for any frame; see --start, --utc-offset and --shift\n" in out


@each_case(
    ("args", "code", "complaint"),
    [
        (["a.srt", "a.ts"], 2, "a transport stream needs --video VIDEO; for KLV alone, name a file"),
        (["a.srt", "--video", "a.mp4", "a.klv"], 2, "bare KLV has no video; name a .ts file, or leave out --video"),
        (["none.srt", "--video", "a.mp4", "a.ts"], 2, "none.srt: no such file"),
        (["a.srt", "--video", "none.mp4", "a.ts"], 2, "--video none.mp4: no such file"),
        (["a.mp4", "--video", "a.srt", "a.ts"], 3, "is not a text file: give the telemetry (.srt, .csv) first"),
        (["a.srt", "--video", "a.srt", "a.ts"], 3, "a.srt: not a readable video"),
        (["a.srt", "--video", "a.mp4", "a.mp4", "--force"], 2, "would overwrite what is read; choose another name"),
        (["a.srt", "--video", "a.mp4", "a.ts", "--map", "lat=x"], 2, "DJI subtitles need no mapping"),
        (["a.srt", "--video", "a.mp4", "a.ts", "--set", "sensor_lattitude=1"], 2, "did you mean sensor_latitude?"),
        (["a.srt", "--video", "a.mp4", "a.ts", "--set", "mission_id"], 2, "write ITEM=VALUE"),
        (["a.srt", "--video", "a.mp4", "a.ts", "--set", "hfov=200"], 2, "the range is 0 to 180 deg"),
        (["a.srt", "--video", "a.mp4", "a.ts", "--set", "altitude=high"], 2, "expected a number"),
        (["a.srt", "--video", "a.mp4", "-"], 2, "give the name of a file; it appears when it is complete"),
        (["a.srt", "--video", "a.mp4", "a.ts", "--classification", "Unclassified"], 2, "give both"),
        (["a.srt", "--video", "a.mp4", "a.ts", "--classification", "x", "--country", "dnk"], 2, "give one of Uncl"),
        (["a.srt", "--video", "a.mp4", "a.ts", "--classification", "Secret", "--country", "d"], 2, "three letters"),
        (["a.srt", "--video", "a.mp4", "a.ts", "--start", "now"], 2, "give a time such as"),
        (["a.srt", "--video", "a.mp4", "a.ts", "--rate", "nan"], 2, "--rate nan: give 0.01 to 1000 packets per second"),
        (["a.srt", "--video", "a.mp4", "a.ts", "--max-age", "0"], 2, "--max-age 0: give"),
        (["a.srt", "--video", "a.mp4", "a.ts", "--shift", "inf"], 2, "--shift inf: give"),
        (["a.srt", "--video", "a.mp4", "a.ts", "--sensor-width", "0"], 2, "--sensor-width 0: give"),
        (["a.srt", "--video", "a.mp4", "a.ts", "--pid", "0x100"], 2, "--pid 0x100: give 0x20 to 0x1ffe, except"),
        (["a.srt", "--video", "a.mp4", "a.ts", "--pid", "0x101", "--pid", "0x102"], 2, "give one PID"),
        (["a.srt", "--video", "a.mp4", "nowhere/a.ts"], 2, "nowhere/a.ts: can't be written (No such file"),
        (["a.srt", "--video", "a.mp4", "--force", "."], 2, ". is a folder; name a file in it, such as flight.ts"),
        (["a.srt", "--video", "http://host/a.mp4", "a.ts"], 2, "--video: give the name of a file"),
        (["a.srt", "--video", "a.mp4", "a.ts", "--shift", "60"], 2, "no telemetry for any frame: it is from 2023-"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)  # fmt: skip
def test_a_wrong_argument_is_one_line_with_the_remedy(flight, capfd, args, code, complaint):
    """Nothing is written."""
    found, out, said = ran(capfd, "import", *args)
    assert complaint in said
    assert (found, out, said.count("\n")) == (code, "", 1)
    assert names(flight) == set()


def test_an_existing_file_is_kept_unless_forced(flight, capfd):
    """The error names the option."""
    (flight / "a.ts").write_text("before")
    code, _, said = ran(capfd, "import", "a.srt", "--video", "a.mp4", "a.ts")
    assert (code, said) == (2, "klvrelay: a.ts exists; choose another name, or overwrite it with --force\n")
    assert (flight / "a.ts").read_text() == "before"
    assert main(["import", "a.srt", "--video", "a.mp4", "a.ts", "--force", "-q"]) == 0
    assert len(records_of(flight / "a.ts")) == 12


@pytest.mark.parametrize(("mask", "mode"), [(0, 0o640), (0o077, 0o600)])
def test_the_recording_is_for_the_owner_and_the_group(flight, mask, mode):
    """Whatever more the umask allows; it may remove more."""
    args = ["import", "a.srt", "--video", "a.mp4", "a.ts", "-q", "--utc-offset", "Z"]
    subprocess.run([*COMMAND, *args], cwd=flight, check=True, timeout=30, env=ENVIRONMENT, umask=mask)
    assert stat.S_IMODE((flight / "a.ts").stat().st_mode) == mode


def test_a_full_disk_is_exit_code_1(flight):
    """No partial file is left."""
    done = limited("import", "a.srt", "--video", "a.mp4", "a.ts", "-q", folder=flight)
    assert (done.returncode, done.stderr) == (1, "klvrelay: a.ts: can't be written (File too large)\n")
    assert names(flight) == set()


def test_a_signal_leaves_no_file(flight):
    """Exit code 130, and an earlier file stays."""
    rows = "".join(f"{n / 100},48.5\n" for n in range(400_000))
    (flight / "a.csv").write_text("time,lat\n" + rows)
    (flight / "a.klv").write_text("before")
    command = [*COMMAND, "import", "a.csv", "a.klv", "--force", "--start", "2026-01-01"]
    running = subprocess.Popen(
        command, cwd=flight, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )  # fmt: skip
    while not list(flight.glob(".a.klv.*.part")) and running.poll() is None:
        os.sched_yield()
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=20)
    assert (running.returncode, said) == (130, "klvrelay: stopped\n")
    assert names(flight) == {"a.csv", "a.klv"}
    assert (flight / "a.klv").read_text() == "before"


def cut(path: Path, share: float) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])


def test_a_truncated_video_gives_what_it_has(flight, capfd):
    """With a note; the index of this mp4 is at its beginning."""
    cut(flight / "a.mp4", 0.75)
    code, _, said = ran(capfd, "import", "a.srt", "--video", "a.mp4", "a.ts")
    assert code == 0
    assert "of 12 frames: the file is truncated" in said
    assert 0 < len(records_of(flight / "a.ts")) < 12


def test_a_video_without_its_index_is_refused(flight, capfd):
    """As after a recording that was cut off."""
    cut(flight / "a.mp4", 0.02)
    code, _, said = ran(capfd, "import", "a.srt", "--video", "a.mp4", "a.ts")
    assert code == 3
    assert "an mp4 without its index" in said


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(b"", "a.mp4: not a readable video"), (bytes(range(256)) * 40, "a.mp4: not a readable video")],
    ids=["empty", "noise"],
)  # fmt: skip
def test_a_file_that_is_no_video_is_refused(flight, capfd, content, complaint):
    """Exit code 3."""
    (flight / "a.mp4").write_bytes(content)
    code, _, said = ran(capfd, "import", "a.srt", "--video", "a.mp4", "a.ts")
    assert (code, complaint in said) == (3, True)


def test_another_codec_is_refused_with_the_command_that_converts_it(flight, capfd):
    """It is never encoded without being asked for."""
    make_video(flight / "b.mkv", 12, codec="mpeg4", b_frames=0)
    code, _, said = ran(capfd, "import", "a.srt", "--video", "b.mkv", "a.ts")
    assert code == 3
    assert "its video is mpeg4; STANAG 4609 needs H.264 or H.265: ffmpeg -i IN -c:v libx264 OUT.mp4" in said


def test_the_bar_needs_a_terminal(flight):
    """In a pipe there are only the summary's lines."""
    done = subprocess.run(
        [*COMMAND, "import", "a.srt", "--video", "a.mp4", "a.ts"], cwd=flight, env=ENVIRONMENT, capture_output=True,
        text=True, timeout=30,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")
    assert "\x1b" not in done.stderr
    assert done.stderr.startswith("wrote a.ts: ")


def test_an_offset_is_written_as_it_is_read():
    """Negative ones too."""
    assert [offset_text(minutes * 60_000_000) for minutes in (120, -210, 0)] == ["+02:00", "-03:30", "+00:00"]
