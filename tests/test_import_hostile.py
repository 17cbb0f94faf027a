"""Damaged telemetry and videos: `klvrelay import` reports them, or imports what is left, and never fails otherwise."""

from __future__ import annotations

import subprocess
from pathlib import Path
from random import Random

import pytest
from decoys import CONTENT, DECOYS, bait
from imported import BRACKETS, DRONE, FLAT, OLD, OLD_METRES, START_US, imported, make_video, srt
from test_cli import COMMAND, ENVIRONMENT, ran

from klvrelay.errors import KlvrelayError

VECTORS = Path(__file__).parent / "vectors"
ROWS = "".join(f"{n / 30:.4f},48.{n},11.5,500,10,-45,3,24,100\n" for n in range(12))
TABLE = (
    "time,lat,lon,sensor_true_altitude,gimbal_yaw,gimbal_pitch,platform_roll_angle,focal_length_35mm,"
    f"height_above_takeoff\n{ROWS}"
)
PIECES = (b"999999999999", b"-", b"\n\n", b'"', b",", b"nan", b"\xff\xfe", b"\0", b"1e308", b"-->", b"[", b"{")


def damaged(data: bytes, chance: Random) -> bytes:
    """Some bytes changed, removed, repeated or inserted; sometimes the end cut off."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 12)):
        at, kind = chance.randrange(len(out) + 1), chance.random()
        if kind < 0.4:
            out[at : at + 1] = bytes([chance.randrange(256)])
        elif kind < 0.6:
            del out[at : at + chance.randint(1, 60)]
        elif kind < 0.8:
            out[at:at] = out[chance.randrange(len(out) + 1) :][: chance.randint(1, 80)]
        elif kind < 0.95:
            out[at:at] = chance.choice(PIECES)
        else:
            del out[at:]
    return bytes(out)


def outcome(telemetry: Path, video: Path | None, target: Path, **options: object) -> str:
    """`done`, or the class of the error, which has one line."""
    try:
        imported(telemetry, video, target, start_us=START_US, force=True, **options)
    except KlvrelayError as fault:
        return type(fault).__name__ if "\n" not in str(fault) else "several lines"
    return "done"


@pytest.mark.parametrize("name", ["codec_change.ts", "codec_change_at_end.ts"])
def test_a_codec_that_changes_late_ends_no_process(name: str, tmp_path: Path):
    """An assertion of libav would abort it: the command ends with one of its exit codes."""
    (tmp_path / "t.csv").write_text("time,lat\n0,48\n1,48\n")
    line = [*COMMAND, "import", "t.csv", "--video", str(VECTORS / name), "o.ts", "--start", "2026-01-01"]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, timeout=30, env=ENVIRONMENT)
    assert done.returncode in (0, 2, 3), done.stderr
    assert done.stderr


@pytest.mark.parametrize("name", DECOYS)
def test_nothing_that_a_file_names_is_opened(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """Playlists, manifests and containers with external data, as a video or as telemetry, are refused."""
    (tmp_path / "t.csv").write_text("time,lat\n0,48\n1,48\n")
    with bait(tmp_path) as laid:
        (tmp_path / name).write_bytes(DECOYS[name](laid))
        options = ["--start", "2026-01-01", "-q", "--force"]
        as_video = ran(capfd, "import", str(tmp_path / "t.csv"), "--video", str(tmp_path / name), "o.ts", *options)
        as_telemetry = ran(capfd, "import", str(tmp_path / name), str(tmp_path / "o.klv"), *options)
        assert laid.touched() == []
    for code, out, said in (as_video, as_telemetry):
        assert code in (2, 3), said
        assert CONTENT.decode().strip() not in out + said


def test_damaged_telemetry_is_imported_or_refused(tmp_path: Path):
    """Bytes changed in any dialect and in a table; about half is still usable."""
    chance = Random(11)
    whole = [srt(form, 12).encode() for form in (BRACKETS, DRONE, OLD, OLD_METRES, FLAT)] + [TABLE.encode()] * 5
    found = []
    for _ in range(300):
        (tmp_path / "t").write_bytes(damaged(chance.choice(whole), chance))
        found.append(outcome(tmp_path / "t", None, tmp_path / "o.klv", interpolate=chance.random() < 0.5))
    assert found.count("done") > 100
    assert set(found) <= {"done", "ConfigError", "SourceError"}


@pytest.mark.parametrize("name", ["v.mp4", "v.mkv", "v.ts"])
def test_a_damaged_video_is_imported_or_refused(name: str, tmp_path: Path):
    """Bytes changed anywhere in the container."""
    chance = Random(12)
    (tmp_path / "t").write_text(srt(BRACKETS, 12))
    whole = make_video(tmp_path / name, 12).read_bytes()
    found = []
    for _ in range(40):
        (tmp_path / name).write_bytes(damaged(whole, chance))
        found.append(outcome(tmp_path / "t", tmp_path / name, tmp_path / "o.ts"))
    assert set(found) <= {"done", "ConfigError", "SourceError"}
    assert not list(tmp_path.glob(".*.part"))
